"""Masking of personal fields: what stands in the file in place of the value (SPEC section 10, decisions/014).

`hash`: HMAC-SHA256 under the brand's key, so that equal values stay equal and nobody without the key finds them again
by trying. `last4`: the last four characters. Both work on the rendered text, in SQL, before Replace values and Default.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from exports.catalogue import DataField, DataModel, FieldType
from exports.columns import TEXTS, Expression, Form, literal
from exports.definition import Definition
from exports.errors import Problem

LABELS: Final[dict[str, str]] = {"hash": "Hash", "last4": "Last 4"}
KEEP: Final = "Keep"
METHODS: Final = frozenset({None, "group", "count"})
"""What a masked field can be aggregated by: Sum or Min of pseudonyms is no value, and of one record its own."""

HIDDEN: Final = "****"
SHOWN_FROM: Final = 8
"""Characters that a text needs for its last four to be shown: at least as many stay hidden."""
_LAST4_TYPES: Final = TEXTS | {FieldType.INTEGER}

BLOCK: Final = 64
"""Bytes of a block of SHA-256: HMAC pads its key to one (RFC 2104)."""
INNER: Final = "exports.mask_inner"
OUTER: Final = "exports.mask_outer"
"""Settings of the transaction that hold the two padded keys: so they stand in no text of a statement, and in no log
of slow or failed ones."""


def masked(field: DataField, mask: str | None) -> DataField:
    """The field as it is shown under a mask: a text, and not personal any more."""
    if mask is None:
        return field
    return dataclasses.replace(
        field, type=FieldType.STRING, personal=False, translated=False, mask=mask, unmasked=field
    )  # fmt: skip


def text(mask: str, whole: Expression) -> Expression:
    """What is shown of a rendered text; NULL and the empty text stay empty."""
    if mask == "last4":
        last = "case when length({0}) >= {1} then {2} || right({0}, 4) when {0} <> '' then {2} end"
        return Form(last.format("({0})", SHOWN_FROM, "{1}"), whole, literal(HIDDEN))
    inner, outer = (f"(SELECT decode(current_setting('{name}'), 'hex'))" for name in (INNER, OUTER))
    digest = f"sha256({outer} || sha256({inner} || convert_to(nullif({{}}, ''), 'UTF8')))"
    return Form(f"encode({digest}, 'hex')", whole)


def settings(key: bytes) -> Mapping[str, str]:
    """What the transaction has to know for `text`: the key padded to a block, once for each of HMAC's two hashes."""
    if not 32 <= len(key) <= BLOCK:
        raise ValueError("a key for masks has 32 to 64 bytes")
    block = key.ljust(BLOCK, b"\0")
    return {name: bytes(one ^ pad for one in block).hex() for name, pad in ((INNER, 0x36), (OUTER, 0x5C))}


def problems(definition: Definition, model: DataModel) -> Iterator[Problem]:
    """Every rule of masks that a definition breaks."""
    for place, one in enumerate(definition.fields):
        field = model.fields.get(one.from_)
        if field is None or one.mask is None:
            continue
        at = f"fields.{place}.mask"
        if not field.personal:
            yield Problem(at, "mask.not_personal", f"{field.label} is not personal: keep it as it is")
        elif one.mask == "last4" and not can_show_last4(field):
            yield Problem(at, "mask.last4", f"Last 4 needs a text or a whole number: choose Hash for {field.label}")
        if one.aggregation not in METHODS:
            message = f"{field.label} is masked: only Group and Count can be used"
            yield Problem(f"fields.{place}.aggregation", "mask.aggregation", message)


@dataclass(frozen=True)
class Choice:
    """A mask as it is offered for a field, "" to keep the value; `refused` says why the field cannot take it."""

    mask: str
    label: str
    refused: str = ""


def choices(field: DataField | None, chosen: str = "") -> tuple[Choice, ...]:
    """All of them, and one that is none but was chosen."""
    no_last4 = "needs a text or whole number" if field is not None and not can_show_last4(field) else ""
    known = (Choice("", KEEP), Choice("hash", LABELS["hash"]), Choice("last4", LABELS["last4"], no_last4))
    return known if chosen in ("", *LABELS) else (*known, Choice(chosen, chosen))


def can_show_last4(field: DataField) -> bool:
    """Whether the last four characters of its text are a part of it that means something: not of days and objects."""
    return field.type in _LAST4_TYPES


__all__ = ["KEEP", "LABELS", "Choice", "can_show_last4", "choices", "masked", "problems", "settings", "text"]
