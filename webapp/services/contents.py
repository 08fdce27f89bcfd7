"""What data an entry of the audit log is about: model, columns, whether they are personal, and by which definition."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from flask import current_app

from exports.catalogue import Catalogue
from exports.definition import Definition
from webapp.extensions import db
from webapp.models import Brand, Compare, Run
from webapp.services import personal, versions

ALL_FIELDS = ["all fields"]


def columns(definition: Definition) -> list[str]:
    """The fields that a definition shows."""
    return list(dict.fromkeys(one.from_ for one in definition.fields)) or ALL_FIELDS


def of(
    brand: Brand, definition: Definition, fields: list[str] | None = None, whole: Catalogue | None = None
) -> dict[str, Any]:
    """Facts about rows of a definition. `fields`: those that are told of, if not its columns; `whole`: see
    `personal.needs_right`.
    """
    return {
        "model": definition.model,
        "fields": columns(definition) if fields is None else fields,
        "personal": personal.needs_right(brand, definition, whole),
        "definition": _print(definition),
    }


def of_file(thing: Run | Compare) -> dict[str, Any]:
    """Facts about the file of a run, or of a comparison: its later run has the same columns, or tells of more."""
    run = thing if isinstance(thing, Run) else db.session.get_one(Run, thing.later_id)
    about = of(db.session.get_one(Brand, run.brand_id), versions.definition_of(run))
    return {**about, "version": run.version, "rows": thing.differences if isinstance(thing, Compare) else thing.rows}


def _print(definition: Definition) -> str:
    """By it entries about one definition are known. Keyed: nobody who reads the log finds by trying which personal
    value a definition asks for.
    """
    text = json.dumps(definition.as_json(), sort_keys=True)
    return hmac.new(current_app.config["SECRET_KEY"].encode(), text.encode(), hashlib.sha256).hexdigest()
