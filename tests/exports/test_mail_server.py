"""The mail server: its address is read strictly, it is talked to encrypted, and never waited for long."""

from __future__ import annotations

import base64
import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from exports import errors, mail_server
from exports.mail_server import MailServer, MailUrlRefused
from tests.fix_mail import Postbox, serving

PASSWORD = "a canary of a password"


def message() -> EmailMessage:
    """A small mail."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "exports@exports.example", "ann@maple.example", "Hello"
    made.set_content("Hello")
    return made


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("smtp://mail.example", MailServer("mail.example", 587, "starttls")),
        ("smtp://mail.example:2525", MailServer("mail.example", 2525, "starttls")),
        ("smtps://mail.example", MailServer("mail.example", 465, "tls")),
        ("smtp://mail.example?tls=none", MailServer("mail.example", 25, "none")),
        ("smtps://ann%40b:w%3Ard@mail.example/", MailServer("mail.example", 465, "tls", "ann@b", "w:rd")),
        ("smtp://a:b@127.0.0.1?tls=none", MailServer("127.0.0.1", 25, "none", "a", "b")),
        ("smtp://[::1]:25?tls=none", MailServer("::1", 25, "none")),
    ],
)
def test_addresses_are_read(url: str, wanted: MailServer) -> None:
    assert MailServer.parse(url) == wanted


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "write smtp://"),
        ("mail.example:25", "write smtp://"),
        ("http://mail.example", "write smtp://"),
        ("smtp://", "write smtp://"),
        ("smtp://mail.example/inbox", "write smtp://"),
        ("smtp://mail.example:mail", "the port"),
        ("smtp://mail.example:70000", "the port"),
        ("smtp://mail.example?tls=maybe", "the only option"),
        ("smtp://mail.example?starttls=no", "the only option"),
        ("smtps://mail.example?tls=none", "encrypted from the beginning"),
        ("smtp://ann@mail.example", "stand together"),
        ("smtp://ann:secret@mail.example?tls=none", "without encryption"),
        ("smtp://ann:secret%C3%BC@mail.example", "of ASCII characters"),
    ],
)
def test_addresses_that_make_no_sense_are_refused_without_their_password(url: str, said: str) -> None:
    with pytest.raises(MailUrlRefused, match=said) as refused:
        MailServer.parse(url)
    assert "secret" not in str(refused.value)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Callable[[str], Path]]:
    """An authority of the tests' own: the file of its certificate, and what makes a server's key and certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = tmp_path_factory.mktemp("authority")
    now = datetime.datetime.now(datetime.UTC)

    def certificate(name: str, key: ec.EllipticCurvePrivateKey, *, by: ec.EllipticCurvePrivateKey, host: str) -> bytes:
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Tests")])
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=not host, path_length=None), critical=True)
        )
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    ours = ec.generate_private_key(ec.SECP256R1())
    trusted = folder / "authority.pem"
    trusted.write_bytes(certificate("Tests", ours, by=ours, host=""))

    def server(host: str) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        path = folder / f"{host}.pem"
        plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(key.private_bytes(*plain) + certificate(host, key, by=ours, host=host))
        return path

    return trusted, server


