"""Random definitions: of every model, with every operator, file and schedule, and some that were right only once."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from exports import aggregation, schedule
from exports.catalogue import DataModel
from exports.definition import Definition, parse
from tests.exports.questions import ZONES, criteria, sets_of
from tests.exports.twelve import CATALOGUE, CHOSEN

MODELS: Final = sorted(CATALOGUE.models)
TEXTS: Final = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
ODD_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["ids", "from", "x"]), inner),
    max_leaves=5,
)
"""What no wizard makes; whatever was stored comes back as it was."""


def odd_criteria(model: DataModel) -> st.SearchStrategy[dict[str, Any]]:
    """Attributes and operators that may be gone, with values of any shape."""
    ids = st.sampled_from([*model.fields, "gone", "group_id"])
    operators = st.sampled_from(["equals", "in", "between", "anniversary", "in_group", "age_range", "is_empty", "gone"])
    return st.fixed_dictionaries({"attribute": ids, "operator": operators}, optional={"value": ODD_VALUES})


def columns(model: DataModel, aggregated: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Columns of a model, one that is gone among them."""
    pairs = st.fixed_dictionaries({"value": TEXTS.filter(bool), "new": TEXTS})
    shape: dict[str, Any] = {
        "from": st.sampled_from([*model.fields, "gone"]),
        "to": TEXTS,
        "default": TEXTS,
        "replace": st.lists(pairs, max_size=3),
        "mask": st.sampled_from([None, None, "hash", "last4"]),
    }
    if aggregated:
        shape["aggregation"] = st.sampled_from([*aggregation.LABELS])
    return st.fixed_dictionaries(shape)


FILES: Final = st.one_of(
    st.fixed_dictionaries(
        {
            "extension": st.just("csv"),
            "delimiter": st.sampled_from([",", ";", "\t", "|", " ", "#", "~"]),
            "enclosure": st.sampled_from(['"', "'", None]),
            "newline": st.sampled_from(["\n", "\r\n", "\r"]),
            "header": st.booleans(),
            "bom": st.booleans(),
            "protect_spreadsheets": st.booleans(),
            "times": st.sampled_from(["local", "iso"]),
        }
    ),
    st.fixed_dictionaries(
        {"extension": st.just("psv"), "header": st.booleans(), "protect_spreadsheets": st.booleans()}
    ),
    st.fixed_dictionaries(
        {"extension": st.sampled_from(["json", "jsonl"]), "times": st.sampled_from(["local", "iso"])}
    ),
)
OF_A_DAY: Final = {"hours": st.sampled_from(["*", "1,13", "6", "0, 5"]), "minutes": st.sampled_from(["*", "0", "7,8"])}
LOCAL: Final = {"timezone": st.sampled_from([None, "Europe/Budapest", "Pacific/Apia"])}
SCHEDULES: Final = st.one_of(
    st.just({"type": "now"}),
    st.fixed_dictionaries(
        {
            "type": st.just("on_date"),
            "at": st.sampled_from(["2030-12-01T08:00:00Z", "2030-12-01T08:00:30Z", "2031-03-30T02:30:00+05:45"]),
            **LOCAL,
        }
    ),
    st.fixed_dictionaries({"type": st.just("repeated"), "every": st.just("day"), **OF_A_DAY, **LOCAL}),
    st.fixed_dictionaries(
        {
            "type": st.just("repeated"),
            "every": st.just("week"),
            "days": st.lists(st.sampled_from(schedule.shape.WEEKDAYS), min_size=1, max_size=7),
            **OF_A_DAY,
            **LOCAL,
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("repeated"),
            "every": st.just("month"),
            "days": st.lists(st.integers(1, 31) | st.just("last"), min_size=1, max_size=5),
            **OF_A_DAY,
            **LOCAL,
        }
    ),
)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Anything that can be saved, and some that could once: of every model, with every operator, file and schedule."""
    model = CATALOGUE.models[draw(st.sampled_from(MODELS))]
    aggregated = draw(st.booleans())
    all_fields = not aggregated and draw(st.booleans())
    return parse(
        {
            "name": draw(TEXTS).strip(),
            "model": draw(st.sampled_from([model.id, model.id, model.id, "gone"])),
            "timezone": draw(st.sampled_from(ZONES)),
            "filters": draw(sets_of(criteria(model, CHOSEN) | odd_criteria(model))),
            "aggregation": aggregated,
            "all_fields": all_fields,
            "fields": [] if all_fields else draw(st.lists(columns(model, aggregated), max_size=4)),
            "file": draw(FILES),
            "schedule": draw(SCHEDULES),
            "if_empty": draw(st.sampled_from(["header", "nothing", "fail"])),
        }
    )
