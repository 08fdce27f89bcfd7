"""What the buttons of Field settings do to a draft: add, up, down, remove, and the rows of Replace values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exports.catalogue import DataField, DataModel
from webapp.services.drafts import inputs
from webapp.services.drafts.outcome import Outcome, UnknownOperation
from webapp.services.drafts.typed import Typed, TypedColumn, TypedReplacement

NAMED_AT_MOST: Final = 5
"""How many of the fields that fit what was typed are named."""


def named_like(text: str, model: DataModel) -> list[DataField]:
    """The fields with this in their name or id, those that begin with it first; all of them for no text."""
    typed = text.strip().casefold()
    names = {one.id: (one.id.casefold(), one.label.casefold()) for one in model.fields.values()}
    found = [one for one in model.fields.values() if any(typed in name for name in names[one.id])]
    return sorted(found, key=lambda one: not any(name.startswith(typed) for name in names[one.id]))


def find(text: str, model: DataModel) -> DataField | str:
    """The field that somebody means by typing part of a name or id; else the sentence that says why it is unclear."""
    typed = text.strip().casefold()
    if not typed:
        return "Type part of a field's name or id"
    for exact in (lambda one: one.id == text.strip(), lambda one: typed in (one.id.casefold(), one.label.casefold())):
        found = [one for one in model.fields.values() if exact(one)]
        if len(found) == 1:
            return found[0]
    found = named_like(text, model)
    if len(found) == 1:
        return found[0]
    wanted, model_label = text.strip(), model.label
    if not found:
        return f"{model_label} has no field named like “{wanted}”"
    named = ", ".join(one.id for one in found[:NAMED_AT_MOST])
    if (count := len(found) - NAMED_AT_MOST) > 0:
        return f"“{wanted}” can be {named} and {count} more: type more of it"
    return f"“{wanted}” can be {named}: type more of it"


def _place(typed: Typed, about: str) -> int:
    place = int(about) - 1 if about.isascii() and about.isdigit() and len(about) <= 4 else -1
    if not 0 <= place < len(typed.columns):
        raise UnknownOperation(about)
    return place


def _with_columns(typed: Typed, columns: list[TypedColumn]) -> Typed:
    return typed.with_(columns=tuple(columns))


def _add(typed: Typed, about: str, model: DataModel) -> Outcome:
    found = find(about, model)
    if isinstance(found, str):
        return Outcome(typed, "pick", "pick", found, complaint=found)
    columns = [*typed.columns, TypedColumn(from_=found.id)]
    changed, number = _with_columns(typed, columns).with_(all_fields=False), len(columns)
    return Outcome(changed, f"f-{number}", "pick", f"{found.label} added as field {number}")


def _remove(typed: Typed, about: str, model: DataModel) -> Outcome:
    place = _place(typed, about)
    columns = list(typed.columns)
    gone = columns.pop(place)
    near = max(place, 1)
    focus = f"rm-{near}" if columns else "pick"
    return Outcome(_with_columns(typed, columns), f"f-{near}" if columns else "pick", focus, f"{gone.from_} removed")


def _moved(typed: Typed, place: int, to: int, model: DataModel, *, up: bool) -> Outcome:
    """A column at another place; the focus stays on its arrow, and turns round at the ends."""
    columns = list(typed.columns)
    to = min(max(to, 0), len(columns) - 1)
    moved = columns.pop(place)
    columns.insert(to, moved)
    at_end = to == (0 if up else len(columns) - 1)
    arrow = "up" if up != at_end else "down"
    field = model.fields.get(moved.from_)
    called, place, number = field.label if field else moved.from_, to + 1, len(columns)
    said = f"Moved {called} to position {place} of {number}"
    return Outcome(_with_columns(typed, columns), f"f-{place}", f"{arrow}-{place}", said)


def _up(typed: Typed, about: str, model: DataModel) -> Outcome:
    place = _place(typed, about)
    return _moved(typed, place, place - 1, model, up=True)


def _down(typed: Typed, about: str, model: DataModel) -> Outcome:
    place = _place(typed, about)
    return _moved(typed, place, place + 1, model, up=False)


def _move(typed: Typed, about: str, model: DataModel) -> Outcome:
    """From one place to another ("3.1"): what a drag says, and as many presses of an arrow do."""
    place, to = (_place(typed, one) for one in (about.partition(".")[0], about.partition(".")[2]))
    return _moved(typed, place, to, model, up=to < place)


def _with_column(typed: Typed, place: int, column: TypedColumn) -> Typed:
    return _with_columns(typed, [column if number == place else one for number, one in enumerate(typed.columns)])


def _open(typed: Typed, about: str, model: DataModel) -> Outcome:
    """Unfold Replace values, with a row to type in; or fold it again."""
    place = _place(typed, about)
    column = typed.columns[place]
    rows = column.replace or (TypedReplacement(),)
    changed = _with_column(typed, place, column.with_(open=not column.open, replace=rows))
    focus = f"open-{about}" if column.open else inputs.replacement(place, 0, "value")
    return Outcome(changed, f"f-{about}", focus)


def _add_replacement(typed: Typed, about: str, model: DataModel) -> Outcome:
    place = _place(typed, about)
    column = typed.columns[place]
    changed = column.with_(open=True, replace=(*column.replace, TypedReplacement()))
    focus = inputs.replacement(place, len(column.replace), "value")
    return Outcome(_with_column(typed, place, changed), f"f-{about}", focus, "Row added")


def _remove_replacement(typed: Typed, about: str, model: DataModel) -> Outcome:
    number, _, row = about.partition(".")
    place = _place(typed, number)
    column = typed.columns[place]
    position = int(row) - 1 if row.isascii() and row.isdigit() and len(row) <= 5 else -1
    if not 0 <= position < len(column.replace):
        raise UnknownOperation(about)
    left = tuple(one for at, one in enumerate(column.replace) if at != position)
    changed = _with_column(typed, place, column.with_(replace=left, open=True))
    focus = f"rep-rm-{number}-{max(position, 1)}" if left else f"rep-add-{number}"
    return Outcome(changed, f"f-{number}", focus, "Row removed")


COLUMN_OPERATIONS: Final[dict[str, Callable[[Typed, str, DataModel], Outcome]]] = {
    "add": _add,
    "up": _up,
    "down": _down,
    "move": _move,
    "rm": _remove,
    "open": _open,
    "rep-add": _add_replacement,
    "rep-rm": _remove_replacement,
}
