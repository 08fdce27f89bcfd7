"""pandas: `read_sql`, then `to_csv`; whole as Superset does, or in chunks from a server-side cursor."""

from __future__ import annotations

from typing import Any

import pandas
import psycopg2  # noqa: F401 - loaded before the clock starts
from asked import CHUNK, CHUNKED, HEADERS, IN_SQL, STORES, ZONE, answer, query
from sqlalchemy import create_engine, text


def make(asked: dict[str, Any]) -> None:
    """Whole: one DataFrame. Chunked: one after the other, into the same file."""
    engine = create_engine(asked["url"].replace("postgresql:", "postgresql+psycopg2:", 1))
    select = text(query(asked["case"], asked["variant"], asked["until"]))
    mapping = asked["case"] == "mapped" and asked["variant"] != IN_SQL
    with engine.connect() as connection, open(asked["out"], "w", newline="", encoding="utf-8") as file:
        if asked["variant"].startswith(CHUNKED):
            streaming = connection.execution_options(stream_results=True)
            for number, frame in enumerate(pandas.read_sql(select, streaming, chunksize=CHUNK)):
                (mapped(frame) if mapping else frame).to_csv(file, index=False, header=number == 0)
        else:
            frame = pandas.read_sql(select, connection)
            (mapped(frame) if mapping else frame).to_csv(file, index=False)


def mapped(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Time zone, Replace values and Default, as one does them in pandas."""
    frame["timestamp"] = frame["timestamp"].dt.tz_convert(ZONE).dt.tz_localize(None).dt.floor("s")
    frame["action"] = frame["action"].replace({"checkout_item": "Item"})
    frame["store"] = frame["store"].map(STORES).fillna(frame["store"])
    frame = frame.fillna({"customer": "n/a", "points": 0, "product_id": "unknown"})
    return frame.set_axis(HEADERS, axis=1)


answer(make)
