"""The hostile addresses (RELIABILITY section 5, group url_ids): each is answered as listed, and none is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import func, select

from tests.fix_hostile import group
from webapp.extensions import db
from webapp.models import AuditEntry, User
from webapp.services import links

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports, Made

Open = Callable[["Person | None"], "FlaskClient"]
VALUES: Final = [value for value, _ in group("url_ids")]
AS_IDS: Final = ("1 OR 1=1", "1%00", "..%2f..%2fetc%2fpasswd", "true", "null")
PLACES: Final = ("/exports/{}", "/runs/{}/download")


def denied(person: Person) -> int:
    """How often the audit log of the person's brand says that something was asked for in vain."""
    with person.at_work():
        wanted = select(func.count(AuditEntry.id)).where(AuditEntry.action == "access.denied")
        return db.session.scalar(wanted) or 0


def unknown(browser: FlaskClient, made: Made, person: Person) -> None:
    """An id of another brand, which is what the link of a mail holds too."""
    for at, id_ in (("/exports/{}", made.id), ("/runs/{}", made.run_id), ("/runs/{}/download", made.run_id)):
        before = denied(person)
        assert browser.get(at.format(id_)).status_code == 404
        assert denied(person) == before + 1


def ranges(asked: str, statuses: tuple[int, ...]) -> Callable[[FlaskClient, Made], None]:
    """A download of parts of the own file."""

    def ask(browser: FlaskClient, made: Made) -> None:
        response = browser.get(f"/runs/{made.run_id}/download", headers={"Range": f"bytes={asked}"})
        assert response.status_code in statuses
        assert response.mimetype != "multipart/byteranges"

    return ask


@pytest.mark.parametrize("value", VALUES)
def test_each_is_answered_as_the_list_says(client: Open, people: People, made: Exports, value: str) -> None:
    of_exporter = made.finished(people.exporter)
    own, foreign = client(people.exporter), client(people.stranger)
    if value in AS_IDS:
        for place in PLACES:
            assert own.get(place.format(value)).status_code == 404
    elif value.startswith("id as array"):
        assert own.get("/exports?id[]=1").status_code == 200, "the list knows no such input and shows all"
        assert own.get("/exports/?id[]=1").status_code == 404
    elif value.startswith("GET /exports/1/"):
        for id_ in ("1", str(of_exporter.id)):
            status = own.get(value.removeprefix("GET ").replace("/1/", f"/{id_}/")).status_code
            assert status == (404 if id_ == "1" else 405), "1 is no id, so there is no such address"
    elif value.startswith("Range: bytes=0-"):
        ranges(",".join(["0-"] * 1_300), (200, 416))(own, of_exporter)
    elif value == "Range: bytes=-0":
        ranges("-0", (416,))(own, of_exporter)
    elif value.startswith("reset token"):
        with people.exporter.at_work() as user:
            token = links.made(db.session.get_one(User, user.id))
        for query in ({"token": token}, {"next": token}):
            response = client(None).get(f"/runs/{of_exporter.run_id}/download", query_string=query)
            assert response.headers["Location"].startswith("/login?next=")
        assert own.get(f"/runs/{token}/download").status_code == 404
    else:
        assert value in ("id of another brand's export", "link of a mail, session of another brand")
        unknown(foreign, of_exporter, people.stranger)
