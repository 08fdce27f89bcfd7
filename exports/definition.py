"""What a person wants as a file: one immutable document, the same from wizard, command line, API and database.

Shape: SPEC section 11. Here only what can be said without a catalogue; rules that need the model are in `rules.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue, ValidationError, model_validator
from pydantic import Field as Limits

from exports.errors import DefinitionRefused, Problem
from exports.schedule.shape import Now, Schedule
from exports.target import UPLOADS, NoTarget, Target

MAX_NAME = 200
MAX_HEADER = 200
MAX_ID = 200
MAX_CRITERIA = 100
MAX_COLUMNS = 500
MAX_REPLACEMENTS = 500
MAX_REPLACEMENTS_IN_ALL = 2_000
MAX_VALUES_IN_LIST = 1_000
MAX_VALUE = 1_000
MAX_VALUES_BYTES = 64_000
MAX_RECIPIENTS = 20
MAX_ADDRESS = 254
OWNER: Final = "owner"
"""In Notify: whoever owns the export when its run ends."""

Extension = Literal["csv", "psv", "json", "jsonl"]
IfEmpty = Literal["header", "nothing", "fail"]
Aggregation = Literal["group", "count", "sum", "average", "min", "max"]
DEFAULTS_BY_EXTENSION: Final[dict[str, dict[str, Any]]] = {
    "csv": {"delimiter": ",", "enclosure": '"', "newline": "\n"},
    "psv": {"delimiter": "|", "enclosure": '"', "newline": "\n"},
    "json": {"delimiter": None, "enclosure": None, "newline": "\n"},
    "jsonl": {"delimiter": None, "enclosure": None, "newline": "\n"},
}
JSON_ONLY_MODELS: Final = frozenset({"challenges"})
"""SPEC section 3.5: for Challenges only .json (their criteria are nested)."""

HALF: Final = "holds a half of a character (a lone surrogate)"


def storable(text: str) -> str:
    """Refuse what PostgreSQL cannot hold: NUL and lone surrogates (RELIABILITY section 5)."""
    if "\x00" in text:
        raise ValueError("must not hold the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(HALF) from error
    return text


def trimmed(text: str) -> str:
    """Without the spaces at the ends, which nobody sees."""
    return text.strip(" ")


def storable_value(value: JsonValue) -> JsonValue:
    """The same for every text in a value of JSON."""
    if isinstance(value, str):
        return storable(value)
    for one in value if isinstance(value, list) else [*value, *value.values()] if isinstance(value, dict) else ():
        storable_value(one)
    return value


Text = Annotated[str, AfterValidator(storable)]
Id = Annotated[Text, Limits(max_length=MAX_ID)]
"""A word of ours: nothing that is longer can be one, and messages repeat it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Criterion(_Strict):
    """One row of a set: attribute, operator, value (its shape depends on the operator: SPEC section 11)."""

    attribute: Id
    operator: Id
    value: Annotated[JsonValue, AfterValidator(storable_value)] = None


class Replacement(_Strict):
    """*Value to replace → new value*: whole rendered values, case-sensitive, first match."""

    value: Text = Limits(max_length=MAX_VALUE)
    new: Text = Limits(max_length=MAX_VALUE)


class Column(_Strict):
    """One column of the file: **From**, **To**, **Default**, **Replace values**, **Aggregation**, **Personal data**."""

    from_: Id = Limits(alias="from")
    to: Text = Limits(default="", max_length=MAX_HEADER)
    default: Text = Limits(default="", max_length=MAX_VALUE)
    replace: tuple[Replacement, ...] = Limits(default=(), max_length=MAX_REPLACEMENTS, strict=False)
    aggregation: Aggregation | None = None
    mask: Literal["hash", "last4"] | None = None

    @property
    def header(self) -> str:
        """What stands in the header: To, or the field's id."""
        return self.to or self.from_


class File(_Strict):
    """File format. What is left out has the value that the extension gives it (SPEC sections 3.5 and 6).

    `times`: YYYY-MM-DD HH:MM:SS on the clock of the export's zone, or ISO 8601 with the offset of that zone.
    """

    extension: Extension = "csv"
    delimiter: Text | None = ","
    enclosure: Literal['"', "'"] | None = '"'
    newline: Literal["\n", "\r\n", "\r"] = "\n"
    header: bool = True
    bom: bool = False
    protect_spreadsheets: bool = True
    times: Literal["local", "iso"] = "local"

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        extension = data.get("extension", "csv")
        given = DEFAULTS_BY_EXTENSION.get(extension) if isinstance(extension, str) else None
        guard = {} if extension in ("csv", "psv") else {"protect_spreadsheets": False}
        return {**(given or {}), **guard, **data}


Recipient = Annotated[str, Limits(max_length=MAX_ADDRESS), AfterValidator(storable)]
Recipients = Annotated[tuple[Recipient, ...], Limits(max_length=MAX_RECIPIENTS)]


class Notify(_Strict):
    """Who gets a mail on success and on failure: addresses, or the word OWNER for whoever owns the export then."""

    success: Recipients = Limits(default=(OWNER,), strict=False)
    failure: Recipients = Limits(default=(OWNER,), strict=False)


