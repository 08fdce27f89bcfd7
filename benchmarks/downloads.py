"""`script/bench downloads`: slow downloads beside other pages, on an idle `script/server` (SPEC 14, RELIABILITY F35).

Twenty clients read a file of 1 GB at 1 MB/s for a minute. What the web processes grow by, and how quickly the list and
the page of an export answer meanwhile.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import statistics
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import requests

from benchmarks.running import create, demo_user, events, wait
from webapp import config
from webapp.extensions import db
from webapp.models import Run
from webapp.services import artefacts

CLIENTS = int(os.environ.get("CLIENTS", "20"))
SECONDS = 60
FILE_BYTES = 1_000_000_000
RATE = 1_000_000
SIP = 50_000
"""Bytes that a client takes at a time: twenty sips a second."""
PAUSE_S = 0.1
MOST_GROWTH_MB = 30
MOST_P95_MS = 200
WARM_UP = 100


def main() -> int:
    """Print growth and times, alone and beside the downloads; exit status 1 if a bar is not kept."""
    login = json.loads((config.home(os.environ) / "demo-login.json").read_text())
    run_id, export_id = big_file()
    pages = [f"{login['url']}/exports", f"{login['url']}/exports/{export_id}"]
    session = signed_in(login)
    for _ in range(WARM_UP):
        for page in pages:
            session.get(page).raise_for_status()
    web = web_processes(config.home(os.environ))
    alone = ask(session, pages, 10)
    before = [process.memory_info().rss for process in web]
    address = urlsplit(f"{login['url']}/runs/{run_id}/download")
    cookie = "; ".join(f"{one.name}={one.value}" for one in session.cookies)
    with multiprocessing.Pool(2) as pool:
        taken = pool.starmap_async(
            sippers, [(address, cookie, CLIENTS // 2), (address, cookie, CLIENTS - CLIENTS // 2)]
        )
        peaks = Peaks(web)
        beside = ask(session, pages, SECONDS)
        growth = [(peak - start) / 1e6 for peak, start in zip(peaks.stop(), before, strict=True)]
        megabytes = [one / 1e6 for some in taken.get(SECONDS) for one in some]
    remove(run_id)
    print(f"{CLIENTS} clients took {min(megabytes):.0f} to {max(megabytes):.0f} MB each in {SECONDS} s")
    print(f"web processes grew by {', '.join(f'{one:.1f}' for one in sorted(growth))} MB, {sum(growth):.1f} in all")
    for name, times in (("alone", alone), ("beside the downloads", beside)):
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"pages {name}: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms, {len(times)} asked")
    return int(sum(growth) >= MOST_GROWTH_MB or p95 >= MOST_P95_MS or min(megabytes) < 0.9 * SECONDS * RATE / 1e6)


def big_file() -> tuple[uuid.UUID, uuid.UUID]:
    """A finished run whose artefact is of 1 GB; the run and its export."""
    with demo_user() as user:
        run = wait(create(user, events(1_000)), lambda run: run.finished_at is not None)
        key = f"{run.brand_id}/{run.id}/{run.attempt}.zip"
        sink, block = artefacts.store().open_writer(key), os.urandom(1_000_000)
        for _ in range(FILE_BYTES // len(block)):
            sink.write(block)
        sink.close()
        run.artefact, run.archive_bytes = key, FILE_BYTES
        db.session.commit()
        return run.id, run.export_id


def remove(run_id: uuid.UUID) -> None:
    """The file again."""
    with demo_user():
        artefacts.store().delete(str(db.session.get_one(Run, run_id).artefact))


def signed_in(login: dict[str, str]) -> requests.Session:
    """A browser in which the demo's first user is logged in."""
    session = requests.Session()
    page = session.get(f"{login['url']}/login").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "email": login["email"], "password": login["password"]}
    session.post(f"{login['url']}/login", data=data).raise_for_status()
    return session


def web_processes(home: Path) -> list[psutil.Process]:
    """The gunicorn workers of this installation."""
    found = []
    for process in psutil.process_iter():
        try:
            if "gunicorn" in " ".join(process.cmdline()) and process.environ().get("EXPORTS_HOME") == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return [one for one in found if one.ppid() in {other.pid for other in found}]


def ask(session: requests.Session, pages: list[str], seconds: float) -> list[float]:
    """Ask for pages one after the other, ten times a second; how long each took, in ms."""
    times, deadline = [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        began = time.perf_counter()
        session.get(pages[len(times) % len(pages)]).raise_for_status()
        times.append((time.perf_counter() - began) * 1000)
        time.sleep(max(0.0, PAUSE_S - times[-1] / 1000))
    return times


def sippers(address: Any, cookie: str, clients: int) -> list[int]:
    """So many slow clients, a thread each; how many bytes each got."""
    got = [0] * clients

    def sip(place: int) -> None:
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        connection.connect()
        connection.sock.setsockopt(6, 10, 64 * 1024)  # TCP_WINDOW_CLAMP: nothing is read ahead
        connection.request("GET", address.path, headers={"Cookie": cookie})
        response, began = connection.getresponse(), time.monotonic()
        while (passed := time.monotonic() - began) < SECONDS:
            got[place] += len(response.read(SIP))
            time.sleep(max(0.0, got[place] / RATE - passed))
        connection.close()

    threads = [threading.Thread(target=sip, args=[place]) for place in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


class Peaks:
    """Watches the memory of processes."""

    def __init__(self, processes: list[psutil.Process]) -> None:
        self._processes = processes
        self._most = [0] * len(processes)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            now = [process.memory_info().rss for process in self._processes]
            self._most = [max(pair) for pair in zip(self._most, now, strict=True)]

    def stop(self) -> list[int]:
        """The most bytes that each had."""
        self._over.set()
        self._thread.join()
        return self._most


if __name__ == "__main__":
    sys.exit(main())
