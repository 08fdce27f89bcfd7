"""Deliveries: what a run's file is sent as and to where, how far it came, and **Upload again** (docs/delivery.md).

`parcels` is what is sent, `journal` what is written down on the way, `asking` what people ask for, `taking` which
delivery of **Upload again** a worker carries out next.
"""

from webapp.services.deliveries.asking import NothingToUpload, deliveries_of, request_again
from webapp.services.deliveries.journal import Journal, Sending, delivered, failed, given_back, of_run
from webapp.services.deliveries.parcels import connection_of, limits, parcel_of, server_of
from webapp.services.deliveries.taking import EXECUTE, claim, holds, is_repeatable, release, sweep

__all__ = [
    "EXECUTE",
    "Journal",
    "NothingToUpload",
    "Sending",
    "claim",
    "connection_of",
    "delivered",
    "deliveries_of",
    "failed",
    "given_back",
    "holds",
    "is_repeatable",
    "limits",
    "of_run",
    "parcel_of",
    "release",
    "request_again",
    "server_of",
    "sweep",
]
