"""Payouts over the API: the public reports, and the two steps by which a wallet signs a plan."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from services import payout_report, payout_signing, sessions
from services.errors import NotFound
from tasks.payout.sealing import Part
from web import security
from web.api import payout_answers, payout_models
from web.api.auth import ProofBody, asks_no_chain, challenge_document, kept_by_nobody
from web.api.described import Description, answered, described, listed
from web.api.models import Listed
from web.api.schema import ChallengeAnswer
from web.asked import asked_page
from web.bodies import Body, read_body
from web.context import house
from web.payout_rights import SIGNERS
from web.security import limit_of, limiter, required_person, role_required

blueprint = Blueprint("api_payouts", __name__, url_prefix="/api/v1")


class NothingBody(Body):
    """No field at all."""


@blueprint.get("/payouts")
@described(
    Description(
        "Payouts that were approved, the newest first",
        {200: Listed[payout_models.PayoutSummaryAnswer]},
        query=("page", "per_page"),
    )
)
def payouts() -> Response:
    """One page of payouts."""
    asked = asked_page()
    found = payout_report.reports(house(), asked.page, asked.per_page)
    return listed(found, (payout_answers.summary(each) for each in found.items), payout_models.PayoutSummaryAnswer)


@blueprint.get("/payouts/<int:number>")
@described(
    Description(
        "A payout: terms, batches with their transactions, what is not paid",
        {200: payout_models.PayoutAnswer},
        refusals=(404,),
    )
)
def payout(number: int) -> Response:
    """One payout; its rows are a list of their own."""
    return answered(payout_answers.payout(payout_report.report(house(), number)))


@blueprint.get("/payouts/<int:number>/rows")
@described(
    Description(
        "What each address gets by a payout",
        {200: Listed[payout_models.PayoutRowAnswer]},
        query=("page", "per_page"),
        refusals=(404,),
    )
)
def payout_rows(number: int) -> Response:
    """One page of a payout's rows, by recipient."""
    asked = asked_page()
    found = payout_report.rows(house(), number, asked.page, asked.per_page)
    return listed(found, (payout_answers.row(each) for each in found.items), payout_models.PayoutRowAnswer)


@blueprint.post("/payouts/<int:number>/signatures/<part>/challenge")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@role_required(*SIGNERS)
@described(
    Description(
        "Ask for the text by which the signed-in address plans (part planner) or approves (part approver) a payout",
        {200: ChallengeAnswer},
        body=NothingBody,
        refusals=(403, 404, 409, 429),
        needs_session=True,
    )
)
def challenge(number: int, part: str) -> Response:
    """A text that names the payout, its digest and what is signed, for the browser of the cookie set here."""
    read_body(NothingBody)
    token = security.browser_token() or sessions.new_token()
    made = payout_signing.make_challenge(house(), required_person().address, number, _part(part), token)
    response = kept_by_nobody(jsonify(challenge_document(made)))
    security.set_browser_cookie(response, token)
    return response


@blueprint.post("/payouts/<int:number>/signatures/<part>")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@limiter.limit(limit_of("LOOK_UP_LIMIT"), exempt_when=asks_no_chain)
@role_required(*SIGNERS)
@described(
    Description(
        "Plan or approve a payout with one of the three proofs of its challenge",
        {201: payout_models.PayoutSignedAnswer},
        body=ProofBody,
        refusals=(403, 404, 409, 422, 429, 503),
        needs_session=True,
    )
)
def sign(number: int, part: str) -> Response:
    """The state that the payout has now."""
    body, address, role = read_body(ProofBody), required_person().address, _part(part)
    view = payout_signing.sign(
        house(), address, number, role, body.challenge_id, body.proof(), security.browser_token()
    )
    answer = payout_models.PayoutSignedAnswer(
        number=view.number, state=str(view.state), digest=view.digest, is_approved=view.is_enough
    )
    return kept_by_nobody(answered(answer, 201))


def _part(text: str) -> Part:
    try:
        return Part(text)
    except ValueError as error:
        raise NotFound("A payout is signed as planner or as approver.") from error
