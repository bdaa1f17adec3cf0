"""The end of a campaign and eligibility over the API, for organizers."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint, Response, request
from pydantic import Field

from ledger.results import FINAL, PROVISIONAL
from services import eligibility, ending
from services.eligibility import Entered
from services.eligibility_import import ImportPreview, import_eligibility, preview_import
from services.ending import Ended
from services.ending_checks import Before, OpenClaim, before
from services.errors import Conflict, Refused
from services.paging import paged
from services.roles import Role
from tasks.moment import Moment, format_moment, parse_moment
from web.api import models
from web.api.described import Description, answered, described, listed
from web.api.organizing_models import (
    BeforeAnswer,
    EligibilityAnswer,
    EligibilityChangeAnswer,
    EndedAnswer,
    ImportedAnswer,
    ImportPreviewAnswer,
    OpenAppealAnswer,
    OpenClaimAnswer,
)
from web.asked import asked_page
from web.bodies import Body, read_body
from web.context import house
from web.security import limiter, required_person, role_required

blueprint = Blueprint("api_organizing", __name__, url_prefix="/api/v1")

LIMIT = "60 per minute"
REFUSALS = (403, 404, 409, 422)


class PublishBody(Body):
    """`task` null: every task that is not published yet. `excepted`: open claims, each with a reason."""

    task: str | None = Field(None, max_length=100)
    excepted: dict[str, str] = Field(default_factory=dict)


class FinalizeBody(Body):
    """`task` null: every task that is not final yet."""

    task: str | None = Field(None, max_length=100)


class EligibilityBody(Body):
    """A decision. `after`: number of the participant's newest entry that was seen (0: none); null: any."""

    address: str = Field(max_length=200)
    eligibility: Literal["eligible", "withheld", "ineligible"]
    reason: str = Field(max_length=10_000)
    starts: str | None = Field(None, max_length=40)
    after: int | None = Field(None, ge=0, lt=2**63)


class ListBody(Body):
    """A CSV `address,eligibility,reason[,starts]`."""

    csv: str


class ImportBody(ListBody):
    """The same list with the `seen` of its preview."""

    seen: str = Field(max_length=64)


@blueprint.get("/results/before")
@role_required(Role.ORGANIZER)
@described(
    Description(
        "What publishing (state=provisional) or making final (state=final) would reach, and what blocks it",
        {200: BeforeAnswer},
        query=("state", "task"),
        refusals=(403, 404),
        needs_session=True,
    )
)
def look_ahead() -> Response:
    """Nothing changes."""
    state = request.args.get("state", PROVISIONAL)
    if state not in (PROVISIONAL, FINAL):
        raise Refused(f"state is {PROVISIONAL} or {FINAL}", "state")
    return answered(_before(before(house(), state, request.args.get("task") or None)))


@blueprint.post("/results/publish")
@limiter.limit(LIMIT)
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Publish provisional results; appeals run from then",
        {201: EndedAnswer},
        body=PublishBody,
        refusals=REFUSALS,
        needs_session=True,
    )
)
def publish() -> Response:
    """Refused while a claim is not decided, unless each is named with a reason."""
    body = read_body(PublishBody)
    return _ended(ending.publish_results(house(), required_person().address, body.task, body.excepted))


@blueprint.post("/results/finalize")
@limiter.limit(LIMIT)
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Make results final: from then on they can be paid",
        {201: EndedAnswer},
        body=FinalizeBody,
        refusals=REFUSALS,
        needs_session=True,
    )
)
def finalize() -> Response:
    """Refused while appeals are taken or one is open."""
    return _ended(ending.finalize(house(), required_person().address, read_body(FinalizeBody).task))


