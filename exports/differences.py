"""What is different between two definitions, in words: before an edit is saved, and in the history of versions.

One entry of MEMBERS for each member of a definition: what is different is always told, at the least that it is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from pydantic import BaseModel

from exports import aggregation, masks, words
from exports.catalogue import DataModel
from exports.definition import Column, Criterion, Definition, Replacement
from exports.said import Said, joined
from exports.schedule import sentence

NONE: Final = Said("none")
NAMED: Final = 20
"""Of a long list so many are named, the others counted."""


@dataclass(frozen=True)
class Two:
    """Two definitions; `model` is their data model, if there is one, and `called` says what records are called."""

    before: Definition
    after: Definition
    model: DataModel | None
    called: words.Called

    @property
    def has_sets(self) -> bool:
        """Whether a criterion has to say in which set it stands."""
        return max(len(self.before.filters), len(self.after.filters)) > 1

    def phrase(self, criterion: Criterion) -> Said:
        """Points is at least 10."""
        said = words.phrase(criterion, self.model, self.called)
        value = said.kind or "value"
        template = "{attribute} {operator}" + (f"{said.between} {{{value}}}" if said.value else "")
        return Said(template, attribute=said.attribute, operator=said.operator, **{value: said.value})


def differences(
    before: Definition, after: Definition, model: DataModel | None = None, called: words.Called = words.by_id
) -> list[str]:
    """One sentence for each difference, in the order of the wizard's steps; none for equal definitions."""
    two = Two(before, after, model, called)
    told: list[str] = []
    for member, (label, tell) in MEMBERS.items():
        if getattr(before, member) != getattr(after, member):
            what = Said(label)
            told += list(tell(two, what)) or [Said("{what} is written differently, and reads the same", what=what)]
    return told


# --- one value


def _turned(label: str, before: str, after: str) -> Iterator[str]:
    if before != after:
        yield Said("{label}: {before} → {after}", label=label, before=before, after=after)


def _texts(member: str) -> Callable[[Two, str], Iterator[str]]:
    return lambda two, label: _turned(label, getattr(two.before, member), getattr(two.after, member))


def _switches(member: str) -> Callable[[Two, str], Iterator[str]]:
    return lambda two, label: _turned(label, _on(getattr(two.before, member)), _on(getattr(two.after, member)))


def _if_empty(two: Two, label: str) -> Iterator[str]:
    yield from _turned(label, *(Said(words.IF_EMPTY[one.if_empty]) for one in (two.before, two.after)))


def _documents(member: str) -> Callable[[Two, str], Iterator[str]]:
    """For what has no words of its own."""
    return lambda two, label: _turned(label, _json(getattr(two.before, member)), _json(getattr(two.after, member)))


def _on(value: bool) -> Said:
    return Said("on" if value else "off")


def _json(value: Any) -> str:
    plain = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _target(two: Two, label: str) -> Iterator[str]:
    if two.before.target.type != two.after.target.type:
        yield from _turned(label, two.before.target.type, two.after.target.type)
    else:
        yield from _documents("target")(two, label)


def _notify(two: Two, label: str) -> Iterator[str]:
    notified = two.before.notify, two.after.notify
    yield from _turned(Said("Notify on success"), *(words.recipients(one.success) for one in notified))
    yield from _turned(Said("Notify on failure"), *(words.recipients(one.failure) for one in notified))


def _schedule(two: Two, label: str) -> Iterator[str]:
    yield from _turned(label, *(Said(sentence(one.schedule)) for one in (two.before, two.after)))


# --- Filters

REORDERED: Final = ("The order of the criteria is different", "Set {letter}: the order of the criteria is different")
REMOVED: Final = ("Criterion removed: {criterion}", "Set {letter}: criterion removed: {criterion}")
ADDED: Final = ("Criterion added: {criterion}", "Set {letter}: criterion added: {criterion}")
CHANGED: Final = (
    "Criterion changed: {before} → {after}",
    "Set {letter}: criterion changed: {before} → {after}",
)
REWRITTEN: Final = (
    "Criterion {criterion} is written differently, and reads the same",
    "Set {letter}: criterion {criterion} is written differently, and reads the same",
)
"""How a difference of criteria is told: of the only set, and of one of several."""


