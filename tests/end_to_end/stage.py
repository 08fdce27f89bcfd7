"""A brand at work, so that every screen has something to show: made by the services and jobs that make it for real."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from exports import catalogue, totp
from exports.definition import Definition, parse
from jobs import compare, connection_test, mail, runs, scheduler
from tests.delivery.servers import PASSWORD, USER, SftpServer
from tests.fix_app import stores
from tests.fix_connections import partner
from webapp.extensions import db
from webapp.models import Export, Mail, Run, User
from webapp.services import connections, custom_fields, drafts, exports, links, schedules, second_step, tokens, webhooks
from webapp.services.accounts import hash_password
from webapp.services.connections import Credential, trust
from webapp.services.progress import present

if TYPE_CHECKING:
    from tests.fix_app import Clock, People
    from tests.fix_exports import Exports

NOW: Final = "2026-11-23 09:42+00"
"""The moment of all pictures: a Monday, 04:42 for the brand."""
SIGNS_IN: Final = "correct horse battery staple"
"""The manager's password, which is asked for a second step too."""
LONG: Final = "W" * 200
KEY: Final = "ssh-ed25519 SHA256:4nNpWzP0DrbzCm5o3VvJtK3c3gH6bA2m1lq8sQd0x0A"
OTHER_KEY: Final = "ssh-ed25519 SHA256:9xTqLm2bW1rVvZk7uYc0eFhJpN5sDgA8iQo3tRw6y1U"
PURCHASES: Final[dict[str, Any]] = {
    "name": "All checkout items 2017",
    "model": "events",
    "timezone": "America/New_York",
    "filters": [
        [
            {"attribute": "action", "operator": "equals", "value": "checkout_item"},
            {"attribute": "timestamp", "operator": "in_date", "value": ["2017-01-01", "2017-12-31"]},
        ],
        [{"attribute": "points", "operator": "between", "value": [10, 20]}],
    ],
    "fields": [
        {"from": "customer", "to": "Customer ID"},
        {"from": "timestamp", "to": "When"},
        {"from": "action", "to": "What", "replace": [{"value": "checkout_item", "new": "Purchase"}]},
        {"from": "properties.product_id", "to": "Product"},
        {"from": "properties.quantity", "to": "Qty", "default": "0"},
        {"from": "ip_address", "default": "n/a"},
    ],
}
TOTALS: Final[dict[str, Any]] = {
    **PURCHASES,
    "name": "Purchases by action",
    "aggregation": True,
    "fields": [
        {"from": "action", "to": "Action", "aggregation": "group"},
        {"from": "_id", "to": "Events", "aggregation": "count"},
        {"from": "points", "to": "Points", "aggregation": "sum"},
    ],
}
DAILY: Final = {"type": "repeated", "every": "day", "hours": "6", "minutes": "30"}
MONTHLY: Final = {"type": "repeated", "every": "month", "days": [1, 15, "last"], "hours": "6", "minutes": "30"}
ON_DATE: Final = {"type": "on_date", "at": "2026-12-01T08:00:00", "timezone": "America/New_York"}
COLUMNS: Final = [{"from": "id", "to": "Store"}, {"from": "name"}, {"from": "city"}]
BEFORE: Final = b"Store,name,city\n00001,Main Street,Springfield\n00002,Station,Shelbyville\n00003,Park,Ogdenville\n"
AFTER: Final = b"Store,name,city\n00001,Main Street,Springfield\n00003,Park Lane,Ogdenville\n00004,Harbour,Albany\n"


