"""One reader a step: from what was posted and the former draft to the draft as it is typed now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from exports.catalogue import DataModel
from webapp.forms import scheduling, uploading
from webapp.forms.wizard import notify
from webapp.forms.wizard.columns import read_fields
from webapp.forms.wizard.criteria import read_filters
from webapp.forms.wizard.posted import FormRefused, Posted
from webapp.services.drafts import Typed

MAX_OPTION: Final = 100
"""Characters in an option of the file: every one that makes sense has at most ten."""


def read(step: str, posted: Posted, typed: Typed, model: DataModel | None) -> Typed:
    """The draft with what the form of a step holds.

    Raises:
        FormRefused: the form has inputs that the step has not.
    """
    return READERS[step](posted, typed, model)


def _localization(posted: Posted, typed: Typed, _model: DataModel | None) -> Typed:
    posted.only({"name", "timezone"})
    return typed.with_(name=posted.text("name", typed.name), timezone=posted.text("timezone", typed.timezone))


def _file(posted: Posted, typed: Typed, _model: DataModel | None) -> Typed:
    texts = ("extension", "delimiter", "delimiter_other", "enclosure", "newline", "times")
    ticks = ("no_header", "bom", "protect")
    posted.only({*texts, *ticks})
    changes = _options(texts, posted, typed.file)
    return typed.with_(file=typed.file.with_(**changes, **{name: posted.checked(name) for name in ticks}))


def _schedule(posted: Posted, typed: Typed, _model: DataModel | None) -> Typed:
    posted.only(scheduling.INPUTS, many="days")
    return typed.with_(scheduling=scheduling.read_scheduling(posted, typed.scheduling))


def _target(posted: Posted, typed: Typed, _model: DataModel | None) -> Typed:
    posted.only({*uploading.INPUTS, *notify.INPUTS, "if_empty"}, many=notify.MANY)
    now = typed.with_(upload=uploading.read_upload(posted, typed.upload), **_options(("if_empty",), posted, typed))
    now = notify.read_notify(posted, now)
    if typed.upload.is_upload == now.upload.is_upload or typed.file.protect == typed.upload.is_upload:
        return now
    # Usual for a download, which people open, and not for an upload, which programs read (SPEC section 6).
    return now.with_(file=typed.file.with_(protect=not now.upload.is_upload))


def _options(names: Iterable[str], posted: Posted, typed: object) -> dict[str, str]:
    """What was chosen in these inputs, which the draft calls the same; one that was not sent stays as it was."""
    chosen = {name: posted.text(name, getattr(typed, name)) for name in names}
    for name, text in chosen.items():
        if len(text) > MAX_OPTION:
            raise FormRefused(name, f"{name} is longer than {MAX_OPTION} characters")
    return chosen


READERS: Final[dict[str, Callable[[Posted, Typed, DataModel | None], Typed]]] = {
    "localization": _localization,
    "filters": read_filters,
    "fields": read_fields,
    "file": _file,
    "schedule": _schedule,
    "target": _target,
}
