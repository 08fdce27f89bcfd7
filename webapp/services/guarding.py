"""What guards uploads in this installation: which addresses may be reached, and the keys of credentials."""

from __future__ import annotations

from flask import current_app

from exports.addresses import Guard, system_resolver
from exports.secrets import Sealer


def guard() -> Guard:
    """Says which hosts and ports may be reached, by the operator's settings (RELIABILITY T3)."""
    settings = current_app.config["SETTINGS"]
    resolver = current_app.config.get("RESOLVER", system_resolver)
    return Guard(settings.allowed_networks, settings.allowed_ports, resolver)


def sealer() -> Sealer:
    """Seals and opens credentials with the keys of CREDENTIAL_KEYS (RELIABILITY T5)."""
    return Sealer(current_app.config["SETTINGS"].credential_keys)
