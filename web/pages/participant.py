"""What everybody may see of a participant: each claim with its checks and its award."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from services.profiles import Line, profile
from services.signal_decisions import notices
from tasks.rewards.refusals import Place
from web.claim_views import claim_view, reads_reasons
from web.context import house
from web.security import current_person
from web.site import surroundings
from web.workings import Around, Sum, line_summary, working_of

blueprint = Blueprint("participant", __name__)


@blueprint.get("/participants/<address>")
def participant_page(address: str) -> str | Response:
    """A participant by the registered address; a linked one leads there."""
    found = profile(house(), address)
    if found.address != address:
        return redirect(url_for("participant.participant_page", address=found.address))
    person = current_person()
    is_own = person is not None and person.participant == found.address
    return render_template(
        "participant.html",
        decisions=len(notices(house(), found.address)) if is_own else 0,
        profile=found,
        stated=found.standing.reason if reads_reasons(person, found.address) else "",
        claims=[claim_view(claim, found.unit, person) for claim in found.claims],
        others=_others(found.other_lines, found.unit),
        sets=_sets(found.other_lines, found.unit),
    )


def _others(lines: Sequence[Line], unit: str) -> list[str]:
    """Lines of pools, bonuses and grants in words."""
    words = [(line, line_summary(line, unit)) for line in lines if line.kind != "claim"]
    return [f"{said} (if what is open passes)" if line.provisional else said for line, said in words]


def _sets(lines: Sequence[Line], unit: str) -> list[tuple[str, Sum]]:
    """The participant's sets of tasks, each with its award explained like a claim's."""
    known = surroundings().campaign
    by_task: dict[str, list[Line]] = {}
    for line in lines:
        if line.kind == "claim" and line.task is not None:
            by_task.setdefault(line.task, []).append(line)
    made = []
    for slug, mine in by_task.items():
        task, newest = known.newest.task(slug) if known else None, mine[-1]
        total = newest.amount_micro if newest.provisional else sum(line.amount_micro for line in mine)
        around = Around(Place.of(newest.working) or Place(None), task)
        made.append((task.title if task else slug, working_of(newest, unit, total, around)))
    return made
