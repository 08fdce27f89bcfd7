"""Random filters on all twelve models, special operators included, find the records that plain Python finds."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.catalogue import Special
from exports.checking import query_of
from exports.definition import Definition, parse
from exports.query import Segment, Surroundings, surroundings_of
from exports.source.postgresql import PostgresSource
from tests.campaigns import campaign, seen
from tests.exports import twelve
from tests.exports.customers_oracle import World
from tests.exports.questions import ZONES, criteria, kind_of, kinds_of, sets_of
from tests.exports.zoo import MOMENT

if TYPE_CHECKING:
    from tests.fix_services import Cluster

DEMO = Path(__file__).parents[2] / "demo"
MODELS = list(twelve.CATALOGUE.models.values())
DRAWN = "drawn"
"""The id of a segment whose filter is drawn with the question."""


class Asked:
    """The engine on the records of two brands. No dataclass: Hypothesis would print all of them."""

    def __init__(self, source: PostgresSource, worlds: dict[str, World]) -> None:
        self.source = source
        self.worlds = worlds

    @cached_property
    def around(self) -> dict[str, Surroundings]:
        """What surrounds the runs of each brand."""
        return {
            brand: replace(
                surroundings_of(self.source, twelve.CATALOGUE, brand, MOMENT),
                customer_fields=twelve.customer_fields(world),
            )
            for brand, world in self.worlds.items()
        }

    def asking(self, brand: str, model: str, filters: Any, zone: str, segment: Any) -> tuple[Definition, Surroundings]:
        """The definition of a question; `segment` is the filter of the segment that was drawn."""
        read = twelve.CATALOGUE.models[model]
        fields = [{"from": read.key}]
        file = {"extension": "json"} if model == "challenges" else {}
        definition = parse({
            "name": "x", "model": model, "timezone": zone, "filters": filters, "fields": fields, "file": file,
        })  # fmt: skip
        around = self.around[brand]
        around = replace(around, segments={**around.segments, DRAWN: Segment.read(DRAWN, "Drawn", "active", segment)})
        return definition, around

    def keys(self, brand: str, model: str, filters: Any, zone: str, segment: Any) -> set[str]:
        """The keys of the records that match."""
        definition, around = self.asking(brand, model, filters, zone, segment)
        query = query_of(definition, twelve.CATALOGUE, around, self.source)
        return {row[0] for row in self.source.select(query.matching, seconds=60)}


@pytest.fixture(scope="module")
def asked(postgres: Cluster, worker_number: int) -> Asked:
    """A database of this worker with tables that promise nothing, and two brands with the same ids in it."""
    name = f"twelve_{worker_number}"
    postgres.drop(name)
    url = postgres.create(name)
    worlds = {brand: twelve.world(brand) for brand in ("maple", "alpine")}
    twelve.fill(url, (DEMO / "schema.sql").read_text(), (DEMO / "indexes.sql").read_text(), list(worlds.values()))
    return Asked(PostgresSource(url), worlds)


CUSTOMERS = twelve.CATALOGUE.models["customers"]
ASKABLE = {**twelve.CHOSEN, Special.SEGMENTS: [*twelve.CHOSEN[Special.SEGMENTS], DRAWN]}


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, list[list[dict[str, Any]]], list[list[dict[str, Any]]]]:
    """A model, filters on it, and the filter of a segment that they may ask for."""
    model = draw(st.sampled_from(MODELS) | st.sampled_from(["customers", "events", "coupons"]).map(_model))
    return model.id, draw(sets_of(criteria(model, ASKABLE))), draw(sets_of(criteria(CUSTOMERS, twelve.CHOSEN)))


def _model(id: str) -> Any:
    return twelve.CATALOGUE.models[id]


@campaign("filters", short=100, long=6_000, expected=kinds_of(MODELS))
@given(question=questions(), zone=st.sampled_from(ZONES), brand=st.sampled_from(["maple", "alpine"]))
def test_a_filter_on_any_model_finds_the_records_that_plain_python_finds(
    asked: Asked, question: Any, zone: str, brand: str
) -> None:
    model, filters, segment = question
    world = asked.worlds[brand]
    world = replace(world, segments={**world.segments, DRAWN: segment})
    differing = asked.keys(brand, model, filters, zone, segment) ^ world.matching(model, filters, ZoneInfo(zone))
    assert not differing, told(world, model, filters, differing)
    attributes = twelve.CATALOGUE.models[model]
    for one in (one for set_ in filters for one in set_):
        field = attributes.attribute(one["attribute"])
        assert field is not None
        found = len(world.holding(model, one, ZoneInfo(zone)))
        seen(kind_of(field, one["operator"]), "true", found)
        seen(kind_of(field, one["operator"]), "false", len(world.rows[model]) - found)


def told(world: World, model: str, filters: Any, differing: set[str]) -> list[dict[str, Any]]:
    """The records that were found by one of the two alone, with what was asked about."""
    read = twelve.CATALOGUE.models[model]
    asked = {read.attribute(one["attribute"]) for set_ in filters for one in set_}
    columns = {read.key, "customer", *(one.column for one in asked if one)}
    found = [row for row in world.rows[model] if row[read.key] in differing]
    return [{name: value for name, value in row.items() if name in columns} for row in found]
