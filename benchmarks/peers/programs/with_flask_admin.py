"""Flask-Admin: the CSV of a ModelView's export, as a browser gets it, written to a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2  # noqa: F401 - loaded before the clock starts
from asked import HEADERS, STORES, ZONE, answer
from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Numeric, Text, literal_column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import column_property, deferred, mapped_column

BUDAPEST = ZoneInfo(ZONE)
db = SQLAlchemy()


class Event(db.Model):  # type: ignore[name-defined,misc]
    """The table as it stands; the members of the JSON column are read in the database."""

    __tablename__ = "events"
    __table_args__ = {"schema": "loyalty"}  # noqa: RUF012

    id = mapped_column("_id", Text, primary_key=True)
    brand = deferred(mapped_column(Text))
    customer = mapped_column(Text)
    action = mapped_column(Text)
    points = mapped_column(Numeric)
    timestamp = mapped_column(DateTime(timezone=True))
    properties = deferred(mapped_column(JSONB))
    source = mapped_column(Text)


Event.product_id = column_property(Event.properties["product_id"].astext)
Event.total = column_property(Event.properties["total"].astext)


class Raw(ModelView):
    """All of what is wanted, as it is."""

    can_create = can_edit = can_delete = False
    can_export = True
    export_max_rows = 0
    simple_list_pager = True
    column_list = ("id", "customer", "action", "points", "timestamp", "product_id", "total", "source")
    column_display_pk = True
    until: datetime | None = None

    def get_query(self) -> Any:
        """The brand's rows of one action, in order."""
        rows = db.session.query(Event).filter(Event.brand == "maple", Event.action == "checkout_item")
        rows = rows.filter(Event.timestamp <= self.until) if self.until else rows
        return rows.order_by(Event.id.collate("C"))


class Mapped(Raw):
    """Mapped by labels and export formatters, as the documentation has it."""

    column_list = ("id", "customer", "action", "points", "timestamp", "product_id", "store", "total")
    column_labels = dict(zip(column_list, HEADERS, strict=True))  # noqa: RUF012
    column_formatters_export = {  # noqa: RUF012
        "customer": lambda _view, _context, row, _name: "n/a" if row.customer is None else row.customer,
        "action": lambda _view, _context, row, _name: "Item" if row.action == "checkout_item" else row.action,
        "points": lambda _view, _context, row, _name: 0 if row.points is None else row.points,
        "timestamp": lambda _view, _context, row, _name: row.timestamp.astimezone(BUDAPEST).strftime("%F %T"),
        "product_id": lambda _view, _context, row, _name: "unknown" if row.product_id is None else row.product_id,
        "store": lambda _view, _context, row, _name: STORES.get(row.store, row.store),
    }

    def get_query(self) -> Any:
        """The filters on top."""
        begin = datetime(2017, 1, 1, tzinfo=BUDAPEST)
        return super().get_query().filter(Event.timestamp >= begin, Event.points >= 0)


def make(asked: dict[str, Any]) -> None:
    """Ask for the export as a browser does."""
    mapped = asked["case"] == "mapped"
    if mapped:
        Event.store = column_property(literal_column("loyalty.events.properties ->> 'store'", Text))
    app = Flask("peers")
    app.config["SECRET_KEY"] = "nothing is signed here"  # noqa: S105
    app.config["SQLALCHEMY_DATABASE_URI"] = asked["url"].replace("postgresql:", "postgresql+psycopg2:", 1)
    db.init_app(app)
    view = (Mapped if mapped else Raw)(Event, db, endpoint="events")
    view.until = datetime.fromisoformat(asked["until"]) if asked["until"] else None
    Admin(app).add_view(view)
    with open(asked["out"], "wb") as file:
        response = app.test_client().get("/admin/events/export/csv/", buffered=False)
        if response.status_code != 200:
            raise SystemExit(f"{response.status_code} {response.get_data(as_text=True)[:500]}")
        file.writelines(response.iter_encoded())


answer(make)
