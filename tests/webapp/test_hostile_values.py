"""Hostile values that stand in the records: the preview shows them as text, and the file holds them as they are.

The brand's own fields are records of Customer fields: their labels are what nobody would call a field.
"""

from __future__ import annotations

import csv
import io
import json

from tests.fix_app import stores
from tests.fix_hostile import Ways, group, is_storable
from tests.fix_pages import check

FILTER = {"attribute": "id", "operator": "starts_with", "value": "hostile_"}


def test_hostile_values_are_shown_as_text_and_stand_in_the_file_as_they_are(ways: Ways) -> None:
    from webapp.extensions import db
    from webapp.models import CustomField

    labels = [value for value, _ in group("database_values") if is_storable(value) and value]
    with ways.person.at_work():
        for place, label in enumerate(labels):
            id = f"hostile_{place:02}"
            db.session.add(CustomField(model="customers", field=id, label=label, type="string", path=[id]))
        db.session.commit()
    wanted = [[f"hostile_{place:02}", label] for place, label in enumerate(labels)]
    fields = [{"from": "id"}, {"from": "label"}]
    made = {**stores().as_json(), "model": "customer_fields", "filters": [[FILTER]], "fields": fields}
    for extension in ("csv", "json"):
        file = ways.run({**made, "file": {"extension": extension, "protect_spreadsheets": False}}).decode()
        if extension == "csv":
            assert list(csv.reader(io.StringIO(file, newline="")))[1:] == wanted
        else:
            assert [list(one.values()) for one in json.loads(file)] == wanted
    ways.begin("customer_fields")
    ways.by_form("filters", {f"filters-A-1-{part}": text for part, text in FILTER.items()})
    ways.by_form("fields", {"fields-1-from": "id", "fields-2-from": "label"})
    shown = ways.tab.client.get(f"/drafts/{ways.tab.draft_id}/fields/preview").get_data(as_text=True)
    page = check(shown, whole=False)  # no tag and no handler of a value's own
    for _id, label in wanted[:7]:
        assert " ".join(label.split()) in page.text, label
    assert "<img" not in shown
    assert "&lt;img src=x" in shown
