"""The Scheduling step: what is chosen becomes the definition's schedule, and what it will do is said before."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from tests.fix_app import Clock, People
from tests.fix_pages import check

if TYPE_CHECKING:
    from tests.fix_app import Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    clock.set("2026-11-23 09:42+00")


def at_schedule(tab: Tab, people: People, **chosen: Any) -> Wizard:
    """Somebody who has filled all steps before and chosen a type."""
    someone = tab(people.exporter)
    someone.begin()
    someone.fill(name="Again and again")
    someone.press("next")
    someone.fill({"filters-A-1-attribute": "id", "filters-A-1-operator": "is_not_empty"})
    someone.press("next")
    someone.open("fields")
    someone.fill(all_fields="1")
    someone.press("next")
    someone.open("schedule")
    for name, value in chosen.items():  # one after the other: each shows the inputs of the next
        someone.fill({name: value})
        if name in ("schedule", "every"):
            someone.press("form")
    return someone


def schedule_of(someone: Wizard) -> dict[str, Any] | None:
    """The schedule that the draft makes; None if it makes no definition."""
    from webapp.services import brands, drafts

    with someone.person.at_work() as user:
        definition = drafts.check(someone.typed, user, brands.catalogue_of(user.brand)).definition
        return definition.as_json()["schedule"] if definition else None


REPEATED = {"type": "repeated", "hours": "1,13", "minutes": "0", "timezone": None}


@pytest.mark.parametrize(
    ("chosen", "expected", "said"),
    [
        (
            {"schedule": "repeated", "hours": "1,13"},
            {**REPEATED, "every": "day"},
            "Every day at 01:00 and 13:00 UTC",
        ),
        (
            {"schedule": "repeated", "every": "week", "weekdays": ["monday", "thursday"], "hours": "1,13"},
            {**REPEATED, "every": "week", "days": ["monday", "thursday"]},
            "Every Monday and Thursday at 01:00 and 13:00 UTC",
        ),
        (
            {"schedule": "repeated", "every": "month", "monthdays": ["1", "last"], "hours": "1,13"},
            {**REPEATED, "every": "month", "days": [1, "last"]},
            "On the 1st and last day of every month at 01:00 and 13:00 UTC",
        ),
        (
            {"schedule": "on_date", "date": "2026-12-01", "time": "8:00"},
            {"type": "on_date", "at": "2026-12-01T08:00:00Z", "timezone": None},
            "On Tue 1 Dec 2026 at 08:00 UTC",
        ),
        (
            {"schedule": "on_date", "date": "2026-12-01", "time": "8:00", "keep_local": "1", "zone": "Europe/Budapest"},
            {"type": "on_date", "at": "2026-12-01T08:00:00", "timezone": "Europe/Budapest"},
            "On Tue 1 Dec 2026 at 08:00 in Europe/Budapest",
        ),
    ],
)  # fmt: skip
def test_what_is_chosen_is_the_schedule_and_is_said(
    wizard: Tab, people: People, chosen: dict[str, Any], expected: dict[str, Any], said: str
) -> None:
    someone = at_schedule(wizard, people, **chosen)
    someone.press("next")
    assert someone.step == "target"
    assert schedule_of(someone) == expected
    someone.open("schedule")
    assert said in someone.text
    someone.through("target")
    assert said in someone.text


def test_the_next_five_moments_are_shown_in_both_zones(tab: Tab, people: People) -> None:
    someone = at_schedule(tab, people, schedule="repeated", every="week", weekdays=["monday"], hours="6", minutes="30")
    someone.press("next")
    someone.open("schedule")
    assert "01:30 in America/New_York (your time zone)" in someone.text
    assert "Mon 30 Nov 06:30 Mon 30 Nov 01:30 in 6 days" in someone.text
    assert "Mon 28 Dec 06:30 Mon 28 Dec 01:30 in 34 days" in someone.text
    assert (
        "The schedule stays in UTC. When New York changes to summer time on 14 March 2027, the export will run at "
        "02:30 there instead of 01:30."
    ) in someone.text


def test_problems_stand_beside_their_inputs(wizard: Tab, people: People) -> None:
    someone = at_schedule(wizard, people, schedule="repeated", every="week", hours="24")
    someone.press("next")
    assert someone.step == "schedule"
    assert someone.problems == [
        ("weekdays", "Choose at least one day"),
        ("hours", "Hour: 24 is not an hour. Use 0 to 23, a list such as 1,13, or *"),
    ]
    assert "Choose at least one day" in someone.beside("weekdays")


@pytest.mark.parametrize(
    ("date", "time", "problem"),
    [
        ("", "08:00", ("date", "Enter a date, such as 2026-12-01")),
        ("2026-02-30", "08:00", ("date", "Enter a date, such as 2026-12-01")),
        ("2026-12-01", "24:00", ("time", "Enter a time from 00:00 to 23:59, such as 08:00")),
        ("2026-12-01", "", ("time", "Enter a time from 00:00 to 23:59, such as 08:00")),
        ("2026-11-23", "09:42", ("date", "Choose a date in the future: it is now 23 Nov 2026 09:42 UTC")),
        ("2100-01-01", "08:00", ("date", "Choose a date before 2100")),
    ],
)
def test_a_wrong_date_or_time_is_told_at_its_input(
    tab: Tab, people: People, date: str, time: str, problem: tuple[str, str]
) -> None:
    someone = at_schedule(tab, people, schedule="on_date", date=date, time=time)
    someone.press("next")
    assert someone.problems == [problem]


def test_what_the_other_types_were_told_is_kept(tab: Tab, people: People) -> None:
    someone = at_schedule(tab, people, schedule="repeated", every="week", weekdays=["friday"], hours="7")
    for kind in ("now", "repeated"):
        someone.fill(schedule=kind)
        someone.press("form")
    assert someone.value("hours") == "7"
    assert ("weekdays", "friday") in someone.form.values
    someone.fill(weekdays=[])
    someone.press("form")
    assert ("weekdays", "friday") not in someone.form.values


def test_the_fragments_say_what_comes_of_it_and_store_nothing(tab: Tab, people: People) -> None:
    someone = at_schedule(tab, people, schedule="repeated")
    before = someone.typed
    someone.fill(hours="*", minutes="*")
    answer = someone.swap(someone.form.values, "next", f"/drafts/{someone.draft_id}/schedule/next")
    said = check(answer.get_data(as_text=True), whole=False).text
    assert "Every day, every minute, UTC" in said
    assert "1,440 runs a day." in said
    assert someone.typed == before
    someone.fill(minutes="60")
    answer = someone.swap(someone.form.values, "next", f"/drafts/{someone.draft_id}/schedule/next")
    assert "Minute: 60 is not a minute." in answer.get_data(as_text=True)


def test_create_waits_for_the_moment(tab: Tab, people: People) -> None:
    from webapp.extensions import db
    from webapp.models import Export

    someone = at_schedule(tab, people, schedule="repeated", every="week", weekdays=["thursday"], hours="6")
    someone.press("next")
    someone.through("target")
    assert "Creating it does not run it: the first run is on Thu 26 Nov 06:00 UTC." in someone.text
    someone.press("create")
    assert "No run yet. The first is on Thu 26 Nov 01:00." in someone.text
    with people.exporter.at_work():
        [export] = db.session.scalars(select(Export)).all()
        assert (export.status, export.latest_run_id, export.schedule) == ("Active", None, "repeated")
        assert f"{export.next_run_at:%Y-%m-%d %H:%M}" == "2026-11-26 06:00"


def test_an_on_date_is_pending_before_its_date(tab: Tab, people: People) -> None:
    someone = at_schedule(tab, people, schedule="on_date", date="2026-12-01", time="08:00")
    someone.press("next")
    someone.through("target")
    assert "Creating it does not run it: the run is on Tue 1 Dec 08:00 UTC." in someone.text
    someone.press("create")
    listed = check(someone.client.get("/exports").get_data(as_text=True)).text
    assert "On Tue 1 Dec 2026 at 08:00 UTC" in listed
    assert "Stores Pending" in listed


@pytest.mark.parametrize(
    "values",
    [
        {"schedule": "hourly"}, {"schedule": "repeated", "every": "year"}, {"schedule": "x" * 5_000},
        {"schedule": "repeated", "every": "week", "weekdays": "Mon;rm"},
        {"schedule": "repeated", "every": "month", "monthdays": "32"},
        {"schedule": "repeated", "every": "month", "monthdays": "last\n* * * * * root id"},
        {"schedule": "repeated", "hours": "1" * 5_000},
        {"schedule": "repeated", "keep_local": "1", "zone": "localtime"},
        {"schedule": "repeated", "invented": "1"}, {"schedule": "on_date", "date": "9999-12-31", "time": "23:59"},
    ],
)  # fmt: skip
def test_what_is_not_there_cannot_be_chosen(tab: Tab, people: People, values: dict[str, str]) -> None:
    someone = at_schedule(tab, people)
    answer = someone.post(list(values.items()))
    assert answer.status_code == 422 or answer.headers["Location"].endswith("/schedule")
    assert answer.status_code == 422 or schedule_of(someone) is None


def test_asking_for_the_next_moments_counts_as_no_save(tab: Tab, people: People) -> None:
    someone = at_schedule(tab, people, schedule="repeated")
    page = someone.client.get(someone.path).get_data(as_text=True)
    asking = [tag for tag in re.findall(r"<[a-z][^>]*>", page) if f"/drafts/{someone.draft_id}/schedule/next" in tag]
    assert len(asking) == 1
    assert " data-beside " in asking[0]
