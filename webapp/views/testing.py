"""What the panel of **Test connection** shows, in the wizard and on a connection's page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from flask import Response
from flask_login import current_user

from exports.delivery.base import PHASES, Phase
from webapp.filters import day
from webapp.htmx import fragment, stop_polling
from webapp.models import Connection, ConnectionTest
from webapp.permissions import may
from webapp.services.connections import may_lead, testing
from webapp.services.progress import present
from webapp.views.uploads import took_words

TOO_OFTEN: Final = f"You can test {testing.PER_MINUTE} times a minute. Wait a moment, then try again."


@dataclass(frozen=True)
class Line:
    """One phase: `state` is ok, bad, key or none. `accepts`: what a button offers to trust. `about`: label and value of
    what stands in the certificate.
    """

    state: str
    words: str
    more: str = ""
    key: str = ""
    then: str = ""
    accepts: str = ""
    about: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Panel:
    """What is known of a server by its newest test. `in_form`: buttons belong to the form around it."""

    poll_url: str
    accept_url: str
    test: ConnectionTest | None = None
    connection: Connection | None = None
    stale: bool = False
    in_form: bool = False
    refused: str = ""
    said: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether phases are still to come."""
        return self.test is not None and not testing.is_over(self.test)

    @property
    def was_taken(self) -> bool:
        """Whether a worker carried it out."""
        return self.test is not None and self.test.started_at is not None

    @property
    def is_good(self) -> bool:
        """Whether all phases went well."""
        return self.test is not None and self.test.is_good

    @property
    def key_waits(self) -> bool:
        """Whether nothing but the server's key is in the way."""
        return self.test is not None and self.test.error_code in KEY_CODES

    @property
    def seconds(self) -> float:
        """How long it took, or takes so far."""
        return testing.seconds(self.test) if self.test else 0.0

    @property
    def at(self) -> datetime | None:
        """When it was asked for."""
        return self.test.created_at if self.test else None

    @property
    def now(self) -> datetime:
        """The present moment."""
        return present()

    @property
    def lines(self) -> list[Line]:
        """The phases that are over, in words."""
        if self.test is None:
            return []
        return list(_lines(self.test, self))


SEEN: Final = {
    "target.host_key_unknown": "Server key, seen for the first time",
    "target.certificate_untrusted": "Certificate, signed by nobody whom we know",
}
ACCEPTS: Final = {
    "target.host_key_unknown": "Accept this key",
    "target.certificate_untrusted": "Accept this certificate",
}
KEY_CODES: Final = frozenset(SEEN)
"""What ends a test and is no fault: a key that nobody has accepted yet."""
CHANGED_CODES: Final = {
    "target.host_key_changed": "Accept this new key",
    "target.certificate_changed": "Accept this new certificate",
}
COMPARE: Final = {
    "target.host_key_unknown": (
        "No password was sent. Compare it with the fingerprint that whoever runs the server names. "
        "Once accepted, a changed key stops uploads until an admin accepts it."
    ),
    "target.certificate_untrusted": (
        "No password was sent. Compare it with the fingerprint that whoever runs the server names. "
        "Once accepted, a changed certificate stops uploads until an admin accepts it."
    ),
}
OTHERS_USE: Final = "Exports of other people use this connection: ask a manager to compare and accept it."
PINNED_KEY: Final = "It is pinned when you create the export: a changed key stops uploads until an admin accepts it."
PINNED_CERTIFICATE: Final = (
    "It is pinned when you create the export: a changed certificate stops uploads until an admin accepts it."
)


WORDS: Final = {
    "address": "Address found",
    "connect": "Connected to port {port}",
    "security": "Secured",
    "login": "Logged in as {username}",
    "folder": "Folder {folder} is there",
    "write": "A test file was written",
    "rename": "It was renamed and removed again",
}
"""How a phase is told that went well."""
LEFT: Final = "It was renamed"
BY_HAND: Final = "The test file {name} could not be removed: delete it by hand."
"""Of a server that lets nobody delete: files can be delivered there all the same."""
NO_FOLDER: Final = "Folder after the login is open"
NOT_TESTED: Final[dict[Phase, str]] = {"login": "Login not tested", "folder": "Folder not tested"}


