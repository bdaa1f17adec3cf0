"""Grants: what was given by hand, what is left, what waits for a second person."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField, TextAreaField

from services import grant_proposals, profiles
from services.errors import Conflict, NotAllowed, NotFound, Refused, UseCaseError
from services.grant_proposals import AGREED, REFUSED, Proposed
from services.grants import Given, all_grants
from services.roles import Role
from tasks.rewards.money import parse_micro
from web.context import house
from web.security import required_person, role_required

blueprint = Blueprint("organizing_grants", __name__)

PUBLIC = "Everybody reads it with the grant."


class GrantForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Whom one gives how much, and why."""

    address = StringField("Participant", render_kw={"autocomplete": "off", "spellcheck": "false"})
    amount = StringField(
        "Amount",
        description="With at most six decimals, such as 12.5.",
        render_kw={"autocomplete": "off", "inputmode": "decimal"},
    )
    reason = TextAreaField("Reason", description=PUBLIC, render_kw={"rows": 3})
    claim = StringField(
        "Claim (optional)",
        description="The claim that it is for, such as one whose appeal was won after the results were final.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class ReasonForm(FlaskForm):  # type: ignore[misc]
    """Why a grant is taken back, or a proposal refused."""

    reason = TextAreaField("Reason", description=PUBLIC, render_kw={"rows": 3})


@blueprint.route("/organize/grants", methods=["GET", "POST"])
@role_required(Role.ORGANIZER)
def grants_page() -> str | Response | tuple[str, int]:
    """Every grant, what is left of the budget, and a form that proposes the next one."""
    form = GrantForm()
    if request.method == "GET":
        for name in ("address", "claim", "reason", "amount"):
            form[name].data = request.args.get(name, "")[:4000]
        return _grants_page(form)
    try:
        proposed = Proposed(
            (form.address.data or "").strip().lower(),
            _amount(form.amount.data or ""),
            form.reason.data or "",
            (form.claim.data or "").strip() or None,
        )
        made = grant_proposals.propose(house(), required_person().address, proposed)
    except (Refused, Conflict, NotFound, NotAllowed) as error:
        return _grants_page(form, _at_field(form, error, "address")), error.status
    flash("Proposed. Another organizer must agree before it is granted.", "passed")
    return redirect(url_for("organizing_grants.proposal_page", proposal=made.row.id))


@blueprint.route("/organize/grants/<int:number>/take-back", methods=["GET", "POST"])
@role_required(Role.ORGANIZER)
def take_back_page(number: int) -> str | Response | tuple[str, int]:
    """Propose to undo one grant."""
    given, form = _given(number), ReasonForm()
    if request.method == "GET":
        return _take_back_page(given, form)
    try:
        made = grant_proposals.propose_to_take_back(
            house(), required_person().address, given.row.key, form.reason.data or ""
        )
    except (Refused, Conflict, NotAllowed) as error:
        return _take_back_page(given, form, _at_field(form, error)), error.status
    flash("Proposed. Another organizer must agree before it is taken back.", "passed")
    return redirect(url_for("organizing_grants.proposal_page", proposal=made.row.id))


@blueprint.route("/organize/grants/proposals/<int:proposal>", methods=["GET", "POST"])
@role_required(Role.ORGANIZER)
def proposal_page(proposal: int) -> str | Response | tuple[str, int]:
    """One proposal, and the second person's decision."""
    form = ReasonForm()
    if request.method == "GET":
        return _proposal_page(proposal, form)
    outcome = AGREED if request.form.get("outcome") == AGREED else REFUSED
    try:
        found = grant_proposals.decide(house(), required_person().address, proposal, outcome, form.reason.data or "")
    except (Refused, Conflict, NotAllowed) as error:
        return _proposal_page(proposal, form, _at_field(form, error)), error.status
    words = {AGREED: "Agreed: it can be paid now.", REFUSED: "Refused: nothing was granted."}
    if found.row.takes_back is not None:
        words = {AGREED: "Agreed: the grant is taken back.", REFUSED: "Refused: the grant stands."}
    flash(words.get(found.outcome, "Withdrawn."), "passed")
    return redirect(url_for("organizing_grants.grants_page"))


def _at_field(form: FlaskForm, error: UseCaseError, otherwise: str | None = None) -> str:
    """Put a refusal at its field; what it says where there is none. `otherwise`: the field of what was not found."""
    field = error.field or (otherwise if isinstance(error, NotFound) else None)
    if field is None or field not in form:
        return error.message
    form[field].errors = [error.message]
    return ""


def _amount(text: str) -> int:
    try:
        return parse_micro(text.strip())
    except ValueError as error:
        raise Refused(f"{error}.", "amount") from error


def _given(number: int) -> Given:
    for each in all_grants(house()).given:
        if each.row.key.startswith(f"grant/{number}/"):
            return each
    raise NotFound("There is no such grant.")


def _grants_page(form: GrantForm, trouble: str = "") -> str:
    proposals = grant_proposals.proposals(house())
    deciders = {
        each.ruling.key: (each.row.actor, each.ruling.actor)
        for each in proposals
        if each.ruling is not None and each.row.takes_back is None
    }
    return render_template(
        "organize/grants.html",
        found=all_grants(house()),
        waiting=[each for each in proposals if each.ruling is None],
        deciders=deciders,
        form=form,
        trouble=trouble,
    )


def _take_back_page(given: Given, form: ReasonForm, trouble: str = "") -> str:
    unit = all_grants(house()).unit
    return render_template("organize/take_back.html", given=given, unit=unit, form=form, trouble=trouble)


def _proposal_page(proposal: int, form: ReasonForm, trouble: str = "") -> str:
    found = grant_proposals.one(house(), proposal)
    grants = all_grants(house())
    claim = profiles.claim(house(), found.row.claim)[0] if found.row.claim is not None else None
    return render_template(
        "organize/proposal.html",
        proposal=found,
        grants=grants,
        claim=claim,
        form=form,
        trouble=trouble,
        is_own=found.row.actor == required_person().address,
    )
