"""Plans written down as acts of the chain: deployments with their orders, bids, leases and all that ends them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

from devnet.acts import (
    Act,
    BidId,
    CloseBid,
    CloseDeployment,
    CloseLease,
    CreateBid,
    CreateDeployment,
    CreateLease,
    DepositDeployment,
    Failed,
    OrderId,
    StartGroup,
    StartReclaim,
    UpdateDeployment,
    WithdrawLease,
)
from devnet.story.draw import Draw
from devnet.story.folk import Folk
from devnet.story.hosts import Hosts
from devnet.story.parameters import Parameters
from devnet.story.plans import DeploymentPlan, Ending, LeasePlan

_ONE = 1_000_000
_LEAST_DEPOSIT = 5 * _ONE
_MOST_BIDS = 6
_DAY = 14_400
_BID_LASTS = 50
"""Blocks after which a provider closes a bid that nobody accepted (five minutes)."""


class Writer:
    """Writes plans as acts; who bids is drawn here, from those that have the GPUs free at that block."""

    def __init__(self, parameters: Parameters, folk: Folk, hosts: Hosts) -> None:
        self._parameters = parameters
        self._folk = folk
        self._hosts = hosts
        self._draw = Draw(parameters.seed, "writing")

    def deployment(self, plan: DeploymentPlan) -> Iterator[Act]:
        """All acts about one deployment."""
        owner = self._folk.address(plan.who)
        reclaim = plan.reclaim[1] if plan.reclaim else None
        created = CreateDeployment(
            height=plan.height,
            owner=owner,
            dseq=plan.dseq,
            sdl=plan.sdl.key,
            deposit=plan.deposit if plan.deposit is not None else self._deposit(plan),
            min_reclamation_seconds=reclaim,
        )
        yield created
        for gseq in range(1, plan.sdl.groups + 1):
            leases = [lease for lease in plan.leases if lease.gseq == gseq]
            yield from self._group(plan, owner, gseq, leases)
        for height, sdl in plan.updates:
            yield UpdateDeployment(height=height, owner=owner, dseq=plan.dseq, sdl=sdl)
        for height, amount, who in plan.deposits:
            depositor = self._folk.address(who)
            yield DepositDeployment(height=height, owner=owner, dseq=plan.dseq, amount=amount, depositor=depositor)
        if plan.closes is not None:
            yield CloseDeployment(height=plan.closes, owner=owner, dseq=plan.dseq)
        yield from self._troubles(plan, created)

    def bid(self, plan: DeploymentPlan, lease: LeasePlan) -> BidId:
        """The bid from which a lease came."""
        order = OrderId(self._folk.address(plan.who), plan.dseq, lease.gseq, lease.oseq)
        return BidId(order, self._folk.provider(lease.provider))

    def _group(self, plan: DeploymentPlan, owner: str, gseq: int, leases: list[LeasePlan]) -> Iterator[Act]:
        if not leases:
            yield from self._bids(plan, OrderId(owner, plan.dseq, gseq, 1), plan.height, None)
        for lease in leases:
            bid = self.bid(plan, lease)
            if lease.oseq > 1 and leases[0].ending in {Ending.UNSTABLE, Ending.DECOMMISSION}:
                yield StartGroup(height=lease.asked, owner=owner, dseq=plan.dseq, gseq=gseq)
            yield from self._bids(plan, bid.order, lease.asked, lease)
            yield CreateLease(height=lease.opens, bid=bid)
            yield from self._withdrawals(bid, lease)
            yield from self._end(lease, bid)
            if plan.reclaim and lease is plan.leases[-1]:
                yield StartReclaim(height=plan.reclaim[0], bid=bid)
            if lease.ending is Ending.LEASE and lease is leases[-1] and lease.closes is not None:
                yield from self._bids(plan, OrderId(owner, plan.dseq, gseq, lease.oseq + 1), lease.closes, None)

    def _end(self, lease: LeasePlan, bid: BidId) -> Iterator[Act]:
        if lease.closes is None:
            return
        if lease.ending is Ending.LEASE:
            yield CloseLease(height=lease.closes, bid=bid)
        elif lease.ending in {Ending.UNSTABLE, Ending.DECOMMISSION}:
            yield CloseBid(height=lease.closes, bid=bid, reason=f"lease_closed_reason_{lease.ending}")
        elif lease.ending is Ending.DRY:
            yield WithdrawLease(height=lease.closes, bid=bid)

    def _withdrawals(self, bid: BidId, lease: LeasePlan) -> Iterator[Act]:
        """A provider withdraws once a day, and now and then in between."""
        if lease.ending is Ending.DRY or lease.price == "10000":
            return
        end = min(lease.closes or self._parameters.told_by, self._parameters.told_by)
        step = _DAY if end - lease.opens > _DAY else (end - lease.opens) // 2 + 1
        if step == _DAY or self._draw.chance(12):
            for height in range(lease.opens + step, end, step):
                yield WithdrawLease(height=height, bid=bid)

    def _bids(self, plan: DeploymentPlan, order: OrderId, asked: int, lease: LeasePlan | None) -> Iterator[Act]:
        window = plan.reclaim[1] if plan.reclaim else None
        for provider, model, height in self._bidders(plan, asked, lease):
            bid = BidId(order, self._folk.provider(provider))
            won = lease is not None and provider == lease.provider
            quarters = self._draw.below(4) if self._draw.chance(20) else 0
            yield CreateBid(
                height=height,
                bid=bid,
                price=lease.price if won and lease else self._hosts.price(provider, model, plan.sdl.units, quarters),
                gpu_models=(model,) if model and self._draw.chance(85) else (),
                reclamation_window_seconds=window,
            )
            over = lease.opens if lease else plan.closes or self._parameters.closes
            if not won and height + _BID_LASTS < over and self._draw.chance(60):
                yield CloseBid(height=height + _BID_LASTS, bid=bid)

    def _bidders(self, plan: DeploymentPlan, asked: int, lease: LeasePlan | None) -> list[tuple[str, str, int]]:
        """(provider, model, height of its bid), the winner among them."""
        shy = 0.1 if plan.hardly_bid_on else 1.0
        if plan.sdl.units:
            able = self._hosts.bidding(plan.sdl.model, plan.sdl.units, asked)
        else:
            able = [(one.name, "") for one in self._parameters.providers if one.joins < asked < (one.leaves or 10**9)]
        chosen = {
            provider: model
            for provider, model in self._draw.shuffled(able)
            if self._draw.chance(self._hosts.providers[provider].bids * shy)
        }
        if not plan.sdl.units or lease is None:
            chosen = dict(self._draw.some(list(chosen.items()), 3))
        chosen = dict(list(chosen.items())[: self._draw.between(2, _MOST_BIDS)])
        if lease is not None:
            chosen[lease.provider] = lease.model
        low, high = self._parameters.bid_blocks
        latest = min(high, (lease.opens if lease else plan.closes or asked + high + 1) - asked - 1)
        heights = [(asked + self._draw.between(low, max(low, latest)), one) for one in chosen.items()]
        return [(provider, model, height) for height, (provider, model) in sorted(heights)]

    def _deposit(self, plan: DeploymentPlan) -> int:
        """What the leases cost and a third more, in whole coins, five at least."""
        end = self._parameters.closes + 7 * _DAY
        cost = sum((Decimal(one.price) * ((one.closes or end) - one.opens) for one in plan.leases), Decimal(0))
        coins = (cost * 4 / 3 / _ONE).to_integral_value(ROUND_CEILING)
        return max(_LEAST_DEPOSIT, int(coins) * _ONE)

    def _troubles(self, plan: DeploymentPlan, created: CreateDeployment) -> Iterator[Act]:
        """A transaction around this deployment that fails now and then: out of gas, closed twice, a late bid."""
        if not self._draw.chance(self._parameters.crowd.failed_transactions) or plan.deposit is not None:
            return
        sort = self._draw.below(4)
        if sort == 0 and plan.height > 10:
            yield Failed(height=plan.height - 3, of=created)
        elif sort == 1 and plan.leases:
            lease = plan.leases[0]
            yield Failed(height=lease.opens - 1, of=CreateLease(height=lease.opens - 1, bid=self.bid(plan, lease)))
        elif sort == 2 and plan.closes is not None:
            yield CloseDeployment(height=plan.closes + 4, owner=created.owner, dseq=plan.dseq)
        elif plan.leases:
            late = self._hosts.bidding(plan.sdl.model, plan.sdl.units, plan.leases[0].opens)
            for provider, model in late[:1] if provider_differs(late, plan.leases[0]) else ():
                bid = BidId(self.bid(plan, plan.leases[0]).order, self._folk.provider(provider))
                price = self._hosts.price(provider, model, plan.sdl.units)
                yield CreateBid(height=plan.leases[0].opens + 2, bid=bid, price=price, gpu_models=(model,))


def provider_differs(able: list[tuple[str, str]], lease: LeasePlan) -> bool:
    """Whether the first that is able is not the one that has the lease."""
    return bool(able) and able[0][0] != lease.provider
