"""What everybody may see of a participant: each claim with its checks and its award."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from services.profiles import Line, profile
from web.claim_views import claim_view, reads_reasons
from web.context import house
from web.security import current_person
from web.site import surroundings
from web.workings import line_summary

blueprint = Blueprint("participant", __name__)


@blueprint.get("/participants/<address>")
def participant_page(address: str) -> str | Response:
    """A participant by the registered address; a linked one leads there."""
    found = profile(house(), address)
    if found.address != address:
        return redirect(url_for("participant.participant_page", address=found.address))
    person = current_person()
    return render_template(
        "participant.html",
        profile=found,
        stated=found.standing.reason if reads_reasons(person, found.address) else "",
        claims=[claim_view(claim, found.unit, person) for claim in found.claims],
        others=[_other(line, found.unit) for line in found.other_lines],
    )


def _other(line: Line, unit: str) -> str:
    """A line without a claim of its own: of a pool, a bonus, a grant, or a set of tasks."""
    words = line_summary(line, unit)
    if line.slug is None and line.task is not None:
        known = surroundings().campaign
        task = known.newest.task(line.task) if known else None
        words = f"{task.title if task else line.task}: {words}"
    return f"{words} (if what is open passes)" if line.provisional else words
