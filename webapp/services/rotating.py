"""`flask credentials rotate`: everything that is sealed, sealed again with the newest of CREDENTIAL_KEYS."""

from __future__ import annotations

import uuid

from webapp.extensions import db
from webapp.models import Brand
from webapp.services import audit, connections, masks, second_step


def rotate(actor: str, brand_id: uuid.UUID) -> int:
    """Credentials of connections and drafts, the key for hashes, secrets of second steps of the present brand. Commits.

    Raises:
        CredentialUnreadable: something is sealed with a key that is not here any more.
    """
    count = connections.rotate(actor)
    brand = db.session.get_one(Brand, brand_id)
    keys = masks.rotate(brand) + second_step.rotate()
    if keys:
        audit.record("brand.keys_rotated", actor, brand, count=keys)
    db.session.commit()
    return count + keys
