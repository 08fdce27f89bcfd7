"""The pages that people of the benchmark ask for: every kind that the app has, by the addresses of one installation."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from urllib.parse import urlencode

import requests

from webapp.services.exports.listing import PER_PAGE

Ask = Callable[[str], str]
STEPS = ("model", "localization", "filters", "fields", "file", "schedule", "target", "check")
FAR = 1_000
"""The page of the list that is reached by key."""


def addresses(session: requests.Session, url: str, cursor: str) -> dict[str, str]:
    """Name and address of every page; makes a draft and a connection on the way."""

    def text(address: str) -> str:
        answer = session.get(url + address)
        answer.raise_for_status()
        return answer.text

    def searched(**asked: str) -> str:
        return f"/exports?{urlencode(asked)}"

    newest = re.findall(r'class="nm" href="(/exports/[0-9a-f-]+)"', text("/exports"))
    once = re.findall(r'class="nm" href="(/exports/[0-9a-f-]+)"', text("/exports?status=Finished"))[0]
    repeated = re.findall(r'class="nm" href="(/exports/[0-9a-f-]+)"', text("/exports?status=Active"))[0]
    run = re.search(r"/runs/[0-9a-f-]+", text(f"{repeated}/logs"))
    person = re.findall(r'href="(/users/[0-9a-f-]+)"', text("/exports"))[0]
    draft = _draft(session, url, once)
    found = {
        "list": "/exports",
        "list, page 2": _next(text("/exports")),
        f"list, page {FAR:,}": searched(after=cursor, first=str(FAR * PER_PAGE)),
        "list, by name": searched(sort="name"),
        "list, by name, the other way": searched(sort="-name"),
        "list, oldest first": searched(sort="created"),
        "search, 20 hits": searched(q="zanzibar"),
        "search, no hit": searched(q="nothing like it"),
        "search, a sixth of all": searched(q="by household"),
        "search, everything": searched(q="202"),
        "search, everything, by name": searched(q="202", sort="name"),
        "search, two letters": searched(q="co"),
        "search, two letters, no hit": searched(q="zz"),
        "search, one day of files": searched(q="2021-03-04.csv"),
        "filter, failed": searched(status="Failed"),
        "filter, processing (none)": searched(status="Processing"),
        "filter, pending": searched(status="Pending"),
        "filter, active": searched(status="Active"),
        "filter, last run failed": searched(status="last-run-failed"),
        "filter, archived (none)": searched(status="archived"),
        "filter, model": searched(model="stores"),
        "filter, another model (none)": searched(model="events"),
        "filter, mine": searched(owner="mine"),
        "filter, mine and failed, by name": searched(owner="mine", status="Failed", sort="name"),
        "runs": searched(runs="1"),
        "runs, failed, by name": searched(runs="1", status="Failed", sort="name"),
        "runs, search": searched(runs="1", q="zanzibar"),
        "details": once,
        "details, 10,000 runs": repeated,
        "logs": f"{once}/logs",
        "logs, 10,000 runs": f"{repeated}/logs",
        "logs, page 2": _next(text(f"{repeated}/logs"), repeated),
        "change schedule": f"{repeated}/schedule",
        "a run": run[0] if run else newest[0],
        "profile": person,
        "data models": "/models",
        "data model": "/models/events",
        "connections": "/connections",
        "audit log": "/audit",
        "people": "/users",
        "settings": "/settings",
        "custom fields": "/fields",
        "new export": "/exports/new",
        **{f"wizard, {step}": f"{draft}/{step}" for step in STEPS},
    }
    for address in found.values():
        text(address)
    return found


def _next(page: str, base: str = "/exports") -> str:
    for link in re.findall(r'href="([^"]+)"', page):
        if link.startswith(f"{base}") and ("after=" in link or "older=" in link or "before=" in link):
            return html.unescape(link)
    return base


def _draft(session: requests.Session, url: str, export: str) -> str:
    """A draft with everything in it: a clone of an export."""
    page = session.get(url + export).text
    form = page.split(f'action="{export}/clone"')[1]
    data = {name: form.split(f'name="{name}" value="')[1].split('"')[0] for name in ("csrf_token", "token")}
    made = session.post(f"{url}{export}/clone", data=data)
    made.raise_for_status()
    return made.url.removeprefix(url).rpartition("/")[0]
