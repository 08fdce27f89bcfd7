"""What guards uploads in this installation: which addresses may be reached, and the keys of credentials."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from flask import current_app

from exports.addresses import Guard, system_resolver
from exports.secrets import Sealer


def guard() -> Guard:
    """Says which hosts and ports may be reached, by the operator's settings (RELIABILITY T3)."""
    settings = current_app.config["SETTINGS"]
    resolver = current_app.config.get("RESOLVER", system_resolver)
    return Guard(settings.allowed_networks, settings.allowed_ports, resolver)


def webhook_guard(*, encrypted: bool) -> Guard:
    """The same for webhooks, with the ports of the web besides. What is not encrypted goes nowhere but to networks that
    the operator allows.
    """
    held = guard()
    web = ((80, 80), (443, 443))
    return replace(held, ports=replace(held.ports, may=(*held.ports.may, *web)), public_too=encrypted)


def is_allowed(host: str) -> bool:
    """Whether an address is in a network that the operator allows; a name may be, and is asked for when it is used."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return bool(current_app.config["SETTINGS"].allowed_networks)
    return any(address in one.network for one in current_app.config["SETTINGS"].allowed_networks)


def sealer() -> Sealer:
    """Seals and opens credentials with the keys of CREDENTIAL_KEYS (RELIABILITY T5)."""
    return Sealer(current_app.config["SETTINGS"].credential_keys)
