"""Campaigns: random tests of which every run of the tests draws a few examples, and `script/soak` thousands.

A test joins a campaign by its decorator; the examples that it has really run are counted there, not taken from what was
asked for. In its body `seen` counts what an example was about, so that a campaign can say what it never met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.errors import UnsatisfiedAssumption

CAMPAIGNS: Final = {
    "filters": "random filters find the records that plain Python finds",
    "aggregations": "random aggregations give the files that plain Python writes",
    "formats": "files of random tables come back from standard readers, cell for cell",
    "compares": "differences of two random files are those of a plain dict, whatever their formats and order",
    "dates": "expressions give the measured days, and whatever is typed is read or refused",
    "api": "whatever the API's document allows or forbids, no answer is undocumented or of our fault",
    "injection": "no parameter of a list, a search or a preview reaches SQL as anything but a value",
    "sqlmap": "sqlmap finds no way into SQL by lists, searches, pages, previews and the API",
    "access": "an id of another brand takes as long as one that never was",
    "faults": "whatever is killed, stopped, wiped or full, no run is lost, and none is published twice",
}
"""Every campaign and what it shows; a new one is an entry here and in FILES, and the decorator on its tests."""
FILES: Final = {
    "filters": ("exports/test_conditions_oracle.py", "exports/test_models_oracle.py", "exports/test_why.py"),
    "aggregations": ("exports/test_aggregation_oracle.py",),
    "formats": ("exports/test_formats_round_trip.py",),
    "compares": ("exports/test_compare.py",),
    "dates": ("exports/test_dates_grammar.py", "exports/test_dates_moments.py", "exports/test_dates_vectors.py"),
    "api": ("webapp/test_api_schemathesis.py",),
    "injection": ("webapp/test_injection.py",),
    "sqlmap": ("webapp/test_sqlmap.py",),
    "access": ("webapp/test_routes_timing.py",),
    "faults": (
        "faults/test_crash_points.py",
        "faults/test_crash_points_of_deliveries.py",
        "faults/test_killed_processes.py",
        "faults/test_random_faults.py",
        "faults/test_simulated_day.py",
        "faults/test_wiped_redis.py",
    ),
}
"""Where the tests of each campaign stand, so that no other file is read for it."""
SOAK: Final = "soak"
"""The profile of Hypothesis under which tests draw their long number of examples."""

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass
class Tally:
    """What a test has done: examples that ran to their end, seconds in them, what they were about by its outcome.

    `differs` is what the example was that was found to differ first; those by which it is then made smaller are not
    counted. `expected` is what a campaign must have met, each with the outcomes that it must have had;
    `told` are figures for its report.
    """

    examples: int = 0
    differs: str = ""
    cases: Counter[tuple[str, str]] = field(default_factory=Counter)
    expected: Mapping[str, Iterable[str]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def as_property(self) -> dict[str, Any]:
        """In a shape that a worker of pytest-xdist can send."""
        cases = [[case, outcome, number] for (case, outcome), number in sorted(self.cases.items())]
        expected = [[case, outcome] for case, outcomes in self.expected.items() for outcome in outcomes]
        return {
            "examples": self.examples,
            "differs": self.differs,
            "cases": cases,
            "expected": expected,
            "told": self.told,
        }


_present = Tally()


def seen(case: str, outcome: str, number: int = 1) -> None:
    """Count what the present example is about: how often with which outcome."""
    if number and not _present.differs:
        _present.cases[case, outcome] += number


def is_long() -> bool:
    """Whether this is `script/soak`."""
    return settings.get_current_profile_name() == SOAK


def campaign(
    name: str, *, short: int, long: int, expected: Mapping[str, Iterable[str]] | None = None
) -> Callable[[Test], Test]:
    """Join a random test to a campaign: `short` examples in every run of the tests, `long` in `script/soak`."""
    number = long if is_long() else short

    def join(test: Test) -> Test:
        tally = Tally(expected=expected or {})
        hypothesis = test.hypothesis  # type: ignore[attr-defined]
        hypothesis.inner_test = _counted(hypothesis.inner_test, tally)
        joined = settings(max_examples=number, suppress_health_check=list(HealthCheck))(test)
        joined.tally = tally
        return pytest.mark.campaign(name)(joined)  # type: ignore[no-any-return]

    return join


def _counted(inner: Callable[..., None], tally: Tally) -> Callable[..., None]:
    """The same test, counting what it does until the first example that differs."""

    @wraps(inner)
    def counted(*arguments: Any, **named: Any) -> None:
        global _present
        _present = tally
        try:
            inner(*arguments, **named)
        except UnsatisfiedAssumption:
            raise
        except Exception as error:
            tally.differs = tally.differs or f"{type(error).__name__} in example {tally.examples + 1:,}"
            raise
        if not tally.differs:
            tally.examples += 1

    return counted


def drill(name: str) -> Callable[[Test], Test]:
    """Join a test that draws its examples itself; it calls `ended` after each, and looks at `is_long`."""

    def join(test: Test) -> Test:
        tally = Tally()

        @wraps(test)
        def counted(*arguments: Any, **named: Any) -> None:
            global _present
            _present = tally
            try:
                test(*arguments, **named)
            except Exception as error:
                tally.differs = tally.differs or f"{type(error).__name__} in example {tally.examples + 1:,}"
                raise

        counted.tally = tally  # type: ignore[attr-defined]
        return pytest.mark.campaign(name)(counted)  # type: ignore[no-any-return]

    return join


def ended() -> None:
    """Count an example of a `drill` that came to its end."""
    if not _present.differs:
        _present.examples += 1


def tell(figure: str) -> None:
    """Say a figure in the report of the campaign."""
    _present.told.append(figure)
