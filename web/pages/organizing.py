"""What organizers do: preview a revision, publish results and make them final, decide who may be paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import IntegerField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms.validators import Optional
from wtforms.widgets import HiddenInput

from services import eligibility, profiles, results
from services.campaigns import Loaded, required
from services.eligibility import Entered
from services.errors import Conflict, NotFound, Refused
from services.loading import Previewed, load_campaign, preview_file
from services.profiles import SeenClaim
from services.roles import Role
from services.signal_decisions import reason_for_eligibility
from tasks.campaign import Campaign, CampaignErrors, load
from tasks.eligibility import Eligibility
from tasks.moment import Moment, format_moment, parse_moment
from web.context import house
from web.security import required_person, role_required

blueprint = Blueprint("organizing", __name__)

MOST_ROWS = 500


class PreviewForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """The text of a campaign file."""

    text = TextAreaField(
        "Campaign file",
        description="The next revision as YAML. First it is only worked out what it would change.",
        render_kw={"rows": 16, "spellcheck": "false"},
    )
    reason = TextAreaField(
        "Reason",
        description="Why the rules change. It stays with the revision, with your address as its author.",
        render_kw={"rows": 2},
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
    return _preview_page(form) if request.method == "GET" else _previewed(form)


@blueprint.post("/organize/load")
@role_required(Role.ORGANIZER)
def load_page() -> str | Response | tuple[str, int]:
    """Load the revision that was looked at; its author and reason stay with it."""
    form, actor = PreviewForm(), required_person().address
    try:
        campaign = load(form.text.data or "")
        _refuse_unseen(campaign, request.form)
        reason = (form.reason.data or "").strip()
        if not reason:
            raise Refused("Write why the rules change: it stays with the revision.", "reason")
        loaded, _ = load_campaign(house(), form.text.data or "", actor, reason)
    except CampaignErrors:
        return _previewed(form)[0], 422
    except (Refused, Conflict) as error:
        if error.field == "reason":
            form.reason.errors = [error.message]
            return _previewed(form)[0], error.status
        return _previewed(form, error.message)[0], error.status
    flash(f"Revision {loaded.newest.revision} is loaded. It counts from {_since(loaded)}.", "passed")
    return redirect(url_for("rules.rules_page"))


def _refuse_unseen(campaign: Campaign, sent: Mapping[str, str]) -> None:
    """Raises Conflict where what is to be loaded, or what it is held against, is not what was looked at."""
    in_force = required(house()).newest
    if campaign.slug != in_force.slug:
        raise Conflict(f"This file is of the campaign {campaign.slug}; the one in force is {in_force.slug}.")
    if sent.get("digest") != campaign.digest or sent.get("in_force") != str(in_force.revision):
        raise Conflict("This is not what was looked at: here is what it would change now.")


def _since(loaded: Loaded) -> str:
    change = loaded.newest.change
    since = loaded.newest.opens if change is None or change.counts_from is None else change.counts_from
    return "the start" if change is not None and change.reaches_back else format_moment(since)


def _previewed(form: PreviewForm, trouble: str = "") -> tuple[str, int]:
    """The page with what the entered text would change."""
    found: Previewed | None = None
    try:
        found = preview_file(house(), form.text.data or "")
        mistakes = [str(mistake) for mistake in found.mistakes]
    except CampaignErrors as error:
        mistakes = [str(mistake) for mistake in error]
    except Conflict as error:
        mistakes = [error.message]
    if form.reason.data is None and found is not None and found.campaign.change is not None:
        form.reason.data = found.campaign.change.reason
    return _preview_page(form, found, mistakes, trouble), 422 if mistakes and found is None else 200


def _preview_page(
    form: PreviewForm, found: Previewed | None = None, mistakes: Sequence[str] = (), trouble: str = ""
) -> str:
    in_force = required(house()).newest
    is_next = found is not None and found.may_be_loaded and found.campaign.slug == in_force.slug
    return render_template(
        "organize/preview.html",
        form=form,
        found=found,
        mistakes=mistakes,
        trouble=trouble,
        most=MOST_ROWS,
        in_force=in_force,
        may_load=is_next and found is not None and found.campaign.revision > in_force.revision,
    )


@blueprint.route("/organize/eligibility", methods=["GET", "POST"])
@role_required(Role.ORGANIZER)
def eligibility_page() -> str | Response | tuple[str, int]:
    """Every decision with its reason, and a form for the next one."""
    form = EligibilityForm()
    if request.method == "GET":
        address = request.args.get("participant", "").lower()
        form.address.data = address
        form.starts.data = request.args.get("starts", "")
        signals = request.args.get("decision", type=int)
        form.reason.data = reason_for_eligibility(house(), signals) if signals else None
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
    return render_template(
        "organize/eligibility.html",
        form=form,
        rows=rows[:MOST_ROWS],
        trouble=trouble,
        claims=_claims_of((form.address.data or "").strip().lower()),
    )


def _claims_of(address: str) -> list[SeenClaim]:
    """The claims of whoever was asked for that know when the work was done, the earliest first."""
    if not address:
        return []
    try:
        found = profiles.profile(house(), address).claims
    except NotFound:
        return []
    return sorted((each for each in found if each.row.at_ns is not None), key=lambda each: each.row.at_ns or 0)


def _moment(text: str) -> Moment:
    try:
        return parse_moment(text)
    except ValueError as error:
        raise Refused(f"{error}.", "starts") from error
