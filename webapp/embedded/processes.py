"""What runs on this machine, asked without third-party modules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and was not collected by its parent does not."""
    if sys.platform == "linux":
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return state not in "ZX"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def works_in(pid: int, folder: Path, words: str) -> bool:
    """Whether the process is alive, has `folder` in its command line and `words` in its program's name.

    A process number in a file may have been given to somebody else since: in a container soon after each start.
    """
    if not alive(pid):
        return False
    if sys.platform == "linux":
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return False
    else:
        listing = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        command = subprocess.run(listing, capture_output=True, text=True).stdout  # noqa: S603
    return words in command and str(folder) in command
