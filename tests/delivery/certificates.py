"""An authority of our own, made when a test needs it, and what it signs."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """Signs certificates; its own stands in `file`, keys and certificates in one file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / "authority.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    @cached_property
    def certificate(self) -> x509.Certificate:
        """That of the authority itself."""
        name = _named("Authority of the tests")
        made = self._builder(name, name, self.key.public_key(), timedelta())
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return made.add_extension(usage, critical=True).sign(self.key, hashes.SHA256())

    def signed(self, name: str = "localhost", *, age: timedelta = DAY, by_itself: bool = False) -> Path:
        """A file with a key and its certificate, valid for a name (or 127.0.0.1) for ten days, made `age` ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = _named(name) if by_itself else self.certificate.subject
        try:
            other: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            other = x509.DNSName(name)
        made = self._builder(_named(name), issuer, key.public_key(), age)
        made = made.add_extension(x509.SubjectAlternativeName([other]), critical=False)
        signer = key if by_itself else self.key
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        certificate = made.add_extension(identifier, critical=False).sign(signer, hashes.SHA256())
        file = self.folder / f"{name}-{certificate.serial_number}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        return file

    def _builder(self, name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, age: timedelta):  # noqa: ANN202
        begins = datetime.now(UTC) - age - timedelta(minutes=5)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        return (
            made.serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(begins + 10 * DAY)
        )
