"""**Settings**: what admins set for their brand, refused where it makes no sense, and written down."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from tests.fix_app import MODULES
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import AuditEntry, Brand

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person

Open = Callable[["Person | None"], "FlaskClient"]


def save(browser: FlaskClient, **changes: Any) -> tuple[int, str]:
    """Post the form as it stands, with changes: status and page."""
    page = browser.get("/settings").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    data = {"minimum_minutes": "1", "retention_days": "30", "log_days": "", "audit_days": "730",
            "alert_rows": "1000000", "mail_domains": "", "plain_ftp": "1", "modules": MODULES["maple"],
            "csrf_token": token[1]}  # fmt: skip
    response = browser.post("/settings", data={**data, **changes})
    return response.status_code, response.text


def brand(person: Person) -> Brand:
    """The person's brand as it is now."""
    with person.at_work() as user:
        return db.session.get_one(Brand, user.brand_id, populate_existing=True)


def test_what_is_set_counts_and_is_written_down(client: Open, people: People) -> None:
    given = {"minimum_minutes": "15", "retention_days": "7", "log_days": "90", "audit_days": "400", "alert_rows": "",
             "mail_domains": "Partner.example, @other.example\npartner.example", "modules": ["coupons", "stores"],
    }  # fmt: skip
    assert save(client(people.admin), **given)[0] == 303
    now = brand(people.admin)
    assert (now.minimum_minutes, now.retention_days, now.log_days, now.audit_days) == (15, 7, 90, 400)
    assert now.alert_rows is None
    assert now.mail_domains == ["other.example", "partner.example"]
    assert now.modules == ["coupons", "stores"]
    assert "Rewards" not in check(client(people.admin).get("/models").text).text
    with people.admin.at_work():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "brand.changed")).one()
    assert entry.facts["before"]["minimum_minutes"] == 1
    assert entry.facts["after"]["minimum_minutes"] == 15
    assert brand(people.stranger).minimum_minutes == 1


def test_what_is_as_before_is_not_written_down(client: Open, people: People) -> None:
    assert save(client(people.admin))[0] == 303
    with people.admin.at_work():
        assert db.session.scalars(select(AuditEntry)).all() == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("minimum_minutes", "0", "Minutes between two runs: write a whole number from 1 to 1,440"),
        ("minimum_minutes", "1441", "from 1 to 1,440"),
        ("retention_days", "", "Days that files are kept: write a whole number"),
        ("retention_days", "٣", "write a whole number"),
        ("retention_days", "9" * 5000, "write a whole number"),
        ("audit_days", "364", "from 365 to 3,650"),
        ("log_days", "-1", "write a whole number"),
        (
            "alert_rows",
            "0",
            "Rows of personal data until admins are told: write a whole number from 1 to 1,000,000,000",
        ),
        ("alert_rows", "9" * 10, "from 1 to 1,000,000,000"),
        ("mail_domains", "not a domain!", "is no domain such as company.example"),
        ("mail_domains", "a\x00.example", ""),
        ("modules", "nuclear", "There is no module “nuclear”"),
        ("source_key", "alpine", "is no input"),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_is_saved(
    client: Open, people: People, name: str, value: str, told: str
) -> None:
    status, text = save(client(people.admin), **{name: value})
    assert status == 422
    assert told in check(text).text
    assert brand(people.admin).retention_days == 30
    assert brand(people.admin).mail_domains == []
