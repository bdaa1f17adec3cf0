"""The providers of the chain, as they describe themselves, and as we saw them."""

from __future__ import annotations

from flask import Blueprint, render_template

from services import directory
from services.provider_check import ProviderReport, check_provider
from services.uptime_seen import causes_in_words, uptimes_of
from web.asked import asked_page, asked_search
from web.claim_views import check_title
from web.context import house
from web.security import limit_of, limiter, signed_in

blueprint = Blueprint("providers", __name__)


@blueprint.get("/providers")
def providers_page() -> str:
    """Fifty providers a page."""
    asked, search = asked_page(), asked_search()
    found = directory.providers(house(), asked.page, asked.per_page, search)
    return render_template("providers.html", providers=found, search=search)


@blueprint.get("/providers/<address>")
def provider_page(address: str) -> str:
    """One provider with all its attributes, and the uptime of its claimed GPUs."""
    return _page(address)


@blueprint.post("/providers/<address>/check")
@limiter.limit(limit_of("CHECK_LIMIT"))
@signed_in
def check_now(address: str) -> str:
    """Look at a provider now, with the code of the official run; nothing is kept."""
    directory.provider(house(), address)
    return _page(address, check_provider(house(), address))


def _page(address: str, report: ProviderReport | None = None) -> str:
    return render_template(
        "provider.html",
        provider=directory.provider(house(), address),
        uptimes=uptimes_of(house(), [address])[address],
        causes=causes_in_words,
        report=report,
        check_title=check_title,
    )
