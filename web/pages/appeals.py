"""Answers to reviewers, appeals, and the organizers' decisions on them."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its types

from services import appeals, profiles, results, reviews
from services.appeals import Ruling
from services.campaigns import required
from services.errors import Conflict, NotAllowed, Refused
from services.profiles import SeenClaim
from services.review_queue import entered_now
from services.review_steps import LONGEST_REASON
from tasks.kinds import by_kind
from tasks.moment import Moment, format_moment, parse_moment
from verifiers.reviewing import Done
from web.asked import asked_page
from web.claim_views import check_title, claim_view
from web.context import house
from web.decision_forms import AppealForm, RulingForm, answer_form
from web.pages.claim_form import entered
from web.review_views import appeal_view, step_views
from web.security import participant_only, required_person, role_required

blueprint = Blueprint("review_appeals", __name__)


def _own(claim_id: str) -> tuple[SeenClaim, str, str]:
    """A claim of the signed-in participant, with the unit and their address. Raises NotAllowed, NotFound."""
    participant = required_person().participant or ""
    claim, unit = profiles.claim(house(), claim_id)
    if claim.row.participant != participant:
        raise NotAllowed("This is another participant's claim.")
    return claim, unit, participant


@blueprint.route("/claims/<claim_id>/answer", methods=["GET", "POST"])
@participant_only
def answer_page(claim_id: str) -> str | Response | tuple[str, int]:
    """Send what a reviewer asked for; what was entered before is filled in."""
    claim, unit, participant = _own(claim_id)
    task = required(house()).task(claim.row.task)
    kind = by_kind(task.kind)
    # the answer of an automatic kind is a note: its facts are read where they are
    fields = kind.claim_fields(task.params) if kind is not None and task.kind == "reviewed" else ()
    form = answer_form(fields, task)()
    if request.method == "GET":
        for name, value in entered_now(claim.row, claim.steps).items():
            if name in form:
                form[name].data = value
        return _answer_page(claim, unit, form)
    values = entered(form, fields) | {"note": form["note"].data or ""}
    try:
        reviews.answer(house(), participant, claim_id, values)
    except (Refused, Conflict) as error:
        if error.field in form:
            form[error.field].errors = [error.message]
            return _answer_page(claim, unit, form), error.status
        return _answer_page(claim, unit, form, error.message), error.status
    flash("We have your answer. A reviewer looks at it again.", "passed")
    return redirect(url_for("evidence.claim_page", claim_id=claim_id))


def _answer_page(claim: SeenClaim, unit: str, form: FlaskForm, trouble: str = "") -> str:
    return render_template("review/answer.html", claim=claim_view(claim, unit), form=form, trouble=trouble)


@blueprint.route("/claims/<claim_id>/appeal", methods=["GET", "POST"])
@participant_only
def appeal_page(claim_id: str) -> str | Response | tuple[str, int]:
    """Appeal against the result or the award of one's own claim."""
    claim, unit, participant = _own(claim_id)
    form, trouble, status = AppealForm(), "", 200
    windows = appeals.windows(house(), claim_id)
    form.offer([about for about, window in windows.items() if window.is_open] or list(windows))
    if request.method == "POST":
        try:
            appeals.make(house(), participant, claim_id, form.about.data or "", form.text.data or "")
        except (Refused, Conflict) as error:
            status = error.status
            if error.field in form:
                form[error.field].errors = [error.message]
            else:
                trouble = error.message
        else:
            flash("We have your appeal. An organizer decides; the outcome is public.", "passed")
            return redirect(url_for("evidence.claim_page", claim_id=claim_id))
    contested = windows.get(form.about.data or "")
    until = contested.until if contested is not None else None
    page = render_template(
        "review/appeal.html", claim=claim_view(claim, unit), form=form, trouble=trouble, until=until
    )
    return page, status


@blueprint.get("/review/appeals")
@role_required("organizer")
def appeals_page() -> str:
    """Appeals that wait, the oldest first; `?all=1` shows decided ones too."""
    asked, shows_all = asked_page(), request.args.get("all") == "1"
    found = appeals.listed(house(), asked.page, asked.per_page, only_open=not shows_all)
    rows = [(each, appeal_view(each, sees_all=True)) for each in found.items]
    return render_template("review/appeals.html", found=found, rows=rows, shows_all=shows_all)


