"""**Notify**: whom an export tells of its runs (SPEC section 9).

Users of the brand, and other addresses of domains that the brand allows. What form and command line refuse is asked
again when a run ends: whoever was disabled or is not allowed any more gets nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from exports.definition import OWNER, Definition
from exports.errors import Problem, RecipientNotAllowed
from exports.recipients import MEMBERS, domain_of, is_address
from webapp.extensions import db
from webapp.models import Brand, User, current_brand

SHOWN: Final = 500
"""People of a brand that the form lists; others are typed in."""


@dataclass(frozen=True)
class Recipient:
    """Somebody who gets a mail. `user_id` is None for an address that is no user's."""

    address: str
    user_id: uuid.UUID | None = None

    @property
    def key(self) -> str:
        """What is the same for the same person, whatever the address is by now."""
        return str(self.user_id or self.address.lower())


def problems(brand: Brand, definition: Definition) -> Iterator[Problem]:
    """Each address is an active user's of the brand, or of a domain that the brand allows; in the brand's scope."""
    listed = [
        (f"notify.{member}.{place}", one)
        for member in MEMBERS
        for place, one in enumerate(getattr(definition.notify, member))
        if one != OWNER and is_address(one)
    ]
    users = _users(one for _at, one in listed)
    for at, one in listed:
        user = users.get(one.lower())
        if user is not None and not user.is_active:
            yield Problem(at, "notify.disabled", f"{one} is disabled and gets no mail: take it out")
        elif user is None and domain_of(one) not in brand.mail_domains:
            yield Problem(at, "notify.not_allowed", f"{one} is no user of {brand.name}: {_instead(brand)}")


def _instead(brand: Brand) -> str:
    if not brand.mail_domains:
        return "choose one, or ask an admin to allow the domain"
    allowed = " or ".join(f"@{one}" for one in brand.mail_domains)
    return f"choose one, or an address that ends with {allowed}"


def present(brand: Brand, owner_id: uuid.UUID, listed: Iterable[str]) -> tuple[list[Recipient], list[str]]:
    """Who gets a mail now, each once, and the addresses that are not allowed (any more); in the brand's scope."""
    wanted = list(listed)
    users = _users(one for one in wanted if one != OWNER)
    owner = db.session.get(User, owner_id) if OWNER in wanted else None
    found: dict[str, Recipient] = {}
    refused = []
    for one in wanted:
        user = owner if one == OWNER else users.get(one.lower())
        if user is not None:
            recipient = Recipient(user.email, user.id) if user.is_active else None
        elif is_address(one) and domain_of(one) in brand.mail_domains:
            recipient = Recipient(one)
        else:
            recipient = None
            refused += [one] if one != OWNER else []
        if recipient is not None:
            found.setdefault(recipient.key, recipient)
    return list(found.values()), refused


def still(recipient: Recipient) -> Recipient | None:
    """The recipient at the present address; None if it is a user who was disabled; in the brand's scope.

    Raises:
        RecipientNotAllowed: the brand does not allow the address any more.
    """
    if recipient.user_id is not None:
        user = db.session.get(User, recipient.user_id)
        return Recipient(user.email, user.id) if user is not None and user.is_active else None
    brand = db.session.get_one(Brand, current_brand())
    if domain_of(recipient.address) not in brand.mail_domains:
        raise RecipientNotAllowed(address=recipient.address)
    return recipient


def admins() -> list[Recipient]:
    """The active admins of the present brand."""
    wanted = select(User).where(User.role == "admin", User.disabled_at.is_(None)).order_by(User.email)
    return [Recipient(user.email, user.id) for user in db.session.scalars(wanted)]


def people() -> Sequence[User]:
    """The active users of the present brand, by name: whom the form offers."""
    wanted = select(User).where(User.disabled_at.is_(None)).order_by(User.name, User.email).limit(SHOWN)
    return db.session.scalars(wanted).all()


def _users(addresses: Iterable[str]) -> dict[str, User]:
    """The users of the present brand with these addresses, in whatever case they are written."""
    wanted = {one.lower() for one in addresses}
    if not wanted:
        return {}
    return {user.email: user for user in db.session.scalars(select(User).where(User.email.in_(wanted)))}
