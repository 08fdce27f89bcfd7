"""What no test may depend on: the environment of whoever runs it, the network, a fixed seed."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
import sys
from typing import Any

import hypothesis
import pytest

# Settings of ours and of the libraries below us that would reach the tests from outside.
OURS = ["DATABASE_URL", "SOURCE_DATABASE_URL", "REDIS_URL", "STORAGE_URL", "MAIL_URL", "SECRET_KEY", "CREDENTIAL_KEYS"]
OURS += ["BASE_URL", "MAIL_FROM", "PORT", "BIND", "WEB_CONCURRENCY"]
PREFIXES = ("FLASK_", "PG", "EXPORTS_", "AWS_", "GOOGLE_", "AZURE_")
# A folder that cannot be made: a test that starts the embedded services by accident is told so.
NOWHERE = "/dev/null/instance"
# Told to keep no compiled modules, each worker rewrites the asserts of all files anew: half of its time to collect.
KEEPS_NOTHING = "PYTHONDONTWRITEBYTECODE"


class Outside(Exception):
    """A test wanted to leave this machine."""


os.environ.pop(KEEPS_NOTHING, None)  # at once: all other files of fixtures are read after this one
sys.dont_write_bytecode = False


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Clean the environment, close the network, choose the seed (one for all workers)."""
    for name in list(os.environ):
        if name in OURS or name.startswith(PREFIXES):
            del os.environ[name]
    os.environ["EXPORTS_HOME"] = NOWHERE
    _close_network()
    hypothesis.settings.register_profile("tests", deadline=None, derandomize=False, print_blob=True)
    # Under this name campaigns draw their long number of examples (tests/campaigns.py).
    hypothesis.settings.register_profile("soak", hypothesis.settings.get_profile("tests"), max_examples=10_000)
    hypothesis.settings.load_profile("tests")
    if config.getoption("hypothesis_seed", None) is None:
        config.option.hypothesis_seed = secrets.randbelow(2**32)


def pytest_report_header(config: pytest.Config) -> str:
    """Say how to run the same property tests again."""
    return f"seed: --hypothesis-seed={config.option.hypothesis_seed}"


def _close_network() -> None:
    def guarded(name: str, position: int) -> None:
        real = getattr(socket.socket, name)

        def call(self: socket.socket, *arguments: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                _refuse_outside(arguments[position][0])
            return real(self, *arguments)

        setattr(socket.socket, name, call)

    if getattr(socket.socket.connect, "__name__", "") != "call":
        guarded("connect", 0)
        guarded("connect_ex", 0)
        guarded("sendto", -1)


def _refuse_outside(host: str) -> None:
    if host in ("localhost", ""):
        return
    try:
        inside = ipaddress.ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise Outside(f"A test wanted to connect to {host}; only this machine may be reached.")
