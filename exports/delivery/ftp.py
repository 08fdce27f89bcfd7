"""FTP and FTP over SSL, by ftplib.

The data connection goes to the server of the control connection, whatever address the server names (T3); a reply of
226 is no proof that all bytes arrived (RELIABILITY section 0, fact 4), so that sizes are asked for.
"""

from __future__ import annotations

import ftplib
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from exports.delivery import answers, tls
from exports.delivery.base import ASIDE, GOODBYE_S, PIECE, Course, Server, Session, SizeUnknown, above, said
from exports.delivery.ftp_client import Client
from exports.delivery.reaching import first_bytes
from exports.errors.target import (
    CommandRefused,
    ConnectionLost,
    DataConnectionFailed,
    DataUnprotected,
    FileExists,
    FolderRefused,
    LoginRefused,
    NameRefused,
    NotFtp,
    NotUnderstood,
    PasswordChangeDemanded,
    RenameRefused,
    ReplaceRefused,
    ServerBusy,
    SessionNotReused,
    TargetError,
    TargetFull,
    TargetSilent,
    TlsNotOffered,
    TryLater,
    WriteRefused,
)

IMPLICIT: Final = 990
"""The port at which TLS begins at once, without AUTH."""
AT_ONCE: Final = 256 * 1024
"""Bytes offered to a data connection without TLS: it takes what it has room for, and says how much that was."""
UNKNOWN_COMMAND: Final = ("500", "501", "502", "503", "504")
MAY_BE_FULL: Final = ("426", "450", "451", "452")
"""Codes of what may pass, with which some servers answer when a disk is full (pyftpdlib: 426, others: 452)."""
_UNIX_LINE = re.compile(r"^[-bcdlps]\S{9}\S*\s+\d+\s+\S+\s+\S+\s+(?P<size>\d+)\s+\S+\s+\S+\s+\S+\s(?P<name>.+)$")


