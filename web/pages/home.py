"""The first page: what this is, its dates, the network, how to start, the figures."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from services import figures, task_board
from web.context import house
from web.markdown import first_words
from web.pages.tasks_pages import in_order, task_view
from web.site import surroundings

blueprint = Blueprint("home", __name__)

SHOWN_TASKS = 6


@blueprint.get("/")
def home_page() -> str:
    """With a campaign its own first page, without one the network and how to load one."""
    around = surroundings()
    campaign = around.campaign.newest if around.campaign else None
    entries = in_order(task_board.board(house()))
    return render_template(
        "home.html",
        campaign=campaign,
        intro=first_words(campaign.summary, 300) if campaign else "",
        network=around.network,
        stats=figures.stats(house()),
        tasks=[task_view(each) for each in entries[:SHOWN_TASKS]],
        more_tasks=max(0, len(entries) - SHOWN_TASKS),
    )


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Browsers ask for it beside answers that name no icon."""
    return redirect(url_for("static", filename="img/mark.svg"))