@blueprint.get("/eligibility")
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Every decision on who may be paid, the newest first",
        {200: models.Listed[EligibilityAnswer]},
        query=("page", "per_page"),
        refusals=(403, 404),
        needs_session=True,
    )
)
def entries() -> Response:
    """With the reasons, which the public never reads."""
    asked = asked_page()
    found = paged(eligibility.history(house())[::-1], asked.page, asked.per_page)
    made = (EligibilityAnswer.model_validate(eligibility.document(row)) for row in found.items)
    return listed(found, made, EligibilityAnswer)


@blueprint.post("/eligibility")
@limiter.limit(LIMIT)
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Decide on one participant; what holds already changes nothing",
        {201: EligibilityAnswer, 200: EligibilityAnswer},
        body=EligibilityBody,
        refusals=REFUSALS,
        needs_session=True,
    )
)
def decide() -> Response:
    """The entry that holds now."""
    body = read_body(EligibilityBody)
    entered = Entered(body.address.strip().lower(), body.eligibility, body.reason, _moment(body.starts))
    row, is_new = eligibility.set_eligibility(house(), required_person().address, entered, body.after)
    return answered(EligibilityAnswer.model_validate(eligibility.document(row)), 201 if is_new else 200)


@blueprint.post("/eligibility/preview")
@limiter.limit(LIMIT)
@role_required(Role.ORGANIZER)
@described(
    Description(
        "What an identity provider's list would change",
        {200: ImportPreviewAnswer},
        body=ListBody,
        refusals=(403, 404, 422),
        needs_session=True,
    )
)
def preview() -> Response:
    """Nothing is taken."""
    found = preview_import(house(), required_person().address, read_body(ListBody).csv)
    return answered(_preview(found))


@blueprint.post("/eligibility/import")
@limiter.limit(LIMIT)
@role_required(Role.ORGANIZER)
@described(
    Description(
        "Take a list that was looked at, whole or not at all",
        {201: ImportedAnswer},
        body=ImportBody,
        refusals=REFUSALS,
        needs_session=True,
    )
)
def take_list() -> Response:
    """409 where somebody decided in between."""
    body, actor = read_body(ImportBody), required_person().address
    found = preview_import(house(), actor, body.csv)
    if not found.mistakes and found.digest != body.seen:
        raise Conflict("This is not what was looked at, or somebody decided in between: look at it again.")
    done = import_eligibility(house(), actor, body.csv)
    return answered(ImportedAnswer(added=done.added, unchanged=done.unchanged), 201)


def _moment(text: str | None) -> Moment | None:
    if text is None:
        return None
    try:
        return parse_moment(text)
    except ValueError as error:
        raise Refused(f"{error}.", "starts") from error


def _ended(ended: Ended) -> Response:
    return answered(EndedAnswer.model_validate(ended.document()), 201)


def _before(found: Before) -> BeforeAnswer:
    return BeforeAnswer(
        tasks=[task.slug for task in found.tasks],
        refused=found.refused or None,
        claims=[_claim(each) for each in found.claims],
        appeals=[
            OpenAppealAnswer(
                appeal=each.appeal,
                claim=each.claim,
                task=each.task,
                participant=each.participant,
                made_at=format_moment(each.made),
            )
            for each in found.appeals
        ],
        left_open=[_claim(each) for each in found.left_open],
    )


def _claim(each: OpenClaim) -> OpenClaimAnswer:
    return OpenClaimAnswer(
        claim=each.claim,
        task=each.task,
        participant=each.participant,
        state=each.words,
        holds_place=each.holds_place,
    )


def _preview(found: ImportPreview) -> ImportPreviewAnswer:
    return ImportPreviewAnswer(
        changes=[
            EligibilityChangeAnswer(
                line=each.line,
                participant=each.participant,
                before=each.before.eligibility if each.before else None,
                after=each.entered.eligibility,
                starts=None if each.entered.starts is None else format_moment(each.entered.starts),
                awarded_micro=each.awarded_micro,
            )
            for each in found.changes
        ],
        unchanged=found.unchanged,
        mistakes=list(found.mistakes),
        seen=found.digest,
    )
