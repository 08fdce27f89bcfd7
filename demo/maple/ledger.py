"""The events of all kinds in one order: ids that tell the time, balances of points, and the rows as they are stored.

A block holds the events of one action. The ledger puts the blocks in the order of time; an event's number in that order
is part of its id, and all that comes later in the year leaves it as it is: a part's ids are those of the whole year.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demo import columns, draw
from demo.copying import ROWS
from demo.maple import points as balance
from demo.retailer import Ids, to_local

SPENDING = ("reward",)
EXPIRING = ("point_sub",)
WITHOUT_POINTS = ("opt_in", "opt_out", "profile", "visit")
YEAR = np.timedelta64(365, "D")
MACHINE = np.frombuffer(b"6d61706c", np.uint8)
"""Digits 9 to 16 of every event id ("mapl"); 1 to 8 are the time, 17 to 22 the number, 23 and 24 the copy."""

TEXTS = ("cid", "hash", "admin", "user_id", "signed", "source", "ip_address", "user_agent", "properties")


@dataclass(frozen=True)
class Block:
    """Events of one action; `texts` gives, for row numbers of the block, the columns of TEXTS (left out: null).

    `basket` keeps the events of one basket together, and 0 stands for none. `parent` holds row numbers of the block
    named `parents`, -1 for none.
    """

    action: str
    at: Ids
    customer: Ids
    points: Ids
    texts: Callable[[Ids], Mapping[str, pa.Array]]
    basket: Ids | None = None
    parents: str = ""
    parent: Ids | None = None

    def before(self, until: int) -> Block:
        """The events before a moment. For blocks whose texts are drawn from whole columns."""
        rows = np.flatnonzero(self.at < until)
        return Block(
            self.action,
            self.at[rows],
            self.customer[rows],
            self.points[rows],
            lambda some: self.texts(rows[some]),
            None if self.basket is None else self.basket[rows],
            self.parents,
            None if self.parent is None else self.parent[rows],
        )


class Ledger:
    """All events in the order of time. Arrays are in that order; `places` gives the number of a block's row."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = {block.action: block for block in blocks}
        sizes = [len(block.at) for block in blocks]
        self._starts = dict(zip(self.blocks, np.cumsum([0, *sizes])[:-1].tolist(), strict=True))
        at = np.concatenate([block.at for block in blocks])
        baskets = [block.basket if block.basket is not None else np.zeros(len(block.at), np.int64) for block in blocks]
        actions = np.repeat(np.arange(len(blocks)), sizes)
        self._order = np.lexsort((actions, np.concatenate(baskets), at))
        self._place = np.empty(len(at), np.int64)
        self._place[self._order] = np.arange(len(at))
        self.at: Ids = at[self._order]
        self.action: Ids = actions[self._order]
        self.customer: Ids = np.concatenate([block.customer for block in blocks])[self._order]
        self.points: Ids = np.concatenate([block.points for block in blocks])[self._order]
        self.day = to_local(self.at).astype("datetime64[D]")
        self.parent: Ids = np.concatenate([self._parents(block) for block in blocks])[self._order]
        self.balances = balance.balances(self.customer, self.points, self.is_any(SPENDING), self.is_any(EXPIRING))

    def __len__(self) -> int:
        return len(self.at)

    def places(self, action: str, rows: Ids) -> Ids:
        """Numbers of a block's rows in the order of time."""
        places: Ids = self._place[rows + self._starts[action]]
        return places

    def ids(self, numbers: Ids) -> pa.Array:
        """Event ids by numbers."""
        return event_ids(self.at[numbers], numbers)

    def is_any(self, actions: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which events are of one of these actions."""
        names = list(self.blocks)
        return np.isin(self.action, [names.index(one) for one in actions if one in names])

    def _parents(self, block: Block) -> Ids:
        if block.parent is None:
            return np.full(len(block.at), -1)
        places = self.places(block.parents, np.maximum(block.parent, 0))
        return np.where(block.parent < 0, -1, places)

    def tables(self) -> Iterator[pa.Table]:
        """The rows of loyalty.events in key order, in pieces."""
        usages = balance.usages(self.customer, self.points, self.balances, self.ids)
        for start in range(0, len(self), ROWS):
            yield self._piece(np.arange(start, min(start + ROWS, len(self))), usages)

    def _piece(self, numbers: Ids, usages: Mapping[int, str]) -> pa.Table:
        points, day, action = self.points[numbers], self.day[numbers], self.action[numbers]
        earned = points > 0
        pointless = np.isin(action, np.flatnonzero(np.isin(list(self.blocks), WITHOUT_POINTS)))
        used, parent = self.balances.used[numbers], self.parent[numbers]
        given = {
            "_id": self.ids(numbers),
            "customer": columns.integers(self.customer[numbers]),
            "action": pa.array(list(self.blocks), pa.string()).take(pa.array(action)),
            "account": pc.if_else(pa.array(pointless), pa.scalar(None, pa.string()), "main"),
            "points": pa.array(points, mask=pointless),
            "timestamp": columns.timestamps(self.at[numbers]),
            "unix_timestamp": pa.array(self.at[numbers]),
            "process_timestamp": columns.timestamps(self.at[numbers] + 1 + draw.below("processing", numbers, 4)),
            "date": columns.dates(day),
            "expdate": columns.dates((day + YEAR).astype("datetime64[D]"), ~earned),
            "expired": pa.array(used == points, mask=~earned),
            "used_points": pa.array(used, mask=~earned),
            "usages": pa.array([usages.get(one) for one in numbers.tolist()], pa.string()),
            "parent": self.ids(np.maximum(parent, 0)).filter(pa.array(parent >= 0)),
            "snapshot": self.balances.snapshots(numbers, self.action[numbers] != self._index("checkout_item")),
        }
        given["parent"] = _spread(given["parent"], parent >= 0)
        return pa.table({**given, **self._texts(numbers, action)})

    def _index(self, action: str) -> int:
        return list(self.blocks).index(action)

    def _texts(self, numbers: Ids, action: Ids) -> dict[str, pa.Array]:
        """The columns that each block writes for itself, put together in the order of the ledger."""
        gathered: list[dict[str, pa.Array]] = []
        positions: list[Ids] = []
        for index, (name, block) in enumerate(self.blocks.items()):
            chosen = np.flatnonzero(action == index)
            if len(chosen):
                written = block.texts(self._order[numbers[chosen]] - self._starts[name])
                gathered.append({text: written.get(text, pa.nulls(len(chosen), pa.string())) for text in TEXTS})
                positions.append(chosen)
        back = pa.array(np.argsort(np.concatenate(positions), kind="stable"))
        return {text: pa.concat_arrays([one[text] for one in gathered]).take(back) for text in TEXTS}


def event_ids(at: Ids, numbers: Ids) -> pa.Array:
    """24-hex ids: time, machine, number, copy (00)."""
    machine = np.broadcast_to(MACHINE, (len(at), len(MACHINE)))
    copy = np.full((len(at), 2), ord("0"), np.uint8)
    return draw.texts(draw.hexadecimal(at, 8), machine, draw.hexadecimal(numbers, 6), copy)


def _spread(values: pa.Array, where: npt.NDArray[np.bool_]) -> pa.Array:
    """Values at the places where `where` holds, null elsewhere."""
    return values.take(pa.array(np.cumsum(where) - 1, mask=~where))


def constant_texts(**values: str | None) -> Callable[[Ids], dict[str, pa.Array]]:
    """Texts that are the same for every row."""
    return lambda rows: {name: columns.repeated(value, len(rows)) for name, value in values.items()}


def stored_texts(**given: Any) -> Callable[[Ids], dict[str, pa.Array]]:
    """Texts that are there already as whole columns, or one value for all."""

    def texts(rows: Ids) -> dict[str, pa.Array]:
        wanted = pa.array(rows)
        return {
            name: columns.repeated(value, len(rows)) if isinstance(value, str) else value.take(wanted)
            for name, value in given.items()
        }

    return texts
