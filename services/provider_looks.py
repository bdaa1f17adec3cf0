"""How this platform looks at providers: by its own settings, clock and chain."""

from __future__ import annotations

from services.house import House
from verifiers.chain.apiset import CURRENT
from verifiers.evidence import ChainSource
from verifiers.guard import Guard
from verifiers.provider.client import ProviderLimits, Providers
from verifiers.provider.source import PinnedProviders


def providers(house: House, limits: ProviderLimits | None = None) -> Providers:
    """A client that asks public addresses, and those that the operator allows (ALLOW_PRIVATE_HOSTS)."""
    api = house.chain.api if house.chain else CURRENT
    return Providers(
        house.clock, Guard(house.settings.allow_private_hosts), limits=limits or ProviderLimits(), api=api
    )


def provider_source(house: House, chain: ChainSource) -> PinnedProviders:
    """Providers for one pass of `gather`, their certificates compared with `chain` at its pinned block."""
    return PinnedProviders(providers(house), chain)
