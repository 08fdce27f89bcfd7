"""Runs: asked for by people, carried out by workers, taken over by the sweep (docs/runs.md).

`requests` is what people do, `claiming` which run is next, `attempts` what a worker does with the run it holds, `sweep`
what is done about the dead.
"""

from webapp.services.runs.attempts import beat, expect, fail, file, finish, give_back, publish, stop
from webapp.services.runs.claiming import Claim, claim, rehearse_claim
from webapp.services.runs.events import events_of, told
from webapp.services.runs.requests import add_run, cancel, request_again, request_run, stop_all, stop_one
from webapp.services.runs.sweep import give_back_all_of, holds, owner_died, sweep

__all__ = [
    "Claim",
    "add_run",
    "beat",
    "cancel",
    "claim",
    "events_of",
    "expect",
    "fail",
    "file",
    "finish",
    "give_back",
    "give_back_all_of",
    "holds",
    "owner_died",
    "publish",
    "rehearse_claim",
    "request_again",
    "request_run",
    "stop",
    "stop_all",
    "stop_one",
    "sweep",
    "told",
]
