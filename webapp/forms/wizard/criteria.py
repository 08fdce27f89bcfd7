"""The form of Filters: `filters-A-2-attribute` and its siblings become sets of criteria, in the order of positions."""

from __future__ import annotations

import re
from typing import Final

from exports.catalogue import DataField, DataModel
from exports.operators import Input
from webapp.forms.wizard.posted import Posted
from webapp.services.drafts import Typed, TypedCriterion, fitting, input_of
from webapp.services.drafts.inputs import place_of

NAME: Final = re.compile(
    r"filters-(?P<set>[A-Z]{1,3})-(?P<position>[1-9][0-9]{0,2})-"
    r"(?P<part>attribute|operator|value|values|low|high|least|when|find)",
    re.ASCII,
)

Parts = dict[str, str | tuple[str, ...]]
VALUES: Final = ("value", "values", "low", "high", "least", "when", "find")


def read_filters(posted: Posted, typed: Typed, model: DataModel | None) -> Typed:
    """The sets that were posted; those of the draft if none was.

    Raises:
        FormRefused: a name that is not an input of a criterion.
    """
    posted.only({"aggregation", "why"}, NAME, many="-values")
    typed = typed.with_(aggregation=posted.checked("aggregation"))
    found: dict[int, dict[int, Parts]] = {}
    for name in posted.names("filters-"):
        match = NAME.fullmatch(name)
        if match is None:
            continue
        criterion = found.setdefault(place_of(match["set"]), {}).setdefault(int(match["position"]), {})
        many = match["part"] == "values"
        # A group of checkboxes comes with an empty value, so that one without a check is there too.
        criterion[match["part"]] = tuple(filter(None, posted.many(name))) if many else posted.text(name)
    if not found:
        return typed
    former = {(place, position): one for place, set_ in enumerate(typed.sets) for position, one in enumerate(set_)}
    return typed.with_(
        sets=tuple(
            tuple(
                _criterion(parts, former.get((place, position - 1)), model)
                for position, parts in sorted(found[place].items())
            )
            for place in sorted(found)
        )
    )


def _criterion(parts: Parts, former: TypedCriterion | None, model: DataModel | None) -> TypedCriterion:
    """A criterion as it was posted; inputs that its operator did not show are kept as they were."""
    start = former or TypedCriterion()
    made = start.with_(**parts)
    if model is None:
        return made
    if made.attribute != start.attribute or made.operator != start.operator:
        made = fitting(made, model)
    stale = [name for name in _unfitting(start, made, model) if getattr(made, name) == getattr(start, name)]
    return made.with_(**{name: TypedCriterion.model_fields[name].default for name in stale})


def _unfitting(former: TypedCriterion, now: TypedCriterion, model: DataModel) -> tuple[str, ...]:
    """The inputs whose text cannot be meant for the present attribute and operator."""
    old, new = model.attribute(former.attribute), model.attribute(now.attribute)
    if old is None or new is None:
        return ()
    if _kind(old) != _kind(new):
        return VALUES
    in_years = [input_of(one, model) is Input.AGES for one in (former, now)]
    return ("low", "high") if in_years[0] != in_years[1] else ()


def _kind(field: DataField) -> tuple[object, ...]:
    return field.type, field.choices, field.reference, field.special, field.filter_only and field.asks
