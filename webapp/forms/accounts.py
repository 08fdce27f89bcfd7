"""The login form."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired


class LoginForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """Email, password, the way back, and what was typed when the session had ended (views/again.py)."""

    email = StringField("Email", [InputRequired("Enter your email address")])
    password = PasswordField("Password", [InputRequired("Enter your password")])
    next = HiddenField()
    kept = HiddenField()
