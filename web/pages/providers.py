"""The providers of the chain, as they describe themselves."""

from __future__ import annotations

from flask import Blueprint, render_template

from services import directory
from web.asked import asked_page, asked_search
from web.context import house

blueprint = Blueprint("providers", __name__)


@blueprint.get("/providers")
def providers_page() -> str:
    """Fifty providers a page."""
    asked, search = asked_page(), asked_search()
    found = directory.providers(house(), asked.page, asked.per_page, search)
    return render_template("providers.html", providers=found, search=search)


@blueprint.get("/providers/<address>")
def provider_page(address: str) -> str:
    """One provider with all its attributes."""
    return render_template("provider.html", provider=directory.provider(house(), address))
