"""Points of each customer over time: balance after every event, and which earned points were used for what.

Points that leave (spent, expired, taken back) use up the oldest earned ones first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demo import columns
from demo.retailer import Ids

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Balances:
    """For every event: the customer's points earned, spent and expired after it, and how many of its own are used."""

    score: Ids
    spent: Ids
    expired: Ids
    used: Ids
    _by_customer: Ids
    _earned_before: Ids
    _left_before: Ids

    def snapshots(self, numbers: Ids, wanted: Flags) -> pa.Array:
        """Balances after events as JSON; null where not wanted."""
        some = numbers[wanted]
        members = {name: columns.integers(getattr(self, name)[some]) for name in ("score", "spent", "expired")}
        written = columns.json_objects(columns.members({**members, "pending": columns.repeated("0", len(some))}))
        return written.take(pa.array(np.cumsum(wanted) - 1, mask=~wanted))


def balances(customer: Ids, points: Ids, spending: Flags, expiring: Flags) -> Balances:
    """Balances of events that are in the order of time."""
    by_customer = np.argsort(customer, kind="stable")
    starts = np.flatnonzero(np.diff(customer[by_customer], prepend=-1))
    lengths = np.diff(starts, append=len(customer))

    def running(values: Ids) -> tuple[Ids, Ids]:
        """Sums up to and with each event, within its customer; and each customer's sum in all."""
        sums = np.cumsum(values[by_customer])
        base = np.repeat(sums[starts] - values[by_customer][starts], lengths)
        within = sums - base
        return within, np.repeat(within[starts + lengths - 1], lengths)

    def in_order(values: Ids) -> Ids:
        back = np.empty_like(values)
        back[by_customer] = values
        return back

    score, _ = running(np.where(spending | expiring, 0, points))
    spent, _ = running(np.where(spending, -points, 0))
    expired, _ = running(np.where(expiring, -points, 0))
    earned, _ = running(np.maximum(points, 0))
    left, left_in_all = running(np.maximum(-points, 0))
    earned_before = in_order(earned) - np.maximum(points, 0)
    used = np.clip(in_order(left_in_all) - earned_before, 0, np.maximum(points, 0))
    return Balances(
        in_order(score),
        in_order(spent),
        in_order(expired),
        used,
        by_customer,
        earned_before,
        in_order(left) - np.maximum(-points, 0),
    )


def usages(customer: Ids, points: Ids, known: Balances, ids: Callable[[Ids], pa.Array]) -> Mapping[int, str]:
    """For each earning event that was used: `{event that used them: points}` as JSON.

    Earned points of one customer lie side by side on a line, and so do the leaving ones: who uses what is where they
    overlap. The customers' lines are laid one behind the other.
    """
    offset = customer * (int(np.abs(points).sum()) + 1)
    giving = known._by_customer[known.used[known._by_customer] > 0]
    taking = known._by_customer[points[known._by_customer] < 0]
    begins, ends = (offset + known._earned_before)[giving], (offset + known._earned_before + known.used)[giving]
    takes, taken = (offset + known._left_before)[taking], (offset + known._left_before - points)[taking]
    first, last = np.searchsorted(taken, begins, "right"), np.searchsorted(takes, ends, "left")
    from_, times = np.repeat(np.arange(len(giving)), last - first), last - first
    by = np.arange(len(from_)) - np.repeat(np.cumsum(times) - times, times) + np.repeat(first, times)
    amounts = np.minimum(ends[from_], taken[by]) - np.maximum(begins[from_], takes[by])
    found: dict[int, dict[str, int]] = {}
    users = ids(taking[by]).to_pylist()
    for number, user, amount in zip(giving[from_].tolist(), users, amounts.tolist(), strict=True):
        found.setdefault(number, {})[user] = amount
    return {number: columns.compact(one) for number, one in found.items()}
