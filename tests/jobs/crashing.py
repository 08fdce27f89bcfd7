"""A clock that kills itself: each line `WHAT N` on standard input makes a process that does WHAT and dies at its N-th
statement, commit or command to Redis. It answers `died` or, if there is no N-th, `done`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.client import Pipeline
from sqlalchemy import event

from webapp.models import system_scope

if TYPE_CHECKING:
    from flask import Flask


def die_at(app: Flask, what: str, number: int) -> None:
    """The whole life of one such process."""
    from jobs import scheduler
    from webapp.extensions import db
    from webapp.services.progress import present

    left = number

    def step(*_more: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def killing(what: Any) -> Any:
        def done(self: Any, *arguments: Any, **options: Any) -> Any:
            step()
            return what(self, *arguments, **options)

        return done

    with app.app_context():
        clock = scheduler.Clock()
        with system_scope():
            clock.behind_s = present().timestamp() - time.time()
        db.session.remove()
        event.listen(db.engine, "before_cursor_execute", step)
        event.listen(db.engine, "commit", step)
        Redis.execute_command = killing(Redis.execute_command)  # type: ignore[method-assign]
        Pipeline.execute = killing(Pipeline.execute)  # type: ignore[method-assign]
        {"fire": scheduler.fire_all_due, "reconcile": clock.reconcile, "ring": clock.tick}[what]()


def main() -> None:
    """Serve until standard input ends."""
    from webapp import create_program

    app = create_program()
    for line in sys.stdin:
        what, number = line.split()
        pid = os.fork()
        if pid == 0:
            die_at(app, what, int(number))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        said = {0: "done", -signal.SIGKILL: "died"}.get(os.waitstatus_to_exitcode(status), "failed")
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
