"""What a definition's member `target` holds: nothing, or where and how the file is uploaded (SPEC sections 3.7, 11)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, PlainValidator, Tag, WithJsonSchema
from pydantic import Field as Limits

from exports import addresses, paths
from exports.addresses import Guard
from exports.errors import AddressBlocked, Problem

MAX_CREDENTIAL: Final = 512
MAX_ID: Final = 36
PORTS: Final = {"ftp": 21, "ftps": 21, "sftp": 22}
"""The port that is meant if none is named (REFERENCE section 4.7)."""
UPLOADS: Final = tuple(PORTS)

Kind = Literal["ftp", "ftps", "sftp"]
IfExists = Literal["replace", "number", "fail"]


def _on_one_line(text: str) -> str:
    """A line end in a name or password would be a command of its own to an FTP server."""
    if "\x00" in text:
        raise ValueError("must not hold the character NUL")
    if any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") for one in text):
        raise ValueError("must not hold line breaks or other control characters")
    return text


Id = Annotated[str, Limits(max_length=MAX_ID), AfterValidator(_on_one_line)]
Line = Annotated[str, Limits(max_length=MAX_CREDENTIAL), AfterValidator(_on_one_line)]
LongLine = Annotated[str, Limits(max_length=1_000), AfterValidator(_on_one_line)]
Port = Annotated[
    int,
    PlainValidator(addresses.read_port),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": addresses.MAX_PORT}),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NoTarget(_Strict):
    """No upload: the file is downloaded."""

    type: Literal["none"] = "none"


class Upload(_Strict):
    """An upload by a saved connection, or by one that is typed here and saved when the export is.

    `path` contains the file's name and may hold placeholders. A password is in no document that we give out.
    """

    type: Kind
    connection: Id | None = None
    host: LongLine | None = None
    port: Port | None = None
    username: Line | None = None
    password: Line | None = Limits(default=None, repr=False, exclude=True)
    path: str = Limits(default="", max_length=4 * paths.MAX_PATH)
    archive: bool = False
    if_exists: IfExists = "replace"

    @property
    def by_hand(self) -> bool:
        """Whether the server is described here and not by a saved connection."""
        return self.connection is None

    @property
    def port_or_usual(self) -> int:
        """The port, or the one that servers of this type usually have."""
        return self.port or PORTS[self.type]

    def through(self, connection: str) -> Upload:
        """The same upload, by the saved connection that was made of what was typed: this is what is stored."""
        nothing = dict.fromkeys(("host", "port", "username", "password"))
        return self.model_copy(update={**nothing, "connection": connection})


def _which(value: Any) -> str | None:
    kind = value.get("type", "none") if isinstance(value, dict) else getattr(value, "type", None)
    return "none" if kind == "none" else "upload" if isinstance(kind, str) and kind in UPLOADS else None


Target = Annotated[
    Annotated[NoTarget, Tag("none")] | Annotated[Upload, Tag("upload")],
    Discriminator(
        _which,
        custom_error_type="target_kind",
        custom_error_message="must have the type none, ftp, ftps or sftp",
    ),
]


# --- the rules; those of connections that are saved, webapp/services/connections.py knows


def problems(target: Target, extension: str, *, repeats: bool) -> Iterator[Problem]:
    """Every rule that a target breaks, in the order of the form. `repeats`: the export runs again and again."""
    if isinstance(target, NoTarget):
        return
    yield from _server(target)
    try:
        paths.check(target.path, extension, target.archive)
    except paths.PathRefused as refused:
        yield Problem("target.path", "target.path", str(refused))
        return
    if repeats and target.if_exists == "replace" and not paths.has_placeholder(target.path):
        message = "Each run replaces the file of the run before: use a placeholder such as %Y%m%d to keep them all"
        yield Problem("target.path", "target.replaces", message, warning=True)


def _server(target: Upload) -> Iterator[Problem]:
    if not target.by_hand:
        for member in ("host", "port", "username", "password"):
            if getattr(target, member) is not None:
                message = f"The connection has its own {member}: leave it out"
                yield Problem(f"target.{member}", "target.both", message)
        return
    for member, message in (("host", "Enter the host"), ("username", "Enter the username")):
        if not getattr(target, member):
            yield Problem(f"target.{member}", f"target.{member}", message)
    if not target.password:
        yield Problem("target.password", "target.password", "Enter the password")
    if target.host:
        try:
            addresses.read_host(target.host)
        except ValueError as rule:
            yield Problem("target.host", "target.host", f"The host {rule}")


def blocked(target: Target, guard: Guard) -> Iterator[Problem]:
    """A server typed by hand that may not be reached, as far as that is known without asking anybody."""
    if isinstance(target, NoTarget) or not target.host:
        return
    try:
        guard.check(addresses.read_host(target.host), target.port_or_usual)
    except AddressBlocked as error:
        yield Problem("target.host", error.code, f"{error.message} {error.advised}")
    except ValueError:
        return  # `problems` says it
