"""Every screen and state that the browser tests look at: a name, an address, who looks, and what is done first."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from playwright.sync_api import expect

from exports import totp
from tests.end_to_end.stage import NOW, SIGNS_IN

if TYPE_CHECKING:
    from playwright.sync_api import Page
PROBLEM: Final = "There is a problem"


@dataclass(frozen=True)
class Screen:
    """A screen in one state. `says`: a text that is only there when it is; `first`: what a person does to see it."""

    name: str
    address: str
    says: str
    who: str = "admin"
    first: Callable[[Page], None] | None = None
    status: int = 200


def press(name: str, role: str = "button") -> Callable[[Page], None]:
    """Press the (last) button of this name."""
    return lambda page: page.get_by_role(role, name=name, exact=True).last.click()  # type: ignore[arg-type]


def unfold(selector: str) -> Callable[[Page], None]:
    """Open a menu or what else is folded."""
    return lambda page: page.locator(selector).first.click()


def both(*deeds: Callable[[Page], None]) -> Callable[[Page], None]:
    """One after the other."""

    def do(page: Page) -> None:
        for deed in deeds:
            deed(page)

    return do


def typed(selector: str, text: str) -> Callable[[Page], None]:
    """Type a text somewhere."""
    return lambda page: page.locator(selector).fill(text)


def chosen(count: int) -> Callable[[Page], None]:
    """Choose the first exports of the list."""

    def do(page: Page) -> None:
        for box in page.locator("#exports td.pick input").all()[:count]:
            box.check()

    return do


def set_up(page: Page) -> None:
    """Confirm the second step with the code that an app would show."""
    secret = base64.b32decode((page.locator("#secret").text_content() or "").replace(" ", ""))
    page.locator("#code").fill(totp.code(secret, totp.step_of(datetime.fromisoformat(NOW))))
    press("Turn on")(page)


def sign_in(email: str, password: str) -> Callable[[Page], None]:
    """Fill in the login."""
    return both(typed("#email", email), typed("#password", password), press("Sign in"))


def why(id_: str) -> Callable[[Page], None]:
    """Ask Why? of a record."""

    def do(page: Page) -> None:
        page.locator("#why").fill(id_)
        page.locator("#why").press("Enter")
        expect(page.locator("#why-out")).to_contain_text(re.compile("In the file|Not in the file|No "))

    return do


def steps_of(name: str, draft: str, **says: str) -> list[Screen]:
    """Steps of the wizard with one of the drafts, and what is said there."""
    return [Screen(f"{step}{name}", f"/drafts/{{draft_{draft}}}/{step}", text) for step, text in says.items()]


LIST: Final = [
    Screen("list", "/exports", "All checkout items 2017"),
    Screen("list-menu", "/exports", "Sign out", first=unfold("details.account summary")),
    Screen("list-chosen", "/exports", "2 chosen", first=chosen(2)),
    Screen("list-empty", "/exports", "No exports yet", "stranger"),
    Screen("list-no-hit", "/exports?q=no+such+export", "No export is named like"),
    Screen("list-failed", "/exports?status=Failed", "Coupon use by household"),
    Screen("list-viewer", "/exports", "All checkout items 2017", "viewer"),
    Screen("hand-over", "/exports/hand-over?export={finished}", "Whoever takes over owns it"),
]
WIZARD: Final = [
    Screen("model", "/exports/new", "Data model"),
    Screen("model-error", "/exports/new", PROBLEM, first=press("Next: Localization"), status=422),
    *steps_of("-chosen", "filled", model="Events"),
    *steps_of("-empty", "empty", localization="Localization", filters="Choose an attribute", fields="All fields"),
    *steps_of(
        "",
        "filled",
        localization="America/New_York",
        filters="Exact",
        fields="properties.product_id",
        file="28,822",
        schedule="Next five moments",
        target="Can be used",
        check="28,822",
    ),
    *steps_of("-error", "bare", localization=PROBLEM, fields=PROBLEM, check="Needs correction"),
    *steps_of("-error", "wrong", filters=PROBLEM, schedule=PROBLEM, target=PROBLEM),
    *steps_of("-aggregated", "totals", fields="Count", check="What"),
    Screen("filters-why", "/drafts/{draft_filled}/filters", "Why?", first=why("no such event")),
    Screen("discard", "/drafts/{draft_filled}/filters", "Discard this draft?", first=press("Discard draft")),
]
DETAILS: Final = [
    Screen("running", "/exports/{running}", "912,400"),
    Screen("queued", "/exports/{queued}", "Waiting"),
    Screen("finished", "/exports/{finished}", "Download"),
    Screen("finished-viewer", "/exports/{finished}", "You can see this export but not its data.", "viewer"),
    Screen("finished-why", "/exports/{finished}?why=no+such+event", "No event"),
    Screen("failed", "/exports/{failed}", "Run again"),
    Screen("delivered", "/exports/{delivered}", "Delivered to"),
    Screen("archived", "/exports/{archived}", "Restore"),
    Screen("waiting", "/exports/{waiting}", "Waits for its date"),
    Screen("repeated", "/exports/{repeated}", "Change schedule"),
    Screen("inactive", "/exports/{inactive}", "Set active"),
    Screen("long-names", "/exports/{long}", "WWWW"),
    Screen("set-inactive", "/exports/{repeated}", "It will not run on", first=press("Set inactive")),
    Screen("delete", "/exports/{archived}", "Delete “", first=both(unfold("#more"), press("Delete…"))),
    Screen("change-schedule", "/exports/{monthly}/schedule", "Next five moments"),
    Screen("versions", "/exports/{repeated}/versions", "Version 2"),
    Screen("logs", "/exports/{repeated}/logs", "Compare two chosen runs"),
    Screen("logs-steps", "/exports/{repeated}/logs", "Queued", first=unfold("#runs details summary")),
    Screen("logs-empty", "/exports/{inactive}/logs", "No run yet"),
    Screen("run", "/runs/{delivered_run}", "step by step"),
    Screen("run-failed", "/runs/{failed_run}", "step by step"),
    Screen("run-running", "/runs/{running_run}", "step by step"),
    Screen("compare", "/exports/{repeated}/compare?a={earlier}&b={run}", "Download differences"),
    Screen("compare-cells", "/exports/{repeated}/compare?a={earlier}&b={run}&show=changed", "Park Lane"),
    Screen("compare-before", "/exports/{repeated}/compare?a={other}&b={run}", "Compare"),
]
ADMIN: Final = [
    Screen("connections", "/connections", "Partner warehouse"),
    Screen("connections-new", "/connections/new", "Host"),
    Screen("connections-new-error", "/connections/new", PROBLEM, first=press("Create"), status=422),
    Screen("connection", "/connections/{connection}", "Can be used"),
    Screen("connection-blocked", "/connections/{blocked}", "Old warehouse"),
    Screen("connection-edit", "/connections/{connection}/edit", "Password"),
    Screen("keys", "/connections/keys", "Accepted host keys"),
    Screen("people", "/users", "Exporter"),
    Screen("people-new", "/users/new", "Invite"),
    Screen("people-edit", "/users/{exporter}/edit", "Exporter"),
    Screen("people-disable", "/users/{exporter}/disable", "Disable Exporter?"),
    Screen("settings", "/settings", "Settings"),
    Screen("fields-custom", "/fields", "Shoe size"),
    Screen("fields-custom-new", "/fields/new", "Create new field"),
    Screen("fields-custom-edit", "/fields/{field}", "Shoe size"),
    Screen("audit", "/audit", "Audit log"),
    Screen("personal-data", "/personal-data", "Personal data"),
    Screen("tokens", "/tokens", "Nightly import"),
    Screen("webhooks", "/webhooks", "hooks.company.example"),
    Screen("webhooks-empty", "/webhooks", "No webhooks yet", "stranger"),
    Screen("webhooks-new", "/webhooks/new", "Where your program listens"),
    Screen("webhook", "/webhooks/{webhook}", "Nothing was sent yet"),
    Screen("webhook-edit", "/webhooks/{webhook}/edit", "Edit webhook"),
    Screen("models", "/models", "Events"),
    Screen("models-view", "/models/events", "properties.product_id"),
    Screen("api", "/api", "For programs"),
    Screen("mailbox", "/mailbox", "Coupon use by household"),
    Screen("mail", "/mailbox/{mail}", "Show the run"),
]
ACCOUNT: Final = [
    Screen("profile", "/users/{admin}", "Change password"),
    Screen("profile-other", "/users/{exporter}", "Exporter"),
    Screen("tokens-new", "/account/tokens/new", "New token"),
    Screen("tokens-new-error", "/account/tokens/new", PROBLEM, first=press("Make the token"), status=422),
    Screen(
        "tokens-made",
        "/account/tokens/new",
        "shown this once",
        first=both(typed("#name", "Nightly import"), unfold("#scopes"), press("Make the token")),
    ),
    Screen("second-step", "/account/second-step", "Add it to your app"),
    Screen("second-step-codes", "/account/second-step", "Recovery codes", first=set_up),
    Screen("login", "/login", "Sign in", "nobody"),
    Screen("login-error", "/login", "is not right", "nobody", sign_in("somebody@maple.example", "wrong"), 422),
    Screen("login-code", "/login", "Code", "nobody", sign_in("manager@maple.example", SIGNS_IN)),
    Screen("password-forgotten", "/password/forgotten", "Password forgotten", "nobody"),
    Screen("password-choose", "/password?token={link}", "Choose a password", "nobody"),
    Screen("password-link-over", "/password?token=old", "not valid any more", "nobody", status=410),
    Screen("error-403", "/settings", "You may not", "viewer", status=403),
    Screen("error-404", "/nothing/here", "There is nothing here", status=404),
    Screen("error-410", "/runs/{lost_run}/download", "does not have this file any more", status=410),
]
GROUPS: Final = {"list": LIST, "wizard": WIZARD, "details": DETAILS, "admin": ADMIN, "account": ACCOUNT}
SCREENS: Final = [screen for group in GROUPS.values() for screen in group]

NO_PAGE: Final = {
    "api": "JSON for programs",
    "api_document.openapi": "JSON for programs",
    "audit.export": "a csv file",
    "comparing.download": "a file; why there is none: error-410",
    "comparing.status": "a part of compare",
    "connections.tested": "a part of connection",
    "details.definition": "a JSON file",
    "details.status": "a part of running",
    "exports.home": "leads to the list",
    "exports.live": "a part of list",
    "health.healthz": "JSON for programs",
    "health.metrics": "numbers for programs",
    "health.readyz": "JSON for programs",
    "mailbox.html": "stands in the frame of mail",
    "runs.events": "a part of logs-steps",
    "runs.logs_live": "a part of logs",
    "runs.status": "a part of run-running",
    "second_step.ask": "login-code, reached by a POST that leads there",
    "second_step.codes": "second-step-codes, reached by a POST that leads there",
    "wizard.count": "a part of filters",
    "wizard.options": "a part of filters",
    "wizard.pickable": "a part of fields",
    "wizard.preview": "a part of filters",
    "wizard.tested_target": "a part of target",
    "wizard.without": "a part of filters",
}
"""Why a GET is no screen of its own (a blueprint or a route); whoever adds a page adds it above."""
