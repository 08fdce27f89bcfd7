"""What every kind of upload server can be asked for, and how far one use of it has come."""

from __future__ import annotations

import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import IO, Any, Final, Literal

from exports.errors.target import TargetError, TargetSilent, TargetSlow
from exports.target import Kind

Phase = Literal["address", "connect", "security", "login", "folder", "write", "rename"]
PHASES: Final[tuple[Phase, ...]] = ("address", "connect", "security", "login", "folder", "write", "rename")

PIECE: Final = 64 * 1024
"""Bytes that are handed to the network at a time: every one of them that is taken is a sign of life."""
SLOWEST: Final = 10_000
"""Bytes a second. Who takes less is given up: a file of 1 GB may take 28 hours (RELIABILITY F24)."""
ASIDE: Final = ".old"
"""What a file's temporary name is followed by in the name under which the former file waits, where it has to."""
LOOK_AGAIN_S: Final = 0.5
"""Between two looks whether the clocks of a course go on."""
GOODBYE_S: Final = 3.0
"""For what is only polite: the end of a TLS connection, QUIT, removing what was begun."""


@dataclass(frozen=True)
class Server:
    """Where to, as whom, and what is trusted there.

    `trust`: the accepted host key or certificate, as `Session.offered` tells it ("ssh-ed25519 SHA256:…"); None if
    nobody has accepted one. Either `password` or `private_key` (OpenSSH or PEM, with its `passphrase`).
    """

    type: Kind
    host: str
    port: int
    username: str
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    trust: str | None = None


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds: each step of connecting, an upload without progress, and all of it."""

    connect: float = 15.0
    silence: float = 40.0
    grace: float = 60.0

    def total(self, size: int) -> float:
        """The longest that so many bytes may take."""
        return self.grace + size / SLOWEST


@dataclass(frozen=True)
class Step:
    """Something that happens: a phase began, with its `limit`, went well, or failed; or a note about what this server
    cannot do.
    """

    phase: Phase
    state: Literal["begun", "done", "failed", "note"]
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


Tell = Callable[[Step], None]
Watch = Callable[[int], None]
"""Called with the number of bytes sent so far, several times a second. Raises to stop the delivery."""


class Course:
    """One use of a server: its phases one after another, each bounded in time and told.

    A thread watches: when the time of a phase is over it cuts the connections, so that no call of any library hangs.
    What then goes wrong is known for what it is: the server was silent.
    """

    def __init__(self, limits: Limits, tell: Tell | None = None, watch: Watch | None = None) -> None:
        self.limits = limits
        self.facts: dict[str, Any] = {}
        self.certificate = b""
        """What the server showed, DER."""
        self._tell = tell or (lambda _step: None)
        self._watch = watch or (lambda _sent: None)
        self._phase: Phase = "address"
        self._cuts: list[Callable[[], object]] = []
        self._held: list[IO[Any] | socket.socket] = []
        self._cut: TargetError | None = None
        self._limit, self._last = float("inf"), time.monotonic()
        self._is_firm = False
        self._total = 0.0
        self._end = float("inf")
        self._stands = False
        self._changed = threading.Condition()
        self._ended = False
        threading.Thread(target=self._guard, name="upload-watchdog", daemon=True).start()

    def close(self) -> None:
        """Watch no longer, and let go of all connections, also of those that came to nothing."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        for one in reversed(self._held):
            with suppress(OSError):
                one.close()

    def cut_with(self, cut: Callable[[], object]) -> None:
        """What breaks a connection that was just opened, from another thread; one that comes too late is broken now."""
        with self._changed:
            self._cuts.append(cut)
            is_late = self._cut is not None
        if is_late:
            self._break([cut])

    def hold(self, connection: socket.socket) -> None:
        """A connection that was just opened, or that TLS was begun on: it is cut and closed with this course.

        It is shut down without anything of TLS: another thread may be in the middle of it.
        """
        self._held.append(connection)
        self.cut_with(lambda: socket.socket.shutdown(connection, socket.SHUT_RDWR))

    def close_after(self, file: IO[Any]) -> None:
        """A file over a connection, which is closed before it."""
        self._held.append(file)

    def note(self, **facts: Any) -> None:
        """Tell something about the present phase, and keep it."""
        self.facts.update(facts)
        self._tell(Step(self._phase, "note", 0.0, facts))

    @contextmanager
    def phase(self, name: Phase, limit: float, *, firm: bool = False) -> Iterator[None]:
        """The phase with this name. Nothing in it may be silent for longer than `limit`; `firm`: nor may all of it
        take longer, so that nobody is held up by a server that says something again and again.

        Raises:
            TargetError: what went wrong in it, with `phase` set.
        """
        began = time.monotonic()
        self._phase = name
        self._bound(limit, firm)
        self._tell(Step(name, "begun", 0.0, {"limit": limit}))
        try:
            yield
        except TargetError as error:
            error.phase = name
            self._tell(Step(name, "failed", time.monotonic() - began, {"code": error.code}))
            raise
        finally:
            self._bound(float("inf"))
        self._tell(Step(name, "done", time.monotonic() - began))

    def sent(self, number: int) -> None:
        """So many bytes were sent in all. Raises what the caller of the delivery wants to stop it with."""
        self.alive()
        self._watch(number)

    def alive(self) -> None:
        """The server answered something, or took something."""
        if not self._is_firm:
            self._last = time.monotonic()

    def ours(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The bytes that are to be sent. While one of them is waited for nobody at the server is silent or slow: the
        clocks stand still. How long the store may take is its own affair.
        """
        waiting = iter(pieces)
        while True:
            began, self._stands = time.monotonic(), True
            try:
                piece = next(waiting, None)
            finally:
                self._last = time.monotonic()
                self._end += self._last - began
                self._stands = False
            if piece is None:
                return
            yield piece

    def whole(self, limit: float) -> None:
        """Bound all that follows, together."""
        with self._changed:
            self._end = time.monotonic() + limit
            self._total = limit
            self._changed.notify()

    @property
    def cut(self) -> TargetError | None:
        """Why the connection was cut from our side; None if it was not."""
        return self._cut

    def _bound(self, limit: float, firm: bool = False) -> None:
        with self._changed:
            self._limit, self._last, self._is_firm = limit, time.monotonic(), firm
            self._changed.notify()

    def _guard(self) -> None:
        with self._changed:
            while not self._ended:
                now = time.monotonic()
                if self._stands:
                    self._changed.wait(LOOK_AGAIN_S)
                    continue
                if now >= self._end or now >= self._last + self._limit:
                    late = now >= self._end
                    self._cut = TargetSlow(limit=self._total) if late else TargetSilent(limit=self._limit)
                    break
                wait = min(self._last + self._limit, self._end) - now
                self._changed.wait(None if wait == float("inf") else wait)
            opened = self._cuts[::-1] if self._cut is not None else []
        self._break(opened)

    @staticmethod
    def _break(cuts: Iterable[Callable[[], object]]) -> None:
        for cut in cuts:
            with suppress(OSError, EOFError):  # it is broken already
                cut()


class Session(ABC):
    """A login at one server. Files are named by their names in the folder that was entered.

    Each method raises a TargetError, translated at the edge from what the libraries raise.
    """

    offered: str = ""
    """The host key or certificate that the server showed, as people compare it and as `Server.trust` holds it."""

    def __init__(self, server: Server, course: Course) -> None:
        self.server = server
        self.course = course

    @abstractmethod
    def connect(self) -> None:
        """Reach the server and see that it speaks the protocol."""

    @abstractmethod
    def secure(self) -> None:
        """Encrypt, and see that it is the server that is trusted: nothing secret was sent before."""

    @abstractmethod
    def login(self) -> None:
        """Log in."""

    @abstractmethod
    def enter(self, folder: str) -> None:
        """Make a folder if it is missing, with those above it; the names of files are names in there."""

    @abstractmethod
    def size(self, name: str) -> int | None:
        """The bytes of a file; None if there is none. Raises SizeUnknown if this server cannot say."""

    @abstractmethod
    def first_free(self, names: Sequence[str]) -> str | None:
        """The first of these names that nothing in the folder has; None if all are taken."""

    @abstractmethod
    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        """Write a new file; returns how many bytes were sent."""

    @abstractmethod
    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of a file."""

    @abstractmethod
    def rename(self, name: str, new: str, *, replace: bool) -> None:
        """Give a file another name, in place of a file of that name if `replace`."""

    @abstractmethod
    def remove(self, name: str) -> bool:
        """Remove a file; whether it was there."""

    @abstractmethod
    def close(self) -> None:
        """Leave; never raises."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        try:
            return self.size(name) is not None
        except SizeUnknown:
            return self.first_free([name]) is None


class SizeUnknown(Exception):
    """This server has no way to tell the size of a file."""


def said(what: BaseException | str) -> str:
    """What a server said, as it can be shown: on one line, printable, not long."""
    told = what if isinstance(what, str) else (isinstance(what, OSError) and what.strerror) or str(what)
    shown = "".join(one if one.isprintable() else " " for one in told.encode(errors="replace").decode())
    return " ".join(shown.split())[:200] or "it did not say why"


def above(folder: str) -> Iterator[str]:
    """The folders on the way to a folder, and itself: `/in`, `/in/daily`."""
    parts = folder.split("/")
    for number in range(1, len(parts) + 1):
        if parts[number - 1]:
            yield "/".join(parts[:number])
