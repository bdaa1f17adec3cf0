"""The providers of the followed chain, and the address lists for their bid scripts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.chain import LeaseRow, ProviderRow
from ledger.people import AddressRow, RegistrationRow
from services import campaigns, eligibility
from services.errors import NotFound
from services.house import House
from services.network import network_in
from services.paging import Page, paged

_GPU = re.compile(r"capabilities/gpu/vendor/([^/]{1,40})/model/([^/]{1,60})(?:/.*)?", re.DOTALL)
_REGIONS = ("region", "location-region", "country")
_NAMES = ("organization",)
_RUNNING = ("active", "reclaiming")


@dataclass(frozen=True, slots=True)
class ListedProvider:
    """A provider as its own attributes describe it; nothing here has been confirmed.

    `created_at` is a height; None: unknown, it existed at `not_later_than`.
    """

    address: str
    host_uri: str
    gpu_models: tuple[str, ...]
    region: str | None
    organization: str | None
    active_leases: int
    created_at: int | None
    not_later_than: int
    read_height: int
    attributes: tuple[tuple[str, str], ...]


def providers(house: House, page: int, per_page: int, search: str = "") -> Page[ListedProvider]:
    """The providers by address; `search` picks by address, host, model or region."""
    found = _all(house)
    wanted = search.lower()
    if wanted:
        found = [each for each in found if any(wanted in text for text in _searched(each))]
    return paged(found, page, per_page)


def provider(house: House, address: str) -> ListedProvider:
    """One provider. Raises NotFound."""
    for each in _all(house, address):
        return each
    raise NotFound(f"No provider {address} is known on this chain.")


def allowed_addresses(house: House) -> Sequence[str]:
    """Registered and linked addresses of the campaign in force that are not excluded, sorted."""
    return _addresses(house, excluded=False)


def blocked_addresses(house: House) -> Sequence[str]:
    """The addresses of participants whom an organizer has declared ineligible, sorted."""
    return _addresses(house, excluded=True)


def _addresses(house: House, *, excluded: bool) -> Sequence[str]:
    with house.ledger.read() as session:
        loaded = campaigns.current_in(session, house.settings.campaign)
        if loaded is None:
            return ()
        out = eligibility.excluded(session, loaded.slug, house.clock.now())
        statement = (
            select(AddressRow.address, AddressRow.participant)
            .join(RegistrationRow, RegistrationRow.participant == AddressRow.participant)
            .where(RegistrationRow.campaign == loaded.slug)
            .order_by(AddressRow.address)
        )
        return [address for address, owner in session.execute(statement) if (owner in out) is excluded]


def _all(house: House, address: str | None = None) -> list[ListedProvider]:
    with house.ledger.read() as session:
        loaded = campaigns.current_in(session, house.settings.campaign)
        seen = network_in(session, campaigns.chain_id(house, loaded))
        if seen is None:
            return []
        statement = select(ProviderRow).where(ProviderRow.chain_id == seen.chain_id).order_by(ProviderRow.owner)
        if address is not None:
            statement = statement.where(ProviderRow.owner == address)
        leases = _active_leases(session, seen.chain_id)
        return [_listed(row, leases) for row in session.scalars(statement)]


def _active_leases(session: Session, chain_id: str) -> dict[str, int]:
    statement = (
        select(LeaseRow.provider, func.count())
        .where(LeaseRow.chain_id == chain_id, LeaseRow.state.in_(_RUNNING))
        .group_by(LeaseRow.provider)
    )
    return {provider: count for provider, count in session.execute(statement)}  # noqa: C416 - rows are no pairs


def _listed(row: ProviderRow, leases: Mapping[str, int]) -> ListedProvider:
    attributes = tuple((pair[0], pair[1]) for pair in row.attributes if len(pair) == 2)
    named = dict(reversed(attributes))
    return ListedProvider(
        address=row.owner,
        host_uri=row.host_uri,
        gpu_models=gpu_models(attributes),
        region=next((named[name] for name in _REGIONS if named.get(name)), None),
        organization=next((named[name] for name in _NAMES if named.get(name)), None),
        active_leases=leases.get(row.owner, 0),
        created_at=row.created_at,
        not_later_than=row.not_later_than,
        read_height=row.read_height,
        attributes=attributes,
    )


def gpu_models(attributes: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The models that the attributes offer (`capabilities/gpu/vendor/nvidia/model/a100`), sorted, each once."""
    found = (_GPU.fullmatch(key) for key, value in attributes if value.lower() == "true")
    return tuple(sorted({match[2].lower() for match in found if match}))


def _searched(each: ListedProvider) -> tuple[str, ...]:
    texts = (each.address, each.host_uri, each.region or "", each.organization or "", *each.gpu_models)
    return tuple(text.lower() for text in texts)
