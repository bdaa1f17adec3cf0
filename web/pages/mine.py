"""My tasks: what we found, what each claim still needs, and when we look again."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, render_template, url_for

from services import task_board
from services.claims import candidates
from services.paging import paged
from services.profiles import profile
from services.signal_decisions import notices
from services.spot_checks import own
from services.task_board import Phase
from verifiers.evidence import Candidate
from web.asked import asked_page
from web.claim_views import ClaimView, claim_view
from web.context import house
from web.pages.tasks_pages import task_view
from web.security import current_person, required_person, signed_in

blueprint = Blueprint("mine", __name__)

CANDIDATES_PER_PAGE = 20
_ORDER = {"failed": 0, "pending": 1, "unknown": 2, "passed": 3}


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A deployment that we found, with the address of the form that completes it."""

    found: Candidate
    task_title: str
    form_url: str


@blueprint.get("/me")
@signed_in
def mine_page() -> str:
    """The to-do list, what needs the reader first; somebody who is not registered is told how."""
    person = required_person()
    tasks = task_board.board(house())
    if person.participant is None:
        return render_template("mine.html", registered=False, linked_to=person.linked_to)
    seen = profile(house(), person.participant)
    titles = {each.task.slug: each.task.title for each in tasks}
    found = sorted(candidates(house(), person.participant), key=lambda each: (not each.needs, -each.dseq))
    claims = sorted((claim_view(each, seen.unit, current_person()) for each in seen.claims), key=_needs_reader_first)
    asked = asked_page(CANDIDATES_PER_PAGE)
    return render_template(
        "mine.html",
        registered=True,
        profile=seen,
        spot_checks=[each for each in own(house(), person.participant) if each.is_open],
        decisions=len(notices(house(), person.participant)),
        candidates=paged([_candidate(each, titles) for each in found], asked.page, asked.per_page),
        claims=claims,
        tasks=[task_view(each) for each in tasks if each.phase is Phase.OPEN],
    )


def _needs_reader_first(claim: ClaimView) -> tuple[bool, int]:
    return not claim.waits_for_answer, _ORDER[claim.outcome]


def _candidate(found: Candidate, titles: dict[str, str]) -> CandidateView:
    given = {"owner": found.owner, "dseq": str(found.dseq), **found.fields}
    address = f"{url_for('claim_form.claim_form_page', slug=found.task)}?{urlencode(given)}"
    return CandidateView(found, titles.get(found.task, found.task), address)
