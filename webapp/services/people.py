"""**People**: the users of a brand, invited, changed, disabled and enabled by its admins (SPEC section 10).

A brand keeps an admin: the last one is neither disabled nor made anything else. Who is disabled or changed is so at the
next request; who is disabled leaves no export behind without somebody having said what becomes of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from exports.errors import AccountRefused
from webapp.extensions import db
from webapp.models import Export, User, clock
from webapp.models.accounts import new_token
from webapp.permissions import authorize
from webapp.services import accounts, audit, exports, runs, schedules, tokens
from webapp.services.exports.listing import COUNTED
from webapp.services.mail import accounts as mails

PAUSE: Final = "pause"
GRANTS: Final = ("export_pii", "use_new_target", "see_audit")
SHOWN: Final = 500


class NotDecided(ValueError):
    """Somebody who is to be disabled owns exports, and nobody has said what becomes of them; `names` of some."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        super().__init__(", ".join(names))


@dataclass(frozen=True)
class Wanted:
    """What an admin sets of a user."""

    name: str
    role: str
    export_pii: bool = False
    use_new_target: bool = True
    see_audit: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """As the audit log keeps it."""
        return {name: getattr(self, name) for name in ("name", "role", *GRANTS)}


@dataclass(frozen=True)
class Listed:
    """A user and how many exports are theirs, counted up to COUNTED: `more_than_counted` if there are more."""

    user: User
    exports: int
    more_than_counted: bool


def listed() -> list[Listed]:
    """The users of the present brand, active ones first, by name."""
    theirs = select(Export.id).where(Export.owner_id == User.id, Export.deleted_at.is_(None)).correlate(User)
    counted = select(func.count()).select_from(theirs.limit(COUNTED + 1).subquery()).scalar_subquery()
    order = (User.disabled_at.is_not(None), User.name, User.email)
    found = db.session.execute(select(User, counted).order_by(*order).limit(SHOWN))
    return [Listed(user, min(number, COUNTED), number > COUNTED) for user, number in found]


def of(user: User) -> Wanted:
    """What is set of a user now."""
    return Wanted(user.name, user.role, user.export_pii, user.use_new_target, user.see_audit)


def invite(admin: User, email: str, wanted: Wanted) -> User:
    """Make a user without a password and mail the link by which one is chosen. Commits.

    Raises:
        AccountRefused: saying what cannot be used.
    """
    authorize(admin, "users.invite")
    user = accounts.new_user(admin.brand, email, wanted.name, wanted.role, None, accounts.new_password())
    user.invited_at = clock()
    _set(user, wanted)
    accounts.add(user)
    audit.record("user.invited", admin, user, email=user.email, **wanted.facts)
    mails.write("invitation", user, by=admin.name)
    db.session.commit()
    return user


def invite_again(admin: User, user: User) -> None:
    """Mail a new link: to who was invited, or as a reset to who has a password. Commits."""
    authorize(admin, "users.change", user)
    kind = "invitation" if user.invited_at is not None else "reset"
    audit.record("user.invited" if kind == "invitation" else "user.reset_asked", admin, user, email=user.email)
    mails.write(kind, user, by=admin.name)
    db.session.commit()


def change(admin: User, user: User, wanted: Wanted) -> None:
    """Set name, role and grants; they count from the user's next request on. Commits.

    Raises:
        AccountRefused: the name or the role cannot be used, or the brand would have no admin.
    """
    authorize(admin, "users.change", user)
    accounts.check_name(wanted.name)
    accounts.check_role(wanted.role)
    if wanted.role != "admin":
        _keep_an_admin(user)
    before, after = of(user).facts, wanted.facts
    changed: dict[str, Any] = {name: value for name, value in after.items() if before[name] != value}
    if changed:
        _set(user, wanted)
        audit.record("user.changed", admin, user, before={name: before[name] for name in changed}, **changed)
    db.session.commit()


def owned(user: User) -> Sequence[Export]:
    """The exports of a user that are not archived, by name."""
    theirs = (Export.owner_id == user.id, Export.archived_at.is_(None), Export.deleted_at.is_(None))
    return db.session.scalars(select(Export).where(*theirs).order_by(Export.name, Export.id)).all()


def disable(admin: User, user: User, decided: Mapping[uuid.UUID, str], others: str = "") -> dict[str, int]:
    """Let the user in no more, after each of the exports was handed over or paused; admins are mailed. Commits.

    The user's API tokens are revoked.

    `decided`: by export the id of a user who takes it over, or PAUSE; `others`: the same for all that are not named.
    Returns how many were handed over and how many paused.

    Raises:
        NotDecided: an export for which nothing was decided.
        AccountRefused: it is the admin, or the last one.
        HandOverRefused: somebody cannot take over an export.
    """
    authorize(admin, "users.change", user)
    if user.id == admin.id:
        raise AccountRefused(reason="nobody disables the own account")
    _keep_an_admin(user)
    chosen = {export: decided.get(export.id) or others for export in owned(user)}
    takers = {what: exports.taker(what) for what in set(chosen.values()) - {"", PAUSE}}
    plan = {export: takers.get(what) for export, what in chosen.items()}
    if undecided := [export.name for export, to in plan.items() if not chosen[export] or to == user]:
        raise NotDecided(undecided)
    counts: dict[str, Any] = {"handed_over": 0, "paused": 0}
    for export, to in plan.items():
        if to is None:
            _pause(admin, export)
            counts["paused"] += 1
        else:
            counts["handed_over"] += exports.hand_over(admin, export, to)
    _keep_an_admin(user)  # asked again: with every export above the others were let go on
    user.disabled_at, user.token = clock(), new_token()
    tokens.revoke_all_of(user, admin)
    audit.record("user.disabled", admin, user, email=user.email, **counts)
    mails.tell_admins("disabled", by=admin.name, name=user.name, email=user.email, user=str(user.id), **counts)
    db.session.commit()
    return counts


def enable(admin: User, user: User) -> None:
    """Let the user in again, with the password of before; paused exports and revoked tokens stay so. Commits."""
    authorize(admin, "users.change", user)
    if user.disabled_at is not None:
        user.disabled_at = None
        audit.record("user.enabled", admin, user, email=user.email)
    db.session.commit()


def _pause(admin: User, export: Export) -> None:
    """Let it run no more; what waits or goes on is cancelled, as it would fail, or be published for who is gone."""
    if export.schedule == "repeated":
        schedules.set_inactive(admin, export)
    else:
        schedules.cancel_date(admin, export)
    runs.stop_all(admin, schedules.hold(export))
    db.session.commit()


def _set(user: User, wanted: Wanted) -> None:
    user.name, user.role = wanted.name.strip(), wanted.role
    for grant in GRANTS:
        setattr(user, grant, getattr(wanted, grant))


def _keep_an_admin(user: User) -> None:
    """Raises AccountRefused if the user is the only active admin; two who leave at once wait for each other here.

    Others may go on referring to the admins (key_share): who ends a run mails them while its export is held.
    """
    if user.role != "admin" or user.disabled_at is not None:
        return
    admins = select(User.id).where(User.role == "admin", User.disabled_at.is_(None)).order_by(User.id)
    if set(db.session.scalars(admins.with_for_update(key_share=True))) <= {user.id}:
        raise AccountRefused(reason="the brand would have no admin any more")
