"""The charts as pictures: one address for each content, so that browsers keep them."""

from __future__ import annotations

from flask import Blueprint, Response, request

from services.errors import NotFound
from web.assets import KEPT_FOR_GOOD
from web.charts import PALETTES, SIZES, day_chart
from web.pages.figures import all_series, days_now

blueprint = Blueprint("charts", __name__)


@blueprint.get("/figures/<name>-<theme>-<width>.svg")
def chart(name: str, theme: str, width: str) -> Response:
    """One chart in one theme and width; `at` names the content wanted."""
    if theme not in PALETTES or width not in SIZES:
        raise NotFound("There is no such chart. The figures page shows those there are.")
    series = all_series(days_now()).get(name)
    if series is None or not series.points:
        raise NotFound("There is no such chart yet. The figures page shows those there are.")
    response = Response(day_chart(series, theme, width), mimetype="image/svg+xml")
    is_current = request.args.get("at") == series.digest
    response.headers["Cache-Control"] = KEPT_FOR_GOOD if is_current else "public, no-cache"
    # A picture styles itself; it still may load and run nothing.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    response.set_etag(f"{series.digest}-{theme}-{width}")
    response.make_conditional(request)
    return response
