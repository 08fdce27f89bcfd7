"""Nothing typed in the wizard is lost when the login has expired meanwhile, with and without JavaScript (SPEC 3)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.fix_logins import PASSWORD
from tests.fix_pages import check

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]
Open = Callable[["Person | None"], "FlaskClient"]
TYPED = 'Stores "of" <March> & Ősz</textarea>'


def kept_by(login: str) -> dict[str, str]:
    """The hidden inputs of a login."""
    found = check(login).inputs
    return {name: found[name] for name in ("csrf_token", "next", "kept")}


def sign_out(someone: Wizard) -> None:
    """The session is over, and the page does not know."""
    with someone.client.session_transaction() as session:
        session.clear()


def test_what_was_typed_goes_through_the_login_into_the_draft(tab: Tab, exporter: Person) -> None:
    someone = tab(exporter)
    someone.begin()
    someone.fill(name=TYPED)
    sign_out(someone)
    values = [*someone.form.values, ("op", "next")]
    login = someone.client.post(f"{someone.path}?then=check", data=dict(values))
    assert login.status_code == 401
    assert "What you typed is kept: sign in and go on." in check(login.text).text
    wrong = someone.client.post("/login", data={**kept_by(login.text), "email": exporter.email, "password": "wrong"})
    assert wrong.status_code == 422
    right = someone.client.post("/login", data={**kept_by(wrong.text), "email": exporter.email, "password": PASSWORD})
    assert right.status_code == 200
    assert "You are signed in again" in check(right.text).text
    action = html.unescape(re.search(r'id="go-on" method="post" action="([^"]+)"', right.text)[1])  # type: ignore[index]
    pairs = re.findall(r'<textarea name="([^"]+)" hidden>\n(.*?)</textarea>', right.text, re.DOTALL)
    again = {name: html.unescape(value) for name, value in pairs}
    done = someone.client.post(action, data={**again, "csrf_token": check(right.text).inputs["csrf_token"]})
    assert (done.status_code, done.headers["Location"]) == (303, f"/drafts/{someone.draft_id}/check")
    assert someone.typed.name == TYPED


def test_a_secret_is_not_kept(tab: Tab, exporter: Person) -> None:
    someone = tab(exporter)
    someone.begin()
    someone.open("target")
    sign_out(someone)
    typed = {"host": "sftp.example.com", "password": "s3cret-word", "key": "s3cret-key", "passphrase": "s3cret-phrase"}
    login = someone.client.post(someone.path, data={**dict(someone.form.values), **typed, "op": "next"})
    assert "sftp.example.com" in login.text
    assert "s3cret" not in login.text


DRAFT = "/drafts/11111111-1111-1111-1111-111111111111"


@pytest.mark.parametrize(
    "kept",
    ["", "nonsense", "[]", "[1]", "{}", "null", f'["{DRAFT}/localization", "y"]', f'["{DRAFT}/create", ["a", "b"]]',
     f'["https://elsewhere.example{DRAFT}/localization", ["a", "b"]]', '["/logout", ["a", "b"]]',
     f'["{DRAFT}/localization", ["csrf_token", "b"]]', f'["{DRAFT}/localization", ["a", 1]]'],
)  # fmt: skip
def test_what_is_not_of_our_making_leads_to_the_list(client: Open, exporter: Person, kept: str) -> None:
    browser = client(None)
    token = check(browser.get("/login").text).inputs["csrf_token"]
    data = {"csrf_token": token, "email": exporter.email, "password": PASSWORD, "kept": kept}
    answer = browser.post("/login", data=data)
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/exports")


def test_other_forms_lead_back_to_their_page(tab: Tab, exporter: Person) -> None:
    someone = tab(exporter)
    someone.begin()
    sign_out(someone)
    answer = someone.client.post(f"/drafts/{someone.draft_id}/create", data={"op": "create"})
    assert answer.status_code == 302
    told = someone.client.post(f"{someone.path}/save", data={}, headers={"HX-Request": "true"})
    assert told.status_code == 401
    assert "/login" in told.headers["HX-Redirect"]
