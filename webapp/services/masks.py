"""The brand's key for hashes in files: made when first needed, sealed, never shown, never exported (decisions/014)."""

from __future__ import annotations

import secrets
import uuid

from sqlalchemy import select, update

from exports.errors import CredentialUnreadable, MaskKeyUnreadable
from webapp.extensions import db
from webapp.models import Brand
from webapp.services import guarding

BYTES = 32


def key_of(brand_id: uuid.UUID) -> bytes:
    """The key; in a transaction of its own, since rows may be coming or a page be half made.

    Raises:
        MaskKeyUnreadable: none of CREDENTIAL_KEYS opens it.
    """
    kept = select(Brand.mask_key).where(Brand.id == brand_id)
    with db.engine.begin() as connection:
        sealed = connection.scalar(kept)
        if sealed is None:
            made = guarding.sealer().seal(secrets.token_bytes(BYTES).hex(), _owner(brand_id))
            first = update(Brand).where(Brand.id == brand_id, Brand.mask_key.is_(None)).values(mask_key=made)
            connection.execute(first)  # of two that are first at once the second finds the other's
            sealed = connection.scalar(kept)
    if sealed is None:
        raise LookupError(f"there is no brand {brand_id}")
    try:
        return bytes.fromhex(guarding.sealer().open(sealed, _owner(brand_id)))
    except CredentialUnreadable as error:
        raise MaskKeyUnreadable(error.detail) from error


def rotate(brand: Brand) -> int:
    """Seal the key again with the newest of CREDENTIAL_KEYS; the hashes stay as they are. The caller commits.

    Raises:
        CredentialUnreadable: none of them opens it.
    """
    if brand.mask_key is None:
        return 0
    brand.mask_key = guarding.sealer().rotated(brand.mask_key)
    return 1


def _owner(brand_id: uuid.UUID) -> str:
    return f"mask:{brand_id}"
