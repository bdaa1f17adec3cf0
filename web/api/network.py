"""The providers of the followed chain."""

from __future__ import annotations

from flask import Blueprint, Response

from services import directory
from web.api import answers, models
from web.api.described import Description, answered, described, listed
from web.asked import asked_page, asked_search
from web.context import house
from web.security import public

blueprint = Blueprint("api_network", __name__, url_prefix="/api/v1")


@blueprint.get("/providers")
@public
@described(
    Description(
        "Providers as they describe themselves",
        {200: models.Listed[models.ProviderAnswer]},
        query=("page", "per_page", "search"),
    )
)
def providers() -> Response:
    """By address."""
    asked = asked_page()
    page = directory.providers(house(), asked.page, asked.per_page, asked_search())
    return listed(page, [answers.provider(each) for each in page.items], models.ProviderAnswer)


@blueprint.get("/providers/<address>")
@public
@described(Description("One provider", {200: models.ProviderAnswer}, refusals=(404,)))
def provider(address: str) -> Response:
    """By its owner's address."""
    return answered(answers.provider(directory.provider(house(), address)))
