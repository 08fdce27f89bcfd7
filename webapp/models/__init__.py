"""Tables of the application database: columns, constraints, and the wall between brands."""

from webapp.models.accounts import Brand, CustomField, LoginSession, User
from webapp.models.audit import AuditEntry
from webapp.models.base import NoBrand, WrongBrand, among, brand_scope, clock, current_brand, system_scope
from webapp.models.compares import Compare
from webapp.models.connections import Connection, ConnectionTest
from webapp.models.deliveries import Delivery
from webapp.models.exports import ITS_RUNS, Draft, Export, ExportName, ExportVersion
from webapp.models.outbox import Mail
from webapp.models.runs import Run, RunEvent
from webapp.models.tokens import ApiRequest, ApiToken
from webapp.models.webhooks import Webhook, WebhookMessage

__all__ = [
    "ITS_RUNS",
    "ApiRequest",
    "ApiToken",
    "AuditEntry",
    "Brand",
    "Compare",
    "Connection",
    "ConnectionTest",
    "CustomField",
    "Delivery",
    "Draft",
    "Export",
    "ExportName",
    "ExportVersion",
    "LoginSession",
    "Mail",
    "NoBrand",
    "Run",
    "RunEvent",
    "User",
    "Webhook",
    "WebhookMessage",
    "WrongBrand",
    "among",
    "brand_scope",
    "clock",
    "current_brand",
    "system_scope",
]
