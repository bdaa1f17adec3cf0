"""The pre-flight of a claim over the API."""

from __future__ import annotations

from flask import Blueprint, Response

from services.entry_check import check_entry
from tasks.moment import format_moment
from web.api.claims import ClaimBody
from web.api.described import Description, answered, described
from web.api.models import Answer, PointAnswer
from web.api.provider_models import ProviderCheckLine
from web.bodies import read_body
from web.context import house
from web.security import limit_of, limiter, participant_only, required_person

blueprint = Blueprint("api_entry_check", __name__, url_prefix="/api/v1")


class EntryCheckAnswer(Answer):
    """What the official look would say of an entry now; `missing`: what to do, one sentence each."""

    task: str
    subject: str
    outcome: str
    as_of: PointAnswer
    checks: list[ProviderCheckLine]
    missing: list[str]


@blueprint.post("/claims/check")
@limiter.limit(limit_of("CHECK_LIMIT"))
@participant_only
@described(
    Description(
        "Look at a claim before it is entered, with the checks of the official look; nothing is kept",
        {200: EntryCheckAnswer},
        body=ClaimBody,
        refusals=(403, 404, 409, 422, 429, 503),
        needs_session=True,
    )
)
def check() -> Response:
    """It takes up to half a minute."""
    body = read_body(ClaimBody)
    report = check_entry(house(), required_person().participant or "", body.task, body.entered)
    verdict = report.verdict
    point = verdict.as_of
    return answered(
        EntryCheckAnswer(
            task=body.task,
            subject=report.subject,
            outcome=verdict.outcome.value,
            as_of=PointAnswer(chain_id=point.chain_id, height=str(point.height), time=format_moment(point.time)),
            checks=[
                ProviderCheckLine(name=each.name, expected=each.expected, seen=each.seen, outcome=each.outcome.value)
                for each in verdict.checks
            ],
            missing=list(verdict.missing),
        )
    )
