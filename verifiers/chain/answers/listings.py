"""The chain's lists by the name of their rows."""

from __future__ import annotations

from typing import Any

from verifiers.chain.answers.border import Listing, plain_listing
from verifiers.chain.answers.deployments import DEPLOYMENTS
from verifiers.chain.answers.escrow import ACCOUNTS, PAYMENTS
from verifiers.chain.answers.market import BIDS, LEASES, ORDERS
from verifiers.chain.answers.providers import CERTIFICATES, PROVIDERS
from verifiers.chain.apiset import ApiSet

LISTINGS: tuple[Listing[Any], ...] = (
    DEPLOYMENTS, ORDERS, BIDS, LEASES, PROVIDERS, CERTIFICATES, ACCOUNTS, PAYMENTS,
)  # fmt: skip


def listing_at(path: str, rows: str, api: ApiSet) -> Listing[Any]:
    """The list behind a path of this API set; one of which no more is known than its row's name where it has none."""
    for listing in LISTINGS:
        if listing.path(api) == path:
            return listing
    return plain_listing(rows)
