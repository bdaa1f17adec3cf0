"""Reviews and appeals over the API: the queue, decisions, answers, rulings."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint, Response, request
from pydantic import Field

from services import appeals, profiles, review_queue, reviews
from services.appeals import Ruling
from services.errors import Refused
from services.reviews import Ballot
from tasks.moment import parse_moment
from verifiers.reviewing import Done
from web.api import answers, models
from web.api.described import Description, answered, described, listed
from web.asked import asked_page
from web.bodies import Body, read_body
from web.context import house
from web.review_views import STAFF
from web.security import limiter, participant_only, required_person, role_required

blueprint = Blueprint("api_reviews", __name__, url_prefix="/api/v1")

LIMIT = "120 per minute"


class DecisionBody(Body):
    """A reviewer's decision; `decided` are the fields that the task leaves to reviewers."""

    act: Literal["accept", "needs_work", "reject"]
    reason: str = Field(max_length=10_000)
    decided: dict[str, str] = Field(default_factory=dict)


class ReopenBody(Body):
    """Why a decided claim is opened again."""

    reason: str = Field(max_length=10_000)


class ReviewAnswerBody(Body):
    """What a participant answers: the fields of the claim as they should be now, and a note to the reviewers."""

    fields: dict[str, str] = Field(default_factory=dict)
    note: str = Field("", max_length=10_000)


class AppealBody(Body):
    """What is contested and why."""

    about: Literal["result", "award"]
    text: str = Field(max_length=10_000)


class RulingBody(Body):
    """An organizer's decision. `waives`: failed checks that are set aside, null for all; `at`: when it was done."""

    outcome: Literal["won", "lost"]
    reason: str = Field(max_length=10_000)
    waives: list[str] | None = None
    at: str | None = Field(None, max_length=40)
    height: int | None = Field(None, ge=1)


@blueprint.get("/reviews")
@role_required(*STAFF)
@described(
    Description(
        "Claims that wait for a reviewer, the longest waiting first",
        {200: models.Listed[models.ReviewAnswer]},
        query=("page", "per_page"),
        refusals=(403, 422),
        needs_session=True,
    )
)
def queue() -> Response:
    """`?for=participants` lists those that wait for an answer of theirs."""
    asked = asked_page()
    whom = request.args.get("for", review_queue.FOR_REVIEWERS)
    if whom not in (review_queue.FOR_REVIEWERS, review_queue.FOR_PARTICIPANTS):
        raise Refused("for is reviewers or participants", "for")
    found = review_queue.queue(house(), required_person().address, asked.page, asked.per_page, whom)
    return listed(found, (answers.review(each) for each in found.items), models.ReviewAnswer)


@blueprint.post("/claims/<claim_id>/decisions")
@limiter.limit(LIMIT)
@role_required(*STAFF)
@described(
    Description(
        "Accept, ask for changes or reject; the result follows with the next look",
        {201: models.ClaimAnswer},
        body=DecisionBody,
        refusals=(403, 404, 409, 422),
        needs_session=True,
    )
)
def decide(claim_id: str) -> Response:
    """The claim with the decision."""
    body = read_body(DecisionBody)
    ballot = Ballot(body.act, body.reason, body.decided)
    reviews.decide(house(), required_person().address, claim_id, ballot)
    return _claim(claim_id)


@blueprint.post("/claims/<claim_id>/reopen")
@limiter.limit(LIMIT)
@role_required(*STAFF)
@described(
    Description(
        "Open a decided claim again",
        {201: models.ClaimAnswer},
        body=ReopenBody,
        refusals=(403, 404, 409, 422),
        needs_session=True,
    )
)
def reopen(claim_id: str) -> Response:
    """The claim with the reopening."""
    reviews.reopen(house(), required_person().address, claim_id, read_body(ReopenBody).reason)
    return _claim(claim_id)


@blueprint.post("/claims/<claim_id>/answer")
@limiter.limit(LIMIT)
@participant_only
@described(
    Description(
        "Answer a reviewer who asks for changes",
        {201: models.ClaimAnswer},
        body=ReviewAnswerBody,
        refusals=(403, 404, 409, 422),
        needs_session=True,
    )
)
def answer(claim_id: str) -> Response:
    """The claim with the answer."""
    body = read_body(ReviewAnswerBody)
    reviews.answer(house(), required_person().participant or "", claim_id, dict(body.fields) | {"note": body.note})
    return _claim(claim_id)


@blueprint.post("/claims/<claim_id>/appeals")
@limiter.limit(LIMIT)
@participant_only
@described(
    Description(
        "Appeal against a claim's result or award; the same again gives the existing appeal",
        {201: models.AppealAnswer, 200: models.AppealAnswer},
        body=AppealBody,
        refusals=(403, 404, 409, 422),
        needs_session=True,
    )
)
def appeal(claim_id: str) -> Response:
    """The appeal."""
    body = read_body(AppealBody)
    made, is_new = appeals.make(house(), required_person().participant or "", claim_id, body.about, body.text)
    return answered(answers.appeal(made), 201 if is_new else 200)


@blueprint.get("/appeals")
@role_required("organizer")
@described(
    Description(
        "Appeals that wait for a decision, the oldest first",
        {200: models.Listed[models.AppealAnswer]},
        query=("page", "per_page"),
        refusals=(403, 422),
        needs_session=True,
    )
)
def open_appeals() -> Response:
    """Open ones only; decided ones are on the claims."""
    asked = asked_page()
    found = appeals.listed(house(), asked.page, asked.per_page, only_open=True)
    return listed(found, (answers.appeal(each) for each in found.items), models.AppealAnswer)


@blueprint.post("/appeals/<appeal_id>/ruling")
@limiter.limit(LIMIT)
@role_required("organizer")
@described(
    Description(
        "Decide an appeal, once and in public",
        {201: models.AppealAnswer},
        body=RulingBody,
        refusals=(403, 404, 409, 422),
        needs_session=True,
    )
)
def rule(appeal_id: str) -> Response:
    """The appeal with its ruling."""
    body = read_body(RulingBody)
    ruling = Ruling(body.outcome, body.reason, body.waives, _done(body))
    return answered(answers.appeal(appeals.rule(house(), required_person().address, appeal_id, ruling)), 201)


def _done(body: RulingBody) -> Done | None:
    if body.at is None:
        if body.height is not None:
            raise Refused("A height needs the time of its block: send at too.", "at")
        return None
    try:
        return Done(parse_moment(body.at), body.height)
    except ValueError as error:
        raise Refused(f"{error}.", "at") from error


def _claim(claim_id: str) -> Response:
    return answered(answers.claim(profiles.claim(house(), claim_id)[0]), 201)