@dataclass
class Stage:
    """What stands on it, by the names that the addresses of screens use: `/exports/{running}`."""

    people: People
    made: Exports
    clock: Clock
    server: SftpServer
    ids: dict[str, Any] = field(default_factory=dict)

    def set(self) -> Stage:
        """Put everything there, in the order of time; at the end one run is live."""
        self.clock.set("2026-11-09 10:00+00")
        self._connections()
        self._repeated()
        self.clock.set("2026-11-23 09:30+00")
        self._one_offs()
        self._drafts()
        self._around()
        self.clock.set("2026-11-23 09:41+00")
        self._running()
        self.clock.set(NOW)
        return self

    # --- connections

    def _connections(self) -> None:
        with self.people.admin.at_work() as user:
            wanted, _ = partner(
                "Partner warehouse", shared=True, host="127.0.0.1", port=str(self.server.port), username=USER
            )
            good = connections.create(user, wanted, Credential("password", PASSWORD))
            connections.accept(user, good, self.server.trust)
            blocked = connections.create(user, *partner("Old warehouse", host="sftp.old-warehouse.example"))
            connections.accept(user, blocked, KEY)
            trust.offered(blocked, OTHER_KEY)
            db.session.commit()
            ftp = connections.create(user, *partner("Print shop", type="ftp", host="ftp.print-shop.example", port="21"))
            self.ids |= {"connection": good.id, "blocked": blocked.id, "ftp": ftp.id}

    def test_connection(self, client: Any, name: str) -> None:
        """**Test connection**, and its job in a thread, as it is in a process of its own for real."""
        from webapp.models import ConnectionTest

        id_ = self.ids[name]
        page = client.get(f"/connections/{id_}").get_data(as_text=True)
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        assert client.post(f"/connections/{id_}/test", data={"csrf_token": token}).status_code == 303
        with self.people.admin.at_work():
            test_id = db.session.scalars(select(ConnectionTest.id).where(ConnectionTest.server == id_)).one()
        job = threading.Thread(target=self._carry_out, args=(test_id,))
        job.start()
        job.join()

    def _carry_out(self, test_id: uuid.UUID) -> None:
        with self.made.app.app_context():
            connection_test.test(run=str(test_id))

    # --- exports

    def _create(self, name: str, definition: Definition) -> uuid.UUID:
        with self.people.admin.at_work() as user:
            self.ids[name] = exports.create(user, definition, uuid.uuid4()).id
        return self.ids[name]  # type: ignore[no-any-return]

    def _worked(self) -> uuid.UUID:
        """A worker carries out the run that waits, for real; the run."""
        with self.made.app.app_context():
            mine = scheduler.take_next("worker-1")
            assert mine is not None
            runs.attempt(mine)
        return mine.run_id

    def _repeated(self) -> None:
        """Fourteen days of a daily export, one of them failed; a comparison of the last two."""
        self._create("long", stores(name=LONG, fields=[{"from": "name", "to": LONG, "default": LONG}] * 40))
        self._worked()
        self._create("repeated", stores(name="Stores for the partner", schedule=DAILY, fields=COLUMNS))
        self._create("monthly", parse({**TOTALS, "name": "Points by action, monthly", "schedule": MONTHLY}))
        inactive = self._create("inactive", stores(name="Stores by the hour", schedule={**DAILY, "hours": "*"}))
        with self.people.admin.at_work() as user:
            schedules.set_inactive(user, db.session.get_one(Export, inactive))
        for day in range(10, 24):
            self.clock.set(f"2026-11-{day} 06:30+00")
            with self.made.app.app_context():
                scheduler.fire_all_due()
            for _ in range(2 if day == 15 else 1):
                mine = self.made.claim()
                if day == 17:
                    self.made.fail(mine)
                else:
                    self.clock.set(f"2026-11-{day} 06:30:0{day % 4 + 1}+00")
                    self.made.publish(mine, BEFORE if day % 3 else AFTER)
        with self.people.admin.at_work():
            wanted = select(Run.id).where(Run.export_id == self.ids["repeated"], Run.artefact.is_not(None))
            newest = list(db.session.scalars(wanted.order_by(Run.created_at.desc()).limit(4)))
        self.ids |= {"run": newest[0], "earlier": newest[2], "other": newest[3]}
        self.ids["compare"] = self.made.asked_to_compare(self.people.admin, newest[2], newest[0])
        with self.made.app.app_context():
            compare.execute()

    def _one_offs(self) -> None:
        target = {
            "type": "sftp",
            "connection": str(self.ids["connection"]),
            "path": "/in/stores_%Y%m%d",
            "archive": True,
        }
        self._create("delivered", stores(name="Stores, to the warehouse", target=target))
        self.ids["delivered_run"] = self._worked()
        self._create("failed", parse({**PURCHASES, "name": "Coupon use by household"}))
        mine = self.made.claim()
        self.made.beat(mine, rows=12_400, size=1_200_000, expected=48_213)
        self.made.fail(mine)
        self.ids["failed_run"] = mine.run_id
        self._create("finished", parse(PURCHASES))
        self.ids["finished_run"] = self._worked()
        self._create("lost", stores(name="Stores in 2016"))
        self.ids["lost_run"] = self._worked()
        self._lose(self.ids["lost_run"])
        self._create("archived", stores(name="Stores of last year"))
        self._worked()
        with self.people.admin.at_work() as user:
            exports.archive(user, db.session.get_one(Export, self.ids["archived"]))
        self._create("waiting", stores(name="Opening in December", schedule=ON_DATE))
        self._versions()

    def _lose(self, run_id: uuid.UUID) -> None:
        """The store does not have the file any more."""
        from webapp.services import artefacts

        with self.people.admin.at_work():
            key = db.session.get_one(Run, run_id).artefact
            assert key is not None
            artefacts.store().delete(key)

    def _versions(self) -> None:
        """A second version of the repeated one."""
        with self.people.admin.at_work() as user:
            export = db.session.get_one(Export, self.ids["repeated"])
            draft = exports.edit(user, export)
            more = [*COLUMNS, {"from": "status", "default": "closed"}]
            changed = stores(name="Stores for the partner", schedule=DAILY, fields=more)
            assert exports.save(user, export, draft, changed, 1)

    def _running(self) -> None:
        self._create("running", parse({**PURCHASES, "name": "Points of January"}))
        mine = self.made.claim()
        self.clock.set("2026-11-23 09:41:52+00")
        self.made.beat(mine, rows=912_400, size=61_000_000, expected=1_469_307)
        self.ids["running_run"] = mine.run_id
        self._create("queued", stores(name="Stores, all columns"))

    # --- drafts

    def _drafts(self) -> None:
        models = catalogue.builtin().models
        typed = drafts.filled(parse({**PURCHASES, "schedule": MONTHLY}), models["events"])
        upload = typed.upload.with_(
            type="sftp", connection=str(self.ids["connection"]), path="/in/loyalty/events_%Y%m%d"
        )
        by_hand = typed.upload.with_(type="sftp", host="10.0.0.5", port="99999", path="/in/%Q")
        open_ = tuple(one.with_(open=one.from_ == "action") for one in typed.columns)
        wrong = typed.sets[0][1].with_(low="first day of this year", high="2017-13-01", original="")
        bare = drafts.Typed(timezone="").with_model(models["events"])
        late = typed.scheduling.with_(hours="24", monthdays=(), original="")
        shop = {
            "filled": typed.with_(columns=open_, upload=upload),
            "totals": drafts.filled(parse(TOTALS), models["events"]),
            "empty": bare.with_(timezone="America/New_York", submitted=("model",)),
            "bare": bare.with_(submitted=typed.submitted),
            "wrong": typed.with_(sets=((typed.sets[0][0], wrong),), scheduling=late, upload=by_hand),
        }
        with self.people.admin.at_work() as user:
            for name, one in shop.items():
                self.ids[f"draft_{name}"] = drafts.add(user, one, uuid.uuid4()).id

    # --- what else there is

    def _around(self) -> None:
        with self.people.admin.at_work() as admin:
            wanted = custom_fields.Wanted("customers", "shoe_size", "Shoe size", column="properties")
            self.ids["field"] = custom_fields.create(admin, wanted).id
            tokens.create(admin, tokens.Wanted("Nightly import", ("exports:read",)))
            hook = webhooks.Wanted("https://hooks.company.example/exports")
            self.ids["webhook"] = webhooks.create(admin, uuid.uuid4(), hook)[0].id
            self.ids["link"] = links.made(db.session.get_one(User, self.people.colleague.id))
        self._second_step()
        for name in ("admin", "manager", "exporter", "colleague", "viewer", "stranger"):
            self.ids[name] = getattr(self.people, name).id
        with self.made.app.app_context():
            mail.send()
        with self.people.admin.at_work():
            newest = select(Mail.id).where(Mail.run_id == self.ids["failed_run"])
            self.ids["mail"] = db.session.scalars(newest.limit(1)).one()

    def _second_step(self) -> None:
        with self.people.manager.at_work() as user:
            user.password_hash = hash_password(SIGNS_IN)
            secret = totp.new_secret()
            assert second_step.turn_on(user, secret, totp.code(secret, totp.step_of(present())))