class FtpSession(Session):
    """FTP, and with `type` ftps FTP over explicit TLS, or implicit at port 990."""

    def __init__(self, server: Server, course: Course, dial: Callable[[], socket.socket]) -> None:
        super().__init__(server, course)
        self._dial = dial
        self._client: Client
        self._is_secret = server.type == "ftps"
        self._knows_sizes = True

    # --- connect, security, login

    def connect(self) -> None:
        """See `Session`."""
        self._client = self._greeted(self._dial())

    def _greeted(self, connection: socket.socket) -> Client:
        client = Client(connection, self.course)
        if self._is_secret and self.server.port == IMPLICIT:
            return client
        self._welcome(client)
        return client

    def _welcome(self, client: Client) -> None:
        facts: dict[str, Any] = {"host": self.server.host, "port": self.server.port}
        try:
            if client.secret is None and first_bytes(client.sock) == b"SSH-":
                raise NotFtp(**facts)
            client.welcome = client.getresp()
        except ftplib.error_temp as error:
            raise ServerBusy(answer=said(error)) from error
        except ftplib.error_perm as error:
            raise CommandRefused(answer=said(error)) from error
        except ftplib.Error as error:
            raise self.course.cut or NotFtp(said(error), **facts) from error
        except TimeoutError as error:
            raise self.course.cut or TargetSilent(limit=self.course.limits.silence) from error
        except (OSError, EOFError) as error:
            raise self.course.cut or ConnectionLost(f"{type(error).__name__}: {error}") from error

    def secure(self) -> None:
        """See `Session`. Over FTP without SSL there is nothing to do."""
        if not self._is_secret:
            return
        found = tls.secured(self._begin_tls, self._client, self._again, self.server, self.course)
        self._client, self.offered = found
        self.course.facts["certificate"] = self.offered

    def _again(self) -> Client:
        return self._greeted(self._dial())

    def _begin_tls(self, client: Client, context: ssl.SSLContext) -> ssl.SSLSocket:
        with self._translating(TlsNotOffered):
            if self.server.port != IMPLICIT:
                client.voidcmd("AUTH TLS")
        try:
            made = client.begin_tls(context, self.server.host)
        except OSError as error:
            raise self.course.cut or tls.refused(error, self.server) from error
        if self.server.port == IMPLICIT:
            self._welcome(client)
        return made

    def login(self) -> None:
        """See `Session`."""
        with self._translating(LoginRefused, username=self.server.username):
            answer = self._client.login(self.server.username, self.server.password)
        if not answer.startswith("2"):
            raise PasswordChangeDemanded(said(answer), username=self.server.username)
        if self._is_secret:
            with self._translating(DataUnprotected):
                self._client.voidcmd("PBSZ 0")
                self._client.voidcmd("PROT P")
            self._client.protected = True
        with self._translating(CommandRefused):
            with suppress(ftplib.error_perm):
                self._client.sendcmd("OPTS UTF8 ON")
            self._client.voidcmd("TYPE I")

    # --- folder

    def enter(self, folder: str) -> None:
        """See `Session`. A folder is entered, and files are then named without it: what most servers understand."""
        if not folder or self._entered(folder):
            return
        with self._translating(FolderRefused, folder=folder):
            for place in above(folder):
                with suppress(ftplib.error_perm):  # those that are there; the last word is that of CWD
                    self._client.mkd(place)
            self._client.cwd(folder)

    def _entered(self, folder: str) -> bool:
        with self._translating(FolderRefused, folder=folder):
            try:
                self._client.cwd(folder)
            except ftplib.error_perm:
                return False
        return True

    def first_free(self, names: Sequence[str]) -> str | None:
        """See `Session`. Of a listing is kept what was asked for: a folder may hold more than there is memory for."""
        wanted, taken = set(names), set[str]()

        def look(line: str) -> None:
            if (name := line.replace("\\", "/").rpartition("/")[2]) in wanted:
                taken.add(name)

        with self._translating(CommandRefused):
            try:
                self._list("NLST", look)
            except ftplib.error_perm as error:
                if str(error)[:3] != "550":  # what some say of an empty folder
                    raise
        return next((one for one in names if one not in taken), None)

    def size(self, name: str) -> int | None:
        """See `Session`. Without SIZE a line of LIST is read; without that nobody knows."""
        with self._translating(CommandRefused):
            if self._knows_sizes:
                try:
                    return self._client.size(name)
                except ftplib.error_perm as error:
                    if str(error)[:3] not in UNKNOWN_COMMAND:
                        return None
                    self._knows_sizes = False
            return self._listed_size(name)

    def _listed_size(self, name: str) -> int | None:
        """From lines as `ls -l` writes them. Who lists no names that begin with a dot shows no temporary ones."""
        sizes: list[int] = []
        others: list[bool] = []

        def look(line: str) -> None:
            if found := _UNIX_LINE.match(line):
                sizes.extend([int(found["size"])] if found["name"] == name else [])
            elif not line.startswith("total"):
                others[:] = [True]

        try:
            self._list("LIST", look)
        except ftplib.error_perm as error:
            raise SizeUnknown from error
        if not sizes and (others or name.startswith(".")):
            raise SizeUnknown
        return sizes[0] if sizes else None

    def _list(self, command: str, look: Callable[[str], None]) -> None:
        """Look at each line of a listing. ftplib asks for text then; files and sizes are of bytes again."""

        def look_at(line: str) -> None:
            self.course.alive()
            look(line)

        try:
            self._client.retrlines(command, look_at)
        finally:
            self._client.voidcmd("TYPE I")

    # --- write, rename

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        """See `Session`."""
        sent = 0
        with self._translating(WriteRefused, folder="this folder", name=name):
            data = self._client.transfercmd(f"STOR {name}")
            at_once = PIECE if isinstance(data, ssl.SSLSocket) else AT_ONCE
            try:
                for piece in pieces:
                    view = memoryview(piece)
                    while view:
                        taken = data.send(view[:at_once])
                        view, sent = view[taken:], sent + taken
                        self.course.sent(sent)
                _say_goodbye(data)
            except OSError as error:
                data.close()
                raise self._reason(error) from error
            except BaseException:
                data.close()
                self._hear_out()
                raise
            data.close()
            self._client.voidresp()
        return sent

    def _hear_out(self) -> None:
        """Take the answer to a transfer that was stopped here, or the next one would be taken for it."""
        with suppress(OSError, EOFError, ftplib.Error):
            self._client.sock.settimeout(GOODBYE_S)
            self._client.voidresp()

    def _reason(self, error: OSError) -> Exception:
        """Why a data connection broke: what the server says of it on the other one, if it says something."""
        if self.course.cut is not None:
            return self.course.cut
        if isinstance(error, TimeoutError):
            return TargetSilent(limit=self.course.limits.silence)
        try:
            self._client.sock.settimeout(GOODBYE_S)
            self._client.voidresp()
        except (ftplib.error_temp, ftplib.error_perm) as told:
            return told
        except (OSError, EOFError, ftplib.Error):
            return ConnectionLost(str(error))
        return ConnectionLost(str(error))

    def read(self, name: str) -> Iterator[bytes]:
        """See `Session`."""
        with self._translating(CommandRefused):
            data = self._client.transfercmd(f"RETR {name}")
            try:
                while piece := data.recv(PIECE):
                    self.course.alive()
                    yield piece
            finally:
                data.close()
            self._client.voidresp()

    def rename(self, name: str, new: str, *, replace: bool) -> None:
        """See `Session`. If the server will not put it in place of another file, that one is moved aside first."""
        if not replace and self.exists(new):
            raise FileExists(name=new)
        with self._translating(RenameRefused, name=new):
            try:
                self._client.rename(name, new)
            except (ftplib.error_perm, ftplib.error_temp) as refused:
                if not self.exists(new) or (replace and isinstance(refused, ftplib.error_temp)):
                    raise
                if not replace:
                    raise FileExists(name=new) from None
                self._replace(name, new)

    def _replace(self, name: str, new: str) -> None:
        aside = f"{name}{ASIDE}"
        with self._translating(ReplaceRefused, name=new):
            self._client.rename(new, aside)
        try:
            self._client.rename(name, new)
        except ftplib.Error:
            self._client.rename(aside, new)
            raise
        self.course.note(not_at_once=True)
        with suppress(ftplib.error_perm):
            self._client.delete(aside)

    def remove(self, name: str) -> bool:
        """See `Session`."""
        with self._translating(CommandRefused):
            try:
                self._client.delete(name)
            except ftplib.error_perm:
                return False
        return True

    def close(self) -> None:
        """See `Session`."""
        client = getattr(self, "_client", None)
        if client is None or client.sock is None:
            return
        with suppress(OSError, EOFError, ftplib.Error, ValueError):
            client.sock.settimeout(GOODBYE_S)
            client.quit()
        client.close()

    # --- what the server says

    @contextmanager
    def _translating(self, refused: type[TargetError], **facts: Any) -> Iterator[None]:
        """Say in our words what the server or the connection says; `refused` is for a plain no."""
        try:
            yield
        except (ftplib.error_temp, ftplib.error_perm) as error:
            raise self.course.cut or self._answered(str(error), refused, facts) from error
        except (ftplib.Error, UnicodeError, ValueError) as error:
            raise self.course.cut or NotUnderstood(answer=said(error)) from error
        except ssl.SSLError as error:
            raise self.course.cut or self._data_refused(error) from error
        except TimeoutError as error:
            raise self.course.cut or TargetSilent(limit=self.course.limits.silence) from error
        except (OSError, EOFError) as error:
            raise self.course.cut or ConnectionLost(f"{type(error).__name__}: {error}") from error

    def _data_refused(self, error: ssl.SSLError) -> TargetError:
        """The handshake of a data connection failed: the server says why on the other one."""
        with suppress(OSError, EOFError, ftplib.Error):
            self._client.sock.settimeout(GOODBYE_S)
            try:
                self._client.voidresp()
            except (ftplib.error_temp, ftplib.error_perm) as told:
                if str(told)[:3] == "522" or answers.wants_session(str(told), self._client.named):
                    return SessionNotReused(answer=said(told))
        return tls.refused(error, self.server)

    def _answered(self, told: str, refused: type[TargetError], facts: dict[str, Any]) -> TargetError:
        """What a reply code means (RFC 959, 2228): 4xx may pass, 5xx will not."""
        code, answer = told[:3], said(told)
        if refused in (TlsNotOffered, DataUnprotected) and code[0] == "5":
            return refused(answer=answer)
        if code == "522" or (
            self._is_secret and refused is WriteRefused and answers.wants_session(told, self._client.named)
        ):
            return SessionNotReused(answer=answer)
        if code == "421":
            return ServerBusy(answer=answer)
        if code == "425":
            return DataConnectionFailed(answer)
        if code == "552" or (code in MAY_BE_FULL and answers.is_full(told, self._client.named)):
            return TargetFull(answer=answer)
        if code == "426":
            return ConnectionLost(answer)
        if code == "553" and refused in (WriteRefused, RenameRefused):
            return NameRefused(answer=answer, name=facts.get("name", ""))
        if code[0] == "4" and not (code == "430" and refused is LoginRefused):
            return TryLater(answer=answer)
        return refused(answer, answer=answer, **facts)


def _say_goodbye(data: socket.socket) -> None:
    """End a data connection so that the server knows that all came. Some servers never answer; sizes are asked for."""
    if isinstance(data, ssl.SSLSocket):
        data.settimeout(GOODBYE_S)
        with suppress(OSError):
            data.unwrap()
