"""`script/bench delivery`: 300 MB to SFTP, FTP and FTP over SSL servers of this machine, each in a process of its own.

The bars: SHA-256 equal; SFTP at least 0.95 times as fast as pysftp's own `put` (median of 5 alternating pairs), FTP
at least 0.9 times as fast as `curl -T`; memory at most 40 MB above what it was before (SPEC section 14).
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from exports.addresses import Guard, read_networks, read_ports
from exports.delivery import Parcel, Server, deliver

SIZE: Final = 300_000_000
PIECE: Final = 256 * 1024
PAIRS: Final = 5
USER, PASSWORD = "bench", "bench"  # of servers that live as long as the measurement
HERE: Final = Guard(read_networks("127.0.0.0/8, ::1/128"), read_ports("1024-65535"))


class Diary:
    """A journal that nobody reads."""

    def uploading(self, path: str, address: str, offered: str) -> None:
        """See `exports.delivery.Journal`."""

    def uploaded(self, size: int) -> None:
        """See `exports.delivery.Journal`."""

    def renaming(self) -> None:
        """See `exports.delivery.Journal`."""

    def taken_back(self) -> None:
        """See `exports.delivery.Journal`."""


def serve(kind: str, folder: str) -> None:
    """Serve a folder until the process is ended; prints port and host key."""
    warnings.simplefilter("ignore")
    if kind == "sftp":
        _serve_sftp(folder)
    else:
        _serve_ftp(kind, folder)


def _serve_sftp(folder: str) -> None:
    import asyncio

    import asyncssh

    class Login(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, PASSWORD)

    async def forever() -> None:
        key = asyncssh.generate_private_key("ssh-ed25519")

        def files(channel: Any) -> asyncssh.SFTPServer:
            return asyncssh.SFTPServer(channel, chroot=folder.encode())

        made = await asyncssh.listen("127.0.0.1", 0, server_host_keys=[key], server_factory=Login, sftp_factory=files)
        print(json.dumps([made.get_port(), f"ssh-ed25519 {key.get_fingerprint()}"]), flush=True)
        await asyncio.Event().wait()

    asyncio.run(forever())


def _serve_ftp(kind: str, folder: str) -> None:
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
    from pyftpdlib.servers import FTPServer

    handler = TLS_FTPHandler if kind == "ftps" else FTPHandler
    handler.authorizer = DummyAuthorizer()
    handler.authorizer.add_user(USER, PASSWORD, folder, perm="elradfmwMT")
    if kind == "ftps":
        from tests.delivery.certificates import Authority

        handler.certfile = str(Authority(Path(folder).parent).signed("localhost", by_itself=True))
    server = FTPServer(("127.0.0.1", 0), handler)
    print(json.dumps([server.address[1], None]), flush=True)
    server.serve_forever()


def pieces(file: Path) -> Iterator[bytes]:
    """The bytes of a file, as they come from the store."""
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            yield piece


def send(server: Server, file: Path, digest: str) -> Callable[[], None]:
    """What delivers the file."""
    parcel = Parcel("/ours.bin", SIZE, digest, lambda: pieces(file), "bench", 1)

    def go() -> None:
        deliver(parcel, server, HERE, Diary())

    return go


def put(server: Server, file: Path) -> Callable[[], None]:
    """pysftp's own way."""
    import pysftp

    options = SimpleNamespace(hostkeys=None, log=False, compression=False, ciphers=None)

    def go() -> None:
        with pysftp.Connection("127.0.0.1", USER, password=PASSWORD, port=server.port, cnopts=options) as made:
            made.put(str(file), "/theirs.bin")

    return go


def curl(server: Server, file: Path) -> Callable[[], None]:
    """`curl -T`."""
    secret = ["--ssl-reqd", "--insecure"] if server.type == "ftps" else []
    address = f"ftp://{USER}:{PASSWORD}@localhost:{server.port}/theirs.bin"
    command = ["curl", "--silent", "--show-error", "--ipv4", *secret, "-T", str(file), address]

    def go() -> None:
        subprocess.run(command, check=True)

    return go


def seconds(do: Callable[[], None]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def trusting(server: Server) -> Server:
    """The server with what it shows accepted."""
    from exports.delivery import probe

    offered = probe(server, HERE, "/probe.bin", tag="bench").offered
    return Server(server.type, server.host, server.port, USER, PASSWORD, trust=offered or None)


@contextmanager
def serving(kind: str, folder: Path) -> Iterator[tuple[int, str | None]]:
    """A server of this kind over a folder, in a process of its own: its port and host key."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.delivery", "serve", kind, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port, trust = json.loads(process.stdout.readline() if process.stdout else "")
        yield port, trust
    finally:
        process.kill()
        process.wait()


def measure(kind: Any, folder: Path, file: Path, digest: str, pairs: int) -> bool:
    """One kind of server; whether it keeps to the bars."""
    there = folder / kind
    there.mkdir()
    with serving(kind, there) as (port, trust):
        server = trusting(
            Server(kind, "localhost" if kind == "ftps" else "127.0.0.1", port, USER, PASSWORD, trust=trust)
        )
        ours, theirs = send(server, file, digest), (put if kind == "sftp" else curl)(server, file)
        ratios, took = [], []
        for _ in range(pairs):
            took.append(seconds(ours))
            ratios.append(seconds(theirs) / took[-1])
        equal = hashlib.file_digest((there / "ours.bin").open("rb"), "sha256").hexdigest() == digest
    ratio, bar = statistics.median(ratios), 0.95 if kind == "sftp" else 0.9
    other = "pysftp put" if kind == "sftp" else "curl -T"
    print(f"{kind}: median {statistics.median(took):.2f} s, {ratio:.2f} times as fast as {other} (bar {bar}), ", end="")
    print(f"sha256 {'equal' if equal else 'DIFFERS'}", flush=True)
    return equal and ratio >= bar


def resident() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(arguments: list[str]) -> int:
    """Measure all three, or those that are named; exit status 1 under a bar."""
    if arguments[:1] == ["serve"]:
        serve(*arguments[1:])
        return 0
    kinds = arguments or ["sftp", "ftp", "ftps"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, digest = folder / "file.bin", hashlib.sha256()
        with file.open("wb") as made:
            for _ in range(SIZE // PIECE + 1):
                piece = os.urandom(PIECE)[: max(0, SIZE - made.tell())]
                made.write(piece)
                digest.update(piece)
        before = resident()
        good = [measure(kind, folder, file, digest.hexdigest(), PAIRS) for kind in kinds]
        grown = (resident() - before) / 1e6
    print(f"memory: {grown:.0f} MB more than before, libraries and pysftp's own put included (bar 40)")
    return int(not all(good) or grown > 40)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
