"""The second step at login: a code of an authenticator app, or one of ten recovery codes, each used once."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from sqlalchemy import func, or_, select, update

from exports import totp
from exports.errors import CredentialUnreadable, SecondStepUnreadable
from webapp.extensions import db
from webapp.models import User
from webapp.permissions import authorize
from webapp.services import audit, guarding
from webapp.services.mail import accounts as mails
from webapp.services.progress import present

RECOVERY_CODES: Final = 10
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters and digits that are taken for each other."""
RECOVERY_LENGTH: Final = 16
"""79 bits: nobody finds a code by trying, not even who has the hashes."""
MAX_TYPED: Final = 40
ISSUER: Final = "Exports"


def is_on(user: User) -> bool:
    """Whether a password alone does not let the user in."""
    return user.totp_secret is not None


def sealed(user: User, text: str) -> str:
    """What a session may hold for a moment of setting it up."""
    return guarding.sealer().seal(text, _owner(user)).decode()


def opened(user: User, token: str) -> str:
    """That again; empty if it is another user's, or sealed with a key that is here no more."""
    try:
        return guarding.sealer().open(token.encode(), _owner(user))
    except CredentialUnreadable:
        return ""


def address(user: User, secret: bytes) -> str:
    """What the QR code holds."""
    return totp.address(secret, f"{ISSUER} {user.brand.name}", user.email)


def turn_on(user: User, secret: bytes, typed: str) -> list[str] | None:
    """Ask for codes of this secret from now on, if `typed` is one; returns the recovery codes. Commits."""
    step = totp.step_with(secret, typed, present(), None)
    if step is None:
        return None
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    user.totp_secret, user.totp_step = guarding.sealer().seal(secret.hex(), _owner(user)), step
    user.recovery_hashes = [_hash(user, one) for one in codes]
    audit.record("user.second_step_on", user, user)
    db.session.commit()
    return codes


def passes(user: User, typed: str) -> bool:
    """Whether this code lets the user in; it is used up then. In the caller's scope; the caller commits.

    Raises:
        SecondStepUnreadable: none of CREDENTIAL_KEYS opens the secret.
    """
    if user.totp_secret is None or len(typed) > MAX_TYPED:
        return False
    try:
        secret = bytes.fromhex(guarding.sealer().open(user.totp_secret, _owner(user)))
    except CredentialUnreadable as error:
        raise SecondStepUnreadable(error.detail) from error
    step = totp.step_with(secret, typed, present(), user.totp_step)
    if step is not None:  # of two who type the same code at once only one is first
        unused = or_(User.totp_step.is_(None), User.totp_step < step)
        return _first(user, unused, totp_step=step)
    hashed = _hash(user, typed)
    left = func.array_remove(User.recovery_hashes, hashed)
    if not _first(user, User.recovery_hashes.contains([hashed]), recovery_hashes=left):
        return False
    db.session.refresh(user)
    audit.record("user.recovery_code_used", user, user, left=len(user.recovery_hashes))
    return True


def turn_off(user: User) -> None:
    """The password is enough again. Commits."""
    _forget(user)
    audit.record("user.second_step_off", user, user)
    db.session.commit()


def reset(admin: User, user: User) -> None:
    """The same, by an admin, for somebody who has lost phone and recovery codes, and who is mailed. Commits.

    Raises:
        Refused: the admin may not change the user.
    """
    authorize(admin, "users.change", user)
    if is_on(user):
        _forget(user)
        audit.record("user.second_step_reset", admin, user, email=user.email)
        mails.write("second_step_reset", user, by=admin.name, user=str(user.id))
        db.session.commit()


def rotate() -> int:
    """Seal the secrets of the present brand's users with the newest of CREDENTIAL_KEYS; the caller commits.

    Raises:
        CredentialUnreadable: none of them opens one.
    """
    rows = db.session.scalars(select(User).where(User.totp_secret.is_not(None)).with_for_update(of=User)).all()
    for one in rows:
        one.totp_secret = guarding.sealer().rotated(one.totp_secret or b"")
    return len(rows)


def _first(user: User, condition: object, **values: object) -> bool:
    changed = update(User).where(User.id == user.id, condition).values(**values).returning(User.id)  # type: ignore[arg-type]
    return db.session.scalar(changed.execution_options(synchronize_session=False)) is not None


def _forget(user: User) -> None:
    user.totp_secret, user.totp_step, user.recovery_hashes = None, None, []


def _new_code() -> str:
    text = "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LENGTH))
    return "-".join(text[place : place + 4] for place in range(0, RECOVERY_LENGTH, 4))


def _hash(user: User, typed: str) -> str:
    """A code is as long as a key: a plain hash needs no slowness."""
    plain = "".join(typed.lower().split()).replace("-", "").encode(errors="replace")
    return hashlib.sha256(user.id.bytes + plain).hexdigest()


def _owner(user: User) -> str:
    return f"second step:{user.id}"
