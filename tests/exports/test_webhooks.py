"""A webhook is told by one signed request, to an address that was checked, within its time (RELIABILITY T3)."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exports.addresses import Guard, Ports, read_networks
from exports.errors.webhooks import (
    WebhookBlocked,
    WebhookError,
    WebhookRedirected,
    WebhookRefused,
    WebhookSlow,
    WebhookUnreachable,
    WebhookUntrusted,
)
from exports.webhooks import Place, UrlRefused, new_secret, read_url, signed, tell
from tests.delivery.certificates import Authority
from tests.fix_webhooks import Listener, listening

ROOT = Path(__file__).parents[2]
BODY = b'{"type":"test"}'
NEVER_PORT = 1


def guard(*ports: int, names: dict[str, list[str]] | None = None, public: bool = False) -> Guard:
    """Lets loopback pass on these ports alone."""
    known = names or {}

    def resolve(host: str, port: int) -> list[str]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return known[host]

    allowed = read_networks(", ".join(f"127.0.0.1:{port}" for port in ports))
    return Guard(allowed, Ports(((443, 443), (1024, 65535))), resolve, public_too=public)


def send(listener: Listener, limit: float = 5.0, **headers: str) -> int:
    """Tell it."""
    return tell(read_url(listener.url), headers, BODY, guard(listener.port), limit)


def test_a_message_is_one_request_whose_answer_is_not_read(listener: Listener) -> None:
    listener.answer = "HTTP/1.1 202 Accepted\r\nContent-Length: 1000000000000\r\n\r\nendless"
    assert send(listener, **{"Content-Type": "application/json"}) == 202
    (told,) = listener.told
    assert told.line == "POST /hooks?key=in-the-url HTTP/1.1"
    assert told.body == BODY
    assert told.headers == {
        "host": f"127.0.0.1:{listener.port}", "content-length": "15", "connection": "close",
        "content-type": "application/json",
    }  # fmt: skip


def test_the_signature_is_that_of_standard_webhooks() -> None:
    # The vector of the specification's own libraries.
    headers = signed(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", new_secret())
    assert new_secret() != new_secret()


def test_what_the_docs_tell_receivers_to_do_finds_the_true_and_refuses_the_forged() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/webhooks.md").read_text(), re.DOTALL)
    told: dict[str, Any] = {}
    exec(code, told)  # noqa: S102 - the page's own example
    secret, now = new_secret(), int(time.time())
    headers = signed(secret, "msg_1", now, BODY)
    assert told["is_ours"](secret, headers, BODY)
    assert not told["is_ours"](secret, headers, BODY + b" ")
    assert not told["is_ours"](new_secret(), headers, BODY)
    assert not told["is_ours"](secret, signed(secret, "msg_1", now - 301, BODY), BODY)
    assert not told["is_ours"](secret, {**headers, "webhook-id": "msg_2"}, BODY)


@pytest.mark.parametrize("status", [100 + 99, 400, 404, 410, 500, 503])
def test_what_is_no_success_is_told_by_its_status(listener: Listener, status: int) -> None:
    listener.answer = status
    with pytest.raises(WebhookRefused, match=f"answered {status}"):
        send(listener)


@pytest.mark.parametrize("to", ["http://169.254.169.254/latest/meta-data", "https://elsewhere.example/", "/here"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_is_followed(listener: Listener, status: int, to: str) -> None:
    listener.answer = f"HTTP/1.1 {status} Word\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(WebhookRedirected, match=f"answered {status}, which leads elsewhere"):
        send(listener)
    assert listener.connections == 1


@pytest.mark.parametrize("answer", [None, "dribble"])
def test_who_does_not_come_to_an_end_is_cut_off_in_time(listener: Listener, answer: str | None) -> None:
    listener.answer = answer
    begun = time.monotonic()
    with pytest.raises(WebhookSlow):
        send(listener, limit=0.5)
    assert 0.4 < time.monotonic() - begun < 2


@pytest.mark.parametrize(
    "answer", ["", "nonsense\r\n\r\n", "HTTP/1.1 \r\n\r\n", "HTTP/1.1 2000 Word\r\n\r\n", "A" * 70_000]
)
def test_who_talks_nonsense_was_not_told(listener: Listener, answer: str) -> None:
    listener.answer = answer
    with pytest.raises(WebhookError):
        send(listener)


def test_who_does_not_listen_cannot_be_reached() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(WebhookUnreachable):
        tell(read_url(f"http://127.0.0.1:{port}/"), {}, BODY, guard(port))
    with pytest.raises(WebhookUnreachable):
        tell(read_url("http://nowhere.example:8080/"), {}, BODY, guard())


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data", "https://[::ffff:127.0.0.1]/", "https://2130706433/", "https://0x7f.1/",
        "https://[64:ff9b::a9fe:a9fe]/", "https://10.0.0.1/", "https://localhost/", "https://a.localhost:8443/",
    ],
)  # fmt: skip
def test_what_lies_inside_is_blocked_in_every_spelling(url: str) -> None:
    with pytest.raises(WebhookBlocked):
        tell(read_url(url), {}, BODY, guard(NEVER_PORT, public=True))


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["169.254.169.254"]])
def test_a_name_that_leads_inside_is_blocked_before_anybody_is_connected_to(
    listener: Listener, found: list[str]
) -> None:
    held = guard(NEVER_PORT, names={"hooks.example": found}, public=True)
    with pytest.raises(WebhookBlocked):
        tell(replace(read_url(listener.url), scheme="http", host="hooks.example"), {}, BODY, held)
    assert listener.connections == 0


def test_a_name_is_asked_for_once_so_that_no_second_answer_counts(listener: Listener) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    held = replace(guard(listener.port), resolver=rebinding)
    assert tell(replace(read_url(listener.url), host="hooks.example"), {}, BODY, held) == 204
    assert asked == ["hooks.example"]
    assert listener.told[0].headers["host"] == f"hooks.example:{listener.port}"


def test_what_is_not_encrypted_goes_to_no_public_address() -> None:
    held = guard(names={"hooks.example": ["93.184.216.34"]})
    with pytest.raises(WebhookBlocked):
        tell(read_url("http://hooks.example:8080/"), {}, BODY, held)


def test_a_server_is_trusted_by_its_certificate_for_its_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    def reach(certificate: Path, host: str = "hooks.example") -> int:
        with listening(certificate) as listener:
            held = guard(listener.port, names={"hooks.example": ["127.0.0.1"]})
            return tell(Place("https", host, listener.port, "/"), {}, BODY, held)

    assert reach(authority.signed("hooks.example")) == 204
    for untrusted in (authority.signed("other.example"), authority.signed("hooks.example", by_itself=True)):
        with pytest.raises(WebhookUntrusted):
            reach(untrusted)
    with listening() as plain, pytest.raises(WebhookError):
        tell(Place("https", "127.0.0.1", plain.port, "/"), {}, BODY, guard(plain.port), 0.5)
    assert b"" not in [told.body for told in plain.told], "nothing was sent in the clear"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("https://Hooks.Example", Place("https", "hooks.example", 443, "/")),
        ("https://hooks.example:8443/a?b=c", Place("https", "hooks.example", 8443, "/a?b=c")),
        ("http://[::1]:8080/", Place("http", "::1", 8080, "/")),
    ],
)
def test_an_address_is_taken_apart(text: str, place: Place) -> None:
    assert read_url(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "", "hooks.example", "ftp://hooks.example/", "file:///etc/passwd", "gopher://hooks.example",
        "javascript:alert(1)",
        "https://", "https://user:word@hooks.example/", "https://hooks.example/#part", "https://hooks.example/a b",
        "https://hooks.example/\r\nX: y", "https://hooks.example\\@evil.example/", "https://hooks.example:0/",
        "https://hooks.example:99999/", "https://[::1/", "https://a..b/", "https://hooks.example/\u2028",
        "https://h/" + "a" * 2000,
        "https://127.0.0.1\x00.example.com/", "https://ⓛocalhost/",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UrlRefused):
        read_url(text)
