"""The hostile inputs, and the three ways in which one is given: as a definition, at the command line, in the wizard.

RELIABILITY section 5: each has one answer, with the same words wherever it is given, and nothing is stored by half.
"""

from __future__ import annotations

import html as markup
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from sqlalchemy import func, select

from tests.fix_pages import check

if TYPE_CHECKING:
    from click.testing import Result
    from flask import Flask
    from werkzeug.test import TestResponse

    from exports.errors import Problem
    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

ENTRIES = json.loads((Path(__file__).parent / "data/hostile_inputs.json").read_text())
Answer = list[tuple[str, str]]
"""Code and sentence of every problem; empty: accepted."""
Pairs = list[tuple[str, str]]
Inputs = dict[str, str]


def group(name: str) -> Iterator[tuple[str, bool]]:
    """The values of a group, and whether each must be refused: {"$repeat": s, "n": k} stands for s * k."""
    for one in ENTRIES:
        if one["group"] == name:
            value = one["value"]
            value = value["$repeat"] * value["n"] if isinstance(value, dict) else value
            yield value, one["expect"].startswith("reject")


def is_storable(value: str) -> bool:
    """Whether PostgreSQL can hold it."""
    return "\x00" not in value and not any("\ud800" <= one <= "\udfff" for one in value)


def shown(value: str) -> str:
    """A value as an assertion names it."""
    return ascii(value)[:60]


def answer_of(problems: list[Problem]) -> Answer:
    """What a list of problems says; warnings stop nothing."""
    return sorted((one.code, one.message) for one in problems if not one.warning)


@dataclass
class Ways:
    """The three ways in for one person: the tab of a wizard, the command line and the plain functions."""

    person: Person
    tab: Wizard
    ask: Callable[..., Result]
    folder: Path

    def begin(self, model: str) -> None:
        """A new draft of that model, so that one hostile input does not stand beside the last one."""
        self.tab.begin(model)

    # --- as a definition

    def by_definition(self, document: dict[str, Any] | str) -> Answer:
        """Parsed and held against the rules."""
        from exports import rules
        from exports.definition import parse
        from exports.errors import DefinitionRefused
        from webapp.services import brands
        from webapp.services.progress import present

        with self.person.at_work() as user:
            catalogue = brands.catalogue_of(user.brand)
            segments = brands.surroundings(user.brand, present()).segments
        try:
            return answer_of(rules.problems(parse(document), catalogue, segments=segments))
        except DefinitionRefused as refused:
            return answer_of(refused.problems)

    # --- at the command line

    def by_command(self, document: dict[str, Any] | str) -> Answer:
        """What `flask export check` prints; its exit status says the same."""
        file = self.folder / "definition.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        result = self.ask("check", file)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        told = [json.loads(line) for line in result.stdout.splitlines()]
        assert result.exit_code == (2 if told else 0), result.output
        assert "Traceback" not in result.output
        return sorted((one["code"], one["message"]) for one in told)

    def run(self, document: dict[str, Any], *options: str) -> bytes:
        """The file that `flask export run` writes to standard output."""
        file = self.folder / "definition.json"
        file.write_text(json.dumps(document))
        result = self.ask("run", file, "--out", "-", *options)
        assert result.exit_code == 0, result.output
        return result.stdout_bytes

    def told_alike(self, document: dict[str, Any] | str) -> Answer:
        """What definition and command line say, which is the same."""
        told = self.by_definition(document)
        assert self.by_command(document) == told
        return told

    # --- in the wizard

    def by_form(self, step: str, inputs: Inputs) -> tuple[str, list[str]]:
        """What a step answers to a form: `on` to the next step, `here` with what is to be corrected, or `refused`.

        `here` keeps what was typed, `refused` the draft as it was (RELIABILITY section 5).
        """
        self.tab.open(step)
        former = self.tab.typed
        answer = self.send(inputs)
        if answer.status_code == 422:
            assert self.tab.typed == former, "a refused form changes nothing"
            return "refused", _told(answer.get_data(as_text=True), whole=not self.tab.by_htmx)
        leads_to = answer.headers.get("Location") or answer.headers.get("HX-Redirect", "")
        if leads_to and not leads_to.split("#")[0].endswith(f"/{step}"):
            return "on", []
        self.tab.open(step)
        return "here", _told(self.tab.html)

    def definition_shown(self) -> dict[str, Any]:
        """The definition that Check and create shows: there is one if nothing is wrong."""
        self.tab.open("check")
        shown = re.search(r'<pre class="json"[^>]*>(.*?)</pre>', self.tab.html, re.DOTALL)
        assert shown is not None, self.tab.text
        return dict(json.loads(markup.unescape(shown[1])))

    def send(self, inputs: Inputs, op: str = "next") -> TestResponse:
        """Post a form byte by byte: what no browser would send is sent all the same."""
        return self.send_pairs([*inputs.items(), ("op", op)])

    def send_pairs(self, pairs: Pairs) -> TestResponse:
        """The same, with names that may stand twice."""
        tab = self.tab
        kept = [(name, tab.value(name)) for name in ("csrf_token", "rev", "tab")]
        body = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in [*kept, *pairs])
        answer = tab.client.post(
            tab.form.action,
            data=body.encode("ascii"),
            content_type="application/x-www-form-urlencoded",
            headers=tab._headers("step") if tab.by_htmx else {},
        )
        assert answer.status_code in (200, 303, 422), answer.status_code
        assert "Traceback" not in answer.get_data(as_text=True)
        return answer

    def nothing_made(self) -> None:
        """No export, version or run came of anything."""
        from webapp.extensions import db
        from webapp.models import Export, ExportVersion, Run

        with self.person.at_work():
            for kind in (Export, ExportVersion, Run):
                assert db.session.scalar(select(func.count()).select_from(kind)) == 0


def _quoted(text: str) -> str:
    return quote_plus(text.encode("utf-8", "surrogatepass"))


def _told(page: str, whole: bool = True) -> list[str]:
    """The sentences of the summary, on a page whose markup is sound."""
    check(page, whole=whole)
    summary = re.search(r'id="errors".*?</div>', page, re.DOTALL)
    found = re.findall(r'<li><a href="#[^"]+">(.*?)</a></li>', summary[0], re.DOTALL) if summary else []
    return sorted(markup.unescape(one) for one in found)


@pytest.fixture
def _ways(app: Flask, people: People, source_dsn: str, tmp_path: Path) -> Iterator[Callable[[Wizard], Ways]]:
    """The three ways in for maple's exporter, given the tab; no export may come of it."""
    from webapp.cli.export import export

    def ask(*arguments: object) -> Result:
        with app.app_context():
            return app.test_cli_runner().invoke(export, [str(one) for one in arguments])

    given: list[Ways] = []

    def make(tab: Wizard) -> Ways:
        given.append(Ways(people.exporter, tab, ask, tmp_path))
        return given[-1]

    yield make
    for one in given:
        one.nothing_made()


@pytest.fixture
def ways(_ways: Callable[[Wizard], Ways], people: People, wizard: Callable[[Person], Wizard]) -> Ways:
    """The three ways in, the wizard once without and once with htmx."""
    return _ways(wizard(people.exporter))


@pytest.fixture
def plain_ways(_ways: Callable[[Wizard], Ways], people: People, tab: Callable[[Person], Wizard]) -> Ways:
    """The three ways in, the wizard without htmx alone: for what takes long."""
    return _ways(tab(people.exporter))
