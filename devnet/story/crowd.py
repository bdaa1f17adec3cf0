"""Everybody else's requests: the crowd's daily rhythm, until requests and leases are as many as they have to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devnet.story.draw import Draw, Weights
from devnet.story.hosts import Hosts
from devnet.story.parameters import ANY, App, Parameters
from devnet.story.plans import DeploymentPlan, Ending, LeasePlan
from devnet.story.sdls import Library, Sdl
from devnet.story.signups import moment

_AGAIN = 40
"""Blocks from a broken lease to the group's next order, and from a lease's end to the deployment's."""
_BEGIN = 300
"""The first block in which somebody asks: the first providers are there by then."""
_TRIES = 500
_LONGEST_STRETCH_HOURS = 60


@dataclass(frozen=True, slots=True)
class Deployer:
    """Somebody who deploys: name, first block of doing so, whether registered."""

    name: str
    since: int
    known: bool


class Crowd:
    """Makes the plans; leases are taken from the hosts as they are found to fit."""

    def __init__(self, parameters: Parameters, library: Library, hosts: Hosts) -> None:
        self._parameters = parameters
        self._library = library
        self._hosts = hosts
        self._draw = Draw(parameters.seed, "crowd")
        self._days = Weights(dict(enumerate(parameters.days)))
        self._hours = Weights(dict(enumerate(parameters.hours)))
        apps: Sequence[App] = (*parameters.apps, *parameters.others)
        self._apps = Weights({app.slug: float(app.weight) for app in apps})
        self._models = Weights(parameters.models)
        self._units = Weights(parameters.units)
        self._ends = Weights(parameters.crowd.ends)

    def requests(self, deployers: list[Deployer], number: int, used: set[tuple[str, int]]) -> list[DeploymentPlan]:
        """So many requests, at least one of each deployer, none leased yet; `used`: (name, height) that are taken."""
        shares = Weights({one: 1 / (1 + rank) ** 0.5 for rank, one in enumerate(self._draw.shuffled(deployers))})
        plans: list[DeploymentPlan] = []
        while len(plans) < number:
            only = deployers[len(plans)] if len(plans) < len(deployers) else None
            owner, height = self._when(shares, only, used)
            used.add((owner.name, height))
            plans.append(DeploymentPlan(owner.name, self._sdl(), height, height - 1, hardly_bid_on=not owner.known))
        return plans

    def answer(self, plans: list[DeploymentPlan], leases: int | None) -> None:
        """Lease the requests in random order until there are so many leases (`None`: as many as people wish).

        Raises RuntimeError where the providers have no room for so many.
        """
        left = leases if leases is not None else 10**9
        crowd = self._parameters.crowd
        turned_away: list[DeploymentPlan] = []
        for plan in self._draw.shuffled(plans):
            wish = crowd.answered_strangers if plan.hardly_bid_on else crowd.answered
            if left and self._draw.chance(wish):
                left -= self._lease(plan, left, self._draw.along(self._parameters.minutes))
            elif not plan.hardly_bid_on:
                turned_away.append(plan)
        for plan in turned_away if leases is not None else ():
            if left:
                left -= self._lease(plan, left, minutes=12)
        if leases is not None and left:
            raise RuntimeError(f"{left} leases more than the providers have room for")
        for plan in plans:
            self._close(plan)

    def stretch_to_peak(self, plans: list[DeploymentPlan]) -> None:
        """Let leases around the busiest moment last longer until exactly the peak is in use there."""
        peak, at = self._parameters.totals.peak, self._parameters.peak_at
        hour = self._parameters.calendar.blocks(60)
        for plan in self._draw.shuffled(plans) if peak else ():
            missing = (peak or 0) - self._hosts.in_use(at)
            lease = plan.leases[-1] if plan.leases else None
            if not missing or lease is None or lease.closes is None or lease.units > missing:
                continue
            if (
                lease.ending is Ending.DEPLOYMENT
                and at - _LONGEST_STRETCH_HOURS * hour < lease.opens < at
                and lease.closes <= at
            ):
                end = at + self._draw.between(*(hours * hour for hours in self._parameters.peak_hours))
                if self._hosts.stretch(lease, end):
                    plan.closes = end
        if peak and self._hosts.highest() != peak:
            raise RuntimeError(f"the peak is {self._hosts.highest()} GPUs, not {peak}")

    def _when(
        self, shares: Weights[Deployer], only: Deployer | None, used: set[tuple[str, int]]
    ) -> tuple[Deployer, int]:
        """A block by the rhythm of days and hours, and who of those that are there by then asks in it."""
        for _ in range(_TRIES):
            height = moment(self._draw, self._parameters, self._draw.weighted(self._days), self._hours)
            if not _BEGIN < height < self._parameters.told_by - 600:
                continue
            for _ in range(_TRIES if only is None else 1):
                owner = only or self._draw.weighted(shares)
                if owner.since < height and (owner.name, height) not in used:
                    return owner, height
        raise RuntimeError("no block left for a request")

    def _sdl(self) -> Sdl:
        app = self._draw.weighted(self._apps)
        model = self._draw.weighted(self._models)
        units = self._draw.weighted(self._units)
        own = model == ANY and units == 1 and self._draw.chance(70)
        return self._library.sdl(
            app, model, units, self._draw.between(1, self._parameters.own_settings) if own else 0
        )

    def _lease(self, plan: DeploymentPlan, left: int, minutes: float) -> int:
        """Lease a request, sometimes a second time after that; how many leases that makes."""
        first = self._one(plan, plan.height, 1, minutes, Ending(self._draw.weighted(self._ends)))
        if first is None:
            return 0
        again = left > 1 and self._draw.chance(self._parameters.crowd.second_order)
        if not again or first.closes is None or first.closes > self._parameters.told_by - 1000:
            return 1
        first.ending = Ending.LEASE if self._draw.chance(50) else Ending.UNSTABLE
        asked = first.closes + (0 if first.ending is Ending.LEASE else _AGAIN)
        return 1 if self._one(plan, asked, 2, minutes / 2, Ending.DEPLOYMENT) is None else 2

    def _one(self, plan: DeploymentPlan, asked: int, oseq: int, minutes: float, ending: Ending) -> LeasePlan | None:
        opens = asked + self._draw.between(*self._parameters.accept_blocks)
        closes: int | None = opens + self._parameters.calendar.blocks(minutes)
        if closes is not None and closes >= self._parameters.closes - 100:
            closes, ending = None, Ending.NEVER
        room = self._hosts.fitting(plan.sdl.model, plan.sdl.units, opens, closes)
        if not room or opens >= self._parameters.told_by:
            return None
        provider, model = self._draw.pick(room)
        quarters = self._draw.below(4) if self._draw.chance(20) else 0
        price = self._hosts.price(provider, model, plan.sdl.units, quarters)
        lease = LeasePlan(1, oseq, provider, model, plan.sdl.units, asked, opens, closes, ending, price)
        self._hosts.take(lease)
        plan.leases.append(lease)
        return lease

    def _close(self, plan: DeploymentPlan) -> None:
        """Decide when the tenant closes the deployment: with its last lease, or when nobody answered, or never."""
        if plan.leases:
            last = plan.leases[-1]
            if last.closes is not None:
                later = 0 if last.ending is Ending.DEPLOYMENT else self._draw.between(_AGAIN, 20 * _AGAIN)
                plan.closes = last.closes + later
        elif self._draw.chance(85):
            plan.closes = plan.height + self._draw.between(50, 2500)


