"""Flask extensions that answering browsers and migrating need: made once, bound to the application in `create_app`."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

from flask import current_app
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from htmx_flask import Htmx
from redis.backoff import NoBackoff
from redis.retry import Retry

IMPATIENT: Final[dict[str, Any]] = {
    "socket_timeout": 0.4,
    "socket_connect_timeout": 0.4,
    "retry": Retry(NoBackoff(), 0),
}
"""A Redis that hangs must not hold up a login: after this the limiter counts in memory (RELIABILITY F7)."""

migrate = Migrate()
csrf = CSRFProtect()
login = LoginManager()
htmx = Htmx()
limiter = Limiter(key_func=get_remote_address, storage_options=IMPATIENT)


def hashed(kind: str, text: str) -> str:
    """A key of the limiter: Redis holds no personal data and no secret (RELIABILITY P7)."""
    secret = current_app.config["SECRET_KEY"].encode()
    return hmac.new(secret, f"{kind}:{text}".encode(errors="replace"), hashlib.sha256).hexdigest()