@blueprint.route("/review/appeals/<appeal_id>", methods=["GET", "POST"])
@role_required("organizer")
def ruling_page(appeal_id: str) -> str | Response | tuple[str, int]:
    """One appeal beside what was decided, and the organizer's decision."""
    appeal = appeals.one(house(), appeal_id)
    claim, unit = profiles.claim(house(), appeal.row.claim)
    form = RulingForm()
    failed, before = appeals.at_issue(house(), appeal)
    form.waives.choices = [SelectChoice(name, check_title(name)) for name in failed]
    if request.method == "GET":
        form.waives.data = failed
        done = before or Done(Moment(claim.row.received_ns))
        form.done_at.data, form.done_height.data = format_moment(done.time), done.height
        return _ruling_page(appeal, claim, unit, form)
    try:
        ruling = Ruling(
            form.outcome.data or "", form.reason.data or "", form.waives.data or (), _done(form, before, appeal)
        )
        decided = appeals.rule(house(), required_person().address, appeal_id, ruling)
    except Refused as error:
        if error.field in form:
            form[error.field].errors = [error.message]
            return _ruling_page(appeal, claim, unit, form), error.status
        return _ruling_page(appeal, claim, unit, form, error.message), error.status
    if decided.outcome == appeals.WON and appeals.needs_grant(house(), decided):
        flash("Decided. The results are final: propose the grant that makes up for it.", "passed")
        return redirect(grant_form(decided))
    flash("Decided. The outcome is on the claim's page, for everybody.", "passed")
    return redirect(url_for("review_appeals.appeals_page"))


def grant_form(appeal: appeals.Appeal) -> str:
    """The form that proposes a grant, filled in for an appeal that was won."""
    reason = appeal.ruling.reason if appeal.ruling else ""
    return url_for(
        "organizing_grants.grants_page",
        address=appeal.row.participant,
        claim=appeal.row.claim,
        reason=f"Appeal won: {reason}"[:LONGEST_REASON],
        _anchor="propose",
    )


def _done(form: RulingForm, before: Done | None, appeal: appeals.Appeal) -> Done | None:
    """When the work was done as entered; the place within the block stays where nothing else was changed.

    None for an award's appeal that leaves the time as it was: nothing is worked anew then.
    """
    text, about_award = (form.done_at.data or "").strip(), appeal.about == appeals.AWARD
    if not text or not (form.waives.data or about_award):
        return None
    try:
        time = parse_moment(text)
    except ValueError as error:
        raise Refused(f"{error}.", "done_at") from error
    height = form.done_height.data
    if form.done_height.raw_data and form.done_height.raw_data[0] and (height is None or height < 1):
        raise Refused("A block's height is a whole number from 1.", "done_height")
    if before is None or (before.time, before.height) != (time, height):
        return Done(time, height)
    return None if about_award else before


def _wants_grant(appeal: appeals.Appeal, claim: SeenClaim) -> bool:
    """Whether an appeal was won, only a grant helps, and the claim has none yet."""
    is_won, has_one = appeal.outcome == appeals.WON, any(line.kind == "grant" for line in claim.lines)
    return is_won and not has_one and appeals.needs_grant(house(), appeal)


def _ruling_page(appeal: appeals.Appeal, claim: SeenClaim, unit: str, form: RulingForm, trouble: str = "") -> str:
    task = required(house()).task(claim.row.task)
    found = results.all_results(house())
    is_final = found is not None and found.tasks[task.slug].stage is results.Stage.FINAL
    return render_template(
        "review/ruling.html",
        appeal=appeal_view(appeal, sees_all=True),
        is_open=appeal.ruling is None,
        is_result=appeal.row.verdict_id is not None,
        may_move=claim.row.outcome == "passed" and not is_final,
        is_final=is_final,
        grant_form=grant_form(appeal) if _wants_grant(appeal, claim) else "",
        claim=claim_view(claim, unit),
        steps=step_views(claim, task, sees_all=True),
        form=form,
        trouble=trouble,
        unit=unit,
    )
