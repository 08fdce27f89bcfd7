"""Data models as machines read them: what `flask models --json` prints and the API answers."""

from __future__ import annotations

from typing import Any, Final

from exports.catalogue import DataField, DataModel, FieldType
from exports.operators import operators_for

FLAGS: Final = ("identifier", "mandatory", "computed", "personal", "translated", "custom")


def summary(model: DataModel) -> dict[str, Any]:
    """What a model is."""
    custom = sum(one.custom for one in model.fields.values())
    return {
        "id": model.id,
        "label": model.label,
        "module": model.module,
        "fields": len(model.fields) - custom,
        "custom": custom,
        "description": model.description,
    }


def described(model: DataModel) -> dict[str, Any]:
    """A model with its fields, what can only be filtered by, and the operators of each."""
    return {
        **summary(model),
        "key": model.key,
        "fields": [_field(one) for one in model.fields.values()],
        "attributes": [_field(one) for one in model.attributes.values()],
    }


def _field(one: DataField) -> dict[str, Any]:
    refers = FieldType.REFERENCE in (one.type, one.items)
    return {
        "id": one.id,
        "label": one.label,
        "type": one.type.value,
        **({"items": one.items.value} if one.type == FieldType.LIST else {}),
        **({"reference": one.reference} if refers else {}),
        **({"choices": dict(one.choices), "open": one.open} if one.choices else {}),
        "flags": [flag for flag in FLAGS if getattr(one, flag)],
        "operators": [operator.id for operator in operators_for(one)],
        "description": one.description,
    }
