"""Flask extensions that answering browsers and migrating need: made once, bound to the application in `create_app`."""

from __future__ import annotations

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from htmx_flask import Htmx

migrate = Migrate()
csrf = CSRFProtect()
login = LoginManager()
htmx = Htmx()
limiter = Limiter(key_func=get_remote_address)
