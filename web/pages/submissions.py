"""SDLs written for others: the text of a claim, two side by side, and the author's code."""

from __future__ import annotations

from flask import Blueprint, render_template

from services import profiles, submitted_texts
from services.campaigns import required
from services.submitted_texts import Shown
from tasks.parts import Task
from web.claim_views import claim_view
from web.context import house
from web.security import current_person

blueprint = Blueprint("submissions", __name__)


@blueprint.get("/claims/<claim_id>/beside/<other_id>")
def beside_page(claim_id: str, other_id: str) -> str:
    """The SDLs of two claims side by side, what differs marked."""
    (one, unit), (other, _) = profiles.claim(house(), claim_id), profiles.claim(house(), other_id)
    return render_template(
        "submissions/beside.html",
        one=claim_view(one, unit),
        other=claim_view(other, unit),
        beside=submitted_texts.beside(house(), claim_id, other_id),
    )


@blueprint.app_template_global()
def submitted_sdl(claim_id: str) -> Shown | None:
    """The SDL that a claim submitted, for whatever page shows the claim."""
    return submitted_texts.shown(house(), claim_id)


@blueprint.app_template_global()
def author_code(task: Task) -> str | None:
    """The code of the reader for the text of a pull request; None for strangers and for tasks that ask for none."""
    person = current_person()
    if person is None or person.participant is None:
        return None
    return submitted_texts.code_of(house(), required(house()), task, person.participant)
