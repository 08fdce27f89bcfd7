"""Private keys for SFTP: read as people have them, made by us, and both kinds' fingerprints."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

MAX_KEY: Final = 16_384
"""Characters of a pasted key: RSA with 8,192 bits takes about 6,500."""
MIN_RSA_BITS: Final = 2_048
SUPPORTED: Final = (ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)
_COMMENT: Final = "exports"


class KeyRefused(ValueError):
    """A text that is no private key we can use; its text says why, and never quotes the key."""


@dataclass(frozen=True)
class KeyPair:
    """A private key in OpenSSH's format without passphrase (it is sealed as it is), and the line for the server."""

    private: str
    public: str


def made() -> KeyPair:
    """A new Ed25519 key."""
    return _pair(ed25519.Ed25519PrivateKey.generate())


def read(text: str, passphrase: str = "") -> KeyPair:
    """A pasted private key, in the format of OpenSSH or PEM.

    Raises:
        KeyRefused: it cannot be read with this passphrase, or is of a kind that is not used any more.
    """
    if len(text) > MAX_KEY:
        raise KeyRefused(f"The private key is longer than {MAX_KEY:,} characters")
    if "PRIVATE KEY-----" not in text:
        raise KeyRefused(
            "This is no private key. Paste the whole file, from “-----BEGIN” to “-----END … PRIVATE KEY-----”"
        )
    key = _loaded(text.strip().replace("\r\n", "\n").encode() + b"\n", passphrase.encode() or None)
    if not isinstance(key, SUPPORTED):
        raise KeyRefused("Keys of this kind are not used any more. Use an Ed25519, ECDSA or RSA key")
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        raise KeyRefused(f"An RSA key must have at least {MIN_RSA_BITS:,} bits, this one has {key.key_size:,}")
    return _pair(key)


def _loaded(data: bytes, passphrase: bytes | None) -> object:
    load = (
        serialization.load_ssh_private_key
        if b"BEGIN OPENSSH PRIVATE KEY" in data
        else serialization.load_pem_private_key
    )
    try:
        return load(data, passphrase)
    except TypeError as error:  # a passphrase where none is needed, or none where one is
        if passphrase is not None:
            return _loaded(data, None)
        raise KeyRefused("The private key has a passphrase. Type it too") from error
    except UnsupportedAlgorithm as error:
        raise KeyRefused("Keys of this kind are not used any more. Use an Ed25519, ECDSA or RSA key") from error
    except ValueError as error:
        if passphrase is not None:
            raise KeyRefused("The private key cannot be opened. Type its passphrase again") from error
        if "password" in str(error).lower():
            raise KeyRefused("The private key has a passphrase. Type it too") from error
        raise KeyRefused("The private key cannot be read. Paste the whole file, without changes") from error


def _pair(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> KeyPair:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return KeyPair(private, f"{public} {_COMMENT}")


def fingerprint(public: str) -> str:
    """SHA256:… of a public key in one line, “ssh-ed25519 AAAA…”, as `ssh-keygen -l` prints it."""
    blob = base64.b64decode(public.split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
