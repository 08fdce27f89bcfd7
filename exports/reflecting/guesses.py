"""What a column's name tells: how people call it, and whether it is about a person. Guesses, to be looked at."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS: Final = re.compile(r"[^A-Za-z0-9]+")
SPELT: Final = {
    "id": "ID", "url": "URL", "ip": "IP", "sku": "SKU", "vat": "VAT", "iban": "IBAN", "bic": "BIC", "ean": "EAN",
    "sms": "SMS", "utm": "UTM", "uuid": "UUID", "json": "JSON",
}  # fmt: skip
PERSONAL: Final = frozenset(
    {
        "email", "mail", "phone", "telephone", "tel", "mobile", "cell", "fax", "firstname", "lastname", "surname",
        "forename", "fullname", "middlename", "nickname", "birth", "birthday", "birthdate", "dob", "born", "gender",
        "sex", "salutation", "street", "address", "addr", "postcode", "postal", "zip", "city", "iban", "bic",
        "passport", "ssn", "ip", "useragent", "photo", "avatar", "latitude", "longitude", "lat", "lng", "lon",
        "facebook", "twitter", "instagram", "linkedin", "username", "login",
    }
)  # fmt: skip
"""Words of names that are, more often than not, about a person."""
PAIRS: Final = frozenset(
    {
        ("first", "name"), ("last", "name"), ("full", "name"), ("middle", "name"), ("given", "name"),
        ("family", "name"), ("birth", "date"), ("user", "agent"), ("tax", "id"), ("national", "id"),
        ("account", "number"), ("card", "number"),
    }
)  # fmt: skip


def words(name: str) -> list[str]:
    """`customerFirst_name` → customer, first, name."""
    return [word.lower() for word in _WORDS.split(_CAMEL.sub(" ", name)) if word]


def label(name: str) -> str:
    """`birth_date` → Birth date."""
    told = [SPELT.get(word, word) for word in words(name)] or ["Column"]
    return told[0][:1].upper() + told[0][1:] + "".join(f" {word}" for word in told[1:])


def is_personal(name: str) -> bool:
    """Whether a name says that its values are about a person."""
    found = words(name)
    return any(word in PERSONAL for word in found) or any(pair in PAIRS for pair in pairwise(found))


def field_id(name: str, taken: set[str]) -> str:
    """An id that a definition can name, and that no other column has."""
    plain = "_".join(words(name)) if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name) else name
    plain = plain[:60] if plain[:1].isalpha() or plain[:1] == "_" else f"c_{plain[:60]}"
    made, number = plain, 2
    while made in taken:
        made, number = f"{plain}_{number}", number + 1
    return made
