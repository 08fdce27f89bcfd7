"""The archive that is downloaded: one member, streamed, the same bytes for the same data. And the names of files."""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any, Final

MEMBER_TIME: Final = datetime(1980, 1, 1)
MEMBER_MODE: Final = 0o100644
MAX_NAME_BYTES: Final = 200
HEADER: Final = 30
"""Bytes of a local header before the name and the extra field, whose lengths are its last four."""
PIECE: Final = 256 * 1024
RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{kind}{number}" for kind in ("com", "lpt") for number in "0123456789¹²³")}
)
"""Names that Windows keeps for devices, whatever extension follows."""
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')


def file_name(name: str, extension: str) -> str:
    """The name of a file that inherits the name of its export (SPEC section 6, "Download")."""
    safe = "".join("_" if unicodedata.category(one) in ("Cc", "Cs") else one for one in _FORBIDDEN.sub("_", name))
    ending = f".{extension}"
    safe = _cut(safe.strip(". "), MAX_NAME_BYTES - len(ending.encode())).strip(". ") or "export"
    if safe.split(".")[0].rstrip(" ").lower() in RESERVED:
        safe = _cut(safe, MAX_NAME_BYTES - len(ending.encode()) - 1)
        stem, dot, rest = safe.partition(".")
        safe = f"{stem}_{dot}{rest}"
    return safe + ending


def _cut(text: str, size: int) -> str:
    """The beginning of a text that fits into so many bytes of UTF-8, no character cut in two."""
    return text.encode()[:size].decode(errors="ignore")


def unzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The one member of an archive that `zipped` has made, in pieces, from those of the archive."""
    from isal import isal_zlib

    whole = iter(pieces)
    head = b""
    while len(head) < HEADER or len(head) < HEADER + sum(struct.unpack("<HH", head[26:30])):
        head += next(whole)
    start = HEADER + sum(struct.unpack("<HH", head[26:30]))
    inflater = isal_zlib.decompressobj(wbits=-isal_zlib.MAX_WBITS)
    for piece in chain((head[start:],), whole):
        while piece:
            data = inflater.decompress(piece, PIECE)
            if data:
                yield data
            if inflater.eof:
                return
            piece = inflater.unconsumed_tail


def zipped(pieces: Iterable[bytes | bytearray], member: str) -> Iterator[bytes]:
    """A zip with one member, in pieces of 64 KiB.

    isal's deflate at level 1: zlib's level 6 is 20 times slower for files that are 10 % smaller. Zip64 always, as the
    size is not known before.
    """
    from isal import isal_zlib  # only those who make an archive pay for loading these
    from stream_zip import ZIP_64, stream_zip

    def deflate() -> Any:
        return isal_zlib.compressobj(level=1, wbits=-isal_zlib.MAX_WBITS)

    members: Any = [(member, MEMBER_TIME, MEMBER_MODE, ZIP_64, pieces)]
    yield from stream_zip(members, get_compressobj=deflate, extended_timestamps=False)