def _lines(test: ConnectionTest, panel: Panel) -> Iterator[Line]:
    """The phases that are over."""
    known = {**test.about, "folder": test.about["path"].rpartition("/")[0]}
    for phase in test.phases:
        facts = {**known, **phase.get("facts", {})}
        yield _failed(phase, facts, panel) if phase.get("code") else _went_well(phase, facts, panel)
    if testing.is_over(test) and test.error_code and test.phases:
        yield from (Line("none", words) for words in _left(test.phases[-1]["phase"]))


def _left(last: str) -> list[str]:
    """What was not come to."""
    return [words for phase, words in NOT_TESTED.items() if PHASES.index(phase) > PHASES.index(last)]


def _went_well(phase: dict[str, Any], facts: dict[str, Any], panel: Panel) -> Line:
    is_home = phase["phase"] == "folder" and not facts["folder"]
    words = NO_FOLDER if is_home else WORDS[phase["phase"]].format(**facts)
    if phase["phase"] == "security" and facts.get("key"):
        return replace(_of_key(facts["key"], panel), about=_about(facts.get("certificate")))
    if facts.get("left"):
        return Line("ok", LEFT, f"– {took_words(phase['seconds'])}", then=BY_HAND.format(name=facts["left"]))
    more = {"address": f"– {facts.get('address', '')}"}.get(phase["phase"], f"– {took_words(phase['seconds'])}")
    return Line("ok", words, more)


def _of_key(key: str, panel: Panel) -> Line:
    """The server's key, which is the accepted one: else nothing would have been sent."""
    known = panel.connection.accepted_at if panel.connection else None
    is_certificate = panel.test is not None and panel.test.about["type"] == "ftps"
    if is_certificate and panel.test is not None and key != panel.test.about["accepted_key"]:
        return Line("ok", "Certificate is valid for this host", key=key)
    if known is not None:
        at = day(known, current_user.time_zone)
        words = (
            f"Certificate is the one accepted on {at}" if is_certificate else f"Server key is the one accepted on {at}"
        )
        return Line("ok", words, key=key)
    words = "Certificate is the one that you accepted" if is_certificate else "Server key is the one that you accepted"
    pinned = PINNED_CERTIFICATE if is_certificate else PINNED_KEY
    return Line("ok", words, key=key, then=pinned if panel.in_form else "")


def _failed(phase: dict[str, Any], facts: dict[str, Any], panel: Panel) -> Line:
    key, code, about = facts.get("key", ""), phase["code"], _about(facts.get("certificate"))
    if code in KEY_CODES and key:
        then, accepts = _of_first(code, panel.connection)
        return Line("key", SEEN[code], key=key, then=then, accepts=accepts, about=about)
    if code in CHANGED_CODES and key:
        is_admin = panel.connection is not None and may(
            current_user, "connections.accept_changed_key", panel.connection
        )
        accepts = CHANGED_CODES[code] if is_admin else ""
        return Line("bad", phase["message"], key=key, then=phase["advice"], accepts=accepts, about=about)
    return Line("bad", phase["message"], phase["advice"], about=about)


def _of_first(code: str, connection: Connection | None) -> tuple[str, str]:
    """What to do about a key that nobody has accepted, and what the button says if it is for the person to accept."""
    if connection is None or may_lead(current_user, connection):
        return COMPARE[code], ACCEPTS[code]
    is_own = may(current_user, "connections.accept_key", connection)
    return OTHERS_USE if is_own else COMPARE[code], ""


def _about(certificate: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """Subject, issuer and validity of a certificate, on the person's own clock."""
    if not certificate:
        return ()
    begins, ends = (day(datetime.fromisoformat(certificate[one]), current_user.time_zone) for one in ("begins", "ends"))
    return (
        ("Subject", certificate["subject"]),
        ("Hosts", ", ".join(certificate["names"]) or "none named"),
        ("Signed by", "itself" if certificate["by_itself"] else certificate["issuer"]),
        ("Valid", f"from {begins} to {ends}"),
    )


def answer_of_poll(panel: Panel) -> Response:
    """The panel again; 286 with the last of it, which is said too."""
    if panel.goes_on:
        return fragment("connections/_test.html", panel=panel)
    ended = replace(panel, said="The connection can be used" if panel.is_good else "The connection cannot be used")
    return stop_polling(fragment("connections/_test.html", panel=ended))
