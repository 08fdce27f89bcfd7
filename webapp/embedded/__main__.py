"""The keeper's process: `python webapp/embedded HOME [--throwaway]` prints its number and goes on in the background."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

# The keeper lives long and needs nothing of Flask: it enters this package without running webapp/__init__.py,
# which takes 0.5 s and 60 MB. Python put this folder first on the path, where our file names could hide others.
ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)
webapp = types.ModuleType("webapp")
webapp.__path__ = [str(ROOT / "webapp")]
sys.modules["webapp"] = webapp

from webapp.embedded import keeper  # noqa: E402 - the lines above make it importable


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
