"""The list of exports: newest first, searched, filtered, sorted both ways, page by page, for the own brand only."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from tests.fix_app import People, Person, stores
from webapp.extensions import db
from webapp.models import Export, ExportName, Run, User
from webapp.models.states import SHOWN_ON_EXPORT
from webapp.services import exports, runs, schedules
from webapp.services import names as names_
from webapp.services.exports import ListQuery, keyset, listing
from webapp.services.exports.listing import SORTS, STATUSES

if TYPE_CHECKING:
    from flask.testing import FlaskClient

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
        return [export.name for export, _run in exports.page(user, query).rows]


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
        [(export, run)] = exports.page(user, ListQuery()).rows
        assert (export.created_by, export.status) == (db.session.get_one(User, people.exporter.id).name, "Pending")
        [whole] = exports.whole_page(user, ListQuery()).rows
        assert (whole.created_by.email, whole.owner.email) == (people.exporter.email, people.exporter.email)
        assert exports.shown_of_ids([export_id, uuid.uuid4()]) == [(export, run)]
        assert [one.id for one in exports.of_ids([export_id, uuid.uuid4()])] == [export_id]
    with people.stranger.at_work():
        assert exports.shown_of_ids([export_id]) == exports.of_ids([export_id]) == []


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


def test_the_foot_goes_on_counting_rows_beyond_how_many_are_counted(
    client: Callable[[Person | None], FlaskClient], people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "COUNTED_SLOWLY", 30)
    make(people.exporter, [f"Coupons {number}" for number in range(80)])
    browser, at, told = client(people.viewer), "/exports?q=coupons", []
    while at:
        page = browser.get(at).text
        told += re.findall(r"([\d,]+–[\d,]+ of [^·]*?) *exports", page)
        at = next((html.unescape(one) for one in re.findall(r'id="page-after" href="([^"]*)"', page)), "")
    assert told == [f"{first}–{min(first + 24, 80)} of more than 30" for first in (1, 26, 51, 76)]


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("search", ["", "stores"])
def test_a_search_tells_how_many_there_are_up_to_as_many_as_are_counted(
    people: People, monkeypatch: pytest.MonkeyPatch, search: str, count: int
) -> None:
    monkeypatch.setattr(listing, "COUNTED_SLOWLY", 4)
    monkeypatch.setattr(listing, "COUNTED", 4)
    make(people.exporter, [f"Stores {number}" for number in range(count)])
    with people.viewer.at_work() as user:
        found = exports.page(user, ListQuery(search=search, per_page=3))
    assert (found.total, found.more_than_counted) == (min(count, 4), count > 4)
    assert (len(found.rows), bool(found.after)) == (min(count, 3), count > 3)


def test_an_export_that_goes_while_it_is_searched_for_does_not_make_its_page_the_last(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(people.exporter, [f"Stores {number}" for number in range(5)])
    read = listing.shown_of_ids
    monkeypatch.setattr(listing, "shown_of_ids", lambda ids: read([one for one in ids if one != made[3]]))
    with people.viewer.at_work() as user:
        found = exports.page(user, ListQuery(search="stores", per_page=3))
        assert [export.name for export, _run in found.rows] == ["Stores 4", "Stores 2"]
        rest = exports.page(user, ListQuery(search="stores", per_page=3, at=found.after))
    assert [export.name for export, _run in rest.rows] == ["Stores 1", "Stores 0"]


@pytest.mark.parametrize("status", [status for status in STATUSES if status not in ("Active", "Inactive")])
def test_the_status_filter_agrees_with_the_status_shown(people: People, status: str) -> None:
    ids = make(people.exporter, list(SHOWN_ON_EXPORT))
    with people.exporter.at_work():
        for export_id, state in zip(ids, SHOWN_ON_EXPORT, strict=True):
            change = update(Run).where(Run.export_id == export_id)
            db.session.execute(change.values(state=state, **OF_STATE.get(state, {})))
        db.session.commit()
    with people.viewer.at_work() as user:
        everything = [one for one, _run in exports.page(user, ListQuery()).rows]
        shown = [one for one, _run in exports.page(user, ListQuery(status=status)).rows]
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
        whole = [export.id for export, _run in exports.page(user, replace(query, per_page=50)).rows]
        pages = [exports.page(user, query)]
        assert pages[0].before == ""
        while pages[-1].after:
            pages.append(exports.page(user, replace(query, at=pages[-1].after)))
        assert [len(page.rows) for page in pages] == [3, 3, 1]
        assert [export.id for page in pages for export, _run in page.rows] == whole
        back = pages[-1]
        for page in reversed(pages[:-1]):
            back = exports.page(user, replace(query, at=back.before))
            assert back.rows == page.rows
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
    assert keyset.place(at, by_name=False) is None
    assert keyset.place(at, by_name=True) is None


@pytest.mark.parametrize("sort", ["name", "-created"])
def test_a_cursor_of_another_order_does_no_harm(people: People, sort: str) -> None:
    make(people.exporter, ["a", "b", "c"])
    with people.viewer.at_work() as user:
        other = exports.page(user, ListQuery(sort="-name" if sort == "-created" else "created", per_page=1)).after
        assert exports.page(user, ListQuery(sort=sort, at=other)).rows is not None  # type: ignore[arg-type]


@pytest.mark.parametrize("expected", ["few", "many"])
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("stores.csv", ["Stores"]),
        ("S2026.TX", []),
        ("2026_11_12", ["Stores"]),
        ("st", ["Stores"]),
        ("OLD name", ["Renamed"]),
        ("a_b", ["a/b: c"]),
        ("a/b", ["a/b: c"]),
    ],
)
def test_the_search_finds_exports_by_the_names_of_their_files_and_by_what_they_were_called_once(
    people: People, monkeypatch: pytest.MonkeyPatch, search: str, found: list[str], expected: str
) -> None:
    stores_, renamed, _ = make(people.exporter, ["Stores", "Old name", "a/b: c"])
    with people.exporter.at_work() as user:
        names_.remember(stores_, ["drop_2026_11_12.csv.zip"])
        export = db.session.get_one(Export, renamed)
        schedules.save_version(user, export, stores(name="Renamed"))
        export.name = "Renamed"
        db.session.commit()
    monkeypatch.setattr(names_, "MANY", 0 if expected == "many" else 1_000_000)
    assert names(people.viewer, ListQuery(search=search)) == found
    assert names(people.stranger, ListQuery(search=search)) == []


def test_what_was_delivered_is_found_by_its_name(people: People) -> None:
    [export_id] = make(people.exporter, ["Stores"])
    with people.exporter.at_work():
        names_.remember(export_id, ["Stores.csv", "x_20261112.csv"])
        names_.remember(export_id, ["x_20261112.csv"])
        db.session.commit()
        known = db.session.scalars(select(ExportName.name).where(ExportName.export_id == export_id)).all()
    assert sorted(known) == ["Stores.csv", "x_20261112.csv"], "each name once"


@pytest.mark.parametrize("sort", SORTS)
def test_runs_are_rows_of_their_own_page_by_page(people: People, sort: str) -> None:
    ids = make(people.exporter, ["b", "a"])
    make(people.stranger, ["theirs"])
    with people.exporter.at_work() as user:
        for hour, (export_id, state) in enumerate([(ids[0], "failed"), (ids[1], "success"), (ids[0], "missed")]):
            run = runs.add_run(db.session.get_one(Export, export_id), user, uuid.uuid4())
            db.session.flush()
            change = update(Run).where(Run.id == run.id).values(created_at=BEGIN + timedelta(hours=hour), state=state)
            db.session.execute(change.values(**{"error_code": "x", **OF_STATE.get(state, {})}))
        db.session.commit()
    query = ListQuery(runs=True, sort=sort, per_page=2)  # type: ignore[arg-type]
    with people.viewer.at_work() as user:
        pages = [exports.page(user, query)]
        while pages[-1].after:
            pages.append(exports.page(user, replace(query, at=pages[-1].after)))
        shown = [(export.name, run) for page in pages for export, run in page.rows]
        moments = [run.created_at for _, run in shown]
        assert len({run.id for _, run in shown}) == 5
        assert {page.total for page in pages} == {5}
        if sort.endswith("name"):
            assert [name for name, _ in shown] == sorted((name for name, _ in shown), reverse=sort == "-name")
        else:
            assert moments == sorted(moments, reverse=sort == "-created")
        back = exports.page(user, replace(query, at=pages[1].before))
        assert back.rows == pages[0].rows


@pytest.mark.parametrize("few", [-1, listing.FEW])
@pytest.mark.parametrize("sort", SORTS)
def test_runs_of_few_exports_and_of_many_are_the_same_and_in_the_same_order(
    people: People, monkeypatch: pytest.MonkeyPatch, sort: listing.Sort, few: int
) -> None:
    monkeypatch.setattr(listing, "FEW", few)
    ids = make(people.exporter, ["b", "a", "c"])
    make(people.colleague, ["d"])
    make(people.stranger, ["e"])
    with people.exporter.at_work() as user:
        for export_id in ids[:2]:
            for _ in range(2):  # the first one of each fails, and is not the newest any more
                runs.add_run(db.session.get_one(Export, export_id), user, uuid.uuid4())
        first = select(Run.export_id.label("export"), Run.id.label("run")).order_by(Run.created_at)
        failed = {one.export: one.run for one in reversed(db.session.execute(first).all())}
        change = update(Run).where(Run.id.in_(failed.values()))
        db.session.execute(change.values(state="failed", error_code="system.unexpected"))
        db.session.commit()
        query = ListQuery(runs=True, mine=True, sort=sort, per_page=2)
        for asked, count in ((query, 7), (replace(query, status="Failed"), 3), (replace(query, status="Finished"), 0)):
            pages = [exports.page(user, asked)]
            while pages[-1].after:
                pages.append(exports.page(user, replace(asked, at=pages[-1].after)))
            shown = [(export.name, run) for page in pages for export, run in page.rows]
            by_name = sorted(shown, key=lambda row: (row[0], row[1].id))
            by_moment = sorted(shown, key=lambda row: (row[1].created_at, row[1].id))
            wanted = by_name if sort.endswith("name") else by_moment
            assert shown == (wanted[::-1] if sort.startswith("-") else wanted)
            assert (len({run.id for _, run in shown}), pages[0].total) == (count, count)


def test_runs_are_filtered_by_what_a_one_off_would_show_of_them(people: People) -> None:
    ids = make(people.exporter, list(SHOWN_ON_EXPORT))
    with people.exporter.at_work():
        for export_id, state in zip(ids, SHOWN_ON_EXPORT, strict=True):
            change = update(Run).where(Run.export_id == export_id)
            db.session.execute(change.values(state=state, **OF_STATE.get(state, {})))
        db.session.commit()
    for status in set(SHOWN_ON_EXPORT.values()):
        wanted = {state for state, shown in SHOWN_ON_EXPORT.items() if shown == status}
        assert set(names(people.viewer, ListQuery(runs=True, status=status))) == wanted
    assert names(people.viewer, ListQuery(runs=True, search="miss")) == ["missed"]
