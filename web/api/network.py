"""The providers of the followed chain: as they describe themselves, as we saw them, and as they look now."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response

from services import directory
from services.directory import ListedProvider
from services.provider_check import check_provider
from services.uptime_seen import UptimeSeen, uptimes_of
from tasks.moment import format_moment
from web.api import provider_models as models
from web.api.answers import decimal_or_none
from web.api.described import Description, answered, described, listed
from web.api.models import Listed, PointAnswer
from web.asked import asked_page, asked_search
from web.context import house
from web.security import limit_of, limiter, public, signed_in

blueprint = Blueprint("api_network", __name__, url_prefix="/api/v1")


@blueprint.get("/providers")
@public
@described(
    Description(
        "Providers as they describe themselves, with the uptime of what is claimed there",
        {200: Listed[models.ProviderAnswer]},
        query=("page", "per_page", "search"),
    )
)
def providers() -> Response:
    """By address."""
    asked = asked_page()
    page = directory.providers(house(), asked.page, asked.per_page, asked_search())
    uptimes = uptimes_of(house(), [each.address for each in page.items])
    return listed(page, [_provider(each, uptimes[each.address]) for each in page.items], models.ProviderAnswer)


@blueprint.get("/providers/<address>")
@public
@described(Description("One provider", {200: models.ProviderAnswer}, refusals=(404,)))
def provider(address: str) -> Response:
    """By its owner's address."""
    found = directory.provider(house(), address)
    return answered(_provider(found, uptimes_of(house(), [address])[address]))


@blueprint.post("/providers/<address>/check")
@limiter.limit(limit_of("CHECK_LIMIT"))
@signed_in
@described(
    Description(
        "Look at a provider now, with the checks of the official look; nothing is kept",
        {200: models.ProviderCheckAnswer},
        refusals=(404, 422, 429, 503),
        needs_session=True,
    )
)
def check(address: str) -> Response:
    """It takes up to half a minute."""
    report = check_provider(house(), directory.provider(house(), address).address)
    point = report.as_of
    return answered(
        models.ProviderCheckAnswer(
            provider=report.provider,
            host_uri=report.host_uri,
            outcome=report.outcome.value,
            as_of=PointAnswer(chain_id=point.chain_id, height=str(point.height), time=format_moment(point.time)),
            checks=[
                models.ProviderCheckLine(
                    name=each.name, expected=each.expected, seen=each.seen, outcome=each.outcome.value
                )
                for each in report.checks
            ],
        )
    )


def _provider(each: ListedProvider, uptimes: Sequence[UptimeSeen]) -> models.ProviderAnswer:
    return models.ProviderAnswer(
        address=each.address,
        host_uri=each.host_uri,
        gpu_models=list(each.gpu_models),
        region=each.region,
        organization=each.organization,
        active_leases=each.active_leases,
        created_height=decimal_or_none(each.created_at),
        not_later_than=str(each.not_later_than),
        attributes=[list(pair) for pair in each.attributes],
        onboarding=[_claimed(seen) for seen in uptimes],
    )


def _claimed(seen: UptimeSeen) -> models.ClaimedGpuAnswer:
    return models.ClaimedGpuAnswer(
        claim=seen.claim,
        gpu_model=seen.gpu.model,
        number=seen.gpu.number,
        verdict=seen.outcome,
        since=format_moment(seen.begins),
        uptime_permille=seen.whole.permille,
        known_permille=seen.whole.known_permille,
        incidents=[
            models.IncidentAnswer(
                begins=format_moment(each.begins), ends=format_moment(each.ends), causes=list(each.causes)
            )
            for each in seen.whole.incidents
        ],
    )
