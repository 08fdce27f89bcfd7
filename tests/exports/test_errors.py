"""The catalogue of errors is closed, complete and documented."""

import string
from pathlib import Path

import pytest

from exports import errors

ALL = list(errors.catalogue())


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in ALL]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_each_has_a_sentence_and_says_what_to_do(kind: type[errors.ExportsError]) -> None:
    assert kind.sentence[0].isupper() or kind.sentence[0] == "“"
    assert kind.sentence.endswith((".", "}"))
    assert kind.advice.endswith(".")


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_each_is_in_the_docs_word_for_word(kind: type[errors.ExportsError]) -> None:
    page = Path("docs/errors.md").read_text()
    assert f"`{kind.code}`" in page
    assert kind.sentence in page
    assert kind.advice in page


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_sentences_are_filled_only_with_facts(kind: type[errors.ExportsError]) -> None:
    names = {name for text in (kind.sentence, kind.advice) for _, name, _, _ in string.Formatter().parse(text) if name}
    assert all(name.isidentifier() for name in names)


@pytest.mark.parametrize("kind", [one for one in ALL if issubclass(one, errors.RunError)], ids=lambda kind: kind.code)
def test_after_the_last_try_nobody_is_promised_another_but_told_what_to_press(kind: type[errors.RunError]) -> None:
    for press in (errors.RUN_AGAIN, errors.UPLOAD_AGAIN):
        advice = kind.last_advice(press)
        assert errors.RETRIED not in advice
        assert (press in advice) is (errors.RETRIED in kind.advice)
        assert advice.endswith(errors.RUN_NOW) is (kind.code in errors.in_definition())


@pytest.mark.parametrize(
    "kind", [one for one in ALL if issubclass(one, errors.SourceError)], ids=lambda kind: kind.code
)
def test_who_waits_for_an_answer_is_promised_no_other_try(kind: type[errors.SourceError]) -> None:
    told = kind(limit=5, name="x", reason="y").told_now
    assert errors.RETRIED not in told
    assert errors.TRY_AGAIN in told or errors.RETRIED not in kind.advice
