"""Measures the peers and us in alternating rounds, checks their files, and holds the ratios against the bars.

`script/bench peers [--rows N] [--rounds N] [--cases raw,mapped] [--peers NAME,...]`. In a first round that does not
count every variant of every peer runs once and its file is compared with ours; the quickest goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from benchmarks import engine
from benchmarks.peers.environment import NEWEST, SUPERSET, Environment, version_of
from benchmarks.peers.outputs import difference
from benchmarks.peers.ways import COMMAND, PEERS, SUPERSETS, Environments, Peer, Task, run
from webapp import embedded

RESULTS = engine.ROOT / "benchmarks" / "results" / "peers.json"
BARS = {"raw": (5.0, 15.0), "mapped": (3.0, 5.0)}
"""At least so many times the best of them, and pandas' way, which is what Superset does (SPEC section 14)."""


def main(arguments: list[str]) -> int:
    """Measure, print, write; exit status 1 under a bar, or if one of the others is left out."""
    wanted = _read(arguments)
    os.environ["EXPORTS_HOME"] = str(engine.HOME)
    engine.WORK.mkdir(parents=True, exist_ok=True)
    engine.load_all()
    environments = {pins: Environment(engine.HOME, pins).ready() for pins in (NEWEST, SUPERSET)}
    told = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": wanted.rounds,
        "cores": os.cpu_count(),
        "load_before": os.getloadavg(),
        "left_out": {peer.name: why for peer in PEERS if (why := peer.left_out(environments))},
        "cases": {case: Measured(case, wanted, environments).measure() for case in wanted.cases.split(",")},
        "load_after": os.getloadavg(),
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=2))
    table = as_table(told)
    print(table)
    if wanted.rows is None and not wanted.peers:
        engine.put_on_page(table, "peers")
    faults = [*_left_out(told), *_under_the_bar(told)]
    print("\n".join(faults) or "All bars are kept.")
    return int(bool(faults))


