"""The leaderboard: paging, search, provisional amounts apart."""

from __future__ import annotations

from flask import Blueprint, render_template

from services.results import all_results
from services.standings import leaderboard
from web.asked import asked_page, asked_search
from web.context import house
from web.site import surroundings

blueprint = Blueprint("leaderboard", __name__)


@blueprint.get("/leaderboard")
def leaderboard_page() -> str:
    """Fifty places a page."""
    asked, search = asked_page(), asked_search()
    campaign = surroundings().campaign
    titles = {task.slug: task.title for task in campaign.newest.tasks} if campaign else {}
    board = leaderboard(house(), asked.page, asked.per_page, search)
    found = all_results(house())
    return render_template(
        "leaderboard.html", board=board, search=search, titles=titles, results=found.whole if found else None
    )
