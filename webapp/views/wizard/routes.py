"""The blueprint that every module of the wizard binds its routes to."""

from flask import Blueprint

blueprint = Blueprint("wizard", __name__)
