"""Who may do what: the table of SPEC section 1."""

import uuid
from types import SimpleNamespace

import pytest

from webapp.models import User
from webapp.permissions import ACTIONS, Refused, authorize, may

BRAND = uuid.uuid4()


def person(role: str, brand: uuid.UUID = BRAND, disabled: bool = False) -> User:
    """A user with a role; disabled ones have a moment since when."""
    from datetime import UTC, datetime

    return User(id=uuid.uuid4(), brand_id=brand, role=role, disabled_at=datetime.now(UTC) if disabled else None)


def owned_by(user: User) -> SimpleNamespace:
    """Something of the user's brand that the user owns."""
    return SimpleNamespace(brand_id=user.brand_id, owner_id=user.id)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_nobody_who_is_disabled_may_do_anything(action: str) -> None:
    admin = person("admin", disabled=True)
    assert not may(admin, action, owned_by(admin))


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_nobody_may_do_anything_to_another_brands_things(action: str) -> None:
    stranger = person("admin", uuid.uuid4())
    with pytest.raises(Refused) as refused:
        authorize(stranger, action, SimpleNamespace(brand_id=BRAND, owner_id=stranger.id))
    assert refused.value.hidden, "it must look as if it were not there"


def test_an_action_that_does_not_exist_is_refused() -> None:
    assert not may(person("admin"), "exports.frobnicate")


def test_a_viewer_sees_lists_but_no_data() -> None:
    viewer = person("viewer")
    assert may(viewer, "exports.list")
    assert may(viewer, "exports.see", owned_by(viewer))
    for action in ("exports.create", "exports.preview", "exports.download", "exports.run"):
        assert not may(viewer, action, owned_by(viewer)), action


def test_an_exporter_downloads_all_and_runs_only_the_own() -> None:
    exporter, other = person("exporter"), person("exporter")
    assert may(exporter, "exports.download", owned_by(other))
    assert may(exporter, "exports.run", owned_by(exporter))
    assert not may(exporter, "exports.run", owned_by(other))


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_managers_and_admins_run_everybodys(role: str) -> None:
    assert may(person(role), "exports.run", owned_by(person("exporter")))


def test_a_draft_is_its_owners_alone() -> None:
    owner = person("exporter")
    assert may(owner, "drafts.edit", owned_by(owner))
    assert not may(person("admin"), "drafts.edit", owned_by(owner))
