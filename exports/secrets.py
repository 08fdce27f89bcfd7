"""Seals and opens credentials: encrypted with the newest key, readable with all, bound to what they belong to (T5).

The plaintext names its owner: a sealed credential that is copied to another row cannot be opened there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from exports.errors import CredentialUnreadable

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


def new_key() -> str:
    """A key for CREDENTIAL_KEYS."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def is_key(text: str) -> bool:
    """Whether a text can stand in CREDENTIAL_KEYS."""
    from cryptography.fernet import Fernet

    try:
        Fernet(text)
    except ValueError:
        return False
    return True


class Sealer:
    """The keys of this installation, newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)

    def __repr__(self) -> str:
        return "Sealer(***)"

    def seal(self, secret: str, owner: str) -> bytes:
        """A credential of `owner` (the connection's id) as it may be stored."""
        return self._fernet().encrypt(json.dumps([owner, secret]).encode())

    def open(self, token: bytes, owner: str) -> str:
        """The credential that was sealed for `owner`.

        Raises:
            CredentialUnreadable: sealed with a key that is not here, damaged, or another's.
        """
        from cryptography.fernet import InvalidToken

        try:
            found = json.loads(self._fernet().decrypt(token))
        except InvalidToken:
            raise CredentialUnreadable("sealed with none of the keys, or damaged") from None
        if found[0] != owner:
            raise CredentialUnreadable("sealed for something else")
        return str(found[1])

    def rotated(self, token: bytes) -> bytes:
        """The same credential, sealed with the newest key.

        Raises:
            CredentialUnreadable: as `open`.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet().rotate(token)
        except InvalidToken:
            raise CredentialUnreadable("sealed with none of the keys, or damaged") from None

    def _fernet(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(one) for one in self._keys])
