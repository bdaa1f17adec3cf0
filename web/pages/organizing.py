"""What organizers do: preview a revision, publish results and make them final, decide who may be paid."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import IntegerField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms.validators import Optional
from wtforms.widgets import HiddenInput

from services import eligibility, results
from services.campaigns import required
from services.eligibility import Entered
from services.errors import Conflict, NotFound, Refused
from services.loading import Previewed, preview_file
from services.roles import Role
from tasks.campaign import CampaignErrors
from tasks.eligibility import Eligibility
from tasks.moment import Moment, parse_moment
from web.context import house
from web.security import required_person, role_required

blueprint = Blueprint("organizing", __name__)

MOST_ROWS = 500


class PreviewForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """The text of a campaign file."""

    text = TextAreaField(
        "Campaign file",
        description="The next revision as YAML. Nothing changes: this only works it out.",
        render_kw={"rows": 16, "spellcheck": "false"},
    )


class EligibilityForm(FlaskForm):  # type: ignore[misc]
    """A decision on one participant."""

    address = StringField("Participant", render_kw={"autocomplete": "off", "spellcheck": "false"})
    eligibility = RadioField(
        "Decision",
        choices=[
            SelectChoice(str(Eligibility.WITHHELD), "Withheld: award and place stand, payment waits"),
            SelectChoice(str(Eligibility.INELIGIBLE), "Ineligible: no award; others move up until results are final"),
            SelectChoice(str(Eligibility.ELIGIBLE), "Eligible: undo what was decided"),
        ],
        validate_choice=False,
    )
    reason = TextAreaField(
        "Reason",
        description="The participant and the staff read it; everybody else reads “not payable”.",
        render_kw={"rows": 3},
    )
    starts = StringField(
        "For work done from then on (optional, UTC)",
        description="Empty: for all of their work. Written like 2026-11-24T12:00:00Z.",
        render_kw={"autocomplete": "off"},
    )
    after = IntegerField(validators=[Optional()], widget=HiddenInput())


@blueprint.get("/organize")
@role_required(Role.ORGANIZER)
def results_page() -> str:
    """How far the results of each task are, and the acts that bring them further."""
    loaded = required(house())
    titles = {task.slug: task.title for task in loaded.newest.tasks}
    return render_template("organize/results.html", found=results.all_results(house()), titles=titles)


@blueprint.route("/organize/preview", methods=["GET", "POST"])
@role_required(Role.ORGANIZER)
def preview_page() -> str | tuple[str, int]:
    """Who would gain or lose how much by a revision, and why."""
    form = PreviewForm()
    found: Previewed | None = None
    mistakes: list[str] = []
    if request.method == "POST":
        try:
            found = preview_file(house(), form.text.data or "")
            mistakes = [str(mistake) for mistake in found.mistakes]
        except CampaignErrors as error:
            mistakes = [str(mistake) for mistake in error]
        except Conflict as error:
            mistakes = [error.message]
    page = render_template(
        "organize/preview.html", form=form, found=found, mistakes=mistakes, most=MOST_ROWS, campaign=_newest()
    )
    return (page, 422) if mistakes and found is None else page


@blueprint.route("/organize/eligibility", methods=["GET", "POST"])
@role_required(Role.ORGANIZER)
def eligibility_page() -> str | Response | tuple[str, int]:
    """Every decision with its reason, and a form for the next one."""
    form = EligibilityForm()
    if request.method == "GET":
        address = request.args.get("participant", "").lower()
        form.address.data = address
        form.after.data = eligibility.seen_number(house(), address) if address else None
        return _eligibility_page(form)
    try:
        starts = (form.starts.data or "").strip()
        entered = Entered(
            (form.address.data or "").strip().lower(),
            form.eligibility.data or "",
            form.reason.data or "",
            _moment(starts) if starts else None,
        )
        row, is_new = eligibility.set_eligibility(house(), required_person().address, entered, form.after.data)
    except (Refused, Conflict, NotFound) as error:
        if error.field in form:
            form[error.field].errors = [error.message]
            return _eligibility_page(form), error.status
        return _eligibility_page(form, error.message), error.status
    flash(f"{row.participant} is {'now' if is_new else 'already'} {row.eligibility}.", "passed")
    return redirect(url_for("organizing.eligibility_page"))


def _eligibility_page(form: EligibilityForm, trouble: str = "") -> str:
    rows = list(reversed(eligibility.history(house())))
    return render_template("organize/eligibility.html", form=form, rows=rows[:MOST_ROWS], trouble=trouble)


def _newest() -> object:
    return required(house()).newest


def _moment(text: str) -> Moment:
    try:
        return parse_moment(text)
    except ValueError as error:
        raise Refused(f"{error}.", "starts") from error
