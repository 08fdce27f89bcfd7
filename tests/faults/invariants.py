"""What is true of an installation whatever has happened to it (RELIABILITY section 3, checker I)."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

import psycopg
import redis
from psycopg.rows import dict_row

from exports import schedule as schedules

if TYPE_CHECKING:
    from tests.fix_workshop import Workshop

Rows = list[dict[str, Any]]

OVERDUE: Final = """
    SELECT id, attempt FROM runs WHERE state = 'processing' AND lease_until + interval '15 s' < clock()
"""
"""A lease lasts 30 s from its heartbeat, and nobody is without an owner for more than 45 s."""
SCHEDULED: Final = """
    SELECT e.id, e.created_at, e.next_run_at, v.definition->'schedule' AS schedule,
        array_agg(r.scheduled_for ORDER BY r.scheduled_for) FILTER (WHERE r.kind = 'schedule') AS moments
    FROM exports e JOIN export_versions v ON v.export_id = e.id AND v.number = e.version LEFT JOIN runs r
        ON r.export_id = e.id
    WHERE e.schedule <> 'now' AND e.version = 1 AND e.active IS NOT FALSE
        AND NOT EXISTS (SELECT FROM audit a WHERE a.action = 'export.set_inactive' AND a.object_id = e.id::text)
    GROUP BY e.id, v.definition
"""
"""Exports that were never inactive and never changed, with the moments that have rows."""


SHOWN: Final = """
    SELECT e.id FROM exports e LEFT JOIN runs r ON r.id = e.latest_run_id WHERE e.latest_state IS DISTINCT FROM r.state
"""
FOUND: Final = """
    SELECT r.*, r.kept_until <= clock() OR e.deleted_at IS NOT NULL AS is_over,
        EXISTS (SELECT FROM run_events k WHERE k.run_id = r.id AND k.kind = 'filed') AS is_filed
    FROM runs r JOIN exports e ON e.id = r.export_id
