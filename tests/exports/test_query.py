"""Every statement is held to one brand; what people type never becomes SQL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import worst
from exports import rules
from exports.catalogue import builtin
from exports.definition import parse
from exports.query import Query, Segment, build
from exports.source.statements import compiled
from tests.exports.zoo import CATALOGUE as ZOO
from tests.exports.zoo import Zoo, around, definition

HOSTILE = json.loads((Path(__file__).parents[1] / "data" / "hostile_inputs.json").read_text())
TEXTS = [
    entry["value"]
    for entry in HOSTILE
    if entry["group"] == "filter_value_text" and isinstance(entry["value"], str) and "reject" not in entry["expect"]
]
BRAND = "the brand of this run"


def query_of(model: str) -> Query:
    """All fields of a model of the built-in catalogue."""
    key = builtin().models[model].key
    filters = [[{"attribute": key, "operator": "equals", "value": "x"}], [{"attribute": key, "operator": "is_empty"}]]
    document = {"name": "x", "model": model, "timezone": "UTC", "filters": filters, "all_fields": True}
    return build(parse(document), builtin(), around(BRAND))


@pytest.mark.parametrize("model", sorted(builtin().models))
def test_every_statement_of_every_model_carries_the_condition_of_the_brand(model: str) -> None:
    query = query_of(model)
    if builtin().models[model].brand == "all":
        assert builtin().models[model].table is None
        return
    for select in (query.rows, query.count, query.matching, query.first(20), query.first_by_key(20)):
        text, values = compiled(select, folds_unicode=True)
        [name] = {name for name, value in values.items() if value == BRAND and name != "brand"}
        assert f"WHERE loyalty.{model}.brand = %({name})s AND (" in text


def test_the_brand_condition_is_added_in_one_place() -> None:
    folder = Path(__file__).parents[2] / "exports"
    found = [file for file in folder.rglob("*.py") if "model.brand]" in file.read_text()]
    # flask models reflect --custom looks for members that are no fields yet: that is no query of a definition.
    assert sorted(found) == [folder / "query.py", folder / "reflecting" / "members.py"]


def test_a_query_without_a_brand_or_with_a_moment_without_offset_is_an_error() -> None:
    with pytest.raises(ValueError, match="without a brand"):
        around("")
    with pytest.raises(ValueError, match="offset"):
        type(around())("maple", around().moment.replace(tzinfo=None))


def test_columns_have_neutral_names_and_rows_the_order_of_the_key() -> None:
    text, _values = compiled(query_of("stores").rows, folds_unicode=True)
    assert " AS c0, " in text
    assert text.endswith('ORDER BY loyalty.stores.id COLLATE "C"')


@pytest.mark.parametrize("hostile", TEXTS)
def test_what_people_type_is_bound_and_never_part_of_the_text(hostile: str) -> None:
    each = ("equals", "contains", "ends_with")
    filters = [
        [{"attribute": "name", "operator": operator, "value": hostile} for operator in each],
        [{"attribute": "name", "operator": "in", "value": [hostile]}],
    ]
    column = {
        "from": "name",
        "to": hostile[:200] or "x",
        "default": hostile,
        "replace": [{"value": hostile, "new": hostile}],
    }
    for extension in ("csv", "jsonl"):
        harmless = [
            [{**one, "value": ["~"] if isinstance(one["value"], list) else "~"} for one in set_] for set_ in filters
        ]
        file = {"extension": extension}
        texts = {
            compiled(build(wanted, ZOO, around()).rows, folds_unicode=True)[0]
            for wanted in (
                definition(filters=filters, fields=[column], file=file),
                definition(
                    filters=harmless,
                    fields=[{**column, "to": "~", "default": "~", "replace": [{"value": "~", "new": "~"}]}],
                    file=file,
                ),
            )
        }
        assert len(texts) == 1


@pytest.mark.parametrize("hostile", TEXTS)
def test_hostile_texts_find_exactly_the_things_that_have_them(zoo: Zoo, hostile: str) -> None:
    zoo.fill([{"id": str(number), "name": text} for number, text in enumerate([*TEXTS, "x", None])])
    same = {str(number) for number, text in enumerate(TEXTS) if text == hostile}
    assert zoo.ids([[{"attribute": "name", "operator": "equals", "value": hostile}]]) == same
    assert zoo.ids([[{"attribute": "name", "operator": "in", "value": [hostile, "nobody"]}]]) == same
    inside = {str(number) for number, text in enumerate(TEXTS) if hostile in text}
    assert inside <= zoo.ids([[{"attribute": "name", "operator": "contains", "value": hostile}]])


def test_with_many_predicates_or_segments_no_code_is_compiled_for_the_statement() -> None:
    one = {"attribute": "count", "operator": "equals", "value": 1}
    assert build(definition(filters=[[one] * 50]), ZOO, around()).jit
    assert not build(definition(filters=[[one] * 51]), ZOO, around()).jit
    segment = Segment.read("s", "S", "active", [[one] * 60])
    in_segment: dict[str, Any] = {"attribute": "segments", "operator": "in_segment", "value": {"ids": ["s"]}}
    assert not build(definition(filters=[[in_segment]]), ZOO, around(segments=[segment])).jit


@pytest.mark.parametrize("extension", ["csv", "json"])
def test_the_sql_of_the_worst_legal_definition_is_built_in_an_instant(extension: str) -> None:
    wanted = worst.definition(**({} if extension == "csv" else {"file": {"extension": extension}}))
    assert rules.problems(wanted, builtin()) == []
    tries = (worst.seconds(wanted) for _ in range(40))  # beside other tests the first ones may be slow by them alone
    assert any(seconds < 2 * worst.BAR for seconds in tries), "the bar is for a machine that is not busy"


# --- segments


def segment(id: str, *criteria: dict[str, Any], status: str = "active") -> Segment:
    """A segment of one set."""
    return Segment.read(id, id.upper(), status, [list(criteria)])


def inside(*ids: str, operator: str = "in_segment") -> dict[str, Any]:
    """A criterion."""
    return {"attribute": "segments", "operator": operator, "value": {"ids": list(ids)}}


BIG = segment("big", {"attribute": "count", "operator": "gte", "value": 10})
NAMED = segment("named", {"attribute": "name", "operator": "is_not_empty"})
BOTH = segment("both", inside("big"), inside("named"))
STRAYS = segment("strays", inside("big", "named", operator="not_in_segment"), status="inactive")
ALL = [BIG, NAMED, BOTH, STRAYS]


def test_segments_are_told_by_their_own_filters(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "count": 10}, {"id": "2", "count": 10, "name": "x"}, {"id": "3", "name": "y"}, {"id": "4"}])
    assert zoo.ids([[inside("big")]], segments=ALL) == {"1", "2"}
    assert zoo.ids([[inside("both")]], segments=ALL) == {"2"}
    assert zoo.ids([[inside("both", "strays")]], segments=ALL) == {"2", "4"}
    assert zoo.ids([[inside("big", operator="not_in_segment")]], segments=ALL) == {"3", "4"}


def test_the_segments_of_a_record_are_the_active_ones_it_is_in(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "count": 10}, {"id": "2", "count": 10, "name": "x"}, {"id": "3"}])
    query = build(definition(fields=["segments"]), ZOO, around(segments=ALL))
    assert [row[0] for row in zoo.source.select(query.rows)] == ['["big"]', '["big","both","named"]', "[]"]
    assert zoo.cells("segments") == ["[]", "[]", "[]"]


def test_segments_that_ask_for_each_other_or_cannot_be_read_are_refused_by_name() -> None:
    from exports.errors import DefinitionRefused

    circle = [segment("a", inside("b")), segment("b", inside("a"))]
    broken = segment("broken", {"attribute": "nothing", "operator": "equals", "value": "x"})
    shapeless = Segment.read("shapeless", "SHAPELESS", "active", {"a": 1})
    for segments, id, said in [
        (circle, "a", "The segment A asks for itself, through B"),
        ([broken], "broken", "The segment BROKEN has a filter that cannot be used: Things has no attribute nothing"),
        ([shapeless], "shapeless", "The segment SHAPELESS has a filter that cannot be read"),
        ([], "gone", "There is no segment gone"),
    ]:
        with pytest.raises(DefinitionRefused) as refused:
            build(definition(filters=[[inside(id)]]), ZOO, around(segments=segments))
        assert refused.value.problems[0].message == said
