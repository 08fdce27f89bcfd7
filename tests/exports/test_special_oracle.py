"""The special operators find the records that plain Python finds, on every model that has them."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from exports import pipeline
from exports.catalogue import builtin
from exports.checking import query_of
from exports.definition import parse
from exports.errors import DefinitionRefused
from exports.preview import first_rows
from exports.query import Segment, build, surroundings_of
from exports.sinks import StreamSink
from exports.source.postgresql import PostgresSource
from tests.exports import customers_world as made
from tests.exports.customers_oracle import DENYING, World

if TYPE_CHECKING:
    from tests.fix_services import Cluster

DEMO = Path(__file__).parents[2] / "demo"
MOMENT = datetime(2026, 11, 23, 10, tzinfo=UTC)
ATTRIBUTES = {
    "in_group": ("group_id", list(made.GROUPS)),
    "in_segment": ("segments", list(made.SEGMENTS)),
    "reward_claimed": ("rewards", made.REWARDS),
    "activity_earned": ("activities", made.CHALLENGES),
    "action_taken": ("action_history", [*made.ACTIONS, "checkout_item", "reward", "never"]),
    "item_purchased": ("purchases", [*made.PRODUCTS, "P9"]),
}
RANGED = ("reward_claimed", "activity_earned", "action_taken", "item_purchased")
COUNTED = ("reward_claimed", "action_taken")
MODELS = ["customers", "events", "coupons", "webhook_logs"]


@dataclass(frozen=True)
class Asked:
    """The engine on the rows of two brands."""

    source: PostgresSource
    worlds: dict[str, World]

    def definition(self, model: str, filters: Any, zone: str = "UTC") -> Any:
        """A definition with these filters."""
        fields = [{"from": builtin().models[model].key}]
        return parse({"name": "x", "model": model, "timezone": zone, "filters": filters, "fields": fields})

    def keys(self, brand: str, model: str, filters: Any, zone: str = "UTC") -> set[str]:
        """The keys of the records that match."""
        definition = self.definition(model, filters, zone)
        around = surroundings_of(self.source, builtin(), brand, MOMENT)
        return {row[0] for row in self.source.select(query_of(definition, builtin(), around, self.source).matching)}


@pytest.fixture(scope="module")
def asked(postgres: Cluster, worker_number: int) -> Asked:
    """A database of this worker with the reference schema and the histories of two brands."""
    name = f"special_{worker_number}"
    postgres.drop(name)
    url = postgres.create(name)
    worlds = {brand: made.world(brand) for brand in ("maple", "alpine")}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((DEMO / "schema.sql").read_bytes())
        connection.execute("insert into loyalty.brands values ('maple', 'M', 'UTC'), ('alpine', 'A', 'UTC')")
        with connection.transaction():
            for one in worlds.values():
                made.insert(connection, one)
        connection.execute((DEMO / "indexes.sql").read_bytes())
        connection.execute("ANALYZE")
    return Asked(PostgresSource(url), worlds)


def criterion(model: str, operator: str, **value: Any) -> dict[str, Any]:
    """A criterion with a special operator, on the attribute that has it."""
    attribute = ATTRIBUTES[DENYING.get(operator, operator)][0]
    prefix = "" if model == "customers" else "customer."
    return {"attribute": prefix + attribute, "operator": operator, "value": value}


SHAPES: list[Callable[[list[str]], dict[str, Any]]] = [
    lambda ids: {"ids": ids[:1]},
    lambda ids: {"ids": ids},
    lambda ids: {"ids": ids[:2], "from": "2017-03-12", "to": None},
    lambda ids: {"ids": ids[:2], "from": None, "to": "2017-03-26 02:30"},
    lambda ids: {"ids": ids[:2], "from": "2017-03-12", "to": "2017-03-26"},
    lambda ids: {"ids": ids[:2], "from": "date: first day of january 2017", "to": None, "min": None},
    lambda ids: {"ids": ids[:2], "min": 2},
    lambda ids: {"ids": ids[:2], "from": "2017-03-01", "min": 2},
]


def fits(operator: str, value: dict[str, Any]) -> bool:
    """Whether an operator takes a value of this shape."""
    return ("min" not in value or operator in COUNTED) and ("from" not in value or operator in RANGED)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("operator", sorted(ATTRIBUTES))
def test_each_operator_and_its_opposite_with_arguments_of_each_shape(asked: Asked, model: str, operator: str) -> None:
    world = asked.worlds["maple"]
    everything = world.keys(model)
    [denying] = [one for one, other in DENYING.items() if other == operator]
    told = set()
    for shape, number in itertools.product(SHAPES, (0, 2)):
        value = shape(ATTRIBUTES[operator][1][number:] or ATTRIBUTES[operator][1])
        if not fits(operator, value):
            continue
        expected = world.matching(model, [[criterion(model, operator, **value)]], ZoneInfo("Europe/Budapest"))
        found = asked.keys("maple", model, [[criterion(model, operator, **value)]], "Europe/Budapest")
        assert found == expected, value
        denied = asked.keys("maple", model, [[criterion(model, denying, **value)]], "Europe/Budapest")
        assert denied == everything - expected, value
        told.add(len(expected))
    assert max(told) > 0


@pytest.mark.parametrize("operator", ["in_group", "reward_claimed", "activity_earned"])
@pytest.mark.parametrize("model", MODELS)
def test_what_only_another_brand_has_is_unknown(asked: Asked, model: str, operator: str) -> None:
    assert asked.keys("alpine", model, [[criterion(model, operator, ids=["alpine"])]]) == set()
    with pytest.raises(DefinitionRefused) as refused:
        asked.keys("maple", model, [[criterion(model, operator, ids=["alpine"])]])
    assert [one.code for one in refused.value.problems] == ["record.unknown"]


def test_a_group_of_a_reward_is_asked_like_that_of_a_customer(asked: Asked) -> None:
    world = asked.worlds["maple"]
    for operator, ids in itertools.product(("in_group", "not_in_group"), (["top"], ["a"], ["lone"], ["x"])):
        filters = [[{"attribute": "group_id", "operator": operator, "value": {"ids": ids}}]]
        assert asked.keys("maple", "rewards", filters) == world.matching("rewards", filters, ZoneInfo("UTC"))


def test_a_segment_that_asks_for_itself_through_others_is_refused(asked: Asked) -> None:
    around = surroundings_of(asked.source, builtin(), "maple", MOMENT)
    circle = {
        id: Segment.read(id, id, "active", [[criterion("customers", "not_in_segment", ids=[other])]])
        for id, other in (("a", "b"), ("b", "a"))
    }
    wanted = asked.definition("events", [[criterion("events", "in_segment", ids=["a"])]])
    with pytest.raises(DefinitionRefused, match="asks for itself"):
        build(wanted, builtin(), replace(around, segments=circle))


def test_the_file_has_the_records_that_match(asked: Asked) -> None:
    filters = [[criterion("events", "in_group", ids=["top"]), criterion("events", "item_not_purchased", ids=["P1"])]]
    definition, out = asked.definition("events", filters), io.BytesIO()
    around = surroundings_of(asked.source, builtin(), "maple", MOMENT)
    pipeline.run(definition, builtin(), around, asked.source, StreamSink(out))
    expected = asked.worlds["maple"].matching("events", filters, ZoneInfo("UTC"))
    assert out.getvalue().decode().splitlines() == ["_id", *sorted(expected)]
    assert first_rows(build(definition, builtin(), around), asked.source, len(expected)).rows[0] == (min(expected),)  # type: ignore[union-attr]