def _read(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench peers")
    parser.add_argument("--rows", type=int, help="about so many rows instead of all: the first in time")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", default="raw,mapped")
    parser.add_argument("--peers", default="", help="names of peers, with commas")
    return parser.parse_args(arguments)


class Measured:
    """The rounds of one case."""

    def __init__(self, case: str, wanted: argparse.Namespace, environments: Environments) -> None:
        self.case = case
        self.rounds = wanted.rounds
        self.environments = environments
        url = embedded.join(engine.HOME).source_url
        until = _until(url, wanted.rows) if wanted.rows else None
        folder = engine.WORK / "peers"
        folder.mkdir(exist_ok=True)
        self.task = Task(case, url, until, folder)
        self.definition = folder / "definition.json"
        self.definition.write_text(json.dumps(_definition(case, until)))
        chosen = [name.strip().lower() for name in wanted.peers.split(",") if name.strip()]
        here = [peer for peer in PEERS if not peer.left_out(environments)]
        self.peers = [peer for peer in here if not chosen or any(name in peer.name.lower() for name in chosen)]

    def measure(self) -> dict[str, Any]:
        """All rounds; medians, and the medians of the rounds' ratios."""
        rows = self._ours()["rows"]
        variants, faults = self._first_round()
        rounds = [self._round(variants, number) for number in range(1, self.rounds + 1)]
        peers = {peer.name: self._summary(peer, variants[peer.name], rounds) for peer in self.peers}
        return {
            "rows": rows,
            "pipeline": statistics.median(one["pipeline"] for one in rounds),
            "command": statistics.median(one["command"] for one in rounds),
            "peers": peers,
            "faults": faults,
            "all": rounds,
        }

    def _ours(self) -> dict[str, float]:
        """As a run makes it: in two parts."""
        return engine.in_child(self.definition, zipped=False, parts=2)

    def _first_round(self) -> tuple[dict[str, str], list[str]]:
        """Which variant of each peer is the quickest; and which failed or made another file, which do not go on."""
        best, faults = {}, []
        for peer in self.peers:
            seconds = {}
            for variant in peer.variants(self.case):
                fault = ""
                try:
                    seconds[variant] = self._once(peer, variant)
                    fault = difference(self.case, engine.WORK / "parts.out", self.task.out(peer.name))
                except RuntimeError as error:
                    fault = str(error)
                if fault:
                    seconds.pop(variant, None)
                    faults.append(f"{self.case}: {peer.name}, {variant}: {fault}")
                    print(faults[-1], flush=True)
            if seconds:
                best[peer.name] = min(seconds, key=lambda variant: seconds[variant])
        self.peers = [peer for peer in self.peers if peer.name in best]
        return best, faults

    def _round(self, variants: dict[str, str], number: int) -> dict[str, float]:
        print(f"{self.case}: round {number}, load {os.getloadavg()[0]:.1f}", flush=True)
        found = {"pipeline": self._ours()["seconds"], "command": engine.command(self.definition)["seconds"]}
        print(f"{self.case}: Exports, pipeline {found['pipeline']:.2f} s, command {found['command']:.2f} s", flush=True)
        for peer in self.peers:
            found[peer.name] = self._once(peer, variants[peer.name])
        return found

    def _once(self, peer: Peer, variant: str) -> float:
        seconds = run(peer, variant, self.task, self.environments)
        print(f"{self.case}: {peer.name}, {variant} {seconds:.2f} s", flush=True)
        return seconds

    def _summary(self, peer: Peer, variant: str, rounds: list[dict[str, float]]) -> dict[str, Any]:
        ours = "command" if peer.kind == COMMAND else "pipeline"
        return {
            "variant": variant,
            "against": ours,
            "seconds": statistics.median(one[peer.name] for one in rounds),
            "times": round(statistics.median(one[peer.name] / one[ours] for one in rounds), 2),
        }


def _until(url: str, rows: int) -> str:
    """The moment of about the so-manieth row."""
    wanted = "SELECT timestamp FROM loyalty.events WHERE brand = 'maple' AND action = 'checkout_item' ORDER BY 1"
    with psycopg.connect(url, options="-c TimeZone=UTC") as connection:
        found = connection.execute(f"{wanted} OFFSET %s LIMIT 1", [rows - 1]).fetchone()  # type: ignore[arg-type]
    if found is None:
        raise SystemExit(f"There are no {rows:,} rows: leave --rows out for all of them.")
    return f"{found[0]:%Y-%m-%d %H:%M:%S}+00:00"


def _definition(case: str, until: str | None) -> dict[str, Any]:
    """The engine's own definition of the case, bounded like the others' SELECT."""
    definition = engine.CASES[case]
    if until is None:
        return definition
    local = datetime.fromisoformat(until).astimezone(ZoneInfo(definition["timezone"]))
    bound = {"attribute": "timestamp", "operator": "lte", "value": f"{local:%Y-%m-%d %H:%M:%S}"}
    return {**definition, "filters": [[*definition["filters"][0], bound]]}


def as_table(told: dict[str, Any]) -> str:
    """The figures as a table in Markdown."""
    cases = told["cases"]
    lines = ["| | " + " | ".join(f"{case} | times ours" for case in cases) + " |", "|---|" + "---|---|" * len(cases)]
    for what in ("pipeline", "command"):
        lines.append(f"| Exports, {what} | " + " | ".join(f"{case[what]:.2f} s | 1" for case in cases.values()) + " |")
    for peer in PEERS:
        if why := told["left_out"].get(peer.name):
            lines.append(f"| {peer.name} | left out: {why} |" + " |" * (2 * len(cases) - 1))
        else:
            cells = [_cells(case["peers"].get(peer.name)) for case in cases.values()]
            lines.append(f"| {peer.name} {version_of(peer.needs[0], peer.pins)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cells(found: dict[str, Any] | None) -> str:
    return f"{found['seconds']:.2f} s ({found['variant']}) | {found['times']:.1f}" if found else "left out | "


def _left_out(told: dict[str, Any]) -> list[str]:
    missing = [f"LEFT OUT  {name}: {why}" for name, why in told["left_out"].items()]
    return missing + [f"LEFT OUT  {fault}" for case in told["cases"].values() for fault in case["faults"]]


def _under_the_bar(told: dict[str, Any]) -> list[str]:
    faults = []
    for name, case in told["cases"].items():
        best_bar, pandas_bar = BARS[name]
        best = min(case["peers"], key=lambda peer: case["peers"][peer]["times"], default=None)
        if best and (times := case["peers"][best]["times"]) < best_bar:
            faults.append(f"UNDER THE BAR  {name}: {times:.1f} times the best of them ({best}), not {best_bar:g}")
        superset = case["peers"].get(SUPERSETS.name)
        if superset and superset["times"] < pandas_bar:
            faults.append(f"UNDER THE BAR  {name}: {superset['times']:.1f} times {SUPERSETS.name}, not {pandas_bar:g}")
    return faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