def tls_of(pem: Path) -> ssl.SSLContext:
    """What a server with this key and certificate needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def send_by(server: MailServer) -> None:
    """One mail over a conversation of its own."""
    with server.conversation("exports.example") as conversation:
        conversation.send(message())


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_mail_is_sent_encrypted_to_a_server_whose_certificate_is_right(
    authority: tuple[Path, Callable[[str], Path]], monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    trusted, key_of = authority
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    context = tls_of(key_of("localhost"))
    options = {"tls": context} if security == "tls" else {"tls_context": context, "require_starttls": True}
    with serving(Postbox(), **options) as postbox:
        send_by(MailServer("localhost", postbox.port, security))  # type: ignore[arg-type]
    assert postbox.recipients == ["ann@maple.example"]


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("wrong", ["another name", "an unknown authority"])
def test_a_server_that_cannot_be_trusted_gets_neither_password_nor_mail(
    authority: tuple[Path, Callable[[str], Path]], monkeypatch: pytest.MonkeyPatch, security: str, wrong: str
) -> None:
    trusted, key_of = authority
    if wrong == "another name":
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    context = tls_of(key_of("other.example" if wrong == "another name" else "localhost"))
    options = {"tls": context} if security == "tls" else {"tls_context": context}
    with serving(Postbox(), **options) as postbox, pytest.raises(errors.MailServerUntrusted) as refused:
        send_by(MailServer("localhost", postbox.port, security, "ann", PASSWORD))  # type: ignore[arg-type]
    assert postbox.messages == []
    assert PASSWORD not in f"{refused.value} {refused.value.detail}"


def test_a_server_without_encryption_is_refused_before_the_password_is_sent() -> None:
    with serving(Postbox()) as postbox, pytest.raises(errors.MailServerUntrusted, match="STARTTLS"):
        send_by(MailServer("127.0.0.1", postbox.port, "starttls", "ann", PASSWORD))


@pytest.mark.parametrize("repeated", [PASSWORD, f"\0ann\0{PASSWORD}"], ids=["as it is", "as it was sent"])
def test_a_login_that_is_refused_is_said_without_the_password(repeated: str) -> None:
    told = repeated if repeated == PASSWORD else base64.b64encode(repeated.encode()).decode()
    lines = [b"220 hello\r\n", b"250-hello\r\n250 AUTH PLAIN\r\n", f"535 5.7.8 not {told}\r\n".encode()]
    with scripted(lines) as port, pytest.raises(errors.MailLoginRefused) as refused:
        send_by(MailServer("127.0.0.1", port, "none", "ann", PASSWORD))
    assert refused.value.message == "The mail server refused the login: 535 5.7.8 not …"


@contextmanager
def scripted(lines: list[bytes], *, then: str = "close", drip_s: float = 0.05) -> Iterator[int]:
    """A server that says one of these for each thing it hears, the first at once; `then` it is silent, or drips."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.settimeout(5)
                for place, line in enumerate(lines):
                    if place:
                        client.recv(65_536)
                    client.sendall(line)
                while then != "close" and not over.wait(drip_s):
                    try:
                        client.sendall(b"2" if then == "drip" else b"")
                    except OSError:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        over.set()
        thread.join(5)


HELLO = [b"220 hello\r\n", b"250 hello\r\n"]
PHASES = {
    "greeting": [],
    "EHLO": HELLO[:1],
    "MAIL": HELLO,
    "RCPT": [*HELLO, b"250 ok\r\n"],
    "DATA": [*HELLO, b"250 ok\r\n", b"250 ok\r\n"],
    "end": [*HELLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"],
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("how", ["silent", "drip"])
def test_a_server_that_hangs_in_any_phase_is_left(monkeypatch: pytest.MonkeyPatch, phase: str, how: str) -> None:
    monkeypatch.setattr(mail_server, "ANSWER_S", 0.3)
    monkeypatch.setattr(mail_server, "CONNECT_S", 0.6)
    monkeypatch.setattr(mail_server, "MAIL_S", 0.6)
    began = time.monotonic()
    with scripted(PHASES[phase], then=how) as port, pytest.raises(errors.MailServerSlow):
        send_by(MailServer("127.0.0.1", port, "none"))
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("phase", [*PHASES])
def test_a_server_that_hangs_up_in_any_phase_is_noticed(phase: str) -> None:
    lines = PHASES[phase]
    with scripted(lines) as port, pytest.raises(errors.MailServerUnreachable):
        send_by(MailServer("127.0.0.1", port, "none"))


def test_hostile_words_of_a_server_are_kept_short_and_on_one_line() -> None:
    lines = [f"550-first\r\n550 {'x' * 900}\x1b[31m\r\n".encode()]
    with scripted(lines) as port, pytest.raises(errors.MailRefused) as refused:
        send_by(MailServer("127.0.0.1", port, "none"))
    assert refused.value.message.startswith("The mail server refused it: 550 first x")
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 260
