"""Grants and revisions over the API, for organizers."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint, Response
from pydantic import Field

from services import grant_proposals
from services.campaigns import required
from services.errors import Conflict, NotFound, Refused
from services.grant_proposals import Proposal, Proposed
from services.grants import Given, all_grants
from services.loading import load_campaign, preview_file
from services.paging import paged
from services.roles import Role
from tasks.campaign import CampaignErrors, load
from tasks.moment import Moment, format_moment
from web.api import answers, models
from web.api.described import Description, answered, described, listed
from web.api.organizing_models import (
    GrantAnswer,
    GrantBudgetAnswer,
    GrantProposalAnswer,
    PreviewAnswer,
    RevisionAnswer,
)
from web.asked import asked_page
from web.bodies import Body, read_body
from web.context import house
from web.security import limiter, required_person, role_required

blueprint = Blueprint("api_grants", __name__, url_prefix="/api/v1")

LIMIT = "60 per minute"
REFUSALS = (403, 404, 409, 422)


class GrantBody(Body):
    """What is proposed, in millionths of the campaign's unit; `claim`: what it is for, null for goodwill."""

    address: str = Field(max_length=200)
    amount_micro: int = Field(ge=1, lt=2**63)
    reason: str = Field(max_length=10_000)
    claim: str | None = Field(None, max_length=64)


class TakeBackBody(Body):
    """Why a grant is taken back."""

    reason: str = Field(max_length=10_000)


class GrantDecisionBody(Body):
    """The second person's decision; a refusal needs a reason, and of one's own proposal it is a withdrawal."""

    outcome: Literal["agreed", "refused"]
    reason: str = Field("", max_length=10_000)


class CampaignFileBody(Body):
    """A campaign file."""

    text: str


class RevisionBody(CampaignFileBody):
    """A file that was looked at: its `digest`, and why the rules change."""

    digest: str = Field(max_length=64)
    reason: str = Field(max_length=10_000)


@blueprint.get("/grants")
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Every grant, and what is left of their budget",
        {200: GrantBudgetAnswer},
        refusals=(403, 404),
        needs_session=True,
    )
)
def grants() -> Response:
    """The newest first."""
    found = all_grants(house())
    return answered(
        GrantBudgetAnswer(
            unit=found.unit,
            budget_micro=found.budget_micro,
            left_micro=found.left_micro,
            grants=[_grant(each) for each in found.given],
        )
    )


@blueprint.get("/grants/proposals")
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Grants that were proposed, the newest first",
        {200: models.Listed[GrantProposalAnswer]},
        query=("page", "per_page"),
        refusals=(403, 404),
        needs_session=True,
    )
)
def proposals() -> Response:
    """Decided ones too."""
    asked = asked_page()
    found = paged(grant_proposals.proposals(house()), asked.page, asked.per_page)
    return listed(found, (_proposal(each) for each in found.items), GrantProposalAnswer)


@blueprint.post("/grants/proposals")
@limiter.limit(LIMIT)
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Propose a grant; it counts once another organizer agrees",
        {201: GrantProposalAnswer},
        body=GrantBody,
        refusals=REFUSALS,
        needs_session=True,
    )
)
def propose() -> Response:
    """The proposal."""
    body = read_body(GrantBody)
    proposed = Proposed(body.address.strip().lower(), body.amount_micro, body.reason, body.claim)
    return answered(_proposal(grant_proposals.propose(house(), required_person().address, proposed)), 201)


@blueprint.post("/grants/<int:number>/take-back")
@limiter.limit(LIMIT)
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Propose to take a grant back",
        {201: GrantProposalAnswer},
        body=TakeBackBody,
        refusals=REFUSALS,
        needs_session=True,
    )
)
def take_back(number: int) -> Response:
    """The proposal."""
    body = read_body(TakeBackBody)
    key = next((each.row.key for each in all_grants(house()).given if _number(each) == number), None)
    if key is None:
        raise NotFound("There is no such grant.")
    return answered(
        _proposal(grant_proposals.propose_to_take_back(house(), required_person().address, key, body.reason)), 201
    )


@blueprint.post("/grants/proposals/<int:proposal>/decision")
@limiter.limit(LIMIT)
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Agree to a proposal of somebody else, refuse it, or withdraw one's own",
        {201: GrantProposalAnswer},
        body=GrantDecisionBody,
        refusals=REFUSALS,
        needs_session=True,
    )
)
def decide(proposal: int) -> Response:
    """The proposal with its outcome."""
    body = read_body(GrantDecisionBody)
    actor = required_person().address
    return answered(_proposal(grant_proposals.decide(house(), actor, proposal, body.outcome, body.reason)), 201)


@blueprint.post("/campaign/preview")
@limiter.limit(LIMIT)
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Who would gain or lose how much by a campaign file",
        {200: PreviewAnswer},
        body=CampaignFileBody,
        refusals=REFUSALS,
        needs_session=True,
    )
)
def preview() -> Response:
    """Nothing changes."""
    try:
        found = preview_file(house(), read_body(CampaignFileBody).text)
    except CampaignErrors as error:
        raise Refused(str(error), "text") from error
    return answered(PreviewAnswer(preview={name: answers.plain(value) for name, value in found.document().items()}))


@blueprint.post("/campaign/revisions")
@limiter.limit(LIMIT)
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Load a revision that was looked at",
        {201: RevisionAnswer, 200: RevisionAnswer},
        body=RevisionBody,
        refusals=REFUSALS,
        needs_session=True,
    )
)
def load_revision() -> Response:
    """Author and reason stay with it."""
    body = read_body(RevisionBody)
    if not body.reason.strip():
        raise Refused("Write why the rules change: it stays with the revision.", "reason")
    in_force = required(house()).newest
    try:
        campaign = load(body.text)
        if campaign.slug != in_force.slug:
            raise Conflict(f"This file is of the campaign {campaign.slug}; the one in force is {in_force.slug}.")
        if campaign.digest != body.digest:
            raise Conflict("This is not what was looked at: its digest is another.")
        loaded, is_new = load_campaign(house(), body.text, required_person().address, body.reason.strip())
    except CampaignErrors as error:
        raise Refused(str(error), "text") from error
    newest = loaded.newest
    made = RevisionAnswer(campaign=newest.slug, revision=newest.revision, digest=newest.digest)
    return answered(made, 201 if is_new else 200)


def _number(given: Given) -> int:
    return int(given.row.key.split("/")[1])


def _grant(given: Given) -> GrantAnswer:
    row, undone = given.row, given.undone
    names = row.working.get("names")
    return GrantAnswer(
        grant=row.key,
        number=_number(given),
        participant=row.participant,
        amount_micro=row.amount_micro,
        reason=str(row.working.get("reason", "")),
        names=[str(name) for name in names] if isinstance(names, list) else [],
        claim=row.claim,
        at=format_moment(Moment(row.computed_ns)),
        taken_back_at=answers.time_or_none(undone.computed_ns if undone else None),
    )


def _proposal(each: Proposal) -> GrantProposalAnswer:
    row, ruling = each.row, each.ruling
    return GrantProposalAnswer(
        proposal=row.id,
        participant=row.participant,
        amount_micro=row.amount_micro,
        reason=row.reason,
        claim=row.claim,
        takes_back=row.takes_back,
        by=row.actor,
        at=format_moment(Moment(row.at_ns)),
        outcome=each.outcome,
        decided_by=ruling.actor if ruling else None,
        decided_at=answers.time_or_none(ruling.at_ns if ruling else None),
        grant=ruling.key if ruling else None,
    )
