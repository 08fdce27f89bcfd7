"""The rows of the model Customer fields: the definitions of a brand's customer fields, built in and its own.

They are no table of the source: the rows are given to the SELECT as a constant relation (SPEC section 12).
"""

from __future__ import annotations

from typing import Any, Final

from exports.catalogue import DataField, DataModel, FieldType

TYPES: Final = {
    FieldType.STRING: "string",
    FieldType.TEXT: "string",
    FieldType.REFERENCE: "string",
    FieldType.JSON: "string",
    FieldType.INTEGER: "numeric",
    FieldType.FLOAT: "numeric",
    FieldType.BOOLEAN: "boolean",
    FieldType.ENUM: "select",
    FieldType.DATE: "date",
    FieldType.DATETIME: "datetime",
    FieldType.LIST: "list",
}
"""The types of REFERENCE 1.2 for ours; a list with possible values is `multiple_choice`."""
IMAGES: Final = frozenset({"image_url"})
FORMATS: Final = {"email": "email", "mobile_phone": "phone", "image_url": "url"}
KEPT_BY_PLATFORM: Final = frozenset({
    "status", "src", "referrals", "score", "spent", "reserved", "expired", "pending", "purchase_total",
    "purchase_count", "purchase_item_count", "purchase_first_date", "purchase_last_date", "last_earn_date",
    "last_spend_date", "last_login_at", "optin_at", "optout_at", "created_at", "updated_at", "activities",
    "rewards", "clubs", "tiers", "accounts", "campaigns",
})  # fmt: skip
"""Columns that only the platform itself writes (REFERENCE 1.1, flag RO), and all that is read from them."""


def rows(customers: DataModel) -> tuple[dict[str, Any], ...]:
    """One row for each field of the model Customers as a brand sees it, by the field ids of Customer fields."""
    return tuple(_row(one) for one in customers.fields.values())


def _row(field: DataField) -> dict[str, Any]:
    external = field.column == "external_ids" and bool(field.path)
    return {
        "id": field.id,
        "label": field.label,
        "description": field.description,
        "type": _type(field),
        "built_in": not field.custom,
        "tags": ["external_id"] if external else [],
        "default": None,
        "format": FORMATS.get(field.id),
        "possible_values": [value for value, _label in field.choices],
        "computed": field.computed,
        "read_only": field.computed or (not field.custom and field.column in KEPT_BY_PLATFORM),
        "mandatory": field.mandatory,
        "created_at": field.created_at,
        "updated_at": field.updated_at,
    }


def _type(field: DataField) -> str:
    if field.id in IMAGES:
        return "image"
    return "multiple_choice" if field.type == FieldType.LIST and field.choices else TYPES[field.type]
