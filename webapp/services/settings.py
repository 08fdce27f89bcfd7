"""**Settings** of a brand: its modules, how often exports may run, what is kept how long, whom mails may go to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from exports import catalogue
from exports.recipients import is_domain
from webapp.extensions import db
from webapp.models import Brand, User
from webapp.models.accounts import MIN_AUDIT_DAYS
from webapp.permissions import authorize
from webapp.services import audit

DAY: Final = 24 * 60
TEN_YEARS: Final = 3_650
LIMITS: Final = {
    "minimum_minutes": ("Minutes between two runs", 1, DAY),
    "retention_days": ("Days that files are kept", 1, TEN_YEARS),
    "log_days": ("Days that rows of Logs are kept", 1, TEN_YEARS),
    "audit_days": ("Days that the audit log is kept", MIN_AUDIT_DAYS, TEN_YEARS),
    "alert_rows": ("Rows of personal data until admins are told", 1, 1_000_000_000),
}
"""Label, least and most of each number."""
MAY_BE_EMPTY: Final = ("log_days", "alert_rows")
"""The rows of Logs are kept for ever then; admins are told of nothing."""
MAX_DOMAINS: Final = 100


@dataclass(frozen=True)
class Settings:
    """What was typed, as texts; modules by id."""

    modules: tuple[str, ...]
    minimum_minutes: str
    retention_days: str
    log_days: str
    audit_days: str
    alert_rows: str
    mail_domains: str
    plain_ftp: bool

    @property
    def domains(self) -> list[str]:
        """The domains, each once, as they are compared; separated by spaces, commas or line ends."""
        typed = self.mail_domains.replace(",", " ").split()
        return sorted({one.lower().removeprefix("@") for one in typed})


def of(brand: Brand) -> Settings:
    """The present ones."""
    numbers = {name: str(getattr(brand, name) or "") for name in LIMITS}
    domains = "\n".join(brand.mail_domains)
    return Settings(tuple(brand.modules), mail_domains=domains, plain_ftp=brand.plain_ftp, **numbers)


def modules() -> dict[str, str]:
    """Every module that there is, id and label."""
    return dict(catalogue.builtin().modules)


def problems(wanted: Settings) -> Iterator[tuple[str, str]]:
    """What is wrong with them: input and sentence."""
    for name, (label, low, high) in LIMITS.items():
        text = getattr(wanted, name).strip()
        if name in MAY_BE_EMPTY and not text:
            continue
        if not (text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high):
            yield name, f"{label}: write a whole number from {low:,} to {high:,}"
    bad = [one for one in wanted.domains if not is_domain(one)]
    if bad:
        wrong = bad[0][:80]
        yield "mail_domains", f"“{wrong}” is no domain such as company.example"
    elif len(wanted.domains) > MAX_DOMAINS:
        yield "mail_domains", f"At most {MAX_DOMAINS} domains"
    if unknown := set(wanted.modules) - modules().keys():
        wrong = min(unknown)[:80]
        yield "modules", f"There is no module “{wrong}”"


def change(admin: User, wanted: Settings) -> bool:
    """Save settings without problems; False if they are what they were. Commits."""
    authorize(admin, "settings.change")
    brand = db.session.get_one(Brand, admin.brand_id)
    after: dict[str, Any] = {name: int(getattr(wanted, name)) for name in LIMITS if getattr(wanted, name).strip()}
    after = {**dict.fromkeys(MAY_BE_EMPTY), **after, "plain_ftp": wanted.plain_ftp}
    after |= {"mail_domains": wanted.domains, "modules": sorted(wanted.modules)}
    before = {name: sorted(value) if isinstance(value := getattr(brand, name), list) else value for name in after}
    changed = {name: value for name, value in after.items() if before[name] != value}
    for name, value in changed.items():
        setattr(brand, name, value)
    if changed:
        audit.record("brand.changed", admin, None, before={name: before[name] for name in changed}, after=changed)
    db.session.commit()
    return bool(changed)
