"""`script/bench create`: from **Create** to Finished for about 1,000 rows, on an idle `script/server` (SPEC 14)."""

from __future__ import annotations

import statistics
import sys
import time

from benchmarks.running import create, demo_user, events, wait

RUNS = 21


def main() -> int:
    """Print each time in ms and their median; exit status 1 if the median is not under a second."""
    times = []
    with demo_user() as user:
        definition = events(1_000)
        for _ in range(RUNS):
            began = time.perf_counter()
            run = wait(create(user, definition), lambda run: run.finished_at is not None)
            times.append((time.perf_counter() - began) * 1000)
            if run.state != "success":
                print(f"{run.state}: {run.error_message}")
                return 1
            time.sleep(0.5)
    print(f"{run.rows} rows; ms: {' '.join(f'{one:.0f}' for one in sorted(times))}")
    print(f"median {statistics.median(times):.0f} ms")
    return int(statistics.median(times) >= 1000)


if __name__ == "__main__":
    sys.exit(main())
