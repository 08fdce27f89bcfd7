"""The OpenAPI document taken apart for the page on which people read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from exports.errors import catalogue
from webapp import problems

Words = list[tuple[str, str]]
"""A type as it is said: texts, each with the name of the schema that it links to, or none."""
METHODS: Final = ("get", "post")


@dataclass(frozen=True)
class Member:
    """A parameter, or a member of a schema."""

    name: str
    type: Words
    required: bool
    about: str
    where: str = ""


@dataclass(frozen=True)
class Answer:
    """What an operation may answer: a status, a schema if it has one, and in words, or by code."""

    status: str
    phrase: str
    schema: str
    about: str
    codes: list[str]


@dataclass(frozen=True)
class Operation:
    """What can be asked for at an address."""

    id: str
    method: str
    path: str
    summary: str
    scope: str
    parameters: list[Member]
    body: str
    answers: list[Answer]


@dataclass(frozen=True)
class Schema:
    """What a document holds."""

    name: str
    about: str
    members: list[Member]


def groups(document: dict[str, Any]) -> list[tuple[str, str, list[Operation]]]:
    """The operations by their tag: its name, what it is about, those that have it."""
    found = list(_operations(document))
    return [
        (tag["name"], tag["description"], [one for name, one in found if name == tag["name"]])
        for tag in document["tags"]
    ]


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                one = item[method]
                parameters = [*item.get("parameters", []), *one.get("parameters", [])]
                body = one.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
                yield (
                    one["tags"][0],
                    Operation(
                        id=one["operationId"],
                        method=method.upper(),
                        path=path,
                        summary=one["summary"],
                        scope=one["security"][0]["token"][0],
                        parameters=[_parameter(told) for told in parameters],
                        body=_name(body.get("$ref", "")),
                        answers=[_answer(status, told) for status, told in one["responses"].items()],
                    ),
                )


def _parameter(told: dict[str, Any]) -> Member:
    required, about = told.get("required", False), told.get("description", "")
    return Member(told["name"], words(told["schema"]), required, about, where=told["in"])


def _answer(status: str, told: dict[str, Any]) -> Answer:
    content: dict[str, Any] = next(iter(told.get("content", {}).values()), {})
    lines = told["description"].splitlines()
    codes = [line.split("`")[1] for line in lines if line.startswith("- `")]
    schema = "" if codes else _name(content.get("schema", {}).get("$ref", ""))
    return Answer(status, problems.phrase(int(status)), schema, "" if codes else told["description"], codes)


def schemas(document: dict[str, Any]) -> list[Schema]:
    """The schemas with their members, in the order of their names; what is anything has none to be read of."""
    found = document["components"]["schemas"]
    return [_schema(name, found[name]) for name in sorted(found) if found[name]]


def _schema(name: str, told: dict[str, Any]) -> Schema:
    required = told.get("required", [])
    members = [
        Member(member, words(one), member in required, one.get("description", ""))
        for member, one in told.get("properties", {}).items()
    ]
    return Schema(name, " ".join(told.get("description", "").split()), members)


def words(schema: dict[str, Any]) -> Words:
    """What a schema allows, as people say it."""
    if ref := schema.get("$ref"):
        name = _name(ref)
        return [("any JSON value", "")] if name == "JsonValue" else [(name, name)]
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return _joined([words(one) for one in options])
    if "const" in schema:
        return [(f"“{schema['const']}”", "")]
    if "enum" in schema:
        return [(", ".join(f"“{one}”" if isinstance(one, str) else str(one) for one in schema["enum"]), "")]
    if schema.get("type") == "array":
        return [("list of ", ""), *words(schema.get("items", {}))]
    return [(_plain(schema), "")]


def _plain(schema: dict[str, Any]) -> str:
    limits = [
        f"{word} {schema[key]:,}"
        for key, word in (("minimum", "at least"), ("maximum", "at most"), ("maxLength", "at most"))
        if key in schema
    ]
    kind = schema.get("format", "").replace("-", " and ") or str(schema.get("type", "any JSON value"))
    kind = {"string": "text", "integer": "whole number", "boolean": "true or false", "date and time": "moment"}.get(
        kind, kind
    )
    unit = " characters" if "maxLength" in schema else ""
    return f"{kind}, {', '.join(limits)}{unit}" if limits else kind


def _joined(options: list[Words]) -> Words:
    told: Words = []
    for place, one in enumerate(options):
        if place:
            told.append((" or ", ""))
        told += one
    return told


def _name(ref: str) -> str:
    return ref.rpartition("/")[2]


def errors() -> list[tuple[str, int, str, str]]:
    """Every error that a request may be answered with: code, status, sentence, advice."""
    told = [(one.code, problems.status_of(one), one.sentence, one.advice) for one in problems.answered(catalogue())]
    return sorted(told, key=lambda one: (one[1], one[0]))
