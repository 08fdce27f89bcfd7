"""Credentials are sealed for one owner, and readable with every key that is still there (RELIABILITY T5, F40)."""

import pytest

from exports.errors import CredentialUnreadable
from exports.secrets import Sealer, is_key, new_key

OLD, NEW = new_key(), new_key()


def test_what_was_sealed_can_be_opened_by_its_owner_alone() -> None:
    token = Sealer([OLD]).seal("pässwörd🙂", "a")
    assert Sealer([OLD]).open(token, "a") == "pässwörd🙂"
    with pytest.raises(CredentialUnreadable):
        Sealer([OLD]).open(token, "b")
    assert b"p\xc3\xa4ss" not in token


def test_old_keys_still_open_and_the_newest_seals() -> None:
    token = Sealer([OLD]).seal("secret", "a")
    both = Sealer([NEW, OLD])
    assert both.open(token, "a") == "secret"
    assert Sealer([NEW]).open(both.rotated(token), "a") == "secret"
    assert Sealer([NEW]).open(both.seal("newer", "a"), "a") == "newer"


@pytest.mark.parametrize(
    "token", [Sealer([OLD]).seal("secret", "a"), b"", b"nonsense"], ids=["sealed elsewhere", "empty", "nonsense"]
)
def test_without_its_key_a_credential_is_unreadable_and_says_so(token: bytes) -> None:
    for ask in (lambda: Sealer([NEW]).open(token, "a"), lambda: Sealer([NEW]).rotated(token)):
        with pytest.raises(CredentialUnreadable) as unreadable:
            ask()
        assert unreadable.value.permanent
        assert "secret" not in f"{unreadable.value!r} {unreadable.value.detail}"


def test_keys_are_not_shown() -> None:
    assert OLD not in repr(Sealer([OLD]))


@pytest.mark.parametrize("text", ["", "short", "k" * 44, "ü" * 43])
def test_what_is_no_key_is_known(text: str) -> None:
    assert not is_key(text)
    assert is_key(OLD)
