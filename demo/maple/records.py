"""Webhook logs, changes and content approvals: all drawn; the logs from the events that would have sent them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from demo import columns, draw
from demo.maple.customers import moment
from demo.maple.ledger import Ledger
from demo.maple.program import STAFF

Row = dict[str, Any]
RETRIES = {"done": 0, "resent": 1, "failed": 5, "queued": 0}
SECOND_2017 = 1_483_246_800
CHANGES, APPROVALS = 600, 120
HOOKS = {
    "checkout": ("crm", "/customers/{customer._id}/purchases", "POST"),
    "opt_in": ("mail", "/contacts", "PUT"),
    "reward": ("shop", "/rewards/{event.properties.reward}", "POST"),
    "challenge": ("mail", "/triggers/challenge", "POST"),
    "opt_out": ("mail", "/contacts/{customer._id}", "DELETE"),
}


@dataclass(frozen=True)
class Records:
    """What the platform wrote down about itself."""

    ledger: Ledger

    def webhook_logs(self) -> pa.Table:
        """A call for one checkout in twenty and for every other event that has a hook, in key order."""
        ledger = self.ledger
        names = np.array(list(ledger.blocks))[ledger.action]
        checkouts = (names == "checkout") & draw.chance("hook", np.arange(len(ledger)), 20)
        chosen = np.flatnonzero(checkouts | np.isin(names, [one for one in HOOKS if one != "checkout"]))
        ids = draw.texts(draw.hexadecimal(ledger.at[chosen] + 1, 8), draw.hexadecimal(chosen, 16)).to_pylist()
        events = ledger.ids(chosen).to_pylist()
        rows = zip(ids, events, names[chosen].tolist(), chosen.tolist(), strict=True)
        return columns.table_of([self._call(*row) for row in rows]).sort_by("_id")

    def _call(self, id: str, event: str, action: str, number: int) -> Row:
        site, path, method = HOOKS[action]
        customer = str(self.ledger.customer[number])
        status = draw.one_of(("done",) * 46 + ("resent", "resent", "failed", "queued"), "hook status", number)
        ok = status in ("done", "resent")
        filled = path.replace("{customer._id}", customer)
        error = draw.one_of(("connection timed out", "502 Bad Gateway", '"certificate" expired'), "hook error", number)
        return {
            "_id": id,
            "created_at": moment(self.ledger.at[number] + 1),
            "action": action,
            "customer": customer,
            "response_code": 200 if ok else (None if status == "queued" else 502),
            "status": status,
            "trusted_site": site,
            "path": path,
            "retries": RETRIES[status],
            "source": "Webhooks",
            "url": f"https://{site}.maplegrocers.example{filled}",
            "method": method,
            "request_body": f'{{"event":"{event}","action":"{action}","customer":"{customer}"}}',
            "response_body": '{"ok":true}' if ok else None,
            "duration_ms": None if status == "queued" else 20 + draw.number(900, "hook time", number),
            "error": None if ok or status == "queued" else error,
        }


def changes(rewards: Sequence[Row], challenges: Sequence[Row], stores: Sequence[str]) -> list[Row]:
    """Entries of the platform's audit log, in key order."""
    return sorted(
        (_change(number, rewards, challenges, stores) for number in range(CHANGES)), key=lambda row: row["_id"]
    )


def _change(number: int, rewards: Sequence[Row], challenges: Sequence[Row], stores: Sequence[str]) -> Row:
    at = _in_2016_and_2017("change", number)
    user = draw.one_of(STAFF, "change by", number)
    types = {"reward": [row["id"] for row in rewards], "challenge": [row["id"] for row in challenges], "store": stores}
    entity = draw.one_of(tuple(types), "change of", number)
    created = draw.number(5, "change type", number) == 0
    old, new = draw.number(500, "old", number), draw.number(500, "new", number)
    field = draw.one_of(("points", "stock", "priority"), "change field", number)
    return {
        "_id": _id(at, number),
        "created_at": moment(at),
        "change_type": "created" if created else draw.one_of(("updated",) * 9 + ("deleted",), "change kind", number),
        "entity_type": entity,
        "entity_id": draw.one_of(types[entity], "changed", number),
        "user_id": int(user["id"]),
        "user": user["name"],
        "changes": {field: {"old": None if created else old, "new": new}},
        "ip_address": f"203.0.113.{1 + draw.number(254, 'change ip', number)}",
    }


def approvals(rewards: Sequence[Row]) -> list[Row]:
    """Submitted changes and what was decided, in key order."""
    return sorted((_approval(number, rewards) for number in range(APPROVALS)), key=lambda row: row["_id"])


def _approval(number: int, rewards: Sequence[Row]) -> Row:
    at = _in_2016_and_2017("approval", number)
    entity = draw.one_of(("reward", "reward", "workflow", "custom_event"), "approval of", number)
    reward = draw.one_of(rewards, "approval reward", number)
    known = {
        "reward": (reward["id"], reward["name"]["en"]),
        "workflow": (str(300 + number), f"Workflow {300 + number}"),
        "custom_event": draw.one_of(
            (("recipe_saved", "Recipe saved"), ("survey_answered", "Survey answered")), "ce", number
        ),
    }
    status = draw.one_of(("approved", "approved", "approved", "rejected", "pending"), "approval status", number)
    edits = [
        {
            "field": field,
            "old": draw.number(99, "edit old", field, number),
            "new": draw.number(99, "edit new", field, number),
        }
        for field in ("price", "stock", "max_claims")[: 1 + draw.number(3, "edits", number)]
    ]
    decided = status != "pending"
    return {
        "_id": _id(at, number),
        "created_at": moment(at),
        "created_by": draw.one_of(STAFF[1:4], "submitted by", number)["id"],
        "type": "event_change" if entity == "custom_event" else "workflow_reward_change",
        "entity_type": entity,
        "entity_id": known[entity][0],
        "entity_name": known[entity][1],
        "changes": columns.Json(edits),
        "status": status,
        "decided_at": moment(at) + timedelta(hours=1 + draw.number(90, "decided after", number)) if decided else None,
        "decided_by": draw.one_of(STAFF[4:], "decided by", number)["id"] if decided else None,
        "explanation": draw.one_of(EXPLANATIONS, "explanation", number) if decided else None,
    }


EXPLANATIONS = (
    "Fine.",
    "Price too low, see the budget.\nPlease try again.",
    'Wording: say "points", not "credits".',
    None,
)


def _in_2016_and_2017(purpose: str, number: int) -> int:
    return SECOND_2017 - 180 * 86_400 + draw.number(540 * 86_400, purpose, number)


def _id(at: int, number: int) -> str:
    return f"{at:08x}{number:016x}"
