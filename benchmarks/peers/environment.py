"""The peers' own virtual environment, made once for each state of the requirements; what cannot be had is told."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

NEWEST, SUPERSET = "requirements.txt", "requirements-superset.txt"
"""The pins of the peers: their newest releases, and what Superset's own requirements hold it to."""


class Environment:
    """The virtual environment of `pins` below `home`. `missing`: why a package could not be installed, by its name."""

    def __init__(self, home: Path, pins: str) -> None:
        self._lines = requirements(pins)
        self._folder = folder = home / Path(pins).stem.replace("requirements", "peers")
        self.python = folder / "bin" / "python"
        self.missing: dict[str, str] = {}

    def ready(self) -> Environment:
        """Make it, unless it is there."""
        digest = hashlib.sha256("\n".join([*self._lines, sys.version]).encode()).hexdigest()
        stamp = self._folder / "peers.json"
        if stamp.exists() and (told := json.loads(stamp.read_text()))["digest"] == digest:
            self.missing = told["missing"]
            return self
        print("Making the environment of the peers (the first time only, about a minute)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(self._folder)], check=True)
        for line in self._lines:
            if reason := self._install(line):
                self.missing[name_of(line)] = reason
        stamp.write_text(json.dumps({"digest": digest, "missing": self.missing}))
        return self

    def _install(self, line: str) -> str:
        """Install one package, held to the versions of all; empty, or why it cannot be had. Wheels only: no tools."""
        options = ["--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
        pip = [str(self.python), "-m", "pip", "install", *options, "-c", str(self._constraints()), line]
        done = subprocess.run(pip, capture_output=True, text=True)
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        return "" if done.returncode == 0 else (errors or ["pip failed"])[-1]

    def _constraints(self) -> Path:
        """The pins without extras, which pip does not take as constraints."""
        pins = self._folder / "constraints.txt"
        pins.write_text("\n".join(re.sub(r"\[.*?\]", "", line) for line in self._lines) + "\n")
        return pins

    def file(self, part: str) -> Path:
        """A file that a package has brought, by its place below site-packages."""
        return next(self._folder.glob(f"lib/python*/site-packages/{part}"))


def requirements(pins: str) -> list[str]:
    """The lines of a file of pins without what they say about themselves."""
    lines = (line.partition("#")[0].strip() for line in Path(__file__).with_name(pins).read_text().splitlines())
    return [line for line in lines if line]


def name_of(line: str) -> str:
    """The package of a line."""
    return re.split(r"[\[=; ]", line)[0]


def version_of(name: str, pins: str) -> str:
    """The version that is pinned."""
    return next(re.split(r"==|[; ]", line)[1] for line in requirements(pins) if name_of(line) == name)
