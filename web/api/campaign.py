"""The campaign, its tasks, the figures and the leaderboard."""

from __future__ import annotations

from flask import Blueprint, Response

from services import campaigns, figures, standings, task_board
from services.paging import paged
from tasks.moment import format_moment
from web.api import answers, models
from web.api.described import Description, answered, described, listed
from web.asked import asked_page, asked_search
from web.context import house
from web.security import public

blueprint = Blueprint("api_campaign", __name__, url_prefix="/api/v1")

PAGING = ("page", "per_page")


@blueprint.get("/campaign")
@public
@described(Description("The campaign in force", {200: models.CampaignAnswer}, refusals=(404,)))
def campaign() -> Response:
    """The newest revision's names and dates."""
    loaded = campaigns.required(house())
    newest = loaded.newest
    return answered(
        models.CampaignAnswer(
            slug=newest.slug,
            revision=newest.revision,
            title=newest.title,
            opens=format_moment(newest.opens),
            closes=format_moment(newest.closes),
            chain_id=campaigns.chain_id(house(), loaded),
            payout_chain_id=campaigns.payout_chain_id(house(), loaded),
            rules_digest=newest.rules_digest,
            terms=newest.terms,
        )
    )


@blueprint.get("/tasks")
@public
@described(Description("Every task of the campaign", {200: models.Listed[models.TaskAnswer]}, query=PAGING))
def tasks() -> Response:
    """In file order; empty without a campaign."""
    asked = asked_page()
    page = paged(task_board.board(house()), asked.page, asked.per_page)
    loaded = campaigns.current(house())
    unit = loaded.newest.reward.unit if loaded else ""
    return listed(page, [answers.task(entry, unit) for entry in page.items], models.TaskAnswer)


@blueprint.get("/tasks/<slug>")
@public
@described(Description("One task", {200: models.TaskAnswer}, refusals=(404,)))
def task(slug: str) -> Response:
    """With its fields, places and decay."""
    unit = campaigns.required(house()).newest.reward.unit
    return answered(answers.task(task_board.one(house(), slug), unit))


@blueprint.get("/stats")
@public
@described(Description("The figures and the block they hold at", {200: models.StatsAnswer}))
def stats() -> Response:
    """Also without a campaign: over the whole chain then."""
    found = figures.stats(house())
    point = found.as_of
    return answered(
        models.StatsAnswer(
            participants=found.participants,
            gpu_deployment_requests=found.gpu_deployment_requests,
            leases_created=found.leases_created,
            unique_deployers=found.unique_deployers,
            peak_concurrent_gpus=found.peak_concurrent_gpus,
            as_of=models.PointAnswer(
                chain_id=point.chain_id, height=str(point.height), time=format_moment(point.time)
            )
            if point
            else None,
        )
    )


@blueprint.get("/leaderboard")
@public
@described(
    Description(
        "Participants by amount, then provisional amount, then address",
        {200: models.Listed[models.PlaceAnswer]},
        query=(*PAGING, "search"),
    )
)
def leaderboard() -> Response:
    """Ranked over all; `search` picks by a part of a name or address."""
    asked = asked_page()
    board = standings.leaderboard(house(), asked.page, asked.per_page, asked_search())
    unit = board.unit or ""
    return listed(board.places, [answers.place(place, unit) for place in board.places.items], models.PlaceAnswer)
