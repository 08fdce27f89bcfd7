"""`script/bench web`: how quickly every page answers with 100,000 exports in the list (SPEC section 14).

The Procfile's gunicorn on an installation of the benchmark's own (WEB_HOME, by default build/benchmarks-web); 20 users
who think for a second, then one alone. Only the server's own time counts: benchmarks/web/timed.py takes it.
`script/bench web list search` measures the pages whose names begin so.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import requests
import urllib3

from benchmarks import engine
from benchmarks.web import filling, pages

HOME: Final = Path(os.environ.get("WEB_HOME") or engine.ROOT / "build" / "benchmarks-web").resolve()
TIMES: Final = HOME / "times.tsv"
PORT: Final = int(os.environ.get("PORT", "5199"))
URL: Final = f"http://127.0.0.1:{PORT}"
USERS: Final = int(os.environ.get("USERS", "20"))
THINK_S: Final = 1.0
SECONDS: Final = int(os.environ.get("SECONDS_EACH", "120"))
WARM_UP: Final = 2
MOST_MS, MOST_ALONE_MS = {95: 50, 99: 150}, {95: 25}
"""By percent of all requests: with twenty users, and with one."""
MOST_STATEMENTS = 12


@dataclass(frozen=True)
class Told:
    """What the server said of one kind of page."""

    ms: list[float]
    own: list[float]
    database: list[float]
    statements: int
    size: int

    @classmethod
    def of(cls, lines: list[list[str]]) -> Told:
        """From the lines that benchmarks/web/timed.py wrote."""
        ms, own, database = ([float(line[place]) for line in lines] for place in range(3))
        return cls(ms, own, database, max(int(line[3]) for line in lines), max(int(line[4]) for line in lines))

    @property
    def work(self) -> list[float]:
        """Processor time of the web and the database."""
        return [own + theirs for own, theirs in zip(self.own, self.database, strict=True)]

    def row(self, name: str) -> str:
        """A line of the table."""
        middle = " | ".join(f"{statistics.median(some):.0f}" for some in (self.ms, self.own, self.database))
        return f"| {name} | {quantile(self.ms, 95):.0f} | {middle} | {self.statements} | {self.size / 1000:.0f} |"


def quantile(ms: list[float], percent: int) -> float:
    """So many percent are not above it."""
    return statistics.quantiles(ms, n=100, method="inclusive")[percent - 1] if len(ms) > 1 else ms[0]


def main(wanted: list[str]) -> int:
    """Print every page and the bars; exit status 1 over a bar."""
    with filling.fill(HOME) as connection, served():
        session = signed_in()
        found = pages.addresses(session, URL, cursor(connection))
        found = {k: v for k, v in found.items() if not wanted or any(k.startswith(one) for one in wanted)}
        for _ in range(WARM_UP):
            for address in found.values():
                session.get(URL + address)
        pace = [measured_pace()]
        many = asked(found, USERS, SECONDS)
        alone = asked(found, 1, SECONDS)
        pace.append(measured_pace())
    print(f"pace of this machine before and after: {pace[0]:.2f} and {pace[1]:.2f} s for ten million additions")
    for title, told in ((f"{USERS} users", many), ("one user", alone)):
        print(f"\n| {title} | p95 ms | median ms | processor, web | processor, database | SQL | kB |\n{'|---' * 7}|")
        for name in sorted(told, key=lambda one: -statistics.median(told[one].work)):
            print(told[name].row(name))
    return engine.verdict({f"{USERS} users": bars(many, MOST_MS), "one user": bars(alone, MOST_ALONE_MS)})


def measured_pace() -> float:
    """Seconds that Python takes to add ten million numbers: rented machines are now twice as fast, now half."""
    began, total = time.perf_counter(), 0
    for number in range(10_000_000):
        total += number
    return time.perf_counter() - began


def bars(told: dict[str, Told], most: dict[int, int]) -> dict[str, bool]:
    """The bars of SPEC section 14, over all pages together."""
    ms = [one for page in told.values() for one in page.ms]
    work = [one for page in told.values() for one in page.work]
    print(f"processor time, web and database: median {statistics.median(work):.1f} ms, p95 {quantile(work, 95):.1f} ms")
    print(
        f"all pages: {len(ms)} requests, median {statistics.median(ms):.1f} ms, p95 {quantile(ms, 95):.1f} ms, ", end=""
    )
    print(f"p99 {quantile(ms, 99):.1f} ms; load of the machine {os.getloadavg()[0]:.1f}", flush=True)
    kept = {f"p{percent} under {limit} ms": quantile(ms, percent) < limit for percent, limit in most.items()}
    few = all(one.statements <= MOST_STATEMENTS for one in told.values())
    return {**kept, f"at most {MOST_STATEMENTS} SQL statements": few}


def asked(found: dict[str, str], users: int, seconds: int) -> dict[str, Told]:
    """So many people who ask for pages one after the other, each in an order of its own, and think in between."""
    TIMES.unlink(missing_ok=True)
    threads = [threading.Thread(target=visit, args=[found, number, seconds, users]) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines: dict[str, list[list[str]]] = defaultdict(list)
    for line in TIMES.read_text().splitlines():
        name, *figures = line.split("\t")
        lines[name].append(figures)
    return {name: Told.of(some) for name, some in lines.items()}


def visit(found: dict[str, str], number: int, seconds: int, users: int) -> None:
    """One person at work, who takes as little as can be of the processors that the server has to share with them."""
    order = random.Random(number)  # noqa: S311 - the same order each time
    cookies = "; ".join(f"{one.name}={one.value}" for one in signed_in().cookies)
    browser = urllib3.HTTPConnectionPool("127.0.0.1", PORT, timeout=60, retries=False)
    deadline = time.monotonic() + seconds
    time.sleep(THINK_S * number / users)
    names = list(found)
    while time.monotonic() < deadline:
        order.shuffle(names)
        for name in names:
            answer = browser.request("GET", found[name], headers={"Cookie": cookies, "X-Bench": name})
            if answer.status != 200:
                raise RuntimeError(f"{name}: {answer.status}")
            time.sleep(THINK_S if users > 1 else 0.05)
            if time.monotonic() >= deadline:
                return


def signed_in() -> requests.Session:
    """A browser in which the person of the benchmark is logged in."""
    session = requests.Session()
    page = session.get(f"{URL}/login").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "email": filling.EMAIL, "password": filling.PASSWORD}
    session.post(f"{URL}/login", data=data).raise_for_status()
    return session


def cursor(connection: psycopg.Connection[Any]) -> str:
    """The place of the list's page 1,000, as its page before would have told it."""
    from webapp.services.exports import keyset
    from webapp.services.exports.listing import PER_PAGE

    wanted = "SELECT id, created_at FROM exports ORDER BY created_at DESC OFFSET %s LIMIT 1"
    id, created_at = connection.execute(wanted, [(pages.FAR - 1) * PER_PAGE - 1]).fetchone()  # type: ignore[misc]
    return keyset.cursor(created_at, id, backwards=False)


@contextmanager
def served() -> Iterator[None]:
    """The Procfile's web process, with the clock in front of the application."""
    environ = {**os.environ, "EXPORTS_HOME": str(HOME), "PORT": str(PORT), "WEB_TIMES": str(TIMES)}
    command = [sys.executable, "-m", "gunicorn", "--config", "webapp/gunicorn.py", "benchmarks.web.timed:app"]
    process = subprocess.Popen(command, cwd=engine.ROOT, env=environ)
    try:
        for _ in range(600):
            try:
                requests.get(f"{URL}/healthz", timeout=5).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