class Definition(_Strict):
    """A saved export, whole: what wizard, command line and API make alike."""

    # Build it with `parse`, never by hand from a request.

    name: Annotated[Text, AfterValidator(trimmed)] = Limits(max_length=MAX_NAME)
    model: Id
    timezone: Id
    filters: tuple[Annotated[tuple[Criterion, ...], Limits(strict=False)], ...] = Limits(default=(), strict=False)
    aggregation: bool = False
    all_fields: bool = False
    fields: tuple[Column, ...] = Limits(default=(), max_length=MAX_COLUMNS, strict=False)
    file: File = File()
    schedule: Schedule = Now()
    target: Target = NoTarget()
    if_empty: IfEmpty = "header"
    notify: Notify = Notify()

    @model_validator(mode="before")
    @classmethod
    def _file_of_model_and_target(cls, data: Any) -> Any:
        """What the file is if it is left out: json for models that only come so (SPEC section 11), and unprotected for
        uploads, which machines read and people do not open (SPEC section 6)."""
        if not isinstance(data, dict) or not isinstance(data.get("file", {}), dict):
            return data
        target, model = data.get("target"), data.get("model")
        uploads = isinstance(target, dict) and target.get("type") in UPLOADS
        usual: dict[str, Any] = {"protect_spreadsheets": False} if uploads else {}
        if isinstance(model, str) and model in JSON_ONLY_MODELS:
            usual["extension"] = "json"
        return {**data, "file": {**usual, **data.get("file", {})}} if usual else data

    def as_json(self) -> dict[str, Any]:
        """The document that is stored, shown and downloaded; `parse` reads it back to an equal definition."""
        document = self.model_dump(mode="json", by_alias=True)
        for number, set_ in enumerate(self.filters):
            for position, one in enumerate(set_):
                if "value" not in one.model_fields_set:
                    del document["filters"][number][position]["value"]
        return document


SENTENCES: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not known here: take it out",
    "literal_error": "must be one of {expected}",
    "string_type": "must be text",
    "string_unicode": HALF,
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "target_kind": "must have the type none, ftp, ftps or sftp",
    "schedule_kind": "must have the type now, on_date, or repeated with every day, week or month",
    "string_too_long": "is longer than {max_length:,} characters",
    "too_long": "has more than {max_length:,} entries",
}
"""Our words for the validator's error types; one that is missing here falls back to the validator's own."""
TOO_MANY: Final = {
    "fields": f"At most {MAX_COLUMNS} fields",
    "replace": f"At most {MAX_REPLACEMENTS} values to replace in one field",
    "success": f"At most {MAX_RECIPIENTS} recipients on success",
    "failure": f"At most {MAX_RECIPIENTS} recipients on failure",
}
CALLED: Final = {
    "name": "The name",
    "model": "The data model",
    "timezone": "The time zone",
    "attribute": "The attribute",
    "operator": "The operator",
    "value": "The value",
    "from": "The field",
    "to": "To",
    "default": "Default",
    "new": "The new value",
    "aggregation": "Aggregation",
    "mask": "Personal data",
    "extension": "The extension",
    "delimiter": "The delimiter",
    "enclosure": "The enclosure",
    "newline": "The newline",
    "if_empty": "If there are no rows",
    "connection": "The connection",
    "host": "The host",
    "port": "The port",
    "username": "The username",
    "password": "The password",
    "path": "The path",
    "archive": "Create archive",
    "if_exists": "If the file exists",
    "success": "Notify on success",
    "failure": "Notify on failure",
}
"""What the screen calls the members that people type into; where they stand a problem's `at` says."""


def called(parts: Sequence[str | int]) -> str:
    """A member, by its path, in a sentence: “The name”; the path itself for those that nobody types into."""
    if "replace" in parts and parts[-1] == "value":
        return "The value to replace"
    if parts and parts[0] == "notify" and len(parts) > 2:
        return "The address in Notify"
    return CALLED.get(str(parts[-1]), printable(".".join(map(str, parts)))) if parts else "The definition"


def printable(text: str) -> str:
    """A text that can be written anywhere: names of members are anybody's."""
    return text.encode(errors="backslashreplace").decode()


def _path(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Where in the document: pydantic also names the member of a union that it tried."""
    return (*loc[:1], *loc[2:]) if loc[:1] in (("schedule",), ("target",)) else loc


def _problem(error: Any) -> Problem:
    parts, kind, context = _path(error["loc"]), error["type"], error.get("ctx", {})
    at = printable(".".join(map(str, parts))) or "definition"
    if kind == "too_long" and parts[-1] in TOO_MANY:
        return Problem(at, f"shape.{kind}", TOO_MANY[parts[-1]])
    if kind == "value_error":
        rule = str(context["error"])
    else:
        rule = SENTENCES[kind].format(**context) if kind in SENTENCES else error["msg"]
    return Problem(at, f"shape.{kind}", f"{called(parts)} {rule}")


def read_json(text: str | bytes) -> Any:
    """JSON as its standard has it: no NaN, no member twice.

    Raises:
        ValueError, RecursionError: it is none.
    """

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no value of JSON")

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _value in pairs]
            raise ValueError(f"a member stands twice: {max(names, key=names.count)}")
        return found

    return json.loads(text, parse_constant=refuse, object_pairs_hook=members)


def parse(document: Any) -> Definition:
    """Read a definition from its JSON text or from the object that such a text gives.

    Raises:
        DefinitionRefused: with every problem of its shape. Rules of the data model: `rules.problems`.
    """
    try:
        data = read_json(document) if isinstance(document, str | bytes) else document
    except (ValueError, RecursionError) as error:
        raise DefinitionRefused(
            [Problem("definition", "shape.json", printable(f"This is not JSON: {error}"))]
        ) from error
    try:
        return Definition.model_validate(data)
    except ValidationError as error:
        raise DefinitionRefused(problems_of(error)) from error


def problems_of(error: ValidationError) -> list[Problem]:
    """What is wrong with the shape of a document, in our words."""
    return [_problem(one) for one in error.errors(include_url=False)]


def json_schema() -> dict[str, Any]:
    """The published JSON Schema (docs/definition.schema.json)."""
    return Definition.model_json_schema(by_alias=True)
