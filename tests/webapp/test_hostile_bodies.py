"""The hostile bodies (RELIABILITY section 5, api_body): each is answered as listed, quickly, and stores nothing."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from tests.fix_api import Program
from tests.fix_app import stores
from tests.fix_hostile import ENTRIES, group, shown
from webapp.extensions import db
from webapp.models import Connection, Export, ExportVersion, Run

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]
Start = Callable[..., Program]

VALUES: Final = [value for value, _ in group("api_body")]
EXPECTED: Final = [one["expect"] for one in ENTRIES if one["group"] == "api_body"]
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
BOMB: Final = gzip.compress(b" " * 50_000_000)
LONG_FORM: Final = "&".join(f"a{n}=12345678" for n in range(100_000))
PATIENCE_S: Final = 10
"""What a busy machine may add to the second of work that a body may cost."""
POSTS: Final = ("/exports", "/exports/{}/clone", "/exports/{}/schedule")
"""Everything that takes a body."""
AT_A_SERVER: Final = "Expect: 100-continue and silence (slowloris)"
"""Shown at a real server, where others go on being answered: tests/end_to_end/test_api_client.py."""
HERE: Final = [pair for pair in zip(VALUES, EXPECTED, strict=True) if pair[0] != AT_A_SERVER]


def sent(value: str) -> dict[str, Any]:
    """What an entry of the list is, as a request."""
    document = json.dumps(stores().as_json())
    odd: dict[str, dict[str, Any]] = {
        "Content-Type: text/plain with a JSON body": {"data": document, "content_type": "text/plain"},
        "multipart file upload to a non-upload route": {"data": {"file": (io.BytesIO(b"x"), "x.json")}},
        "form with 100,000 fields": {"data": LONG_FORM, "content_type": FORM},
        "invalid UTF-8 bytes ff fe in a form field": {"data": b'{"name": "\xff\xfe"}', "content_type": JSON},
        "gzip request body bomb": {
            "data": BOMB, "content_type": JSON, "headers": {"Content-Encoding": "gzip"},
        },
    }  # fmt: skip
    if value.startswith("HX-"):
        name, _, text = value.partition(": ")
        text = "x" * 5_000 if text == "long" else text
        return {"data": "{}", "content_type": JSON, "headers": {name: text}}
    return odd.get(value, {"data": value.encode(), "content_type": JSON})


def allowed(value: str, expected: str) -> set[int]:
    """The statuses that the list allows."""
    numbers = {int(word) for word in expected.replace("/", " ").replace(",", " ").split() if word.isdigit()}
    if value.startswith(("multipart", "form with")):
        return numbers | {415}  # the API reads no forms, of whatever length
    return numbers or {422}


def test_each_is_answered_as_the_list_says(program: Start, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    before = counts(people.exporter)
    mine = program(people.exporter)
    for value, expected in HERE:
        for at in POSTS:
            if at.endswith("clone") and value.startswith("HX-"):
                continue  # {} is a body there
            options = sent(value)
            begun, worked = time.perf_counter(), time.thread_time()
            response = mine.ask("POST", f"/api/v1{at.format(export.id)}", **options)
            assert time.thread_time() - worked < 1, shown(value)
            assert time.perf_counter() - begun < PATIENCE_S, shown(value)
            assert response.status_code in allowed(value, expected), (shown(value), response.get_data(as_text=True))
            assert "Traceback" not in response.get_data(as_text=True)
    assert counts(people.exporter) == before


def test_the_one_that_is_shown_elsewhere_is_on_the_list() -> None:
    assert len(VALUES) == len(HERE) + 1


def counts(person: Person) -> list[int]:
    """How many of everything that a body could make."""
    with person.at_work():
        kinds = (Export, ExportVersion, Run, Connection)
        return [db.session.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds]


def test_a_number_that_is_none_of_ours_is_refused_wherever_it_stands(program: Start, people: People) -> None:
    mine = program(people.exporter)
    document = json.dumps(stores(filters=[[{"attribute": "id", "operator": "equals", "value": "NUMBER"}]]).as_json())
    for number in ("1e999", "-1e999", "1" * 5_000, "0." + "1" * 5_000, "1e-400"):
        for body in (document.replace('"NUMBER"', number), document.replace('"NUMBER"', f'{{"ids": [{number}]}}')):
            response = mine.ask("POST", "/api/v1/exports", data=body, content_type=JSON)
            assert response.status_code in (400, 422), number
    assert counts(people.exporter)[0] == 0


def test_pages_answer_htmx_headers_that_nobody_would_send(client: Open, people: People) -> None:
    for name in ("HX-Target", "HX-Current-URL", "HX-Prompt"):
        for text in ("<script>", "javascript:alert(1)", "x" * 5_000):
            response = client(people.viewer).get("/exports", headers={"HX-Request": "true", name: text})
            assert response.status_code == 200
            assert text not in response.get_data(as_text=True)
