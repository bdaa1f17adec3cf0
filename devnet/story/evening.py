"""The hours after the story's figures are complete: a few events a minute that leave them as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devnet.acts import (
    Act,
    BidId,
    CloseDeployment,
    CreateBid,
    CreateDeployment,
    CreateLease,
    DepositDeployment,
    OrderId,
    Send,
    UpdateDeployment,
    UpdateProvider,
    WithdrawLease,
)
from devnet.story.draw import Draw, Weights
from devnet.story.folk import Folk
from devnet.story.hosting import provider_attributes
from devnet.story.machines import hostname, way_of
from devnet.story.parameters import Parameters, ProviderPlan
from devnet.story.sdls import Library

_HOUR = 600
_WEB = ("web", "database")


@dataclass(frozen=True, slots=True)
class Running:
    """A GPU lease that lasts beyond the evening's begin; `until`: when it ends."""

    bid: BidId
    until: int


@dataclass(slots=True)
class _Web:
    """A deployment without GPU while it runs."""

    order: OrderId
    host: ProviderPlan
    closes: int
    sdl: int = 0


class Evening:
    """Draws one event after the other from `told_by` to the close."""

    def __init__(self, parameters: Parameters, folk: Folk, library: Library, owners: Sequence[str]) -> None:
        self._parameters = parameters
        self._folk = folk
        self._library = library
        self._owners = owners
        self._draw = Draw(parameters.seed, "evening")
        self._hosts = [one for one in parameters.providers if one.leaves is None]
        self._web: list[_Web] = []

    def acts(self, running: Sequence[Running]) -> Iterator[Act]:
        """The acts; `running`: the GPU leases that go on."""
        shares = Weights(self._parameters.evening)
        begin, end = self._parameters.told_by + 1, self._parameters.closes - 30
        number = (end - begin) * self._parameters.acts_per_hour // _HOUR
        for index in range(number):
            height = begin + (end - begin) * index // number + self._draw.below(3)
            sort = self._draw.weighted(shares)
            if sort == "web" and index % 4 == 0:
                yield from self._deploy(height)
            elif sort == "provider":
                yield self._provider(height)
            elif sort == "send":
                yield self._send(height)
            elif sort == "withdraw":
                yield from self._withdraw(height, running)
            elif sort in {"deposit", "update"}:
                yield from self._change(height, sort)

    def _deploy(self, height: int) -> Iterator[Act]:
        owner = self._folk.address(self._draw.pick(self._owners))
        if any(one.order.owner == owner and abs(one.order.dseq - height) < 5 for one in self._web):
            return
        order = OrderId(owner, height - 1)
        sdl = self._draw.below(len(_WEB))
        yield CreateDeployment(height=height, owner=owner, dseq=order.dseq, sdl=self._sdl(sdl))
        hosts = self._draw.some(self._hosts, self._draw.between(1, 3))
        for host in hosts:
            price = str(self._parameters.web_price * host.asks // 100)
            bid = BidId(order, self._folk.provider(host.name))
            yield CreateBid(height=height + self._draw.between(1, 4), bid=bid, price=price)
        opens = height + self._draw.between(7, 25)
        yield CreateLease(height=opens, bid=BidId(order, self._folk.provider(hosts[0].name)))
        closes = opens + self._draw.between(40, 4 * _HOUR)
        if closes < self._parameters.closes:
            yield CloseDeployment(height=closes, owner=owner, dseq=order.dseq)
        self._web.append(_Web(order, hosts[0], closes, sdl))

    def _provider(self, height: int) -> Act:
        host = self._draw.pick(self._hosts)
        claims = way_of(self._parameters, host).claims
        attributes = (*provider_attributes(host, claims), ("feat-shm", "true" if self._draw.chance(50) else "false"))
        uri = f"https://{hostname(host)}:8443"
        return UpdateProvider(
            height=height, owner=self._folk.provider(host.name), host_uri=uri, attributes=attributes
        )

    def _send(self, height: int) -> Act:
        sender, recipient = self._draw.some(self._owners, 2)
        amount = self._draw.between(1, 90) * 100_000
        return Send(
            height=height,
            sender=self._folk.address(sender),
            recipient=self._folk.address(recipient),
            amount=amount,
        )

    def _withdraw(self, height: int, running: Sequence[Running]) -> Iterator[Act]:
        going_on = [one.bid for one in running if one.until > height + 5]
        if going_on:
            yield WithdrawLease(height=height, bid=self._draw.pick(going_on))

    def _change(self, height: int, sort: str) -> Iterator[Act]:
        """More money or another manifest for a deployment without GPU that runs now."""
        going_on = [one for one in self._web if one.order.dseq + 30 < height < one.closes - 5]
        if not going_on:
            return
        one = self._draw.pick(going_on)
        if sort == "deposit":
            amount = self._draw.between(1, 5) * 1_000_000
            yield DepositDeployment(height=height, owner=one.order.owner, dseq=one.order.dseq, amount=amount)
            return
        key = self._library.sdl(_WEB[one.sdl], setting=self._draw.between(1, 4)).key
        yield UpdateDeployment(height=height, owner=one.order.owner, dseq=one.order.dseq, sdl=key)

    def _sdl(self, sdl: int) -> str:
        return self._library.sdl(_WEB[sdl]).key
