"""Groups, accounts, segments, staff, stores and products of Alpine Sports."""

from __future__ import annotations

from typing import Any

from demo import draw
from demo.columns import Json

Row = dict[str, Any]
SHOP = "https://shop.alpinesports.example"

TOWNS = (
    # town, canton, zip, address, latitude, longitude
    ("Zürich", "ZH", "8001", "Bahnhofstrasse 21", 47.3769, 8.5417),
    ("Genève", "GE", "1204", "Rue du Rhône 8, 2ème étage", 46.2044, 6.1432),
    ("Lugano", "TI", "6900", "Via Nassa 5", 46.0037, 8.9511),
    ("Bern", "BE", "3011", 'Kramgasse 49 («beim "Zytglogge"»)', 46.9480, 7.4474),
    ("Davos Platz", "GR", "7270", "Promenade 77", 46.8027, 9.8360),
    ("Sankt Moritz", "GR", "7500", "Via Serlas 1;Eingang B", 46.4908, 9.8355),
    ("Neuchâtel", "NE", "2000", "Rue de l’Hôpital 4", 46.9900, 6.9293),
    ("Chur", "GR", "7000", "Poststrasse 9", 46.8508, 9.5320),
    ("Zermatt", "VS", "3920", "Bahnhofplatz\n(am Gornergrat)", 46.0207, 7.7491),
)
STORES, PRODUCTS = 27, 150

GOODS = (
    ("Ski «Firn»", "Wintersport > Ski", 549), ("Snowboard Ötzi 158", "Wintersport > Boards", 429),
    ("Jacke Grünhorn, wasserdicht", "Bekleidung > Jacken", 289), ("Bergschuh Säntis", "Schuhe", 219),
    ('Seil 9.8 mm "Eiger"', "Klettern", 179), ("Trinkflasche 0,75 l", "Zubehör", 24),
    ("Lunettes de glacier", "Accessoires", 119), ("Zaino 30 l; blu", "Rucksäcke", 129),
    ("Żel energetyczny\t(3×)", "Ernährung", 9), ("登山杖 Carbon", "Zubehör", 99),
)  # fmt: skip
COLOURS = (("rot", "red"), ("grün", "green"), ("weiß", "white"), ("blau", "blue"), ("schwarz/gelb", "black"))


def _is(attribute: str, operator: str, value: Any) -> Row:
    return {"attribute": attribute, "operator": operator, "value": value}


TABLES: dict[str, list[Row]] = {
    "user_groups": [
        {"id": "101", "name": "Schweiz", "parent": None, "external_id": "CH"},
        {"id": "102", "name": "Deutschschweiz", "parent": "101", "external_id": "CH-de"},
        {"id": "103", "name": "Romandie", "parent": "101", "external_id": "CH-fr"},
        {"id": "201", "name": "Zürich, Stadt", "parent": "102"},
        {"id": "202", "name": "Ticino", "parent": "101", "status": "inactive"},
    ],
    "accounts": [
        {"id": "main", "name": "Gipfelpunkte", "type": "standard"},
        {"id": "bonus", "name": "Bonus «Höhenmeter»", "type": "standard"},
    ],
    "segments": [
        {"id": "heavy_buyers", "name": "Vielkäufer", "filter": Json([[_is("purchase_total", "gte", 500)]])},
        {"id": "lapsed", "name": "Eingeschlafene", "filter": Json([[_is("purchase_last_date", "lt", "2017-02-01")]])},
        {
            "id": "freeriders",
            "name": 'Freerider, "wach"',
            "filter": Json(
                [[_is("sports", "contains_any", ["freeride"]), _is("segments", "not_in_segment", {"ids": ["lapsed"]})]]
            ),
        },
        {"id": "old", "name": "Alt", "status": "archived", "filter": Json([[_is("country", "equals", "LI")]])},
    ],
    "customer_lists": [{"id": "1", "name": "Skitest Laax"}, {"id": "2", "name": "Wettbewerb «Matterhorn»"}],
    "clubs": [{"id": "garden", "name": "Gletscherclub"}, {"id": "huetten", "name": "Hüttenfreunde"}],
    "reward_categories": [{"id": "coupons", "name": "Gutscheine"}, {"id": "gifts", "name": "Geschenke"}],
    "platform_users": [
        {"id": "1", "name": "Reto Müller", "email": "reto@alpinesports.example"},
        {"id": "2", "name": "Chiara D’Ambrosio", "email": "chiara@alpinesports.example"},
        {"id": "3", "name": "Łucja Żak-Meier", "email": "lucja@alpinesports.example"},
    ],
    "trusted_sites": [
        {"id": "crm", "name": "Kunden-CRM", "url": "https://crm.alpinesports.example/in"},
        {"id": "shop", "name": "Webshop", "url": f"{SHOP}/loyalty"},
    ],
    "custom_events": [{"id": "ski_service", "label": "Skiservice"}, {"id": "summit", "label": "Gipfel, erreicht"}],
}


def stores() -> list[Row]:
    """Stores "1" to "27"; some numbers are maple's as well."""
    return [_store(number) for number in range(1, STORES + 1)]