def _filters(two: Two, _label: str) -> Iterator[str]:
    before, after = ([_key(set_) for set_ in one.filters] for one in (two.before, two.after))
    if Counter(before) == Counter(after):
        yield Said("The order of the sets is different")
        return
    for olds, news in _blocks(before, after):
        both = min(len(olds), len(news))
        for place, other in zip(olds[:both], news[:both], strict=True):
            yield from _set(two, place, other)
        for place in olds[both:]:
            yield Said("Set {letter} removed: {criteria}", **_set_said(two, two.before, place))
        for place in news[both:]:
            yield Said("Set {letter} added: {criteria}", **_set_said(two, two.after, place))


def _set(two: Two, place: int, other: int) -> Iterator[str]:
    """What is different in a set, named as it is called afterwards."""
    letter = words.letters(other)
    olds, news = list(two.before.filters[place]), list(two.after.filters[other])
    if Counter(map(_key, olds)) == Counter(map(_key, news)):
        yield _in_set(two, letter, REORDERED)
        return
    for gone, come in _blocks([_key(one) for one in olds], [_key(one) for one in news]):
        left = [news[position] for position in come]
        for old in (olds[position] for position in gone):
            new = next((one for one in left if one.attribute == old.attribute), None)
            if new is None:
                yield _in_set(two, letter, REMOVED, criterion=two.phrase(old))
                continue
            left.remove(new)
            said, now = two.phrase(old), two.phrase(new)
            if said == now:
                yield _in_set(two, letter, REWRITTEN, criterion=now)
            else:
                yield _in_set(two, letter, CHANGED, before=said, after=now)
        for new in left:
            yield _in_set(two, letter, ADDED, criterion=two.phrase(new))


def _in_set(two: Two, letter: str, templates: tuple[str, str], **facts: str) -> Said:
    """Where there are several sets, each sentence begins with its set."""
    return Said(templates[two.has_sets], letter=letter, **facts)


def _set_said(two: Two, definition: Definition, place: int) -> dict[str, str]:
    phrases = [two.phrase(one) for one in definition.filters[place]]
    criteria = joined(phrases, " AND ") if phrases else Said("without criteria")
    return {"letter": words.letters(place), "criteria": criteria}


def _key(value: Any) -> str:
    """Criteria hold lists: their JSON stands for them where things are counted and aligned."""
    if isinstance(value, BaseModel):
        return json.dumps(value.model_dump(mode="json"), sort_keys=True)
    return "\n".join(map(_key, value))


