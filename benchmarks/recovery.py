"""`script/bench recovery`: kill -9 of the worker in the middle of a run, under `script/server`.

The bars: owned again within 45 s, Finished within 60 s for a run of under 10 s, published once (RELIABILITY P5).
"""

from __future__ import annotations

import os
import signal
import sys
import time

from benchmarks.running import create, demo_user, events, wait
from webapp.services import runs


def main(arguments: list[str]) -> int:
    """Kill the worker of a run of all events, or with `horse` its work horse; exit status 1 over a bar."""
    whom = arguments[0] if arguments else "worker"
    with demo_user() as user:
        run_id = create(user, events(all_fields=True))
        run = wait(run_id, lambda run: run.phase == "writing" or run.finished_at is not None)
        if run.worker is None:
            sys.exit("The run was over before its worker could be killed: there are too few rows for this machine.")
        pid = int(run.worker.split("-")[-2])
        victim = pid if whom == "worker" else _child_of(pid)
        os.kill(victim, signal.SIGKILL)
        killed = time.monotonic()
        wait(run_id, lambda run: run.attempt == 2)
        owned = time.monotonic() - killed
        run = wait(run_id, lambda run: run.finished_at is not None)
        finished = time.monotonic() - killed
        published = sum(event.kind == "published" for event in runs.events_of(run))
    print(f"kill -9 of the {whom}: owned again after {owned:.1f} s, {run.status} after {finished:.1f} s, ", end="")
    print(f"published {published} time(s), {run.rows} rows, deaths {run.deaths}")
    return int(owned > 45 or finished > 60 or published != 1)


def _child_of(pid: int) -> int:
    import psutil

    return int(psutil.Process(pid).children()[0].pid)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
