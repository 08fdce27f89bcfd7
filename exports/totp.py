"""Codes of an authenticator app: TOTP (RFC 6238) with SHA-1, 6 digits and 30 seconds, which all apps know."""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

SECONDS: Final = 30
DIGITS: Final = 6
BYTES: Final = 20
"""Of a secret: the output of SHA-1 (RFC 4226, section 4)."""
STEPS_OFF: Final = 1
"""How far the clock of a phone may be off."""


def new_secret() -> bytes:
    """A secret for one person."""
    return secrets.token_bytes(BYTES)


def spelled(secret: bytes) -> str:
    """A secret as people type it into an app that has no camera: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def address(secret: bytes, issuer: str, account: str) -> str:
    """What the QR code holds (Key Uri Format)."""
    query = urlencode({"secret": spelled(secret).replace(" ", ""), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='')}?{query}"


def step_of(moment: datetime) -> int:
    """The step of time in which a moment lies."""
    return int(moment.timestamp()) // SECONDS


def code(secret: bytes, step: int) -> str:
    """The code of a step (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    place = digest[-1] & 0xF
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_with(secret: bytes, typed: str, moment: datetime, after: int | None) -> int | None:
    """The step whose code was typed, with spaces or not; None if it is no code of about now.

    `after`: the step of the code that was used last. It and those before it are used up (RFC 6238, section 5.2).
    """
    wanted = "".join(typed.split())
    if not (len(wanted) == DIGITS and wanted.isascii() and wanted.isdigit()):
        return None
    now = step_of(moment)
    found = None
    for step in range(now - STEPS_OFF, now + STEPS_OFF + 1):
        if hmac.compare_digest(code(secret, step), wanted) and (after is None or step > after):
            found = step
    return found
