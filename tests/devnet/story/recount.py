"""A second count of a story's figures: a small chain of its own over the acts, knowing nothing of the generator."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

import yaml

from devnet.acts import (
    Act,
    BidId,
    CloseBid,
    CloseDeployment,
    CloseLease,
    CreateBid,
    CreateDeployment,
    CreateLease,
    CreateProvider,
    DepositDeployment,
    Failed,
    OrderId,
    Scenario,
    StartGroup,
    WithdrawLease,
)

Name = tuple[str, int]


@dataclass
class Lease:
    bid: BidId
    price: Decimal
    opened: int
    closed: int = 0
    ran_dry: bool = False


@dataclass
class Deployment:
    created: int
    gpus: list[int]
    models: list[str]
    funds: int
    open: bool = True
    closed_at: int = 0
    oseq: dict[int, int] = field(default_factory=dict)
    paused: set[int] = field(default_factory=set)
    leases: list[Lease] = field(default_factory=list)

    def cost(self, height: int) -> Decimal:
        return sum((one.price * ((one.closed or height) - one.opened) for one in self.leases), Decimal(0))


class Recount:
    def __init__(self, chain: Scenario) -> None:
        self._asks = {key: _asks(text) for key, text in chain.sdls.items()}
        self.deployments: dict[Name, Deployment] = {}
        self.providers: dict[str, int] = {}
        self.attributes: dict[str, dict[str, str]] = {}
        self.bids: dict[BidId, CreateBid] = {}
        self.open_orders: set[OrderId] = set()
        self.refused: Counter[str] = Counter()
        self.dry: list[Name] = []
        for act in chain.ordered():
            if isinstance(act, Failed):
                self.refused["Failed"] += 1
            elif not self._apply(act):
                self.refused[type(act).__name__] += 1

    def _apply(self, act: Act) -> bool:
        step = getattr(self, f"_{type(act).__name__}", None)
        return True if step is None else bool(step(act))

    def _CreateProvider(self, act: CreateProvider) -> bool:  # noqa: N802
        self.providers[act.owner] = act.height
        self.attributes[act.owner] = dict(act.attributes)
        return len(dict(act.attributes)) == len(act.attributes)

    def _CreateDeployment(self, act: CreateDeployment) -> bool:  # noqa: N802
        if (act.owner, act.dseq) in self.deployments or act.deposit < 500_000:
            return False
        gpus, models = self._asks[act.sdl]
        one = Deployment(act.height, gpus, models, act.deposit)
        self.deployments[act.owner, act.dseq] = one
        for gseq in range(1, len(gpus) + 1):
            one.oseq[gseq] = 1
            self.open_orders.add(OrderId(act.owner, act.dseq, gseq, 1))
        return True

    def _CreateBid(self, act: CreateBid) -> bool:  # noqa: N802
        if act.bid.order not in self.open_orders or act.bid in self.bids or act.bid.provider not in self.providers:
            return False
        if Decimal(act.price) > 100_000:
            return False
        one = self.deployments[act.bid.order.owner, act.bid.order.dseq]
        model = one.models[act.bid.order.gseq - 1]
        if model not in {"", "*"}:
            assert f"capabilities/gpu/vendor/nvidia/model/{model}" in self.attributes[act.bid.provider], act
        self.bids[act.bid] = act
        return True

    def _CreateLease(self, act: CreateLease) -> bool:  # noqa: N802
        if act.bid.order not in self.open_orders or act.bid not in self.bids:
            return False
        self.open_orders.discard(act.bid.order)
        one = self.deployments[act.bid.order.owner, act.bid.order.dseq]
        one.leases.append(Lease(act.bid, Decimal(self.bids[act.bid].price), act.height))
        return True

    def _CloseLease(self, act: CloseLease) -> bool:  # noqa: N802
        lease = self._running(act.bid)
        if lease is None:
            return False
        lease.closed = act.height
        self._reopen(act.bid.order)
        return True

    def _CloseBid(self, act: CloseBid) -> bool:  # noqa: N802
        lease = self._running(act.bid)
        if lease is not None:
            lease.closed = act.height
            self.deployments[act.bid.order.owner, act.bid.order.dseq].paused.add(act.bid.order.gseq)
            return True
        return self.bids.pop(act.bid, None) is not None and act.bid.order in self.open_orders

    def _StartGroup(self, act: StartGroup) -> bool:  # noqa: N802
        one = self.deployments[act.owner, act.dseq]
        if act.gseq not in one.paused or not one.open:
            return False
        one.paused.discard(act.gseq)
        self._reopen(OrderId(act.owner, act.dseq, act.gseq))
        return True

    def _CloseDeployment(self, act: CloseDeployment) -> bool:  # noqa: N802
        one = self.deployments[act.owner, act.dseq]
        if not one.open:
            return False
        assert one.cost(act.height) <= one.funds, act
        self._close(one, (act.owner, act.dseq), act.height)
        return True

    def _DepositDeployment(self, act: DepositDeployment) -> bool:  # noqa: N802
        one = self.deployments[act.owner, act.dseq]
        one.funds += act.amount
        return one.open

    def _WithdrawLease(self, act: WithdrawLease) -> bool:  # noqa: N802
        name = act.bid.order.owner, act.bid.order.dseq
        one = self.deployments[name]
        if self._running(act.bid) is None:
            return False
        if one.cost(act.height) > one.funds:
            self.dry.append(name)
            self._close(one, name, act.height)
        return True

    def _close(self, one: Deployment, name: Name, height: int) -> None:
        one.open, one.closed_at = False, height
        for lease in one.leases:
            lease.closed = lease.closed or height
        self.open_orders -= {OrderId(*name, gseq, oseq) for gseq, oseq in one.oseq.items()}

    def _reopen(self, order: OrderId) -> None:
        one = self.deployments[order.owner, order.dseq]
        one.oseq[order.gseq] += 1
        self.open_orders.add(OrderId(order.owner, order.dseq, order.gseq, one.oseq[order.gseq]))

    def _running(self, bid: BidId) -> Lease | None:
        one = self.deployments.get((bid.order.owner, bid.order.dseq))
        return next((lease for lease in one.leases if lease.bid == bid and not lease.closed), None) if one else None

    def gpu_leases(self) -> list[tuple[Lease, int]]:
        """Each lease of a group that asks for GPUs, with its units."""
        return [
            (lease, one.gpus[lease.bid.order.gseq - 1])
            for one in self.deployments.values()
            for lease in one.leases
            if one.gpus[lease.bid.order.gseq - 1]
        ]

    def requests(self) -> list[Name]:
        return [name for name, one in self.deployments.items() if any(one.gpus)]


def peak(spans: list[tuple[int, int, int]]) -> int:
    """The most units in use of spans (opened, closed or 0, units); closes come before opens at one height."""
    steps = sorted([(first, 1, units) for first, _, units in spans] + [(end, 0, -u) for _, end, u in spans if end])
    now = highest = 0
    for _, _, units in steps:
        now += units
        highest = max(highest, now)
    return highest


def by_provider(leases: list[tuple[Lease, int]]) -> dict[str, list[tuple[int, int, int]]]:
    spans: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for lease, units in leases:
        spans[lease.bid.provider].append((lease.opened, lease.closed, units))
    return spans


def _asks(text: str) -> tuple[list[int], list[str]]:
    """GPUs and model of each group of an SDL, by placement name ("" none, "*" any)."""
    sdl = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    groups: dict[str, int] = defaultdict(int)
    models: dict[str, str] = {}
    for placements in sdl["deployment"].values():
        for placement, one in placements.items():
            gpu = sdl["profiles"]["compute"][one["profile"]]["resources"].get("gpu", {"units": 0})
            groups[placement] += gpu["units"] * one["count"]
            models[placement] = (
                (gpu["attributes"]["vendor"]["nvidia"] or [{"model": "*"}])[0]["model"] if gpu["units"] else ""
            )
    names = sorted(groups)
    return [groups[name] for name in names], [models[name] for name in names]
