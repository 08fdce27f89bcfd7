"""Who may do what: the one place that answers, for screen, command line, API and run alike (SPEC section 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol
from uuid import UUID

from webapp.models import User

PUBLIC: Final = "public"
"""The action of routes that need no login."""


class Owned(Protocol):
    """What has an owner."""

    owner_id: UUID


def _is(*roles: str) -> Callable[[User, Any], bool]:
    return lambda user, _object: user.role in roles


def _own_or_manager(user: User, thing: Owned | None) -> bool:
    if user.role == "exporter":
        return thing is not None and thing.owner_id == user.id
    return user.role in ("manager", "admin")


def _own(user: User, thing: Owned | None) -> bool:
    return thing is not None and thing.owner_id == user.id


def _own_or_admin(user: User, thing: Owned | None) -> bool:
    return thing is not None and (thing.owner_id == user.id or user.role == "admin")


def _makes_connections(user: User, _thing: Any) -> bool:
    """Exporters need the grant; of the others a connection is a part of their work."""
    return user.role in ("manager", "admin") or (user.role == "exporter" and user.use_new_target)


def _uses_connection(user: User, thing: Any) -> bool:
    """Exporters use those that are shared with them, and their own."""
    if user.role == "exporter":
        return thing is not None and (thing.shared_with_exporters or thing.owner_id == user.id)
    return user.role in ("manager", "admin")


def _changes_connection(user: User, thing: Owned | None) -> bool:
    return _own_or_manager(user, thing) and _makes_connections(user, thing)


def _sees_audit(user: User, _thing: Any) -> bool:
    return user.role == "admin" or bool(user.see_audit)


_anybody = _is("viewer", "exporter", "manager", "admin")
_exporters = _is("exporter", "manager", "admin")

ACTIONS: Final[dict[str, Callable[[User, Any], bool]]] = {
    "exports.act_on_several": _exporters,
    "exports.delete": _own_or_manager,
    "exports.edit": _own_or_manager,
    "exports.list": _anybody,
    "exports.see": _anybody,
    "exports.create": _exporters,
    "exports.preview": _exporters,
    "exports.download": _exporters,
    "exports.compare": _exporters,
    "exports.cancel_compare": _own_or_manager,
    "exports.restore": _own_or_manager,
    "exports.run": _own_or_manager,
    "exports.archive": _own_or_manager,
    "exports.cancel": _own_or_manager,
    "exports.clone": _own_or_manager,
    "exports.change_schedule": _own_or_manager,
    "exports.set_inactive": _own_or_manager,
    "exports.set_active": _own_or_manager,
    "connections.list": _exporters,
    "connections.see": _uses_connection,
    "connections.use": _uses_connection,
    "connections.create": _makes_connections,
    "connections.change": _changes_connection,
    "connections.share": _is("manager", "admin"),
    "connections.test": _uses_connection,
    "connections.accept_key": _changes_connection,
    "connections.accept_changed_key": _is("admin"),
    "drafts.edit": _own,
    "mailbox.see": _anybody,
    "models.see": _anybody,
    "users.see": _anybody,
    "account.leave": _anybody,
    "account.change": _anybody,
    "audit.see": _sees_audit,
    "exports.hand_over": _is("manager", "admin"),
    "fields.change": _is("admin"),
    "settings.change": _is("admin"),
    "tokens.create": _anybody,
    "tokens.list": _is("admin"),
    "tokens.revoke": _own_or_admin,
    "personal.report": _is("admin"),
    "personal.remove": _is("admin"),
    "webhooks.change": _is("admin"),
    "users.list": _is("admin"),
    "users.invite": _is("admin"),
    "users.change": _is("admin"),
}
"""Every action there is and who may do it; an action that is not here is refused to everybody."""


def may(user: User, action: str, thing: Any = None) -> bool:
    """Whether a user may do an action to a thing of the own brand."""
    if not user.is_active:
        return False
    if thing is not None and thing.brand_id != user.brand_id:
        return False
    rule = ACTIONS.get(action)
    return rule is not None and rule(user, thing)


class Refused(Exception):
    """A user may not do this. `hidden`: the thing must look as if it were not there (404 in place of 403)."""

    def __init__(self, action: str, hidden: bool = False) -> None:
        self.action = action
        self.hidden = hidden
        super().__init__(action)


def authorize(user: User, action: str, thing: Any = None) -> None:
    """Let pass what is allowed.

    Raises:
        Refused: hidden if the thing is another brand's (SPEC section 1).
    """
    if not may(user, action, thing):
        raise Refused(action, hidden=thing is not None and thing.brand_id != user.brand_id)
