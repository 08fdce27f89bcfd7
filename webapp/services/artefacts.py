"""The files of runs: where they are kept, and what a download needs (SPEC section 4, RELIABILITY P9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import current_app

from exports.archive import file_name
from exports.errors import Expired, Lost, NoFile, NothingDelivered, NotMade
from webapp.models import Run
from webapp.services import versions
from webapp.services.progress import present

if TYPE_CHECKING:
    from exports.storage import Storage


@dataclass(frozen=True)
class Artefact:
    """The published file of a run: a zip with one member. `sha256` is that of the member; `etag` that of this file."""

    key: str
    name: str
    member: str
    size: int
    sha256: str
    etag: str

    def pieces(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `end`, in pieces of 64 KiB; nothing is read before.

        Raises:
            FileNotFoundError: the file has been removed.
            StorageError: the store does not answer.
        """
        return store().read(self.key, start, self.size if end is None else end)


def store() -> Storage:
    """Where this installation keeps its files."""
    return _store(current_app.config["SETTINGS"].storage_url)


@lru_cache(maxsize=4)
def _store(url: str) -> Storage:
    from exports.storage import Storage

    return Storage(url)


def published(run: Run) -> Artefact | None:
    """What can be downloaded of a run of the present brand; None if there is nothing (yet, or any more)."""
    is_kept = run.artefact is not None and run.kept_until is not None and run.kept_until > present()
    if run.state != "success" or not is_kept:
        return None
    definition = versions.definition_of(run)
    return Artefact(
        key=str(run.artefact),
        name=file_name(definition.name, "zip"),
        member=file_name(definition.name, definition.file.extension),
        size=int(run.archive_bytes or 0),
        sha256=str(run.sha256),
        etag=f"{run.id}-{run.published_attempt}",
    )


def why_none(run: Run, day: str) -> NoFile:
    """Why a run has no file to download. `day`: until when it was kept, as the person's clock says it."""
    if run.state != "success":
        return NotMade()
    if run.delivered_nothing:
        return NothingDelivered()
    is_over = run.artefact is None or run.kept_until is None or run.kept_until <= present()
    return Expired(day=day) if is_over else Lost()
