"""The figures of the network: in all and day by day, each chart with its table."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, render_template

from services import figures
from services.figures import DayFigures
from services.remembered import remembered
from web.charts import Series
from web.context import house
from web.site import surroundings

blueprint = Blueprint("figures", __name__)

_CHARTS = (
    ("requests", "GPU deployment requests a day", "requests", "requests"),
    ("leases", "Leases created a day", "leases", "leases"),
    ("deployers", "Addresses that deployed, each day", "addresses", "deployers"),
    ("gpus", "Most GPUs hosted at once, each day", "GPUs", "peak_gpus"),
)


def all_series(days: Sequence[DayFigures]) -> dict[str, Series]:
    """The charts' data by name."""
    return {
        name: Series(title, unit, tuple((day.date, int(getattr(day, attribute))) for day in days))
        for name, title, unit, attribute in _CHARTS
    }


def days_now() -> list[DayFigures]:
    """The figures by day, worked out once for each look of the follower at the chain."""
    around = surroundings()
    if around.network is None:
        return figures.per_day(house())
    key = (around.network, around.campaign.newest.digest if around.campaign else None)
    return remembered(house().ledger, "days", key, lambda: figures.per_day(house()))


@blueprint.get("/figures")
def figures_page() -> str:
    """The five figures, four charts, one table."""
    days = days_now()
    return render_template(
        "figures.html",
        stats=figures.stats(house()),
        days=days,
        series=all_series(days),
        has_campaign=surroundings().campaign is not None,
        network=surroundings().network,
    )
