"""ftplib's client as we need it: on connections to checked addresses, cut when they hang, one TLS session for all."""

from __future__ import annotations

import ftplib
import socket
import ssl
from typing import Final

from exports.delivery import tls
from exports.delivery.base import Course
from exports.delivery.reaching import keep_alive
from exports.errors.target import DataConnectionFailed

WITH_NAMES: Final = ("CWD", "MKD", "SIZE", "STOR", "RETR", "RNFR", "RNTO", "DELE")


class Client(ftplib.FTP):
    """ftplib's client on a connection that is there already; data connections are ours as well."""

    sock: socket.socket

    def __init__(self, connection: socket.socket, course: Course) -> None:
        super().__init__(timeout=course.limits.silence)
        self.course = course
        self.secret: ssl.SSLSocket | None = None
        self.name = ""
        self.protected = False
        self.named = set[str]()
        """The files and folders that the server was told of: what it says of them holds their names."""
        self._speaks_epsv = True
        self.take(connection)

    def take(self, connection: socket.socket) -> None:
        """Go on over this connection. Servers answer in any encoding: nothing of it may raise."""
        connection.settimeout(self.timeout)
        self.sock, self.af = connection, connection.family
        self.file = connection.makefile("r", encoding="utf-8", errors="surrogateescape")
        self.course.close_after(self.file)

    def begin_tls(self, context: ssl.SSLContext, name: str) -> ssl.SSLSocket:
        """Encrypt the control connection."""
        self.name = name
        self.secret = tls.wrapped(self.sock, context, name, self.course)
        self.take(self.secret)
        return self.secret

    def putcmd(self, line: str) -> None:
        """See ftplib."""
        verb, _, name = line.partition(" ")
        if verb in WITH_NAMES:
            self.named.add(name)
        super().putcmd(line)

    def getline(self) -> str:
        """See ftplib; each line is a sign of life."""
        line = super().getline()
        self.course.alive()
        return line

    def makepasv(self) -> tuple[str, int]:
        """A port for data at the server that we speak to: the address that it names is not looked at."""
        peer = self.sock.getpeername()
        if self._speaks_epsv:
            try:
                return peer[0], ftplib.parse229(self.sendcmd("EPSV"), peer)[1]  # noqa: S321 - FTP is what people ask for
            except ftplib.error_perm:
                self._speaks_epsv = False
        return peer[0], ftplib.parse227(self.sendcmd("PASV"))[1]  # noqa: S321 - as above

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """See ftplib; with TLS the session of the control connection is used again, as many servers demand."""
        host, port = self.makepasv()
        try:
            data = socket.create_connection((host, port), self.course.limits.connect)
        except OSError as error:
            raise DataConnectionFailed(f"{host}:{port}: {error}") from error
        keep_alive(data)
        self.course.hold(data)
        try:
            data.settimeout(self.timeout)
            answer = self.sendcmd(cmd)
            if answer[0] == "2":  # some servers say one thing too many
                answer = self.getresp()
            if answer[0] != "1":
                raise ftplib.error_reply(answer)  # noqa: S321 - as above
            if self.secret is not None and self.protected:
                data = tls.wrapped(data, self.secret.context, self.name, self.course, self.secret.session)
                tls.check_same(self.secret, data, self.name)
        except BaseException:
            data.close()
            raise
        return data, None
