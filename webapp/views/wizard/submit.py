"""The steps of a draft: shown, typed in, saved as it is typed, left by Next or Back, changed by their buttons."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from flask import Response, request, url_for
from flask_login import current_user

from webapp.forms.wizard import FormRefused, Posted, read
from webapp.htmx import event, fragment, go, is_htmx, page
from webapp.security import action
from webapp.services import drafts
from webapp.services.drafts import ASKING, DraftChanged, Outcome, UnknownOperation
from webapp.views import scheduling
from webapp.views.wizard import answers, begin, criteria, previews, why
from webapp.views.wizard.place import Place, find_draft_or_404
from webapp.views.wizard.routes import blueprint
from webapp.views.wizard.uploading import keep_refused

IN_LINES = frozenset({"open", "rep-add", "rep-rm", "up", "down"})
"""Buttons of Field settings that change the line in which they stand, or change it for its neighbour, and no other."""
SKIP = "check"
"""The button of the steps whose successors can stay as they are: on to Check and create, past all of them."""
STAY = "stay"
"""What a page sends whose session had ended: what was typed in it is stored, and the same step shown again."""
KEEP = "keep"
"""The button of a draft that was changed elsewhere: what is typed here wins."""


@blueprint.get("/drafts/<uuid:draft_id>/<step>")
@action("drafts.edit")
def step(draft_id: uuid.UUID, step: str) -> Response:
    """The page of a step."""
    place = Place.of(draft_id, step)
    if (way := _elsewhere(place)) is not None:
        return way
    return answers.page(place, **previews.inline(place), **why.inline(place))


@blueprint.post("/drafts/<uuid:draft_id>/<step>")
@action("drafts.edit")
def submit(draft_id: uuid.UUID, step: str) -> Response:
    """Store what was typed, do what the button says, go where it leads."""
    return with_posted(draft_id, step, _leave)


@blueprint.post("/drafts/<uuid:draft_id>/<step>/save")
@action("drafts.edit")
def autosave(draft_id: uuid.UUID, step: str) -> Response:
    """Store what was typed; the page is told that it is, and which of its problems are gone or new."""
    return with_posted(draft_id, step, _save)


@blueprint.post("/drafts/<uuid:draft_id>/filters/crit/<label>")
@action("drafts.edit")
def criterion(draft_id: uuid.UUID, label: str) -> Response:
    """Another attribute or operator was chosen: the criterion with the operators and the input that fit."""

    def answer(place: Place, posted: Posted) -> Response:
        return _operate(place, posted, f"crit:{label}")

    return with_posted(draft_id, "filters", answer)


@blueprint.post("/drafts/<uuid:draft_id>/schedule/form")
@action("drafts.edit")
def scheduling_form(draft_id: uuid.UUID) -> Response:
    """Another type, or days of another kind, were chosen: the inputs that it has."""

    def answer(place: Place, posted: Posted) -> Response:
        now = store(place, posted)
        return event(answers.swap(now, "scheduling", focus=""), "draft-changed")

    return with_posted(draft_id, "schedule", answer)


@blueprint.post("/drafts/<uuid:draft_id>/schedule/next")
@action("drafts.edit")
def scheduling_next(draft_id: uuid.UUID) -> Response:
    """The next five moments of what is typed; nothing is stored."""

    def answer(place: Place, _posted: Posted) -> Response:
        context = scheduling.context(place.typed.scheduling, place.user, place.saved)
        return fragment("schedule/_next_swap.html", **context)

    return with_posted(draft_id, "schedule", answer)


@blueprint.post("/drafts/<uuid:draft_id>/discard")
@action("drafts.edit")
def discard(draft_id: uuid.UUID) -> Response:
    """Delete the draft and go back to the list; asked first where no dialog has."""
    draft = find_draft_or_404(draft_id)
    if request.form.get("sure") != "1":
        return page("wizard/discard.html", draft=draft, typed=drafts.typed_of(draft))
    drafts.discard(current_user, draft)
    return go(url_for("details.view", id=draft.export_id) if draft.export_id else url_for("exports.index"))


# --- what they share ---


def _elsewhere(place: Place) -> Response | None:
    """A draft that an export was made of leads there; one without a usable model to the choice of one."""
    export = place.export if place.typed.saved else drafts.made_of(place.typed)
    if export is not None:
        return go(url_for("details.view", id=export.id))
    if place.model is None and place.step.id != "model":
        return go(place.url("model"))
    return None


def with_posted(draft_id: uuid.UUID, step: str, answer: Callable[[Place, Posted], Response]) -> Response:
    """Read what was posted into the place; a form that cannot be stored is refused, and the former draft stays."""
    place = Place.of(draft_id, step)
    if (way := _elsewhere(place)) is not None:
        return way
    try:
        posted = Posted(request)
        place = place.from_tab(posted.tab)
        if step == "model":
            return begin.change(place, posted)
        typed = read(step, posted, place.typed, place.model) if step in ASKING else place.typed
        return answer(_storable(place.with_typed(typed)), posted)
    except FormRefused as refused:
        return answers.refused(place, refused.input, refused.message)
    except UnknownOperation as unknown:
        button = str(unknown)[:60]
        return answers.refused(place, "", f"This page has no button {button}. Reload it and try again.")
    except DraftChanged as conflict:
        return answers.changed_elsewhere(place.with_typed(typed), conflict)


def _storable(place: Place) -> Place:
    """The place, if nothing in it is over its cap."""
    if over := place.checked.over_cap:
        raise FormRefused(over[0].input, over[0].message)
    return place


def store(place: Place, posted: Posted) -> Place:
    """Store what was typed; the place with the draft as it is now. Raises DraftChanged."""
    rev = None if posted.op == KEEP else posted.rev
    drafts.save(place.user, place.draft, place.typed, rev=rev, tab=place.tab)
    return Place.of(place.draft.id, place.step.id, place.tab).knowing(place)


def _save(place: Place, posted: Posted) -> Response:
    former = place.with_typed(drafts.typed_of(place.draft))
    before = answers.told(former)
    known = posted.rev
    now = store(place, posted)
    response = answers.swap(now, "saved", touched=sorted(before | answers.told(now)))
    return event(response, "draft-changed") if now.draft.rev != known else response


def _leave(place: Place, posted: Posted) -> Response:
    verb = posted.op.partition(":")[0]
    if verb == "back":
        now = store(place, posted)
        before = drafts.before(place.step.id)
        return go(now.url(before.id) if before else now.url())
    if verb == STAY or (verb == "form" and place.step.id in ("schedule", "target")):
        return go(store(place, posted).url())
    if verb == "why":
        return go(f"{store(place, posted).url(why=posted.text('why'))}#why-out")
    if verb in ("preview", "without"):
        return go(store(place, posted).url(preview="1", without="1" if verb == "without" else None))
    if verb == "find":
        return _find(place, posted)
    if verb not in ("next", SKIP, KEEP):
        return _operate(place, posted, posted.op)
    return _next(place, posted)


def _find(place: Place, posted: Posted) -> Response:
    """Without JavaScript: the page again, with the records that were looked for."""
    row = criteria.row(place, posted.op.partition(":")[2])
    if row is None:
        raise UnknownOperation(posted.op)
    return go(f"{store(place, posted).url(find=row.label)}#c-{row.label}")


def _next(place: Place, posted: Posted) -> Response:
    """On to the next step, if this one is in order; else here again with its problems."""
    if picked := posted.text("pick").strip():
        return _picked(place, posted, picked)
    settled = tuple(tuple(one.with_(fresh=False) for one in set_) for set_ in place.typed.sets)
    typed = place.typed.with_(sets=settled)
    if posted.op != KEEP:
        typed = typed.with_submitted(*(_skipped(place) if posted.op == SKIP else ()), place.step.id)
    now = store(place.with_typed(typed), posted)
    if now.step.id == "target":
        keep_refused(now)
    if posted.op != KEEP and not now.checked.errors(now.step.id) and now.next:
        return go(now.url("check" if posted.op == SKIP else now.next.id))
    return answers.swap(now, "step") if is_htmx() else go(now.url())


def _skipped(place: Place) -> tuple[str, ...]:
    """The steps between here and Check."""
    return ASKING[ASKING.index(place.step.id) + 1 :]


def _picked(place: Place, posted: Posted, picked: str) -> Response:
    """Next, or Enter, with a field typed and not added yet: it is added, and seen to be."""
    if place.model is None:
        raise UnknownOperation("add")
    outcome = drafts.apply(place.typed, place.step.id, f"add:{picked}", place.model)
    now = store(_storable(place.with_typed(outcome.typed)), posted)
    told: dict[str, Any] = {"problems": [("pick", outcome.complaint)], "picked": picked} if outcome.complaint else {}
    if is_htmx():
        return answers.swap(now, "step", **{"focus": outcome.focus, **told})
    return answers.page(now, status=422, **told) if told else go(f"{now.url()}#{outcome.anchor}")


def _operate(place: Place, posted: Posted, op: str) -> Response:
    """What a button inside the step does; **Add** is about what was typed beside it."""
    if place.model is None:
        raise UnknownOperation(op)
    picked = posted.text("pick") if op == "add" else ""
    op = f"add:{picked}" if op == "add" else op
    outcome = drafts.apply(place.typed, place.step.id, op, place.model)
    changed = _storable(place.with_typed(outcome.typed))
    now = store(changed, posted)
    if not is_htmx():
        if outcome.complaint:
            return answers.page(now, problems=[(outcome.focus, outcome.complaint)], status=422, picked=picked)
        return go(f"{now.url()}#{outcome.anchor}" if outcome.anchor else now.url())
    return event(_swapped(now, outcome, op, picked), "draft-changed")


def _swapped(now: Place, outcome: Outcome, op: str, picked: str) -> Response:
    told: dict[str, Any] = {"focus": outcome.focus, "said": outcome.said, "complaint": outcome.complaint}
    if outcome.complaint:
        told["picked"] = picked
    if op.startswith("crit:"):
        return answers.swap(now, "criterion", label=op.removeprefix("crit:"), **{**told, "focus": ""})
    verb, _, about = op.partition(":")
    if verb in IN_LINES:
        pressed, changed = int(about.partition(".")[0]), int(outcome.anchor.removeprefix("f-"))
        return answers.swap(now, "columns", lines=list(dict.fromkeys([pressed, changed])), **told)
    return answers.swap(now, now.step.id, **told)
