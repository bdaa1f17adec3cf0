"""The review queue and one claim as its reviewers see it; only for reviewers and organizers."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from services import review_queue, reviews
from services.errors import Refused
from services.review_queue import FOR_PARTICIPANTS, FOR_REVIEWERS, Case
from services.reviews import Ballot
from web.asked import asked_page
from web.claim_views import claim_view, subject_in_words
from web.context import house
from web.decision_forms import ReopenForm, decision_form
from web.review_views import STAFF, entered_views, step_views
from web.security import required_person, role_required

blueprint = Blueprint("review", __name__)


@blueprint.get("/review")
@role_required(*STAFF)
def queue_page() -> str:
    """What waits for a reviewer, the longest first; `?for=participants` shows what waits for an answer."""
    asked, actor = asked_page(), required_person().address
    whom = FOR_PARTICIPANTS if request.args.get("for") == FOR_PARTICIPANTS else FOR_REVIEWERS
    found = review_queue.queue(house(), actor, asked.page, asked.per_page, whom)
    return render_template("review/queue.html", found=found, whom=whom, subject_in_words=subject_in_words)


@blueprint.route("/review/<claim_id>", methods=["GET", "POST"])
@role_required(*STAFF)
def case_page(claim_id: str) -> str | Response | tuple[str, int]:
    """One claim: what was entered, what was seen, other claims beside it, and the decision."""
    actor = required_person().address
    case = review_queue.case(house(), actor, claim_id)
    form = decision_form(case.to_decide)()
    if request.method == "GET":
        return _page(case, form)
    decided = {field.name: str(form[f"decided_{field.name}"].data or "").strip() for field in case.to_decide}
    try:
        reviews.decide(
            house(), actor, claim_id, Ballot(str(form["act"].data or ""), form["reason"].data or "", decided)
        )
    except Refused as error:
        return _page(case, form, _at_field(form, error)), error.status
    flash("Written down. The claim's result follows with the next round, within a minute.", "passed")
    return redirect(url_for("review.queue_page"))


@blueprint.post("/review/<claim_id>/take")
@role_required(*STAFF)
def take(claim_id: str) -> Response:
    """Keep others away from a claim for half an hour."""
    reviews.take(house(), required_person().address, claim_id)
    return redirect(url_for("review.case_page", claim_id=claim_id))


@blueprint.post("/review/<claim_id>/release")
@role_required(*STAFF)
def release(claim_id: str) -> Response:
    """Leave a claim to others."""
    reviews.release(house(), required_person().address, claim_id)
    return redirect(url_for("review.queue_page"))


@blueprint.post("/review/<claim_id>/reopen")
@role_required(*STAFF)
def reopen(claim_id: str) -> Response | tuple[str, int]:
    """Open a decided claim again."""
    actor, form = required_person().address, ReopenForm()
    try:
        reviews.reopen(house(), actor, claim_id, form.reason.data or "")
    except Refused as error:
        case = review_queue.case(house(), actor, claim_id)
        form.reason.errors = [error.message]
        return _page(case, decision_form(case.to_decide)(), reopening=form), error.status
    flash("Opened again. Reviewers decide anew.", "passed")
    return redirect(url_for("review.case_page", claim_id=claim_id))


@blueprint.get("/review/log")
@role_required(*STAFF)
def log_page() -> str:
    """Who did what, and whether the log is whole."""
    asked = asked_page()
    found, breaks = review_queue.acts(house(), asked.page, asked.per_page)
    return render_template("review/log.html", found=found, breaks=breaks)


def _at_field(form: FlaskForm, error: Refused) -> str:
    """Put a mistake at its field; the message where it belongs to none."""
    for name in (error.field or "", f"decided_{error.field}"):
        if name in form:
            form[name].errors = [error.message]
            return ""
    return error.message


def _page(case: Case, form: FlaskForm, trouble: str = "", reopening: ReopenForm | None = None) -> str:
    return render_template(
        "review/case.html",
        case=case,
        claim=claim_view(case.seen, case.unit),
        entered=entered_views(case.task, case.entered, sees_all=True),
        first=entered_views(case.task, case.seen.row.fields, sees_all=True),
        steps=step_views(case.seen, case.task, sees_all=True),
        form=form,
        reopening=reopening or ReopenForm(),
        trouble=trouble,
    )
