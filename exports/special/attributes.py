"""Which attributes of which model have special operators, and which module a brand needs for them (SPEC section 11).

They sit on the customer. A model with a field `customer` has all of them once more, about the customer it names.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from typing import Any, Final

from exports.catalogue import Catalogue, DataField, DataModel, FieldType, Special

CUSTOMERS: Final = "customers"
THROUGH: Final = "customer"
"""The model, and the field of other models that names one of its records."""

NO_COLUMNS: Final = frozenset({"table", "purchase", "claim", "taken_back", "item_taken_back"})
"""The parts of a role that are no columns: its table, and which actions are meant."""

ATTRIBUTES: Final = {
    "group_id": Special.GROUPS,
    "segments": Special.SEGMENTS,
    "rewards": Special.REWARDS,
    "activities": Special.ACTIVITIES,
    "action_history": Special.ACTIONS,
    "purchases": Special.PURCHASES,
}
MODULES: Final = {
    Special.GROUPS: "user_groups",
    Special.SEGMENTS: "segments",
    Special.REWARDS: "rewards",
    Special.ACTIVITIES: "challenges",
}
"""Actions and purchases are events, which every brand has."""

REFERENCES: Final = {
    Special.GROUPS: "user_groups",
    Special.SEGMENTS: "segments",
    Special.REWARDS: "rewards",
    Special.ACTIVITIES: "challenges",
    Special.PURCHASES: "products",
}
"""What is chosen is a record of one of these; actions are the choices of the field `action` of events."""

_ROLES: Final = {
    Special.GROUPS: ("group_membership", "group_parent"),
    Special.SEGMENTS: ("segments",),
    Special.REWARDS: ("rewards",),
    Special.ACTIVITIES: ("challenges",),
    Special.ACTIONS: ("events",),
    Special.PURCHASES: ("events",),
}
_LABELS: Final = {
    Special.GROUPS: ("User groups", "The user groups the customer belongs to."),
    Special.SEGMENTS: ("Segments", "The segments whose filter the customer meets when the export runs."),
    Special.REWARDS: ("Claimed rewards", "The rewards the customer has claimed."),
    Special.ACTIVITIES: ("Completed challenges", "The challenges the customer has completed."),
    Special.ACTIONS: ("Action history", "What the customer did, when and how often."),
    Special.PURCHASES: ("Purchases", "What the customer bought and did not give back."),
}


def with_attributes(catalogue: Catalogue) -> Catalogue:
    """The catalogue with the special operators that its roles can serve, of all modules."""
    models = {id: _with(model, catalogue) for id, model in catalogue.models.items()}
    return dataclasses.replace(catalogue, models=models)


def of_modules(model: DataModel, modules: Collection[str]) -> DataModel:
    """A model without the special operators whose module is off."""

    def is_on(one: DataField) -> bool:
        return one.asks is None or MODULES.get(one.asks) in (None, *modules)

    fields = {id: one if is_on(one) else dataclasses.replace(one, asks=None) for id, one in model.fields.items()}
    attributes = {id: one for id, one in model.attributes.items() if is_on(one)}
    return dataclasses.replace(model, fields=fields, attributes=attributes)


def _with(model: DataModel, catalogue: Catalogue) -> DataModel:
    fields = dict(model.fields)
    for id, one in model.fields.items():
        special = ATTRIBUTES.get(id) if model.id == CUSTOMERS else _of_record(one)
        if special and _served(special, catalogue, on_customer=model.id == CUSTOMERS):
            fields[id] = dataclasses.replace(one, asks=special)
    attributes = {one.id: one for one in _attributes(model, catalogue) if one.id not in fields}
    return dataclasses.replace(model, fields=fields, attributes=attributes)


def _of_record(field: DataField) -> Special | None:
    """Rewards, stores and others belong to groups themselves (REFERENCE 2.3: "the record's group_id")."""
    return Special.GROUPS if field.type == FieldType.LIST and field.reference == "user_groups" else None


def _served(special: Special, catalogue: Catalogue, *, on_customer: bool) -> bool:
    roles = _ROLES[special] if on_customer else ("group_parent",)
    if special is Special.SEGMENTS and not _has_segments(catalogue):
        return False
    return set(roles) <= set(catalogue.roles)


def _has_segments(catalogue: Catalogue) -> bool:
    customers = catalogue.models.get(CUSTOMERS)
    return customers is not None and any(one.special == "segments" for one in customers.fields.values())


def _attributes(model: DataModel, catalogue: Catalogue) -> Iterator[DataField]:
    through = model.fields.get(THROUGH)
    names_customer = through is not None and through.reference == CUSTOMERS and CUSTOMERS in catalogue.models
    if model.id != CUSTOMERS and not names_customer:
        return
    prefix, about = (f"{THROUGH}.", "Customer: ") if names_customer else ("", "")
    for id, special in ATTRIBUTES.items():
        if _served(special, catalogue, on_customer=True):
            label, description = _LABELS[special]
            yield DataField(
                id=f"{prefix}{id}",
                label=f"{about}{label}",
                description=description,
                asks=special,
                filter_only=True,
                through=THROUGH if names_customer else "",
                **_kind(special, catalogue),
            )


def _kind(special: Special, catalogue: Catalogue) -> dict[str, Any]:
    """The type, and where what can be chosen is found."""
    if special is not Special.ACTIONS:
        return {"type": FieldType.LIST, "items": FieldType.REFERENCE, "reference": REFERENCES[special]}
    events = catalogue.models.get("events")
    action = events.fields.get("action") if events else None
    choices = action.choices if action else ()
    return {"type": FieldType.LIST, "items": FieldType.ENUM, "choices": choices, "open": True}
