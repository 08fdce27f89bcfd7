"""`script/bench size`: ten times the rows take ten times the time and no more memory (SPEC section 14).

The events of 2017 once (1.47 million) in the benchmarks' own installation, and ten times (14.7 million, 13 GB) in one
beside it: SIZE_HOME, by default build/benchmarks-ten, loaded there unless it is. Rounds alternate between the two.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import engine

TEN = Path(os.environ.get("SIZE_HOME") or engine.ROOT / "build" / "benchmarks-ten").resolve()
RESULTS = engine.RESULTS.with_name("size.json")
ROUNDS = int(os.environ.get("ROUNDS", "3"))
HOMES = {"once": (engine.HOME, 1), "ten times": (TEN, 10)}


def main() -> int:
    """Measure, print, write; exit status 1 over a bar."""
    engine.WORK.mkdir(parents=True, exist_ok=True)
    for home, times in HOMES.values():
        home.mkdir(parents=True, exist_ok=True)
        engine.load_all(home, times)
    found = {name: measure(name) for name in ("raw", "mapped")}
    engine.keep(RESULTS, ROUNDS, found)
    table = as_table(found)
    print(table)
    engine.put_on_page(table, "size")
    return engine.verdict({name: bars(case) for name, case in found.items()})


def measure(name: str) -> dict[str, Any]:
    """One definition on both, after one round that warms the caches."""
    rounds: dict[str, list[dict[str, float]]] = {size: [] for size in HOMES}
    for number in range(ROUNDS + 1):
        for size, (home, _times) in HOMES.items():
            one = once(home, name)
            if number:
                rounds[size].append(one)
            print(f"{name}, {size}: {one['seconds']:.2f} s, peak {one['peak'] / 1e6:.1f} MB", flush=True)
    return summary(rounds)


def once(home: Path, name: str) -> dict[str, float]:
    """The pipeline in a process of its own; its rows are counted in the file as well."""
    out = engine.WORK / "size.out"
    arguments = [sys.executable, "-m", "benchmarks.size", "once", name, str(out)]
    environ = {**os.environ, "EXPORTS_HOME": str(home)}
    done = subprocess.run(arguments, cwd=engine.ROOT, env=environ, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    told["lines"] = lines_of(out)
    out.unlink()
    return told


def lines_of(file: Path) -> int:
    """The rows of a file whose values hold no line ends, without its header."""
    with file.open("rb") as stream:
        return sum(piece.count(b"\n") for piece in iter(lambda: stream.read(1 << 20), b"")) - 1


def summary(rounds: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Rows, medians of the times, the greatest memory; the median of the rounds' ratios."""
    small, large = rounds["once"], rounds["ten times"]
    ratios = [b["seconds"] / a["seconds"] for a, b in zip(small, large, strict=True)]
    peaks = {size: statistics.median(one["peak"] for one in runs) for size, runs in rounds.items()}
    return {
        "rows": {size: runs[0]["rows"] for size, runs in rounds.items()},
        "seconds": {size: [round(one["seconds"], 3) for one in runs] for size, runs in rounds.items()},
        "time_ratio": round(statistics.median(ratios), 2),
        "peaks": {size: [one["peak"] for one in runs] for size, runs in rounds.items()},
        "peak": max(one["peak"] for one in small + large),
        "rise": max(one["rise"] for one in small + large),
        "peak_difference": peaks["ten times"] - peaks["once"],
        "counted": all(one["rows"] == one["lines"] for one in small + large),
    }


def bars(case: dict[str, Any]) -> dict[str, bool]:
    """The bars of SPEC section 14."""
    return {
        "time at most 10.5 times": case["time_ratio"] <= 10.5,
        "peak at most 160 MB": case["peak"] <= 160e6,
        "at most 40 MB above before": case["rise"] <= 40e6,
        "peaks at most 5 MB apart": abs(case["peak_difference"]) <= 5e6,
        "as many rows in the file as were counted": case["counted"],
    }


def as_table(found: dict[str, Any]) -> str:
    """The figures as a table in Markdown."""
    lines = [
        "| | rows | time | ratio | greatest peak RSS | rise | difference of the peaks |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, case in found.items():
        rows = " and ".join(f"{one:,}" for one in case["rows"].values())
        seconds = " and ".join(f"{statistics.median(one):.1f} s" for one in case["seconds"].values())
        lines.append(
            f"| {name} | {rows} | {seconds} | {case['time_ratio']:.2f} | {case['peak'] / 1e6:.0f} MB | "
            f"{case['rise'] / 1e6:.0f} MB | {case['peak_difference'] / 1e6:+.1f} MB |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["once"]:
        print(json.dumps(engine.once(engine.CASES[sys.argv[2]], Path(sys.argv[3]), parts=2)))
    else:
        sys.exit(main())
