"""Payouts over the API: the public reports, and the two steps by which a wallet signs a plan."""

from __future__ import annotations

from flask import Blueprint, Response

from services import payout_report
from web.api import payout_answers, payout_models
from web.api.described import Description, answered, described, listed
from web.api.models import Listed
from web.asked import asked_page
from web.context import house

blueprint = Blueprint("api_payouts", __name__, url_prefix="/api/v1")


@blueprint.get("/payouts")
@described(
    Description(
        "Payouts that were approved, the newest first",
        {200: Listed[payout_models.PayoutSummaryAnswer]},
        query=("page", "per_page"),
        refusals=(404,),
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