def _blocks(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[list[int], list[int]]]:
    """The places that are different: what stands in one has been put in place of what stands in the other."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        if kind != "equal":
            yield list(range(start, end)), list(range(other_start, other_end))


# --- Field settings


def _columns(two: Two, _label: str) -> Iterator[str]:
    pairs, gone, come = _matched(two.before.fields, two.after.fields)
    yield from _named("Column removed: {names}", "Columns removed: {names}", [_called(one) for one in gone])
    yield from _named("Column added: {names}", "Columns added: {names}", [_called(one) for one in come])
    for old, new in pairs:
        yield from _column(two.before.fields[old], two.after.fields[new])
    if [new for _old, new in pairs] != sorted(new for _old, new in pairs):
        yield Said("Order of the columns: {names}", names=_listed([one.header for one in two.after.fields]))


def _matched(
    before: Sequence[Column], after: Sequence[Column]
) -> tuple[list[tuple[int, int]], list[Column], list[Column]]:
    """Which column became which, by their places, and what is gone and new. The same field may stand several times: the
    same column first, then one of the same field.
    """
    left = dict(enumerate(after))
    found: dict[int, int] = {}
    for is_whole in (True, False):
        for place, one in enumerate(before):
            fits = (at for at, each in left.items() if (one == each if is_whole else one.from_ == each.from_))
            if place not in found and (other := next(fits, None)) is not None:
                found[place] = other
                del left[other]
    gone = [one for place, one in enumerate(before) if place not in found]
    return sorted(found.items()), gone, list(left.values())


def _called(column: Column) -> str:
    return column.header if column.header == column.from_ else f"{column.header} ({column.from_})"


def _column(before: Column, after: Column) -> Iterator[str]:
    for member, tell in COLUMN_MEMBERS.items():
        if getattr(before, member) != getattr(after, member):
            yield from list(tell(before, after)) or [
                Said("Column {header} is written differently, and reads the same", header=after.header)
            ]


def _header(before: Column, after: Column) -> Iterator[str]:
    if before.header != after.header:
        yield Said("Column {before} renamed to {after}", before=before.header, after=after.header)


def _default(before: Column, after: Column) -> Iterator[str]:
    texts = [f"“{one.default}”" if one.default else NONE for one in (before, after)]
    yield from _turned(Said("Default of {header}", header=after.header), *texts)


def _method(before: Column, after: Column) -> Iterator[str]:
    methods = [Said(aggregation.LABELS[one.aggregation]) if one.aggregation else NONE for one in (before, after)]
    yield from _turned(Said("Aggregation of {header}", header=after.header), *methods)


def _mask(before: Column, after: Column) -> Iterator[str]:
    told = [Said(masks.LABELS[one.mask] if one.mask else masks.KEEP) for one in (before, after)]
    yield from _turned(Said("Personal data of {header}", header=after.header), *told)


def _replaced(before: Column, after: Column) -> Iterator[str]:
    old, new = ({one.value: one for one in column.replace} for column in (before, after))
    gone = [_pair(one) for value, one in old.items() if value not in new]
    come = [_pair(one) for value, one in new.items() if value not in old]
    changed = [_pair(one) for value, one in new.items() if value in old and old[value] != one]
    for template, pairs in (
        ("Replace values of {header}: removed {pairs}", gone),
        ("Replace values of {header}: added {pairs}", come),
        ("Replace values of {header}: changed {pairs}", changed),
    ):
        if pairs:
            yield Said(template, header=after.header, pairs=_listed(pairs))
    if list(old) != list(new) and set(old) == set(new):
        yield Said("Replace values of {header}: in another order", header=after.header)


def _pair(one: Replacement) -> Said:
    return Said("{value} → {new}", value=one.value, new=one.new or NONE)


def _named(one: str, many: str, names: list[str]) -> Iterator[str]:
    if names:
        yield Said(one if len(names) == 1 else many, names=_listed(names))


def _listed(names: Sequence[str]) -> Said:
    shown = joined(names[:NAMED])
    if len(names) <= NAMED:
        return shown
    return Said("{names} and {count} more", names=shown, count=f"{len(names) - NAMED:,}")


# --- File


def _file(two: Two, label: str) -> Iterator[str]:
    before, after = two.before.file, two.after.file
    if before.extension != after.extension:
        yield from _turned(label, *(joined(words.file(one)) for one in (before, after)))
        return
    for member, (name, said) in FILE_MEMBERS.items():
        yield from _turned(Said(name), *(said(getattr(one, member)) for one in (before, after)))


def _delimiter(value: str | None) -> str:
    return Said(words.DELIMITERS[value]) if value in words.DELIMITERS else value or NONE


# --- the tables

TIMES: Final = {"local": "on the clock of the time zone", "iso": "ISO 8601"}

Told = Callable[[Two, str], Iterator[str]]
MEMBERS: Final[dict[str, tuple[str, Told]]] = {
    "name": ("Name", _texts("name")),
    "model": ("Data model", _texts("model")),
    "timezone": ("Time zone", _texts("timezone")),
    "filters": ("Filters", _filters),
    "aggregation": ("Aggregation", _switches("aggregation")),
    "all_fields": ("All fields", _switches("all_fields")),
    "fields": ("Fields", _columns),
    "file": ("File", _file),
    "schedule": ("Scheduling", _schedule),
    "target": ("Upload target", _target),
    "if_empty": ("If there are no rows", _if_empty),
    "notify": ("Notify", _notify),
}
"""By the member of a definition: what the screen calls it, and how its difference is told."""
COLUMN_MEMBERS: Final[dict[str, Callable[[Column, Column], Iterator[str]]]] = {
    "to": _header,
    "default": _default,
    "replace": _replaced,
    "aggregation": _method,
    "mask": _mask,
}
"""Of a column of the same field."""
FILE_MEMBERS: Final[dict[str, tuple[str, Callable[[Any], str]]]] = {
    "extension": ("Extension", lambda value: f".{value}"),
    "delimiter": (
        "Delimiter",
        lambda value: Said(words.DELIMITERS[value]) if value in words.DELIMITERS else value or NONE,
    ),
    "enclosure": ("Enclosure", lambda value: value or NONE),
    "newline": ("Newline", lambda value: words.NEWLINES[value]),
    "header": ("Header", _on),
    "bom": ("UTF-8 with BOM", _on),
    "protect_spreadsheets": ("Protect spreadsheets", _on),
    "times": (
        "Times",
        lambda value: Said({"local": "on the clock of the time zone", "iso": "ISO 8601"}.get(value, value)),
    ),
}
