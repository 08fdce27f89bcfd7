"""Parts of sentences in another language: schedules, moments, values, each as the kind that its fact is named for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from exports import dates, schedule, words, zones
from exports.definition import Criterion
from webapp.services.schedules.outlook import from_now, said
from webapp.words import catalogues, kinds, parts

if TYPE_CHECKING:
    from flask import Flask

AT = datetime(2026, 11, 26, 6, 30, tzinfo=UTC)


def german(text: str, kind: str = "") -> str:
    return catalogues.part(text, kind, "de") if kind else catalogues.whole(text, "de")


@pytest.mark.parametrize(
    ("document", "sentence", "brief"),
    [
        ({"every": "day"}, "Jeden Tag um 06:00 UTC", "Täglich 06:00 UTC"),
        (
            {"every": "week", "days": ["monday", "thursday"], "hours": "1,13", "timezone": "Europe/Rome"},
            "Jeden Montag und Donnerstag um 01:00 und 13:00 in Europe/Rome",
            "Wöchentlich, Montag und Donnerstag 01:00 und 13:00 in Europe/Rome",
        ),
        (
            {"every": "month", "days": [1, 15, "last"]},
            "Am 1., 15. und letzten Tag jedes Monats um 06:00 UTC",
            "Monatlich, 1., 15. und letzter Tag 06:00 UTC",
        ),
        (
            {"every": "day", "hours": "*", "minutes": "0,30"},
            "Jeden Tag, jede Stunde zu den Minuten 0 und 30, UTC",
            "Täglich, jede Stunde zu den Minuten 0 und 30, UTC",
        ),
        (
            {"every": "day", "hours": "8,9", "minutes": "*"},
            "Jeden Tag, jede Minute der Stunden 08 und 09, UTC",
            "Täglich, jede Minute der Stunden 08 und 09, UTC",
        ),
        (
            {"type": "on_date", "at": "2026-12-01T08:00:00", "timezone": "America/New_York"},
            "Am Di., 1. Dez. 2026 um 08:00 in America/New_York",
            "Am Di., 1. Dez. 2026 um 08:00 in America/New_York",
        ),
    ],
)
def test_a_schedule_is_said_in_german(document: dict[str, Any], sentence: str, brief: str) -> None:
    found = schedule.read(document)
    assert german(schedule.sentence(found)) == sentence
    assert german(schedule.brief(found)) == brief
    assert german(schedule.shortest(found), "stop") != schedule.shortest(found)


def test_moments_and_what_is_left_until_them_are_said_in_german() -> None:
    assert german(said(AT, "UTC", AT), "moment") == "Do., 26. Nov. 06:30"
    assert german(said(AT, "UTC", AT.replace(year=2025)), "moment") == "Do., 26. Nov. 2026 06:30"
    waits = [timedelta(days=1_200), timedelta(hours=1), timedelta(minutes=12), timedelta(seconds=5)]
    assert [german(from_now(one), "wait") for one in waits] == [
        "in 1.200 Tagen",
        "in 1 Stunde",
        "in 12 Minuten",
        "in weniger als einer Minute",
    ]
    zone = zones.zone("America/New_York")
    assert german(dates.in_words(AT, zone), "meaning") == "Do., 26. Nov. 2026, 01:30 (New York)"
    assert german("29 February", "day") == "29. Februar"
    assert german("31 February", "day") == "31 February", "there is no such day: a text that somebody typed"


def test_every_note_about_a_changing_clock_is_german() -> None:
    daily = schedule.read({"every": "day", "hours": "2", "minutes": "30", "timezone": "Europe/Rome"})
    told = [
        *schedule.notes(daily, datetime(2027, 1, 1, tzinfo=UTC), "UTC"),
        *schedule.notes(daily, datetime(2027, 7, 1, tzinfo=UTC), "UTC"),
        *schedule.notes(schedule.read({"every": "month", "days": [31]}), AT, "America/New_York"),
    ]
    assert [german(one) for one in told] == [
        "Am 28. März 2027 lassen die Uhren in Rome 02:30 aus: Der Export läuft stattdessen um 03:00.",
        "Am 31. Oktober 2027 kommt 02:30 in Rome zweimal: Der Export läuft einmal, beim ersten Mal.",
        "31 gibt es in Monaten mit 30 Tagen nicht. Wählen Sie „Letzter“ für jedes Monatsende.",
        "Der Zeitplan bleibt in UTC. Wenn New York am 14. März 2027 auf Sommerzeit umstellt, läuft der Export dort um "
        "02:00 statt um 01:00.",
    ]


def test_what_somebody_typed_stays_as_it_is_in_the_middle_of_german() -> None:
    typed = "Monday is empty and equals 1,234"
    said_ = words.phrase(Criterion(attribute="x", operator="equals", value=typed), None)
    assert (said_.kind, said_.value) == ("", typed)
    assert german(f"“{typed}” is not chosen: choose it from the list, or empty this box").startswith(f"„{typed}“")


def test_two_sentences_that_are_shown_as_one_text_are_both_found() -> None:
    told = german("“zzz” cannot be read. Write whole numbers: “-36 hours” for a day and a half.")
    assert told == "„zzz“ ist nicht lesbar. Schreiben Sie ganze Zahlen: „-36 hours“ für anderthalb Tage."


def test_a_text_of_any_length_is_looked_at_a_few_times_only() -> None:
    assert german("Owner. Owner. Owner.") == "Besitzer. Besitzer. Besitzer."
    for typed in ("Owner. " * 2_000, "Nobody knows. " * 2_000, "Owner. " + "Nobody knows. " * 2_000):
        before = catalogues._one.cache_info()
        assert german(typed) == typed
        after = catalogues._one.cache_info()
        assert after.misses - before.misses <= 2 * catalogues.ENDS + 1


def test_a_template_that_was_read_for_one_language_speaks_the_next_one_too(app: Flask) -> None:
    said_ = [
        app.jinja_env.from_string(one) for one in ('{{ "Change"|translated("press") }}', '{{ "Owner"|translated }}')
    ]
    for language, words_ in (("en", ["Change", "Owner"]), ("de", ["Ändern", "Besitzer"])):
        with app.test_request_context(headers={"Accept-Language": language}):
            assert [one.render() for one in said_] == words_


def test_every_fact_of_a_part_that_is_named_for_a_kind_leads_on_to_one() -> None:
    assert not set(parts.LISTS) & set(parts.PARTS)
    for kind in (*parts.PARTS, *parts.LISTS, *kinds.COMPUTED):
        assert kinds.shape(kind)
    assert set(parts.LISTS.values()) <= {*parts.PARTS, *kinds.COMPUTED}
