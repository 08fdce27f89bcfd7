"""Texts in another language: catalogues are complete, and pages, numbers and days follow the viewer's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from string import Formatter
from typing import TYPE_CHECKING

import pytest
from flask import get_template_attribute

from exports import words
from exports.catalogue import builtin
from exports.definition import Criterion, Notify
from exports.differences import differences
from tests.fix_app import stores
from tests.fix_logins import token
from tests.fix_pages import check
from tests.fix_wizard import Wizard
from tests.fix_words import in_german
from webapp import filters
from webapp.models.accounts import LANGUAGES
from webapp.words import __main__ as command
from webapp.words import catalogues, extracting, kinds, translated

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


def _facts(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_the_catalogue_has_every_text_with_its_facts_and_no_other(language: str) -> None:
    catalogue = command.updated(language)
    assert catalogues.path_of(language).read_bytes() == command.written(catalogue), "script/words has not been run"
    for message in catalogue:
        if not message.id:
            continue
        spoken, said = (list(one) if message.pluralizable else [one] for one in (message.id, message.string))
        assert all(said), f"not translated: {message.id}"
        assert not message.fuzzy
        for one, into in zip(spoken, said, strict=True):
            assert _facts(one) == _facts(into), f"not the same facts: {one}"
            assert not [spec for _, _, spec, _ in Formatter().parse(into) if spec], f"facts are texts: {into}"


def test_what_a_template_and_a_module_say_is_found() -> None:
    page = (
        '{{ _("One") }}{{ note(_("Two {count}", count=2) if a else _("Three")) }}{{ ngettext("a", "b", n) }}{{ _(x) }}'
    )
    assert list(extracting.of_template(page)) == ["One", "Two {count}", "Three", ("a", "b")]
    module = '"""No docstring."""\nSAID = "A sentence."\nlog.warning("Not this one")\nx = f"Wait {a.minutes} for {who}"'
    assert set(extracting.of_python(module)) == {"A sentence.", "Wait {minutes} for {who}"}


@pytest.fixture
def german(app: Flask) -> Iterator[None]:
    """In a request of somebody whose browser speaks German."""
    with app.test_request_context(headers=GERMAN):
        yield


@pytest.mark.usefixtures("german")
def test_numbers_sizes_and_days_are_written_as_in_german() -> None:
    at = datetime(2026, 11, 9, 15, 40, 6, tzinfo=UTC)
    assert filters.number(1_469_307) == "1.469.307"
    assert [filters.size(one) for one in (940, 18_000, 3_640_000)] == ["940 Bytes", "18 kB", "3,6 MB"]
    assert filters.duration(7.6) == "7,6 s"
    assert [filters.share(1, 30), filters.share(1, 2), filters.share(1, 9999)] == ["3,3 %", "50 %", "unter 0,1 %"]
    assert filters.moment(at, "UTC", at) == "Heute 15:40"
    assert filters.moment(at, "UTC", datetime(2026, 12, 1, tzinfo=UTC)) == "9. Nov. 2026 15:40"
    assert filters.dated(at, "UTC") == "Mo., 9. Nov. 2026 15:40:06"
    assert filters.weekday_moment(at, "UTC", at) == "Mo., 9. Nov. 15:40:06"
    assert filters.day(at, "UTC") == "9. Nov. 2026"


@pytest.mark.usefixtures("german")
def test_what_is_different_is_told_in_german_and_what_people_typed_stays() -> None:
    before, after = stores(name="Failed"), stores(name="Customers")
    fields = [one.model_copy(update={"to": "Total"}) for one in before.fields[:1]]
    after = after.model_copy(update={"fields": fields, "if_empty": "fail", "notify": Notify(success=[], failure=[])})
    told = [translated(one) for one in differences(before, after)]
    assert told[0] == "Name: Failed → Customers"
    assert f"Spalte {before.fields[0].header} umbenannt in Total" in told
    assert f"Spalte entfernt: {before.fields[1].header}" in told
    assert "Wenn es keine Zeilen gibt: die Kopfzeile zustellen → fehlschlagen" in told
    assert "Benachrichtigen bei Erfolg: der Besitzer → niemand" in told


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["empty"], "empty"),
        (["Rock and 3 more"], "Rock and 3 more"),
        (
            [f"no {number}" for number in range(23)],
            ", ".join(f"no {number}" for number in range(20)) + " und 3 weitere",
        ),
    ],
)
def test_chosen_names_that_read_like_words_of_the_product_stay(app: Flask, ids: list[str], said: str) -> None:
    asked = {"attribute": "group_id", "operator": "in_group", "value": {"ids": ids}}
    before, model = stores(model="customers", filters=[[]]), builtin().models["customers"]
    after = before.model_copy(update={"filters": [[Criterion(**asked)]]})
    [told] = [translated(one) for one in differences(before, after, model)]
    assert told.endswith(f" {said}")
    [[phrase]] = words.filters(after, model)
    shown = get_template_attribute("macros/criteria.html", "said_test")(phrase)
    assert shown.endswith(f" {said}")


@pytest.mark.usefixtures("german")
def test_a_sentence_with_facts_is_found_by_its_template_and_facts_stay_as_they_are() -> None:
    at = kinds.compiled("{name} has {count} rows, says {name}.")
    assert at.fullmatch("A+B has 3 rows, says A+B.").groupdict() == {"name": "A+B", "count": "3"}  # type: ignore[union-attr]
    assert at.fullmatch("A has 3 rows, says B.") is None
    assert translated(
        "For <b>{x}. At least 12 characters; a few words that only you put together are easy to keep."
    ) == ("Für <b>{x}. Mindestens 12 Zeichen; ein paar Wörter, die nur Sie so zusammenstellen, merken sich leicht.")
    assert translated("Nobody has translated this.") == "Nobody has translated this."


def test_the_person_chooses_the_language_and_the_browser_before_signing_in(client: Open, people: People) -> None:
    browser, at = client(people.viewer), f"/users/{people.viewer.id}"
    assert '<html lang="en"' in browser.get(at, headers=GERMAN).text
    assert '<html lang="de"' in client(None).get("/login", headers=GERMAN).text
    form = {"csrf_token": token(browser, at), "name": "Vera", "time_zone": "Europe/Rome", "language": "de"}
    said = check(browser.post("/account", data=form, follow_redirects=True).text).text
    assert "Ihr Profil ist gespeichert." in said
    assert '<html lang="de"' in browser.get(at).text
    assert "Alle Exporte" in browser.get(at, headers={"Accept-Language": "en"}).text
    for wrong in ("xx", "de\x00", "EN"):
        refused = browser.post("/account", data=form | {"language": wrong})
        assert refused.status_code == 422
        assert 'href="#language"' in refused.text
    browser.post("/account", data=form | {"language": ""})
    assert '<html lang="en"' in browser.get(at).text


def test_errors_are_told_in_the_language_to_people_and_in_english_to_programs(client: Open, people: People) -> None:
    in_german(people.viewer)
    browser = client(people.viewer)
    found = check(browser.get("/nowhere").text)
    assert "Hier ist nichts" in found.text
    assert "Vielleicht wurde es gelöscht" in found.text
    assert "Hier ist nichts" in browser.get("/nowhere", headers={"HX-Request": "true"}).text
    assert not re.search("[äöü]", client(None).get("/api/v1/exports", headers=GERMAN).text)
    visitor = client(None)
    typed = {"csrf_token": token(visitor), "email": "a@b.example", "password": "x"}
    login = visitor.post("/login", data=typed, headers=GERMAN).text
    assert "Die E-Mail-Adresse oder das Passwort stimmt nicht" in check(login).text


NAMES = {"Viewer", "Exporter", "Exports", "identifier"}
"""Words of the product that are also names of the cast, of the product, or of a column."""


def _left_in_english(page: str) -> list[str]:
    """Texts of the catalogue that stand on a page though they have a German word."""
    said = f" {check(page).text} "
    ids = [one.id for one in catalogues.read("de") if isinstance(one.id, str) and "{" not in one.id]
    of = catalogues.of("de").gettext
    return [one for one in ids if len(one) > 5 and one not in NAMES and of(one) != one and f" {one} " in said]


def test_no_page_that_is_done_mixes_languages(client: Open, people: People, made: Exports) -> None:
    done = made.finished(people.exporter, "Kunden")
    failed = made.create(people.exporter, "Preise")
    made.fail(made.claim())
    waits = made.create(people.exporter, "Filialen")
    browser = client(people.exporter)
    assert _left_in_english(browser.get("/exports").text), "the English page has them"
    in_german(people.exporter)
    own = f"/users/{people.exporter.id}"
    pages = ["/exports", "/exports?q=zzz", "/exports?runs=1", "/nowhere", own, "/account/second-step"]
    pages += [f"/exports/{one.id}" for one in (done, failed, waits)]
    pages += [f"/exports/{done.id}/logs", f"/runs/{failed.run_id}"]
    for at in pages:
        assert _left_in_english(browser.get(at).text) == [], at
    for at in ("/login", "/password/forgotten"):
        assert _left_in_english(client(None).get(at, headers=GERMAN).text) == [], at
    shown = check(browser.get(f"/exports/{failed.id}").text).text
    assert "Fehlgeschlagen" in shown
    assert "Ein Feld dieses Exports gibt es in der Datenbank nicht mehr: name. Bearbeiten Sie den Export" in shown


def test_a_step_of_the_wizard_says_what_is_wrong_in_german(client: Open, people: People) -> None:
    in_german(people.exporter)
    wizard = Wizard(client(people.exporter), people.exporter)
    wizard.begin()
    wizard.fill(name="")
    wizard.press("next")
    assert wizard.problems == [("name", "Geben Sie einen Namen ein")]
    assert '<html lang="de"' in wizard.html
    assert wizard.beside("name") == "Fehler: Geben Sie einen Namen ein"
    assert _left_in_english(wizard.html) == []
