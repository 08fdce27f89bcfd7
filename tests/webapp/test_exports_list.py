"""The list of exports: newest first, searched, filtered, sorted both ways, page by page, for the own brand only."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from tests.fix_app import People, Person, stores
from webapp.extensions import db
from webapp.models import Export, Run
from webapp.models.states import SHOWN_ON_EXPORT
from webapp.services import exports
from webapp.services.exports import ListQuery
from webapp.services.exports.listing import SORTS, STATUSES

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
OF_STATE = {
    "processing": {"lease_until": BEGIN},
    "success": {"published_attempt": 1},
    "failed": {"error_code": "system.unexpected"},
}


def make(person: Person, names: Iterable[str]) -> list[uuid.UUID]:
    """One export of each name, an hour apart, the first the oldest."""
    made = []
    with person.at_work() as user:
        for hour, name in enumerate(names):
            export = exports.create(user, stores(name=name), uuid.uuid4())
            made.append(export.id)
            export.created_at = BEGIN + timedelta(hours=hour)
            db.session.commit()
    return made


def names(person: Person, query: ListQuery) -> list[str]:
    """Names on the first page."""
    with person.at_work() as user:
        return [export.name for export in exports.page(user, query).exports]


def test_the_newest_stands_first(people: People) -> None:
    make(people.exporter, ["first", "second", "third"])
    assert names(people.viewer, ListQuery()) == ["third", "second", "first"]


def test_every_order_both_ways(people: People) -> None:
    make(people.exporter, ["b", "c", "a"])
    found = {sort: "".join(names(people.viewer, ListQuery(sort=sort))) for sort in SORTS}
    assert found == {"-created": "acb", "created": "bca", "name": "abc", "-name": "cba"}


def test_another_brand_has_its_own_list(people: People) -> None:
    make(people.exporter, ["ours"])
    make(people.stranger, ["theirs"])
    assert names(people.viewer, ListQuery()) == ["ours"]
    assert names(people.stranger, ListQuery()) == ["theirs"]
    assert names(people.stranger, ListQuery(search="ours")) == []


def test_what_the_list_shows_comes_with_it(people: People) -> None:
    [export_id] = make(people.exporter, ["one"])
    with people.viewer.at_work() as user:
        [export] = exports.page(user, ListQuery()).exports
        assert (export.created_by.email, export.owner.email) == (people.exporter.email, people.exporter.email)
        assert export.status == "Pending"
        [live] = exports.of_ids([export_id, uuid.uuid4()])
        assert live.status == "Pending"
    with people.stranger.at_work():
        assert exports.of_ids([export_id]) == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("coupon", ["100% Coupon", "Coupon_use"]),
        ("COUPON", ["100% Coupon", "Coupon_use"]),
        ("pon_u", ["Coupon_use"]),
        ("100%", ["100% Coupon"]),
        ("%cou", []),
        ("%%%", []),
        ("___", []),
        ("\\\\\\", []),
        ("ÉTÉ", ["Été 2026"]),
        ("'; --", []),
        # fewer than three characters match the beginning
        ("co", ["Coupon_use"]),
        ("1", ["100% Coupon"]),
        ("%", []),
        ("_", []),
    ],
)
def test_the_search_finds_parts_of_names_and_takes_every_character_literally(
    people: People, search: str, found: list[str]
) -> None:
    make(people.exporter, ["Coupon_use", "100% Coupon", "Été 2026"])
    assert sorted(names(people.viewer, ListQuery(search=search))) == found


@pytest.mark.parametrize("status", [status for status in STATUSES if status not in ("Active", "Inactive")])
def test_the_status_filter_agrees_with_the_status_shown(people: People, status: str) -> None:
    ids = make(people.exporter, list(SHOWN_ON_EXPORT))
    with people.exporter.at_work():
        for export_id, state in zip(ids, SHOWN_ON_EXPORT, strict=True):
            change = update(Run).where(Run.export_id == export_id)
            db.session.execute(change.values(state=state, **OF_STATE.get(state, {})))
        db.session.commit()
    with people.viewer.at_work() as user:
        everything = exports.page(user, ListQuery()).exports
        shown = exports.page(user, ListQuery(status=status)).exports
        assert {export.name for export in shown} == {one.name for one in everything if one.status == status}
        assert shown


def test_repeated_exports_are_active_or_inactive_whatever_their_runs(people: People) -> None:
    active, inactive, _ = make(people.exporter, ["active", "inactive", "once"])
    with people.exporter.at_work():
        for export_id, is_active in ((active, True), (inactive, False)):
            change = update(Export).where(Export.id == export_id)
            db.session.execute(change.values(schedule="repeated", active=is_active))
        db.session.commit()
    assert names(people.viewer, ListQuery(status="Active")) == ["active"]
    assert names(people.viewer, ListQuery(status="Inactive")) == ["inactive"]
    assert names(people.viewer, ListQuery(status="Pending")) == ["once"]


def test_filters_by_owner_by_model_and_by_a_failed_last_run(people: People) -> None:
    [failed] = make(people.exporter, ["exporter's"])
    make(people.colleague, ["colleague's"])
    with people.exporter.at_work():
        change = update(Run).where(Run.export_id == failed).values(state="failed", error_code="system.unexpected")
        db.session.execute(change)
        db.session.commit()
    assert names(people.colleague, ListQuery(mine=True)) == ["colleague's"]
    assert names(people.viewer, ListQuery(mine=True)) == []
    assert names(people.viewer, ListQuery(failed=True)) == ["exporter's"]
    assert len(names(people.viewer, ListQuery(model="stores"))) == 2
    assert names(people.viewer, ListQuery(model="events")) == []


@pytest.mark.parametrize("sort", SORTS)
def test_pages_hold_everything_once_forth_and_back(people: People, sort: str) -> None:
    make(people.exporter, ["same"] * 4 + ["a", "b", "c"])
    query = ListQuery(sort=sort, per_page=3)  # type: ignore[arg-type]
    with people.viewer.at_work() as user:
        whole = [export.id for export in exports.page(user, replace(query, per_page=50)).exports]
        pages = [exports.page(user, query)]
        assert pages[0].before == ""
        while pages[-1].after:
            pages.append(exports.page(user, replace(query, at=pages[-1].after)))
        assert [len(page.exports) for page in pages] == [3, 3, 1]
        assert [export.id for page in pages for export in page.exports] == whole
        back = pages[-1]
        for page in reversed(pages[:-1]):
            back = exports.page(user, replace(query, at=back.before))
            assert [export.id for export in back.exports] == [export.id for export in page.exports]
            assert back.after
        assert back.before == ""
        assert {page.total for page in pages} == {7}
        assert not pages[0].more_than_counted


def test_a_page_stays_where_it_is_when_a_new_export_comes(people: People) -> None:
    make(people.exporter, ["1", "2", "3", "4"])
    query = ListQuery(per_page=2)
    with people.viewer.at_work() as user:
        at = exports.page(user, query).after
    with people.exporter.at_work() as user:
        exports.create(user, stores(name="new"), uuid.uuid4())
    assert names(people.viewer, replace(query, at=at)) == ["2", "1"]


@given(at=st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: raw.hex()))
def test_a_cursor_that_is_not_ours_means_the_first_page(at: str) -> None:
    from webapp.services.exports.listing import _place

    assert _place(ListQuery(at=at)) is None


@pytest.mark.parametrize("sort", ["name", "-created"])
def test_a_cursor_of_another_order_does_no_harm(people: People, sort: str) -> None:
    make(people.exporter, ["a", "b", "c"])
    with people.viewer.at_work() as user:
        other = exports.page(user, ListQuery(sort="-name" if sort == "-created" else "created", per_page=1)).after
        assert exports.page(user, ListQuery(sort=sort, at=other)).exports is not None  # type: ignore[arg-type]
