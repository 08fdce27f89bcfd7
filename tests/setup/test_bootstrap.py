"""script/bootstrap: an environment from pinned packages, or a sentence that says what to do."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.setup.commands import ROOT

# Starts the real Python, but changes what the machine offers before script/_bootstrap.py runs.
PYTHON = """#!/bin/sh
if [ "$2" = -c ]; then exec {real} "$@"; fi
shift
exec {real} -I -c 'import runpy, shutil, sys
{change}
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")' "$@"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what bootstrap reads."""
    folder = tmp_path / "project"
    (folder / "script").mkdir(parents=True)
    for name in ("script/bootstrap", "script/_bootstrap.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("requirements.txt", "requirements-demo.txt", "requirements-dev.txt"):
        (folder / name).write_text("")
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH on which there is no Python yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "dirname"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def offer(path: Path, change: str = "", *, name: str = "python3", text: str = PYTHON) -> None:
    program = path / name
    program.write_text(text.format(real=sys.executable, change=change))
    program.chmod(0o755)


def bootstrap(project: Path, path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(path / "bash"), "script/bootstrap", *words]
    told = {"PATH": str(path), "HOME": os.environ.get("HOME", "/"), **environment}
    return subprocess.run(command, cwd=project, env=told, capture_output=True, text=True)


def test_without_a_new_enough_python_it_says_which_is_needed(project: Path, path: Path) -> None:
    offer(path, text="#!/bin/sh\nexit 1\n")
    run = bootstrap(project, path)
    assert run.returncode == 1
    assert run.stderr.startswith("Exports needs Python 3.11 or newer")
    assert "apt install python3" in run.stderr


def test_an_old_python3_is_passed_over_for_a_newer_one_beside_it(project: Path, path: Path) -> None:
    offer(path, text="#!/bin/sh\nexit 1\n")
    offer(path, 'print("found"); sys.exit(0)', name="python3.12")
    assert bootstrap(project, path).stdout == "found\n"


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_without_the_venv_module_it_says_how_to_install_it(project: Path, path: Path, module: str) -> None:
    offer(path, f'sys.modules["{module}"] = None')
    run = bootstrap(project, path)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert run.returncode == 1
    assert "has no venv module" in run.stderr
    assert f"apt install python{version}-venv" in run.stderr
    assert not (project / ".venv").exists()


def test_without_space_it_says_how_much_is_needed(project: Path, path: Path) -> None:
    offer(path, "shutil.disk_usage = lambda folder: shutil._ntuple_diskusage(10**9, 10**9, 5 * 10**6)")
    run = bootstrap(project, path)
    assert run.returncode == 1
    assert f"The disk of {project} has 5 MB free, and 1000 MB are needed" in run.stderr
    assert not (project / ".venv").exists()


def test_a_python_without_ready_made_redis_needs_one_of_the_machine(project: Path, path: Path) -> None:
    offer(path, 'sys.version_info = type("V", (tuple,), {"major": 3, "minor": 14})((3, 14, 0))')
    (project / ".venv" / "bin").mkdir(parents=True)
    offer(project / ".venv" / "bin", name="python", text="#!/bin/sh\n[ $2 = -c ]\n")
    run = bootstrap(project, path)
    assert run.returncode == 1
    assert "apt install redis-server" in run.stderr


def test_a_package_that_cannot_be_had_ends_with_advice(project: Path, path: Path) -> None:
    offer(path)
    (project / "requirements.txt").write_text(f"nowhere-to-be-had==1 --hash=sha256:{'0' * 64}\n")
    run = bootstrap(project, path, PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
    assert run.returncode == 1
    assert "nowhere-to-be-had" in run.stderr
    assert run.stderr.splitlines()[-1].startswith("The lines above say what went wrong.")
    assert not (project / ".venv" / "bootstrap.stamp").exists()


def test_a_second_call_takes_no_time_and_a_changed_pin_is_noticed(project: Path, path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(project / ".venv")], check=True)
    names = runpy.run_path(str(project / "script" / "_bootstrap.py"))
    names["STAMP"].write_text(names["mark"]("dev") + "\n")
    offer(path, text="#!/bin/sh\necho looked for\nexit 1\n")
    start = time.monotonic()
    for level in ("demo", "dev"):
        run = bootstrap(project, path, level)
        assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert time.monotonic() - start < 2
    (project / "requirements.txt").write_text("flask==99\n")
    assert bootstrap(project, path).returncode == 1


def test_an_unknown_level_is_refused(project: Path, path: Path) -> None:
    offer(path)
    assert bootstrap(project, path, "production").stderr == "script/bootstrap knows demo and dev, not production.\n"
