"""SFTP, by pysftp, under a check of host keys of our own.

pysftp connects by name, trusts what known_hosts holds and sets no time limits (RELIABILITY section 0, fact 5): here it
is given a transport that stands on a checked address, whose key was compared before anything secret is sent.
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import socket
import stat
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import paramiko
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from exports import ssh_keys
from exports.delivery import answers
from exports.delivery.base import ASIDE, GOODBYE_S, Course, Server, Session, above, said
from exports.delivery.reaching import first_bytes
from exports.delivery.sftp_client import Connection, Transport
from exports.errors.target import (
    CommandRefused,
    ConnectionLost,
    FileExists,
    FolderRefused,
    HostKeyChanged,
    HostKeyUnknown,
    LoginMethod,
    LoginRefused,
    NoCommonSecurity,
    NoFile,
    NotSftp,
    NotUnderstood,
    PasswordChangeDemanded,
    PrivateKeyUnreadable,
    RenameRefused,
    ReplaceRefused,
    SftpNotOffered,
    TargetError,
    TargetFull,
    TargetSilent,
    TryLater,
    WriteRefused,
)

KEEP_ALIVE_S: Final = 10
SETTLES_S: Final = 1.0
"""So long a connection has to find out that it is lost. Only who is refused file transfer waits it out."""
REQUEST: Final = 32 * 1024
"""Bytes of one write request: what every server takes (RFC draft-ietf-secsh-filexfer-02, section 3)."""
logging.getLogger("paramiko").setLevel(logging.CRITICAL)
"""It logs each error that it raises, with its whole traceback: who catches it says what is to be said."""


def fingerprint(key: paramiko.PKey) -> str:
    """A host key as OpenSSH shows it: "ssh-ed25519 SHA256:…"."""
    digest = b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"{key.get_name()} SHA256:{digest}"


def is_file(about: paramiko.SFTPAttributes) -> bool:
    """Whether something may be moved aside for a file: a file or a link. A folder would vanish with what it holds."""
    return about.st_mode is not None and (stat.S_ISREG(about.st_mode) or stat.S_ISLNK(about.st_mode))


def private_key(text: str, passphrase: str = "") -> paramiko.PKey:
    """A private key from its text.

    Raises:
        PrivateKeyUnreadable: it is none, of a kind that is not used any more, or its passphrase is wrong.
    """
    try:
        unlocked = ssh_keys.read(text, passphrase).private
    except ssh_keys.KeyRefused as refused:
        raise PrivateKeyUnreadable(reason=str(refused)) from refused
    key: Any = load_ssh_private_key(unlocked.encode(), None)
    if isinstance(key, RSAPrivateKey):
        return paramiko.RSAKey(key=key)
    if isinstance(key, EllipticCurvePrivateKey):
        return paramiko.ECDSAKey(vals=(key, key.public_key()))
    return paramiko.Ed25519Key.from_private_key(io.StringIO(unlocked))


class SftpSession(Session):
    """SFTP with a password or a private key."""

    def __init__(self, server: Server, course: Course, dial: Callable[[], socket.socket]) -> None:
        super().__init__(server, course)
        self._dial = dial
        self._folder = ""
        self._named = set[str]()
        self._transport: Transport
        self._connection: Connection
        self._client: paramiko.SFTPClient
        self._key = private_key(server.private_key, server.passphrase) if server.private_key else None

    # --- connect, security, login

    def connect(self) -> None:
        """See `Session`. The protocol is spoken when the connection is secured."""
        connection = self._dial()
        self._listen(connection)
        self._transport = Transport(connection)
        self.course.cut_with(self._transport.close)
        limit = self.course.limits.connect
        self._transport.banner_timeout = self._transport.handshake_timeout = limit
        self._transport.auth_timeout = limit
        self._transport.channel_timeout = limit

    def _listen(self, connection: socket.socket) -> None:
        """See that it is no FTP or other server of reply codes that answers: paramiko would wait for more of it."""
        try:
            begins = first_bytes(connection)
        except TimeoutError as error:
            raise self.course.cut or TargetSilent(limit=self.course.limits.connect) from error
        except OSError as error:
            raise self.course.cut or ConnectionLost(str(error)) from error
        if begins[:3].isdigit():
            raise NotSftp(host=self.server.host, port=self.server.port)

    def secure(self) -> None:
        """See `Session`: exchange keys, and compare the server's with the one that is trusted."""
        self._prefer_trusted()
        try:
            self._transport.start_client(timeout=self.course.limits.connect)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self.course.cut or self._no_exchange(error) from error
        self._transport.set_keepalive(KEEP_ALIVE_S)
        self.offered = fingerprint(self._transport.get_remote_server_key())
        self.course.facts["host_key"] = self.offered
        if self.offered != self.server.trust:
            kind = HostKeyUnknown if self.server.trust is None else HostKeyChanged
            raise kind(host=self.server.host, fingerprint=self.offered)

    def _prefer_trusted(self) -> None:
        """Ask for the kind of key that was accepted: a server that has several shows that one."""
        name = (self.server.trust or "").partition(" ")[0]
        options = self._transport.get_security_options()
        wanted = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}.get(name, (name,))
        first = [one for one in options.key_types if one in wanted]
        options.key_types = [*first, *(one for one in options.key_types if one not in first)]

    def _no_exchange(self, error: Exception) -> TargetError:
        told, facts = str(error), {"host": self.server.host}
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            return NoCommonSecurity(told, **facts)
        if "Indecipherable" in told or "Incompatible version" in told:
            return NotSftp(told, **facts, port=self.server.port)
        timed_out = isinstance(error.__context__ or error, TimeoutError)
        if timed_out or "timeout" in told.lower() or "timed out" in told.lower():
            return TargetSilent(told, limit=self.course.limits.connect)
        return ConnectionLost(f"{type(error).__name__}: {told}")

    def login(self) -> None:
        """See `Session`."""
        facts = {"username": self.server.username}
        try:
            self._connection = Connection(self._transport, self.server, self._key)
        except paramiko.BadAuthenticationType as error:
            kind = "private key" if self._key is not None else "password"
            methods = ", ".join(error.allowed_types) or "nothing that we know"
            raise self.course.cut or LoginMethod(methods=methods, kind=kind, **facts) from error
        except paramiko.ssh_exception.PartialAuthentication as error:
            raise PasswordChangeDemanded(str(error), **facts) from error
        except paramiko.AuthenticationException as error:
            raise self.course.cut or self._not_in(error) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self.course.cut or self._broken(error) from error
        self._open_files()

    def _not_in(self, error: Exception) -> TargetError:
        if "timeout" in str(error).lower():
            return TargetSilent(str(error), limit=self.course.limits.connect)
        if "shut down" in str(error) or "EOF" in str(error):
            return ConnectionLost(str(error))
        return LoginRefused(str(error), username=self.server.username)

    def _open_files(self) -> None:
        try:
            self._client = self._connection.sftp_client
        except (paramiko.SSHException, EOFError, OSError) as error:
            # A lost connection ends its channels first and says only then that it is lost: that is no refusal.
            self._transport.join(SETTLES_S)
            if not self._transport.is_active() or isinstance(error, TimeoutError):
                raise self.course.cut or self._broken(error) from error
            raise self.course.cut or SftpNotOffered(str(error), username=self.server.username) from error
        self._client.get_channel().settimeout(self.course.limits.silence)

    # --- folder

    def enter(self, folder: str) -> None:
        """See `Session`."""
        self._named.update(above(folder))
        with self._translating(FolderRefused, folder=folder):
            if folder and not self._connection.isdir(folder):
                for place in above(folder):
                    if not self._connection.isdir(place):
                        self._make(place)
        self._folder = folder

    def _make(self, folder: str) -> None:
        try:
            self._client.mkdir(folder)
        except OSError:
            if not self._connection.isdir(folder):  # else somebody made it in between
                raise

    def _path(self, name: str) -> str:
        path = f"{self._folder.rstrip('/')}/{name}" if self._folder else name
        self._named.add(path)
        return path

    def first_free(self, names: Sequence[str]) -> str | None:
        """See `Session`. Asked for one by one: a listing of a large folder would be held in memory."""
        return next((one for one in names if not self.exists(one)), None)

    def size(self, name: str) -> int | None:
        """See `Session`."""
        with self._translating(CommandRefused):
            try:
                size: int | None = self._client.stat(self._path(name)).st_size
            except FileNotFoundError:
                return None
            return size

    def exists(self, name: str) -> bool:
        """See `Session`. A link that leads nowhere has its name all the same."""
        with self._translating(CommandRefused):
            try:
                self._client.lstat(self._path(name))
            except FileNotFoundError:
                return False
            return True

    # --- write, rename

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        """See `Session`. Requests are sent without waiting for the answer to each; the last answers are awaited."""
        sent = 0
        refused = self._translating(WriteRefused, folder=self._folder or "the login's folder")
        with refused, self._client.open(self._path(name), "wb") as file:
            file.set_pipelined(True)
            for piece in pieces:
                view = memoryview(piece)
                for start in range(0, len(view), REQUEST):
                    file.write(view[start : start + REQUEST].tobytes())
                    sent += min(REQUEST, len(view) - start)
                    self.course.sent(sent)
            while file._reqs:  # paramiko forgets the last answers, and with them that a disk was full
                self._client._read_response(file._reqs.popleft())
                self.course.alive()
        return sent

    def read(self, name: str) -> Iterator[bytes]:
        """See `Session`."""
        with self._translating(CommandRefused), self._client.open(self._path(name), "rb") as file:
            file.prefetch(self.size(name), max_concurrent_requests=64)
            while piece := file.read(REQUEST):
                self.course.alive()
                yield piece

    def rename(self, name: str, new: str, *, replace: bool) -> None:
        """See `Session`. Servers without posix-rename put no file in place of another: that is moved aside first."""
        old, wanted = self._path(name), self._path(new)
        with self._translating(RenameRefused, name=new):
            if replace and self._renamed_at_once(old, wanted):
                return
            if self._renamed_to_free(old, wanted, new):
                return
        if not replace:
            raise FileExists(name=new)
        self._replace(old, wanted, new)

    def _renamed_at_once(self, old: str, wanted: str) -> bool:
        try:
            self._client.posix_rename(old, wanted)
        except TimeoutError:
            raise
        except OSError:
            if not self._transport.is_active():
                raise
            return False
        return True

    def _renamed_to_free(self, old: str, wanted: str, new: str) -> bool:
        """Whether the name was free until the file had it. By this kind of rename servers should replace nothing."""
        if self.exists(new):
            return False
        try:
            self._client.rename(old, wanted)
        except TimeoutError:
            raise
        except OSError:
            if not self._transport.is_active() or not self.exists(new):
                raise
            return False
        return True

    def _replace(self, old: str, wanted: str, new: str) -> None:
        aside = f"{old}{ASIDE}"
        with self._translating(ReplaceRefused, name=new):
            if not is_file(self._client.lstat(wanted)):
                raise NoFile(name=new)
            self._client.rename(wanted, aside)
            try:
                self._client.rename(old, wanted)
            except OSError:
                self._client.rename(aside, wanted)
                raise
        self.course.note(not_at_once=True)
        with suppress(OSError):
            self._client.remove(aside)

    def remove(self, name: str) -> bool:
        """See `Session`."""
        with self._translating(CommandRefused):
            try:
                self._client.remove(self._path(name))
            except FileNotFoundError:
                return False
        return True

    def close(self) -> None:
        """See `Session`."""
        transport = getattr(self, "_transport", None)
        if transport is None:
            return
        with suppress(paramiko.SSHException, EOFError, OSError):
            if transport.is_active() and hasattr(self, "_client"):
                self._client.get_channel().settimeout(GOODBYE_S)
            transport.close()
        transport.sock.close()
        if transport.is_alive():
            transport.join(GOODBYE_S)

    # --- what the server says

    @contextmanager
    def _translating(self, refused: type[TargetError], **facts: Any) -> Iterator[None]:
        """Say in our words what the server or the connection says; `refused` is for a plain no."""
        try:
            yield
            self.course.alive()
        except (paramiko.SSHException, EOFError, TimeoutError) as error:
            raise self.course.cut or self._broken(error) from error
        except OSError as error:
            raise self.course.cut or self._answered(error, refused, facts) from error
        except (paramiko.SFTPError, ValueError, UnicodeError) as error:
            raise self.course.cut or NotUnderstood(answer=said(error)) from error

    def _answered(self, error: OSError, refused: type[TargetError], facts: dict[str, Any]) -> TargetError:
        answer = said(error)
        told = str(error.strerror or error)
        if not self._transport.is_active() or answers.is_closed(told, self._named):
            return ConnectionLost(f"{type(error).__name__}: {error}")
        if answers.is_full(told, self._named):
            return TargetFull(answer=answer)
        if refused is WriteRefused and error.errno not in (errno.ENOENT, errno.EACCES):
            return TryLater(answer=answer)  # "Failure" alone: most servers say no more, whatever it was
        return refused(answer, answer=answer, **facts)

    def _broken(self, error: Exception) -> TargetError:
        if isinstance(error, TimeoutError) or "timeout" in str(error).lower():
            return TargetSilent(str(error), limit=self.course.limits.silence)
        return ConnectionLost(f"{type(error).__name__}: {error}")
