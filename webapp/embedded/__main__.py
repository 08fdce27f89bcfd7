"""The keeper: `python -m webapp.embedded HOME [--throwaway]` prints its number and goes on in the background."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from webapp.embedded import keeper


def detach(log: Path) -> None:
    """Go on as a process of its own session, which no terminal and no parent ends."""
    pid = os.fork()
    if pid:
        os.write(1, str(pid).encode())
        os._exit(0)
    os.setsid()
    os.umask(0o077)
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for target, source in ((0, nothing), (1, written), (2, written)):
        os.dup2(source, target)


if __name__ == "__main__":
    home = Path(sys.argv[1])
    detach(home / "keeper.log")
    sys.exit(keeper.main(home, throwaway="--throwaway" in sys.argv))
