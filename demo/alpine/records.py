"""Changes, content approvals and webhook logs of Alpine Sports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from demo import draw
from demo.alpine.program import TABLES
from demo.columns import Json

Row = dict[str, Any]
STAFF = TABLES["platform_users"]
EXPLANATIONS = ("Passt.", "Preis zu tief,\nbitte prüfen", 'Wort "gratis" streichen; siehe Wiki', "")


def changes(rewards: Sequence[Row]) -> list[Row]:
    """Sixty entries of the platform's audit log."""
    return [_change(number, rewards[number % len(rewards)]["id"]) for number in range(60)]


def _change(number: int, reward: str) -> Row:
    user = STAFF[number % len(STAFF)]
    kind = ("updated", "updated", "created", "deleted")[number % 4]
    return {
        "_id": f"{0xD00 + number:024x}",
        "created_at": f"2017-0{1 + number % 3}-{1 + number % 28:02d}T0{number % 10}:59:59.999999Z",
        "change_type": kind,
        "entity_type": ("reward", "store", "segment")[number % 3],
        "entity_id": (reward, str(1 + number % 27), "lapsed")[number % 3],
        "user_id": int(user["id"]),
        "user": user["name"],
        "changes": None if kind == "deleted" else {"name": {"old": 'Alt, "alt"', "new": f"Neu\n{number}"}},
        "ip_address": f"2001:db8:1::{number:x}",
    }


def approvals(rewards: Sequence[Row]) -> list[Row]:
    """Thirty-five submitted changes."""
    return [_approval(number, rewards[number % len(rewards)]) for number in range(35)]


def _approval(number: int, reward: Row) -> Row:
    status = ("approved", "rejected", "pending")[number % 3]
    entity = ("reward", "workflow", "custom_event")[number % 3]
    decided = status != "pending"
    return {
        "_id": f"{0xF00 + number:024x}",
        "created_at": f"2017-02-{1 + number % 28:02d}T12:00:00Z",
        "created_by": STAFF[number % 2]["id"],
        "type": "event_change" if entity == "custom_event" else "workflow_reward_change",
        "entity_type": entity,
        "entity_id": {"reward": reward["id"], "workflow": str(number)}.get(entity, "summit"),
        "entity_name": {"reward": reward["name"]["de"], "workflow": f"Ablauf «{number}»"}.get(
            entity, "Gipfel, erreicht"
        ),
        "changes": Json([{"field": "price", "old": number, "new": number + 1}] * (number % 3)),
        "status": status,
        "decided_at": f"2017-03-{1 + number % 28:02d}T07:30:00Z" if decided else None,
        "decided_by": "3" if decided else None,
        "explanation": EXPLANATIONS[number % 4] if decided else None,
    }


def webhook_logs(events: Sequence[Row]) -> list[Row]:
    """A call for each of two hundred events, the anonymous ones among them."""
    return [_call(number, event) for number, event in enumerate(events[:: max(1, len(events) // 200)])]


def _call(number: int, event: Row) -> Row:
    status = ("done", "done", "done", "resent", "failed", "queued")[number % 6]
    ok = status in ("done", "resent")
    return {
        "_id": f"{event['unix_timestamp']:08x}{number:016x}",
        "created_at": event["timestamp"] + timedelta(seconds=1),
        "action": event["action"],
        "customer": event["customer"],
        "response_code": {"queued": None, "failed": 500}.get(status, 204),
        "status": status,
        "trusted_site": ("crm", "shop")[number % 2],
        "path": "/kunden/{customer._id}",
        "retries": {"resent": 2, "failed": 5}.get(status, 0),
        "source": "Webhooks",
        "url": f"https://crm.alpinesports.example/in/kunden/{event['customer'] or ''}",
        "method": ("POST", "PUT", "PATCH")[number % 3],
        "request_body": f'{{"action": "{event["action"]}",\n "note": "für «alle»"}}',
        "response_body": "" if ok else None,
        "duration_ms": None if status == "queued" else draw.number(2_000, "alpine hook", number),
        "error": 'Zeitüberschreitung,\n"30 s"' if status == "failed" else None,
    }
