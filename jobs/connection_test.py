"""**Test connection**, carried out: the phases of a delivery with a file of a few bytes (SPEC section 3.7)."""

from __future__ import annotations

import importlib
import logging
import uuid
from typing import Any, Final

from exports import delivery
from exports.delivery import Probe, Server, Step
from exports.errors import AddressBlocked, TargetError, Unexpected
from exports.errors.target import CredentialMissing
from jobs import scheduler
from webapp.extensions import db
from webapp.models import Brand, ConnectionTest, User, brand_scope
from webapp.services import guarding
from webapp.services.connections import credentials, plain, reaching, refusals, testing

log = logging.getLogger("jobs.connection_test")

SOMEWHERE: Final = "exports-test.txt"
"""Where a test without a path writes: in the folder that the server leads to after the login."""


def test(run: str) -> None:
    """Carry out one test; `run` is its id. One that nobody waits for any more is left."""
    id = uuid.UUID(run)
    brand = scheduler.take_test(id)
    if brand is None:
        return
    with brand_scope(brand):
        found = db.session.get_one(ConnectionTest, id)
        try:
            _carry_out(found)
        except Exception:  # whoever waits is told that it is over, whatever it was
            log.exception("the test %s fell over", run)
            db.session.rollback()
            testing.finish(found, Unexpected.code)
            raise


def preload() -> None:
    """Before processes are forked: import what takes long to import."""
    for name in ("exports.delivery.ftp", "exports.delivery.sftp"):
        importlib.import_module(name)


def _carry_out(found: ConnectionTest) -> None:
    """Each phase is told as it ends; what is known about them only at the end is put to them then."""

    def tell(step: Step) -> None:
        if step.state in ("done", "failed"):
            code = step.facts.get("code", "")
            testing.add_phase(found, {"phase": step.phase, "seconds": round(step.seconds, 3), "code": code})

    try:
        server = _server(found)
    except TargetError as error:
        testing.add_phase(found, {"phase": error.phase or "login", "seconds": 0.0, **_told(error)})
        testing.finish(found, error.code)
        return
    path = found.about["path"] or SOMEWHERE
    probe = delivery.probe(server, guarding.guard(), path, tag=found.id.hex[:12], tell=tell)
    found.phases = [{**one, **_of_phase(one, probe)} for one in found.phases]
    if isinstance(probe.error, AddressBlocked):
        asker = db.session.get_one(User, found.asked_by_id)
        refusals.record(asker, "test", server.type, server.host, server.port, found)
    if probe.error is None:
        testing.finish(found, None, probe.offered)
    else:
        testing.finish(found, probe.error.code, probe.offered, is_offered=probe.error.offers_key)


def _server(found: ConnectionTest) -> Server:
    """Where to, as whom, and what is trusted there.

    Raises:
        PlainFtpOff: an admin has switched servers of this kind off.
        CredentialMissing: nothing was given to log in with.
        CredentialUnreadable: its key is not in CREDENTIAL_KEYS any more.
    """
    about, sealed = found.about, testing.sealed_of(found)
    plain.refuse(db.session.get_one(Brand, found.brand_id), about["type"])
    if sealed is None:
        raise CredentialMissing
    credential = credentials.opened(sealed, found.server)
    return reaching.server(
        about["type"], about["host"], about["port"], about["username"], credential, about["accepted_key"]
    )


def _of_phase(phase: dict[str, Any], probe: Probe) -> dict[str, Any]:
    """What a phase found, and what was in its way."""
    facts = {
        "address": {"address": probe.facts.get("address", "")},
        "rename": {"left": probe.facts["left"]} if "left" in probe.facts else {},
        "security": {"key": probe.offered, **({"certificate": probe.certificate} if probe.certificate else {})},
    }.get(phase["phase"], {})
    told = _told(probe.error) if probe.error is not None and phase["code"] else {}
    return {"facts": facts, **told}


def _told(error: TargetError) -> dict[str, str]:
    advice = error.told_now.removeprefix(error.message).strip()
    return {"code": error.code, "message": error.message, "advice": advice}
