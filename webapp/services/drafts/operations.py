"""What the wizard's buttons do to a draft: **AND**, **OR**, remove, add; those of Field settings are in `columns`.

A button posts `op`: a verb and what it is about ("and:A", "rm:A2", "rep-rm:3.2"); UX section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exports.catalogue import DataModel
from exports.operators import operators_for
from webapp.services.drafts import inputs
from webapp.services.drafts.columns import COLUMN_OPERATIONS
from webapp.services.drafts.outcome import Outcome, UnknownOperation
from webapp.services.drafts.typed import Typed, TypedCriterion, TypedSet
from webapp.services.drafts.values import input_of, picks, searches

BLANK: Final = TypedCriterion(fresh=True)
Operation = Callable[[Typed, str, DataModel], Outcome]


def apply(typed: Typed, step: str, op: str, model: DataModel) -> Outcome:
    """Do what a button of a step says.

    Raises:
        UnknownOperation: the step has no such button, or it is about something that is not there.
    """
    verb, _, about = op.partition(":")
    operation = OPERATIONS.get(step, {}).get(verb)
    if operation is None:
        raise UnknownOperation(op)
    return operation(typed, about, model)


def fitting(criterion: TypedCriterion, model: DataModel) -> TypedCriterion:
    """A criterion whose operator fits its attribute: another attribute may not have the operator of the last one."""
    field = model.attribute(criterion.attribute)
    if field is None or any(one.id == criterion.operator for one in operators_for(field)):
        return criterion
    return criterion.with_(operator=operators_for(field)[0].id)


# --- Filters


def _set_at(typed: Typed, name: str) -> int:
    place = inputs.place_of(name) if name.isascii() and name.isupper() and name.isalpha() else -1
    if not 0 <= place < len(typed.sets):
        raise UnknownOperation(name)
    return place


def _criterion_at(typed: Typed, label: str) -> tuple[int, int]:
    found = inputs.place_of_label(label)
    if found is None or found[0] >= len(typed.sets) or found[1] >= len(typed.sets[found[0]]):
        raise UnknownOperation(label)
    return found


def _with_set(typed: Typed, place: int, *criteria: TypedCriterion) -> Typed:
    sets = list(typed.sets)
    sets[place : place + 1] = [criteria] if criteria else []
    return typed.with_(sets=tuple(sets) or ((BLANK,),))


def _and(typed: Typed, name: str, model: DataModel) -> Outcome:
    place = _set_at(typed, name)
    criteria = typed.sets[place]
    label = inputs.label(place, len(criteria))
    focus = inputs.criterion(place, len(criteria), "attribute")
    return Outcome(_with_set(typed, place, *criteria, BLANK), f"c-{label}", focus, f"Criterion {label} added")


def _or(typed: Typed, _about: str, model: DataModel) -> Outcome:
    place = len(typed.sets)
    focus = inputs.criterion(place, 0, "attribute")
    letters = inputs.letters(place)
    said = f"Set {letters} added"
    return Outcome(typed.with_(sets=(*typed.sets, (BLANK,))), f"c-{inputs.label(place, 0)}", focus, said)


def _remove(typed: Typed, label: str, model: DataModel) -> Outcome:
    place, position = _criterion_at(typed, label)
    left: TypedSet = tuple(one for number, one in enumerate(typed.sets[place]) if number != position)
    changed = _with_set(typed, place, *left)
    if not left:
        return _without_set(changed, place, "Criterion removed")
    if position == 0:
        return Outcome(changed, f"c-{inputs.label(place, 0)}", f"set-{inputs.letters(place)}", "Criterion removed")
    before = inputs.label(place, position - 1)
    return Outcome(changed, f"c-{before}", f"rm-{before}", "Criterion removed")


def _remove_set(typed: Typed, name: str, model: DataModel) -> Outcome:
    place = _set_at(typed, name)
    return _without_set(_with_set(typed, place), place, "Set removed")


def _without_set(changed: Typed, place: int, said: str) -> Outcome:
    near = inputs.letters(min(max(place - 1, 0), len(changed.sets) - 1))
    return Outcome(changed, f"set-{near}", f"set-{near}", said)


def _chosen(typed: Typed, label: str, model: DataModel) -> Outcome:
    """The attribute or operator of a criterion was chosen: its operators and its input follow."""
    place, position = _criterion_at(typed, label)
    part = "operator" if typed.sets[place][position].attribute else "attribute"
    return Outcome(typed, f"c-{label}", inputs.criterion(place, position, part), "")


def _add(typed: Typed, attribute: str, model: DataModel) -> Outcome:
    """A criterion for an attribute of the list: in the blank one at the end, or behind it."""
    field = model.attribute(attribute)
    if field is None:
        raise UnknownOperation(attribute)
    made = fitting(TypedCriterion(attribute=attribute, fresh=True), model)
    place = len(typed.sets) - 1
    kept = typed.sets[place]
    kept = kept[:-1] if kept[-1].is_blank else kept
    focus = inputs.criterion(place, len(kept), "operator")
    letters = inputs.letters(place)
    said = f"{field.label} added to set {letters}"
    return Outcome(_with_set(typed, place, *kept, made), f"c-{inputs.label(place, len(kept))}", focus, said)


def _take(typed: Typed, about: str, model: DataModel) -> Outcome:
    """A record that was found is chosen; without JavaScript by its button."""
    label, _, id = about.partition(":")
    place, position = _criterion_at(typed, label)
    former = typed.sets[place][position]
    field = model.attribute(former.attribute)
    kind = input_of(former, model)
    if field is None or not id or not (picks(field, kind) or searches(field, kind)):
        raise UnknownOperation(about)
    several = picks(field, kind)
    chosen = former.with_(values=tuple(dict.fromkeys((*former.values, id)))) if several else former.with_(value=id)
    criteria = list(typed.sets[place])
    criteria[position] = chosen.with_(find="")
    focus = inputs.criterion(place, position, "find" if several else "value")
    return Outcome(_with_set(typed, place, *criteria), f"c-{label}", focus, "Chosen")


def _nothing(typed: Typed, _about: str, model: DataModel) -> Outcome:
    """The page anew, as what was typed has it."""
    return Outcome(typed)


FILTER_OPERATIONS: Final[dict[str, Operation]] = {
    "and": _and,
    "or": _or,
    "rm": _remove,
    "rm-set": _remove_set,
    "crit": _chosen,
    "add": _add,
    "take": _take,
}
OPERATIONS: Final[dict[str, dict[str, Operation]]] = {
    "filters": FILTER_OPERATIONS,
    "fields": {**COLUMN_OPERATIONS, "all": _nothing},
}
