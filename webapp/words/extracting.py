"""What there is to translate: texts marked in templates, sentences of Python modules, and the catalogue of errors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

from exports import catalogue
from exports.errors import RUN_AGAIN, UPLOAD_AGAIN, ExportsError, RunError
from webapp.services.audit import KINDS
from webapp.words.catalogues import TELLING, WHOLE, letters
from webapp.words.known import WORDS
from webapp.words.parts import PARTS

ROOT: Final = Path(__file__).resolve().parent.parent.parent

MODULES: Final = (
    "webapp/drawn.py",
    "webapp/errors.py",
    "webapp/views/accounts.py",
    "webapp/views/passwords.py",
    "webapp/views/second_step.py",
    "webapp/views/exports.py",
    "webapp/views/details.py",
    "webapp/views/several.py",
    "webapp/views/schedules.py",
    "webapp/views/removing.py",
    "webapp/views/handing_over.py",
    "webapp/views/audit.py",
    "webapp/views/comparing.py",
    "webapp/views/connections.py",
    "webapp/views/downloads.py",
    "webapp/views/fields.py",
    "webapp/views/people.py",
    "webapp/views/personal.py",
    "webapp/views/settings.py",
    "webapp/views/testing.py",
    "webapp/views/tokens.py",
    "webapp/views/uploads.py",
    "webapp/views/webhooks.py",
    "webapp/forms/accounts.py",
    "webapp/forms/connections.py",
    "webapp/models/tokens.py",
    "webapp/services/accounts.py",
    "webapp/services/compares/asking.py",
    "webapp/services/connections",
    "webapp/services/custom_fields.py",
    "webapp/services/exports/handing_over.py",
    "webapp/services/people.py",
    "webapp/services/personal.py",
    "webapp/services/runs/events.py",
    "webapp/forms/scheduling.py",
    "webapp/forms/uploading.py",
    "webapp/forms/wizard",
    "webapp/services/choices.py",
    "webapp/services/definitions.py",
    "webapp/services/drafts",
    "webapp/services/schedules/typed.py",
    "webapp/services/settings.py",
    "webapp/services/tokens.py",
    "webapp/services/webhooks",
    "webapp/services/why.py",
    "webapp/views/scheduling.py",
    "webapp/views/wizard",
    "exports/aggregation.py",
    "exports/criteria.py",
    "exports/dates/hints.py",
    "exports/differences.py",
    "exports/masks.py",
    "exports/paths.py",
    "exports/recipients.py",
    "exports/rules.py",
    "exports/schedule/notes.py",
    "exports/schedule/rules.py",
    "exports/segments.py",
    "exports/special/reading.py",
    "exports/ssh_keys.py",
    "exports/target.py",
    "exports/values.py",
    "exports/webhooks.py",
    "exports/why.py",
)
"""Files and folders whose sentences stand on pages: what they say is translated where a template shows it."""

Text: TypeAlias = str | tuple[str, str]
"""A sentence, or the two that depend on a number."""


def texts() -> set[Text]:
    """Every text that a catalogue must have."""
    found: set[Text] = {*WORDS, *KINDS.values(), *_of_errors(), *_of_catalogue()}
    for path in sorted((ROOT / "templates").rglob("*.*")):
        found |= set(of_template(path.read_text()))
    for name in MODULES:
        for path in sorted((ROOT / name).rglob("*.py")) if (ROOT / name).is_dir() else [ROOT / name]:
            found |= set(of_python(path.read_text()))
    return found


def parts() -> Iterator[tuple[str, str]]:
    """Every part of a sentence, with its kind, that has words of its own."""
    for kind, templates in PARTS.items():
        yield from ((kind, template) for template in templates if letters(template).strip())


def of_template(source: str) -> Iterator[Text]:
    """The texts in `_(…)` and `ngettext(…)` of a template."""
    from jinja2 import Environment, nodes

    for call in Environment(autoescape=True).parse(source).find_all(nodes.Call):
        name = getattr(call.node, "name", "")
        given = [one.value for one in call.args if isinstance(one, nodes.Const) and isinstance(one.value, str)]
        if name == "_" and given:
            yield given[0]
        if name == "ngettext" and len(given) == 2:
            yield given[0], given[1]


def of_python(source: str) -> Iterator[str]:
    """The sentences of a module: what begins with a capital letter and has more than one word, but no docstring; also
    a fact that is a sentence's end, such as `reason=`, whatever it begins with.
    """
    tree = ast.parse(source)
    skipped = {id(node) for each in ast.walk(tree) for node in _not_said(each)}
    ends = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.keyword) and one.arg in WHOLE}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in node.values)
            text = _template(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        begins = text.lstrip("“")[:1]
        is_told = begins.isupper() or (begins == "{" and len(letters(text)) >= TELLING) or id(node) in ends
        if " " in text.strip() and is_told:
            yield text


def _not_said(node: ast.AST) -> Iterator[ast.AST]:
    """Docstrings and what stands alone as one, and what is raised for engineers."""
    if isinstance(node, ast.Expr):
        yield node.value
    if isinstance(node, ast.Compare):
        yield from (node.left, *node.comparators)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ValueError":
        yield from ast.walk(node)
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("warning", "info", "error", "exception"):
        yield from ast.walk(node)


def _template(node: ast.JoinedStr) -> str:
    """The sentence of an f-string with named places in it."""
    parts = []
    for position, part in enumerate(node.values):
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("{", "{{").replace("}", "}}"))
        elif isinstance(part, ast.FormattedValue):
            inner = part.value
            name = inner.id if isinstance(inner, ast.Name) else getattr(inner, "attr", f"fact{position}")
            parts.append(f"{{{name.strip('_')}}}")
    return "".join(parts)


def _of_catalogue() -> Iterator[str]:
    """What is said of data models, fields and modules. Fields are called as in the catalogue, in every language."""
    known = catalogue.builtin()
    for model in known.models.values():
        yield from (model.label, model.description, model.record)
        yield from (field.description for field in model.fields.values())
    yield from (one.label for one in known.references.values())
    yield from known.modules.values()


def _of_errors() -> Iterator[str]:
    for kind in _kinds(ExportsError):
        yield from (text for text in (kind.sentence, kind.advice) if text)
        if issubclass(kind, RunError) and kind.advice:
            yield from (kind.last_advice(press) for press in (RUN_AGAIN, UPLOAD_AGAIN))


def _kinds(kind: type[ExportsError]) -> Iterator[type[ExportsError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)