def web_deployments(parameters: Parameters, library: Library, owners: list[str]) -> list[DeploymentPlan]:
    """Deployments without a GPU: they belong to no figure."""
    draw = Draw(parameters.seed, "web")
    days = Weights(dict(enumerate(parameters.days)))
    hours = Weights(dict(enumerate(parameters.hours)))
    used: set[tuple[str, int]] = set()
    while len(used) < parameters.crowd.web_deployments:
        used.add((draw.pick(owners), max(moment(draw, parameters, draw.weighted(days), hours), 2000)))
    plans = []
    for who, height in sorted(used, key=lambda one: (one[1], one[0])):
        sdl = library.sdl(draw.pick(("web", "database")))
        plan = DeploymentPlan(who, sdl, height, height - 1)
        host = draw.pick([one for one in parameters.providers if one.joins < height and one.leaves is None])
        if draw.chance(80):
            opens = height + draw.between(*parameters.accept_blocks)
            closes = opens + parameters.calendar.blocks(draw.along(parameters.minutes) * 3)
            price = str(parameters.web_price * host.asks // 100)
            plan.leases.append(LeasePlan(1, 1, host.name, "", 0, height, opens, closes, Ending.DEPLOYMENT, price))
            plan.closes = closes
        plans.append(plan)
    return plans
