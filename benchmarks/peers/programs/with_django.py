"""django-import-export: a ModelResource, its `chunk_size`, `export()` and the csv of the data set."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import django
import psycopg  # noqa: F401 - loaded before the clock starts
from asked import CHUNK, HEADERS, STORES, ZONE, answer
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["import_export"],
    USE_TZ=True,
    TIME_ZONE="UTC",
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}},
)
django.setup()

from django.db import connections, models  # noqa: E402 - Django wants its settings first
from django.db.models.fields.json import KeyTextTransform  # noqa: E402
from import_export import fields, resources, widgets  # noqa: E402


class Event(models.Model):
    """The table as it stands."""

    id = models.TextField(primary_key=True, db_column="_id")
    brand = models.TextField()
    customer = models.TextField(null=True)
    action = models.TextField()
    points = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    timestamp = models.DateTimeField()
    properties = models.JSONField(null=True)
    source = models.TextField(null=True)

    class Meta:
        """Not Django's to change."""

        app_label = "events"
        managed = False
        db_table = 'loyalty"."events'


class Raw(resources.ModelResource):
    """The fields as they are."""

    product_id = fields.Field(attribute="product_id", column_name="product_id")
    total = fields.Field(attribute="total", column_name="total")

    class Meta:
        """What is exported, in which order."""

        model = Event
        chunk_size = CHUNK
        fields = ("id", "customer", "action", "points", "timestamp", "product_id", "total", "source")
        export_order = fields


class Mapped(resources.ModelResource):
    """Mapped by column names, a widget and dehydrate methods, as the documentation has it."""

    id = fields.Field(attribute="id", column_name=HEADERS[0])
    customer = fields.Field(attribute="customer", column_name=HEADERS[1])
    action = fields.Field(attribute="action", column_name=HEADERS[2])
    points = fields.Field(attribute="points", column_name=HEADERS[3], widget=widgets.DecimalWidget())
    timestamp = fields.Field(
        attribute="timestamp", column_name=HEADERS[4], widget=widgets.DateTimeWidget("%Y-%m-%d %H:%M:%S")
    )
    product_id = fields.Field(attribute="product_id", column_name=HEADERS[5])
    store = fields.Field(attribute="store", column_name=HEADERS[6])
    total = fields.Field(attribute="total", column_name=HEADERS[7])

    def dehydrate_customer(self, event: Any) -> str:
        """Default."""
        return "n/a" if event.customer is None else event.customer

    def dehydrate_action(self, event: Any) -> str:
        """Replace values."""
        return "Item" if event.action == "checkout_item" else event.action

    def dehydrate_product_id(self, event: Any) -> str:
        """Default."""
        return "unknown" if event.product_id is None else event.product_id

    def dehydrate_store(self, event: Any) -> str:
        """Replace values."""
        return STORES.get(event.store, event.store)

    class Meta:
        """What is exported, in which order."""

        model = Event
        chunk_size = CHUNK
        fields = ("id", "customer", "action", "points", "timestamp", "product_id", "store", "total")
        export_order = fields


def make(asked: dict[str, Any]) -> None:
    """The rows by the ORM, the members of the JSON column read in the database."""
    parts = urlsplit(asked["url"])
    connections.settings["default"] |= {
        "NAME": parts.path.lstrip("/"), "USER": parts.username, "PORT": "", "PASSWORD": "",
        "HOST": parse_qs(parts.query).get("host", [parts.hostname or ""])[0],
    }  # fmt: skip
    mapped = asked["case"] == "mapped"
    names = ("product_id", "total", "store") if mapped else ("product_id", "total")
    rows = Event.objects.filter(brand="maple", action="checkout_item").defer("brand", "properties")
    rows = rows.annotate(**{name: KeyTextTransform(name, "properties") for name in names}).order_by("id")
    if mapped:
        settings.TIME_ZONE = ZONE
        django.utils.timezone.get_default_timezone.cache_clear()
        rows = rows.filter(timestamp__gte=datetime(2017, 1, 1, tzinfo=ZoneInfo(ZONE)), points__gte=0).defer("source")
    if asked["until"]:
        rows = rows.filter(timestamp__lte=datetime.fromisoformat(asked["until"]))
    data = (Mapped() if mapped else Raw()).export(rows)
    with open(asked["out"], "w", newline="", encoding="utf-8") as file:
        file.write(data.csv)


answer(make)
