"""The 457 stores: real ids; names, places and groups are drawn."""

from __future__ import annotations

from typing import Any

from demo import draw, words
from demo.columns import table_of
from demo.retailer import Retailer

REGIONS = {"NY": "Upstate", "CT": "Tri-State", "NJ": "Tri-State", "PA": "Tri-State"}


def table(retailer: Retailer) -> Any:
    """The rows of loyalty.stores in key order."""
    return table_of(sorted((_store(number) for number in retailer.stores.tolist()), key=lambda row: row["id"]))


def _store(number: int) -> dict[str, Any]:
    town, county, state, zip_code, latitude, longitude = draw.one_of(words.TOWNS, "store town", number)
    street = draw.one_of(words.STREETS, "store street", number)
    year, month = 1985 + draw.number(30, "store year", number), 1 + draw.number(12, "store month", number)
    return {
        "id": str(number),
        "name": f"Maple Grocers {town} {number}",
        "group": REGIONS.get(state, "New England"),
        "currency": "USD",
        "country": "US",
        "county": county,
        "state": state,
        "zip": zip_code,
        "city": town,
        "address": f"{1 + draw.number(900, 'store house', number)} {street}",
        "lat": f"{latitude + (draw.number(2_000, 'store lat', number) - 1_000) / 20_000:.5f}",
        "lng": f"{longitude + (draw.number(2_000, 'store lng', number) - 1_000) / 20_000:.5f}",
        "status": "archived" if draw.number(40, "store status", number) == 0 else "active",
        "created_at": f"{year}-{month:02d}-01T09:00:00-05:00",
        "updated_at": f"2016-{month:02d}-15T12:00:00-05:00",
        "properties": {
            "opened": f"{year}-{month:02d}-01",
            "square_feet": 8_000 + 500 * draw.number(100, "store size", number),
            "services": draw.one_of(([], ["pharmacy"], ["fuel", "pharmacy"], ["bakery"]), "store services", number),
            "format": draw.one_of(("market", "supermarket", "hypermarket"), "store format", number),
        },
    }
