"""The providers of a story and what of their GPUs is in use: nobody ever hosts more than it has."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from devnet.story.parameters import ANY, Parameters, ProviderPlan
from devnet.story.plans import LeasePlan
from devnet.story.timeline import Timeline

_SETTLED = 100
"""Blocks from joining until a provider's first lease; bids come some blocks before one."""


class Full(Exception):
    """A lease that somebody planned finds no room."""


class Hosts:
    """Capacity by provider and model, and the sum over all providers, which stays within `ceiling`."""

    def __init__(self, parameters: Parameters) -> None:
        self.providers = {one.name: one for one in parameters.providers}
        self._pools = {(one.name, model): Timeline() for one in parameters.providers for model in one.gpus}
        self._all = Timeline()
        self._ceiling = parameters.totals.peak or sum(
            g.count for one in parameters.providers for g in one.gpus.values()
        )
        self._prices = parameters.prices
        self._web_price = parameters.web_price
        self.end_of_time = parameters.closes * 2

    def fitting(self, model: str, units: int, first: int, end: int | None) -> list[tuple[str, str]]:
        """The (provider, model) that can give so many GPUs of `model` (or of any) all the time in `[first, end)`."""
        until = end or self.end_of_time
        if self._all.highest(first, until) + units > self._ceiling:
            return []
        return [
            (one.name, own)
            for one, own in self._offering(model)
            if one.joins + _SETTLED < first
            and (one.leaves is None or until <= one.leaves)
            and self._pools[one.name, own].highest(first, until) + units <= one.gpus[own].count
        ]

    def bidding(self, model: str, units: int, height: int) -> list[tuple[str, str]]:
        """The (provider, model) that have so many GPUs free at a height."""
        return [
            (one.name, own)
            for one, own in self._offering(model)
            if one.joins < height < (one.leaves or self.end_of_time)
            and self._pools[one.name, own].at(height) + units <= one.gpus[own].count
        ]

    def take(self, lease: LeasePlan) -> None:
        """Use the GPUs of a lease. Raises Full where they are not there."""
        if (lease.provider, lease.model) not in self.fitting(lease.model, lease.units, lease.opens, lease.closes):
            raise Full(f"{lease.provider} has no room for {lease}")
        self._add(lease, lease.opens, lease.closes or self.end_of_time)

    def stretch(self, lease: LeasePlan, end: int) -> bool:
        """Let a lease last until `end` instead, if there is room."""
        first = lease.closes
        if first is None or (lease.provider, lease.model) not in self.fitting(lease.model, lease.units, first, end):
            return False
        self._add(lease, first, end)
        lease.closes = end
        return True

    def in_use(self, height: int) -> int:
        """GPUs in use at a height, over all providers."""
        return self._all.at(height)

    def highest(self) -> int:
        """The most GPUs ever in use."""
        return self._all.highest(0, self.end_of_time)

    def price(self, provider: str, model: str, units: int, quarters: int = 0) -> str:
        """What a provider asks for each block; some ask for quarters of a unit."""
        one = self.providers[provider]
        whole = (self._prices[model] * units if units else self._web_price) * one.asks // 100
        return str(Decimal(whole) + Decimal(quarters) / 4)

    def _offering(self, model: str) -> Iterator[tuple[ProviderPlan, str]]:
        for one in self.providers.values():
            for own in one.gpus:
                if model in (own, ANY):
                    yield one, own

    def _add(self, lease: LeasePlan, first: int, end: int) -> None:
        self._pools[lease.provider, lease.model].add(first, end, lease.units)
        self._all.add(first, end, lease.units)
