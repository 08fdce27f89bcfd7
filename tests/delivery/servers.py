"""Real upload servers on loopback: SFTP by asyncssh, FTP and FTPS by pyftpdlib, each in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh

from exports.delivery import Server

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pyftpdlib uses what Python 3.12 has no more
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.filesystems import AbstractedFS
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

USER = "ann"
PASSWORD = "pässwörd canary"
FTP_PASSWORD = f"{PASSWORD}🙂"
"""asyncssh keeps to RFC 4013, which knows no characters newer than 2002."""


class SftpServer:
    """An SFTP server whose files stand in `folder`. `passwords` is what was tried to log in with."""

    def __init__(
        self,
        folder: Path,
        *,
        host_keys: list[asyncssh.SSHKey] | None = None,
        files: Callable[[Any], asyncssh.SFTPServer] | None = None,
        client_keys: str = "",
        port: int = 0,
        on_login: Callable[[], object] = lambda: None,
    ) -> None:
        self.folder = folder
        self.passwords: list[str] = []
        self.host_keys = host_keys or [asyncssh.generate_private_key("ssh-ed25519")]
        self._files = files or (lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder).encode()))
        self._opened: list[Any] = []
        self._client_keys = client_keys
        self._port = port
        self._on_login = on_login
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._begin())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _begin(self) -> None:
        outer = self

        class Login(asyncssh.SSHServer):
            def begin_auth(self, username: str) -> bool:
                return True

            def password_auth_supported(self) -> bool:
                return not outer._client_keys

            def validate_password(self, username: str, password: str) -> bool:
                outer.passwords.append(password)
                outer._on_login()
                return (username, password) == (USER, PASSWORD)

        keys = asyncssh.import_authorized_keys(self._client_keys) if self._client_keys else None
        self._server = await asyncssh.listen(
            "127.0.0.1", self._port, server_host_keys=self.host_keys, server_factory=Login,
            sftp_factory=self._keeping, authorized_client_keys=keys,
        )  # fmt: skip
        self.port = self._server.get_port()

    def _keeping(self, channel: Any) -> asyncssh.SFTPServer:
        """Its files are kept, and closed by `stop`: of a connection that breaks asyncssh may leave them open."""
        made = self._files(channel)
        really = made.open

        def kept(*arguments: Any) -> Any:
            opened = really(*arguments)
            self._opened.append(opened)
            return opened

        made.open = kept  # type: ignore[method-assign]
        return made

    async def _end(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        others = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for one in others:
            one.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def stop(self) -> None:
        """End it with all its connections."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        for one in self._opened:
            one.close()

    @property
    def trust(self) -> str:
        """Its host key, as it is accepted."""
        key = self.host_keys[0]
        return f"{key.get_algorithm()} {key.get_fingerprint()}"

    def at(self, port: int | None = None, **other: Any) -> Server:
        """How to log in there, through another port if one is given."""
        known: dict[str, Any] = {"password": PASSWORD, "trust": self.trust, **other}
        return Server("sftp", "127.0.0.1", port or self.port, USER, **known)


class FtpServer:
    """An FTP server whose files stand in `folder`; with a certificate's file, FTP over SSL.

    `commands` is all that clients asked for. `handler`: members of the handler's class that are to be different.
    """

    def __init__(
        self, folder: Path, certificate: Path | None = None, perm: str = "elradfmwMT", port: int = 0, **handler: Any
    ) -> None:
        self.folder = folder
        self.commands: list[str] = []
        self.is_secret = certificate is not None
        authorizer = DummyAuthorizer()
        authorizer.add_user(USER, FTP_PASSWORD, str(folder), perm=perm)
        outer = self
        base = TLS_FTPHandler if certificate else FTPHandler

        class Handler(base):  # type: ignore[misc,valid-type]
            def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
                outer.commands.append(line)
                super().pre_process_command(line, cmd, arg)

        Handler.authorizer = authorizer
        Handler.auth_failed_timeout = 0
        Handler.banner = "ready"
        if certificate:
            Handler.certfile = str(certificate)
            Handler.tls_control_required = Handler.tls_data_required = True
        for name, value in handler.items():
            setattr(Handler, name, value)
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", port), Handler, ioloop=self._loop)
        self.port = int(self._server.address[1])
        self._stopped = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._stopped:
            self._loop.loop(timeout=0.02, blocking=False)

    def stop(self) -> None:
        """End it with all its connections."""
        self._stopped = True
        self._thread.join(10)
        self._server.close_all()

    def at(self, port: int | None = None, **other: Any) -> Server:
        """How to log in there, through another port if one is given."""
        host = "localhost" if self.is_secret else "127.0.0.1"
        known: dict[str, Any] = {"password": FTP_PASSWORD, **other}
        return Server("ftps" if self.is_secret else "ftp", host, port or self.port, USER, **known)


class FullFiles(AbstractedFS):  # type: ignore[misc]
    """The files of an FTP server on a disk that has room for ROOM bytes of each."""

    def open(self, filename: str, mode: str) -> Any:
        return FullFile(Path(filename)) if mode.startswith("w") else super().open(filename, mode)


class FullFile:
    """A file on such a disk."""

    ROOM = 100_000

    def __init__(self, path: Path) -> None:
        self.name, self.closed = str(path), False
        self._left = self.ROOM
        self._file = path.open("wb")

    def write(self, data: bytes) -> int:
        """Take what there is room for."""
        self._left -= len(data)
        if self._left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._file.write(data)

    def seek(self, place: int) -> int:
        """See `io`."""
        return self._file.seek(place)

    def close(self) -> None:
        """See `io`."""
        self.closed = True
        self._file.close()


class Listener:
    """A port that only counts who comes."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family)
        self._socket.bind((host, 0))
        self._socket.listen()
        self._socket.setblocking(False)
        self.port = int(self._socket.getsockname()[1])

    def visits(self) -> int:
        """How many connections were made so far and not yet counted."""
        found = 0
        while True:
            try:
                self._socket.accept()[0].close()
            except BlockingIOError:
                return found
            found += 1

    def close(self) -> None:
        """End it."""
        self._socket.close()
