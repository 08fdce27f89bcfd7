"""The product catalogue: real ids, categories and sizes in the columns of a product feed; prices as last paid."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from demo import columns, draw
from demo.retailer import Ids, Retailer, to_utc

SHOP = "https://shop.maplegrocers.example"
ADULT = "SPIRITS"
DAY = 86_400


class Assortment:
    """The products in the order of the package, looked up by id."""

    def __init__(self, retailer: Retailer) -> None:
        self._frame = retailer.products
        self._lines = retailer.every_line
        self._links = retailer.links
        self.id: Ids = self._frame["product_id"].to_numpy()
        self._by_id = np.argsort(self.id)

    def places(self, products: Ids) -> Ids:
        """Where these products stand."""
        return self._by_id[np.searchsorted(self.id, products, sorter=self._by_id)]

    def promoted(self, campaign: int) -> npt.NDArray[np.bool_]:
        """Which products a campaign's coupons are for; six of them are not listed."""
        linked = self._links.loc[self._links["campaign_id"] == campaign, "product_id"].to_numpy()
        places = self._by_id[np.minimum(np.searchsorted(self.id, linked, sorter=self._by_id), len(self.id) - 1)]
        chosen = np.zeros(len(self.id), bool)
        chosen[places[self.id[places] == linked]] = True
        return chosen

    @cached_property
    def category(self) -> pa.Array:
        """Category ("FRZN ICE"), null where unknown."""
        return pa.array(self._frame["product_category"], pa.string())

    @cached_property
    def title(self) -> pa.Array:
        """Type of product with its size: "Ice - Crushed/Cubed, 22 LB"."""
        kind = pc.coalesce(pa.array(self._frame["product_type"], pa.string()), self.category)
        sized = columns.joined(pc.utf8_title(kind), ", ", pa.array(self._frame["package_size"], pa.string()))
        return pc.coalesce(sized, pc.utf8_title(kind), columns.joined("Product ", columns.integers(self.id)))

    @cached_property
    def members(self) -> pa.Array:
        """What every checkout_item says of its product, as members of a JSON object."""
        return columns.members(
            {
                "product_id": columns.quoted(columns.integers(self.id)),
                "product_name": columns.quoted(self.title),
                "product_category": columns.quoted(self.category),
            }
        )

    @cached_property
    def sku(self) -> pa.Array:
        """Manufacturer and product: "69-26093"; null where no manufacturer is known."""
        return columns.joined(self._manufacturer, "-", columns.integers(self.id))

    @cached_property
    def _manufacturer(self) -> pa.Array:
        known = self._frame["manufacturer_id"].to_numpy()
        return columns.integers(np.nan_to_num(known).astype(np.int64)).take(
            pa.array(np.arange(len(known)), mask=np.isnan(known))
        )

    def _last_prices(self) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
        """Price of one at its last sale of the year, and for which products there is one."""
        lines = self._lines
        sold = np.flatnonzero((lines.quantity > 0) & (lines.total > 0))
        last = pd.Series(sold, lines.product[sold]).groupby(level=0).last()
        price = np.rint(lines.total[last] / lines.quantity[last]).astype(np.int64)
        cents = pd.Series(price, last.index).reindex(self.id)
        known = cents.notna().to_numpy()
        written = columns.amounts(cents.fillna(0).to_numpy().astype(np.int64))
        return written.take(pa.array(np.arange(len(known)), mask=~known)), known

    def table(self) -> pa.Table:
        """The rows of loyalty.products in key order."""
        return pa.table({**self._listed(), **self._offered(), **self._kept()}).sort_by("id")

    def _listed(self) -> dict[str, pa.Array]:
        """What the package says, or what follows from it."""
        department = pa.array(self._frame["department"], pa.string())
        size = pa.array(self._frame["package_size"], pa.string())
        return {
            "id": columns.integers(self.id),
            "title": self.title,
            "description": self._descriptions(department),
            "google_product_category": self.category,
            "product_type": department,
            "product_brand": pa.array(self._frame["brand"], pa.string()),
            "mpn": self.sku,
            "adult": pc.fill_null(pc.equal(department, ADULT), False),
            "size": size,
            "unit_pricing_measure": size,
            "custom_label_0": department,
            "properties": self._properties(),
        }

    def _offered(self) -> dict[str, pa.Array]:
        """Where it is shown, and for how much."""
        id = columns.integers(self.id)
        price, sold = self._last_prices()
        branded = (self._frame["brand"] == "National").to_numpy()
        gtin = self._gtins().take(pa.array(np.arange(len(branded)), mask=~branded))
        return {
            "link": columns.joined(f"{SHOP}/p/", id),
            "image_link": columns.joined(f"{SHOP}/img/", id, ".jpg"),
            "availability": pc.if_else(pa.array(sold), "in stock", "out of stock"),
            "price": price,
            "price_currency": pc.if_else(pa.array(sold), "USD", pa.scalar(None, pa.string())),
            "gtin": gtin,
            "identifier_exists": pc.is_valid(gtin),
            "condition": columns.repeated("new", len(id)),
            "is_bundle": columns.repeated("false", len(id)),
        }

    def _kept(self) -> dict[str, pa.Array]:
        """What the catalogue keeps of its own work."""
        days = draw.below("product since", self.id, 1_800) * np.timedelta64(DAY, "s")
        created = to_utc(np.datetime64("2012-01-01T09:00:00") + days)
        seasons = (None, None, None, "spring", "summer", "autumn", "winter")
        return {
            "custom_label_1": draw.choice("season", self.id, seasons),
            "created_at": columns.timestamps(created),
            "updated_at": columns.timestamps(created + DAY * (1 + draw.below("product updated", self.id, 300))),
            "status": draw.choice("product status", self.id, ["active"] * 40 + ["inactive", "archived"]),
        }

    def _descriptions(self, department: pa.Array) -> pa.Array:
        """A sentence made of department, category and size; null where none is known."""
        return columns.joined(pc.utf8_title(self.category), " from our ", pc.utf8_lower(department), " department.")

    def _gtins(self) -> pa.Array:
        """Twelve digits, the last of them the check digit of a UPC."""
        eleven = (10**10 * 3 + draw.below("gtin", self.id, 10**9) * 10 + self.id % 10).astype(np.int64)
        digits = (eleven[:, None] // 10 ** np.arange(10, -1, -1)) % 10
        check = (-(digits * np.array([3, 1] * 5 + [3])).sum(axis=1)) % 10
        return columns.integers(eleven * 10 + check)

    def _properties(self) -> pa.Array:
        private = pa.array(["true" if one == "Private" else "false" for one in self._frame["brand"]], pa.string())
        return columns.json_objects(
            columns.members(
                {
                    "private_label": private,
                    "manufacturer_id": self._manufacturer,
                    "aisle": draw.choice("aisle", self.id, [str(number) for number in range(1, 25)]),
                }
            )
        )
