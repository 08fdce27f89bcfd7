"""The 2,469 households as customers: what they did is real, who they are is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from demo import draw, words
from demo.columns import table_of
from demo.maple.standing import TIERS, Standing

DEMOGRAPHICS = ("age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count")
AGES = {"19-24": (19, 24), "25-34": (25, 34), "35-44": (35, 44), "45-54": (45, 54), "55-64": (55, 64), "65+": (65, 88)}
NEW_YEAR = date(2017, 1, 1)
LABELS = ("newsletter", "vip", "employee", "catering", "no phone calls", "press")
LISTS = ("1", "2", "3", "4")
CLUBS = ("wine", "baking", "baby", "garden")


@dataclass(frozen=True)
class Customers:
    """Rows of loyalty.customers."""

    standing: Standing
    groups: Mapping[int, Sequence[str]]

    def table(self) -> Any:
        """The rows in key order."""
        ids = self.standing.people.id.tolist()
        return table_of(
            [self._row(place, ids[place]) for place in sorted(range(len(ids)), key=lambda one: str(ids[one]))]
        )

    def _row(self, place: int, id: int) -> dict[str, Any]:
        answers = self._answers.get(id, {})
        return {
            "_id": str(id),
            **self._person(id, answers),
            **self._membership(place, id),
            **self._points(place),
            **self._purchases(place),
            "rewards": self._claims.get(id, {}),
            "activities": self._challenges.get(id, {}),
            "campaigns": {str(int(group) - 200): {"level": 1} for group in self.groups.get(id, ())},
            "properties": {**answers, **self._preferences(id)},
        }

    @cached_property
    def _claims(self) -> Mapping[int, dict[str, int]]:
        return self.standing.claims()

    @cached_property
    def _challenges(self) -> Mapping[int, dict[str, int]]:
        return self.standing.challenges()

    @cached_property
    def _tiers(self) -> list[dict[str, Any]]:
        return self.standing.tiers()

    @cached_property
    def _answers(self) -> Mapping[int, dict[str, str]]:
        """The demographics of 801 households; what is unknown is left out."""
        rows = self.standing.people.retailer.demographics.to_dict("records")
        return {
            row["household_id"]: {name: row[name] for name in DEMOGRAPHICS if isinstance(row[name], str)}
            for row in rows
        }

    def _person(self, id: int, answers: Mapping[str, str]) -> dict[str, Any]:
        gender = draw.one_of(("female", "female", "male", "male", None), "gender", id)
        names = words.GIRLS if gender == "female" or (gender is None and id % 2) else words.BOYS
        first, last = draw.one_of(names, "first name", id), draw.one_of(words.FAMILIES, "last name", id)
        mailbox = "".join(one for one in f"{first}.{last}".lower() if one.isascii() and (one.isalpha() or one == "."))
        phone = f"+1 {draw.one_of((518, 617, 203, 401, 802), 'area', id)} 555 01{draw.number(100, 'phone', id):02d}"
        return {
            "email": None if draw.number(30, "no email", id) == 0 else f"{mailbox}.{id}@example.com",
            "first_name": first,
            "last_name": last,
            "handler": None if draw.number(3, "handler", id) else f"{mailbox.split('.')[0]}{id}",
            "gender": gender,
            "birth_date": None if draw.number(25, "no birthday", id) == 0 else birth_date(id, answers.get("age")),
            "language": draw.one_of(("en",) * 12 + ("es", "es", "fr"), "language", id),
            "currency": "USD",
            "country": "US",
            "mobile_phone": None if draw.number(4, "no phone", id) == 0 else phone,
            "image_url": None if draw.number(6, "image", id) else f"https://img.maplegrocers.example/c/{id}.png",
        }

    def _membership(self, place: int, id: int) -> dict[str, Any]:
        people, standing = self.standing.people, self.standing
        referrer = self._referrers.get(id)
        card = f"MG{id:07d}{draw.number(10, 'card', id)}"
        status = draw.one_of(
            ("active",) * 90 + ("inactive",) * 6 + ("suspended", "banned", "pending", "active"), "status", id
        )
        left = bool(people.opted_out[place])
        return {
            "external_ids": {"crm_id": f"CRM-{id:06d}", **({"web_id": f"w{id * 7_919:08x}"} if id % 3 else {})},
            "membership_id": [card] if draw.number(9, "cards", id) else [card, f"MG9{id:06d}0"],
            "group_id": list(self.groups.get(id, ())),
            "src": draw.one_of(("import:672b1f0a", "Events API", "Platform"), "src", id),
            "referrer": None if referrer is None else str(referrer),
            "referrals": [str(other) for other in self._referrals.get(id, ())],
            "status": "opted_out" if left else status,
            "last_login_at": moment(standing.last_visit[place]) if standing.last_visit[place] else None,
            "optin_at": moment(people.joined[place]),
            "optout_at": moment(people.left[place]) if left else None,
            "created_at": moment(people.joined[place] - 5),
            "updated_at": moment(standing.last_at[place] + 5),
            "labels": [one for one in LABELS if draw.number(12, "label", one, id) == 0],
            "lists": [one for one in LISTS if draw.number(8, "list", one, id) == 0],
            "clubs": [one for one in CLUBS if draw.number(15, "club", one, id) == 0],
        }

    @cached_property
    def _referrers(self) -> dict[int, int]:
        """One household in twelve was brought in by another one that had joined before."""
        ids, joined = self.standing.people.id, self.standing.people.joined
        found = {}
        for place in np.flatnonzero(draw.chance("referred", ids, 12)).tolist():
            other = draw.number(len(ids), "referrer", int(ids[place]))
            if joined[other] < joined[place]:
                found[int(ids[place])] = int(ids[other])
        return found

    @cached_property
    def _referrals(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for one, other in self._referrers.items():
            found.setdefault(other, []).append(one)
        return found

    def _points(self, place: int) -> dict[str, Any]:
        standing = self.standing
        score, spent, expired = (int(one[place]) for one in (standing.score, standing.spent, standing.expired))
        balance = {
            "earned": score,
            "reserved": 0,
            "spent": spent,
            "pending": 0,
            "expired": expired,
            "negative_points": 0,
        }
        empty = dict.fromkeys(balance, 0)
        return {
            "score": score,
            "spent": spent,
            "reserved": 0,
            "expired": expired,
            "pending": 0,
            "last_earn_date": day(standing.last_earn[place]),
            "last_spend_date": day(standing.last_spend[place]),
            "tiers": {"status": tier(**self._tiers[place])},
            "accounts": {
                "main": {"name": "Points", "type": "standard", **balance},
                "status": {"name": "Status points", "type": "status_points", **empty, "earned": score},
            },
        }

    def _purchases(self, place: int) -> dict[str, Any]:
        standing = self.standing
        if not standing.purchase_count[place]:
            return {}
        first, last = standing.purchase_days
        cents = int(standing.purchase_total[place])
        return {
            "purchase_total": f"{cents // 100}.{cents % 100:02d}",
            "purchase_count": int(standing.purchase_count[place]),
            "purchase_item_count": int(standing.purchase_items[place]),
            "purchase_first_date": day(first[place]),
            "purchase_last_date": day(last[place]),
        }

    def _preferences(self, id: int) -> dict[str, Any]:
        diets = [
            one for one in ("vegetarian", "gluten-free", "low-salt", "kosher") if draw.number(7, "diet", one, id) == 0
        ]
        return {
            "newsletter": draw.number(3, "newsletter", id) > 0,
            "preferred_store": draw.one_of(self._stores, "preferred store", id),
            **({"diet": diets} if diets else {}),
        }

    @cached_property
    def _stores(self) -> list[str]:
        return list(map(str, self.standing.people.retailer.stores.tolist()))


def birth_date(id: int, bracket: str | None) -> date:
    """A day that gives an age of the bracket at the beginning of 2017; without one, an age from 19 to 88."""
    youngest, oldest = AGES.get(bracket or "", (19, 88))
    age = youngest + draw.number(oldest - youngest + 1, "age", id)
    return date(NEW_YEAR.year - age - 1, 1, 2) + timedelta(days=draw.number(364, "birthday", id))


def tier(level: int, since: int, event: str, points: int) -> dict[str, Any]:
    """A customer's place in the structure "status" (REFERENCE 1.1)."""
    id, name, threshold = TIERS[level]
    entered = moment(since)
    upper = TIERS[level + 1] if level + 1 < len(TIERS) else None
    return {
        "_id": id,
        "name": name,
        "points": points,
        "threshold": threshold,
        "since": entered.isoformat().replace("+00:00", "Z"),
        "expdate": f"{entered.year + 1}-12-31",
        "manual": False,
        "event": event,
        **({"next": {"id": upper[0], "name": upper[1], "points": upper[2] - points}} if upper else {}),
        "points_after_expiration": points - points // 4,
        "history": {f"{entered:%Y-%m-%d}": threshold},
    }


def moment(seconds: int | np.integer[Any]) -> datetime:
    """Unix seconds as a moment."""
    return datetime.fromtimestamp(int(seconds), UTC)


def day(value: np.datetime64) -> date | None:
    """A calendar day; None for none."""
    return None if np.isnat(value) else value.astype(date)