def _store(number: int) -> Row:
    town, canton, zip_code, address, latitude, longitude = TOWNS[number % len(TOWNS)]
    return {
        "id": str(number),
        "name": f"Alpine Sports {town}" + (f" {number}" if number > len(TOWNS) else ""),
        "group": draw.one_of(("Stadt", "Berg", None), "alpine store group", number),
        "currency": "CHF",
        "country": "CH",
        "county": None,
        "state": canton,
        "zip": zip_code,
        "city": town,
        "address": address,
        "lat": latitude,
        "lng": longitude,
        "status": "archived" if number == 13 else "active",
        "created_at": f"20{number % 17:02d}-10-0{1 + number % 9}T07:00:00Z",
        "updated_at": None if number % 4 else "2017-03-26T00:59:59Z",
        "group_id": [draw.one_of(("102", "103", "202"), "alpine store in", number)],
        "properties": {"altitude": 400 + draw.number(1_600, "altitude", number), "rental": number % 3 == 0},
    }


def price(number: int) -> int:
    """A product's price in Rappen, in steps of five as is the custom."""
    return GOODS[number % len(GOODS)][2] * 100 + draw.number(20, "alpine price", number) * 5


def products() -> list[Row]:
    """Products "1001" to "1150" with nearly every column of the feed."""
    return [_product(number) for number in range(1, PRODUCTS + 1)]


def _product(number: int) -> Row:
    title, kind, _ = GOODS[number % len(GOODS)]
    colour, english = COLOURS[number % len(COLOURS)]
    rappen = price(number)
    id = 1_000 + number
    sale = number % 6 == 0
    return {
        "id": str(id),
        "title": f"{title} {colour}",
        "description": f'{title}: leicht, robust & schön.\r\nGrösse: "{38 + number % 9}"; Farbe: {colour}.',
        "link": f"{SHOP}/p/{id}?farbe={english}&grösse={38 + number % 9}",
        "image_link": f"{SHOP}/i/{id}.webp",
        "additional_image_link": [f"{SHOP}/i/{id}-{side}.webp" for side in ("vorn", "hinten, links")],
        "mobile_link": f"{SHOP}/m/{id}",
        "availability": ("in stock", "in stock", "out of stock", "preorder")[number % 4],
        "availability_date": "2017-10-01T06:00:00Z" if number % 4 == 3 else None,
        "price": f"{rappen / 100:.2f}",
        "price_currency": "CHF",
        "sale_price": f"{rappen / 125:.2f}" if sale else None,
        "sale_price_currency": "CHF" if sale else None,
        "sale_price_effective_date": "2017-02-01T00:00+0100/2017-02-28T23:59+0100" if sale else None,
        "cost_of_goods_sold": f"{rappen / 180:.2f}",
        "cost_of_goods_sold_currency": "CHF",
        "google_product_category": "Sporting Goods > Outdoor Recreation",
        "product_type": kind,
        "product_brand": draw.one_of(("Höhenweg", "Névé & Fils", "=Null", "+Plus", "Żubr"), "alpine brand", number),
        "gtin": f"76{number:010d}{number % 10}",
        "mpn": f"AS-{number:04d}/{english[0]}",
        "identifier_exists": True,
        **_product_details(number, english),
    }


def _product_details(number: int, english: str) -> Row:
    return {
        "condition": ("new", "new", "refurbished", "used")[number % 4],
        "adult": False,
        "multipack": 3 if number % 10 == 8 else None,
        "is_bundle": number % 10 == 8,
        "age_group": ("adult", "kids")[number % 2],
        "color": english,
        "gender": ("unisex", "female", "male")[number % 3],
        "material": ("Gore®/Nylon", "Wolle 100 %", "Carbon")[number % 3],
        "size": str(38 + number % 9),
        "size_system": "EU",
        "item_group_id": str(900 + number % len(GOODS)),
        "unit_pricing_measure": "750 ml" if number % 10 == 5 else None,
        "energy_efficiency_class": "A++" if number % 25 == 0 else None,
        "custom_label_0": ("Winter", "Sommer")[number % 2],
        "promotion_id": "SALE,2017" if number % 6 == 0 else None,
        "excluded_destination": ["Free_listings"] if number % 20 == 0 else [],
        "included_destination": ["Shopping_ads", "Display_ads"],
        "shipping": Json([{"country": "CH", "price": "7.90 CHF"}, {"country": "LI", "price": "9.90 CHF"}]),
        "shipping_weight": f"{1 + number % 7}.5 kg",
        "tax": {"country": "CH", "rate": 8.0},
        "tax_category": "standard",
        "product_length": f"{20 + number} cm",
        "product_weight": f"{1 + number % 7} kg",
        "product_highlight": ["Lawinengeprüft", 'Mit "Recco"-Reflektor', "Hält warm; auch bei −20 °C"][
            : 1 + number % 3
        ],
        "product_detail": Json([{"section": "Masse", "name": "Länge", "value": f"{20 + number} cm"}]),
        "created_at": "2016-09-01T06:30:00Z",
        "updated_at": "2017-01-15T12:00:00Z" if number % 2 else None,
        "status": ("active", "active", "active", "draft", "archived")[number % 5],
        "properties": {"season": ("Winter 16/17", "Sommer 17")[number % 2], "stars": 1 + number % 5},
    }