"""
"""`is_filed`: its file is kept before it is delivered."""


def broken(shop: Workshop, *, tidied: bool = False) -> list[str]:
    """A sentence for each invariant that does not hold. `tidied`: `upkeep.orphans` has just been, so only files that
    are published, or about to be, are in the store.
    """
    with psycopg.connect(shop.services.database_url, row_factory=dict_row) as connection:
        runs = list(connection.execute(FOUND))
        return [
            *_published_twice(connection),
            *_files(shop, runs, tidied=tidied),
            *(f"run {row['id']}: attempt {row['attempt']} has no living owner" for row in connection.execute(OVERDUE)),
            *_without_reason(runs),
            *_moments(connection),
            *(f"export {row['id']} shows another state than its newest run" for row in connection.execute(SHOWN)),
            *_secrets(shop, connection),
        ]


def _published_twice(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """(a) Of the attempts of a run one at most is published, and it is told once to the log and to the audit."""
    told = "SELECT run_id, count(*) AS times FROM run_events WHERE kind = 'published' GROUP BY 1 HAVING count(*) > 1"
    for row in connection.execute(told):
        yield f"run {row['run_id']} was published {row['times']} times"
    unlike = """
        SELECT id FROM runs WHERE (state = 'success')
            <> EXISTS (SELECT FROM run_events e WHERE e.run_id = runs.id AND kind = 'published')
        OR (state = 'success') <> (published_attempt IS NOT NULL)
    """
    for row in connection.execute(unlike):
        yield f"run {row['id']}: its state and its events do not agree on whether it was published"


def _files(shop: Workshop, runs: Rows, *, tidied: bool) -> Iterator[str]:
    """(b) The file of a finished run is the one that was published, whole. (f) Nothing else is left."""
    from webapp.services import artefacts

    with shop.app.app_context():
        store = artefacts.store()
        sizes = dict(store.list())
        for run in runs:
            key = run["artefact"]
            if key is not None:
                yield from _file(run, sizes.get(key), lambda key=key: b"".join(store.read(key)))
        if tidied:
            writing = {f"{run['brand_id']}/{run['id']}/{run['attempt']}.zip" for run in runs if _is_live(run)}
            needed = {run["artefact"] for run in runs} | writing
            for key in {*sizes, *store.unfinished()} - needed:
                yield f"{key} is nobody's and was not removed"


def _is_live(run: dict[str, Any]) -> bool:
    return bool(run["state"] == "processing")


def _file(run: dict[str, Any], size: int | None, content: Any) -> Iterator[str]:
    is_published = run["state"] == "success"
    attempts = [run["published_attempt"]] if is_published else range(1, run["attempt"] + 1) if run["is_filed"] else []
    if run["artefact"] not in {f"{run['brand_id']}/{run['id']}/{number}.zip" for number in attempts}:
        yield f"run {run['id']} has a file that its published attempt did not make"
    if size is None and run["is_over"]:
        return  # it is being removed: nobody can ask for it any more
    if size != run["archive_bytes"]:
        yield f"run {run['id']}: its file has {size} bytes, not {run['archive_bytes']}"
        return
    with zipfile.ZipFile(io.BytesIO(content())) as archive:
        [member] = archive.namelist()
        data = archive.read(member)
    if hashlib.sha256(data).hexdigest() != run["sha256"] or len(data) != run["bytes"]:
        yield f"run {run['id']}: its file is not what was published"
    if member.endswith(".csv") and data.count(b"\n") != run["rows"] + 1:
        yield f"run {run['id']}: its file has not {run['rows']} rows"


def _without_reason(runs: Rows) -> Iterator[str]:
    """(d) Whatever did not come to a file says why, and what to do."""
    for run in runs:
        told = all(run[column] for column in ("error_code", "error_message", "error_advice"))
        if run["state"] in ("failed", "missed", "skipped") and not told:
            yield f"run {run['id']} is {run['state']} and does not say why"
        if run["state"] in ("queued", "processing") and run["finished_at"] is not None:
            yield f"run {run['id']} has ended and is {run['state']}"


def _moments(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """(e) Each moment of a schedule has one row, none is left out, and the next one is waited for."""
    for export in connection.execute(SCHEDULED):
        schedule, made = schedules.read(export["schedule"]), list(export["moments"] or [])
        following = schedules.moments(schedule, export["created_at"])
        last = made[-1] if made else export["created_at"]
        wanted = list(takewhile(lambda moment, last=last: moment <= last, following))
        if made != wanted:
            unlike = Counter(made) - Counter(wanted), Counter(wanted) - Counter(made)
            yield f"export {export['id']}: rows for other moments than the schedule has: {unlike}"
        if export["next_run_at"] != schedules.next_moment(schedule, last):
            yield f"export {export['id']} waits for {export['next_run_at']}"


def _secrets(shop: Workshop, connection: psycopg.Connection[Any]) -> Iterator[str]:
    """(g) Nothing that is secret or personal is in Redis, and no key in the logs."""
    keys = [shop.services.environment["SECRET_KEY"].encode()]
    private = [
        str(row["told"]).encode()
        for row in connection.execute("SELECT name AS told FROM exports UNION SELECT email FROM users")
    ]
    kept = _content_of_redis(shop.services.redis_url)
    yield from ("a secret or a name is in Redis" for one in (*keys, *private) if one in kept)
    for log in shop.services.folder.glob("*.log"):
        if any(key in log.read_bytes() for key in keys):
            yield f"a secret is in {log.name}"


def _content_of_redis(url: str) -> bytes:
    """All there is, inflated; nothing if Redis is away."""
    readers: dict[bytes, Any] = {
        b"string": lambda client, key: [client.get(key)],
        b"hash": lambda client, key: [part for pair in client.hgetall(key).items() for part in pair],
        b"list": lambda client, key: client.lrange(key, 0, -1),
        b"set": lambda client, key: client.smembers(key),
        b"zset": lambda client, key: client.zrange(key, 0, -1),
    }
    found = [b""]
    with redis.Redis.from_url(url) as client:
        try:
            for key in client.scan_iter(count=1000):
                reader = readers.get(client.type(key), lambda _client, _key: [])
                found += [key, *(_inflated(part) for part in reader(client, key) if part)]
        except redis.RedisError:
            pass  # what is not there holds no secret
    return b"\n".join(found)


def _inflated(part: bytes) -> bytes:
    try:
        return zlib.decompress(part)
    except zlib.error:
        return part
