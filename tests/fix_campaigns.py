"""`--campaign NAME`: the tests of one campaign alone, and what they have really done (script/soak)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.campaigns import CAMPAIGNS, FILES, SOAK

TESTS: Final = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of script/soak."""
    known = "; ".join(f"{name}: {shows}" for name, shows in CAMPAIGNS.items())
    parser.addoption("--campaign", metavar="NAME", help=f"only the tests of a campaign, with a report ({known})")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a name that is none; report at the end."""
    config.addinivalue_line("markers", "campaign(name): belongs to a campaign of tests/campaigns.py")
    name = config.getoption("campaign")
    if name is None:
        return
    if name not in CAMPAIGNS:
        raise pytest.UsageError(f"There is no campaign {name!r}. There are: {', '.join(CAMPAIGNS)}")
    if config.args_source is not pytest.Config.ArgsSource.ARGS:  # nobody has named any
        config.args[:] = [str(TESTS / one) for one in FILES[name]]
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Report(config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what does not belong to the campaign."""
    name = config.getoption("campaign")
    if name is not None:
        items[:] = [one for one in items if any(name in mark.args for mark in one.iter_markers("campaign"))]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Hand on what the test has counted, also from a worker of pytest-xdist, and if it fails."""
    tally = getattr(getattr(item, "function", None), "tally", None)
    if tally is not None:
        tally.examples, tally.differs = 0, ""  # a test with parameters is one function
        tally.cases.clear()
        tally.told.clear()
    try:
        yield
    finally:
        if tally is not None:
            item.user_properties.append(("tally", tally.as_property()))


class Report:
    """The examples of each test, how often each case was met with which outcome, and what never was."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.tests: list[tuple[str, float, dict[str, Any]]] = []
        self.fixed = Counter[str]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test has counted; tell what failed at once, hours before the end."""
        if report.failed:
            self.config.get_terminal_writer().line(f"\n{report.nodeid}\n{report.longreprtext}")
        if report.when != "call":
            return
        tally = dict(report.user_properties).get("tally")
        if isinstance(tally, dict):
            self.tests.append((report.nodeid.partition("::")[2], report.duration, tally))
        else:
            self.fixed[report.outcome] += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A campaign that never met what it is about has shown nothing."""
        if self.never and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @property
    def never(self) -> list[str]:
        """What no example of any test was about."""
        expected = {(case, one) for _name, _seconds, tally in self.tests for case, one in tally["expected"]}
        met = {(case, one) for _name, _seconds, tally in self.tests for case, one, _number in tally["cases"]}
        return [f"{case}: {one}" for case, one in sorted(expected - met)]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print it all."""
        name = self.config.getoption("campaign")
        write = terminalreporter.write_line
        profile = SOAK if self.config.getoption("--hypothesis-profile", None) == SOAK else "short"
        terminalreporter.section(f"campaign {name} ({profile}): {CAMPAIGNS[name]}")
        for line in [*self._of_cases(), "", *self._of_tests()]:
            write(line)
        write(f"never met: {', '.join(self.never) or 'nothing'}")
        write(f"seed: --hypothesis-seed={self.config.option.hypothesis_seed}")

    def _of_tests(self) -> Iterator[str]:
        yield f"{'examples':>9} {'seconds':>8} {'a second':>8}  test"
        for name, seconds, tally in sorted(self.tests):
            number, found = tally["examples"], tally["differs"]
            yield (
                f"{number:>9,} {seconds:>8.1f} {number / max(seconds, 0.001):>8.1f}  {name}"
                + (f": DIFFERS ({found})" if found else "")
            )
            yield from (f"{'':>29}{figure}" for figure in tally["told"])
        examples = sum(tally["examples"] for _name, _seconds, tally in self.tests)
        differing = sum(bool(tally["differs"]) for _name, _seconds, tally in self.tests)
        yield f"{examples:,} random examples without difference; {differing} of {len(self.tests)} tests found one"
        if self.fixed:
            yield "and of fixed cases " + ", ".join(f"{number:,} {what}" for what, number in self.fixed.items())

    def _of_cases(self) -> Iterator[str]:
        cases: dict[str, Counter[str]] = {}
        for _name, _seconds, tally in self.tests:
            for case, outcome, number in tally["cases"]:
                cases.setdefault(case, Counter())[outcome] += number
        outcomes = sorted({one for counted in cases.values() for one in counted})
        if cases:
            yield "".join(f"{one:>14}" for one in outcomes) + "  records or cells"
        for case, counted in sorted(cases.items()):
            yield "".join(f"{counted[one]:>14,}" for one in outcomes) + f"  {case}"
