"""The participants who take the deploy task seriously: one app after the other, on three providers each."""

from __future__ import annotations

from collections.abc import Iterator

from devnet.story.cast import entry
from devnet.story.draw import Draw, Weights
from devnet.story.folk import Folk
from devnet.story.hosts import Hosts
from devnet.story.parameters import ANY, Parameters
from devnet.story.people import PersonAct
from devnet.story.plans import DeploymentPlan, Ending, LeasePlan
from devnet.story.sdls import Library, Sdl
from devnet.story.signups import Participant, moment

_HOSTS = 3
_TRIES = 40


class Doers:
    """Makes their plans and the SDLs that they enter; leases are taken from the hosts at once."""

    def __init__(self, parameters: Parameters, folk: Folk, library: Library, hosts: Hosts) -> None:
        crowd = parameters.crowd
        self._parameters = parameters
        self._folk = folk
        self._library = library
        self._hosts = hosts
        self._draw = Draw(parameters.seed, "doers")
        self._number = Weights(crowd.doers_apps)
        self._days = Weights(dict(enumerate(crowd.doers_days)))
        self._hours = Weights(dict(enumerate(parameters.hours)))
        self._outcomes = Weights(crowd.outcomes)
        self._entries = Weights(crowd.entries)
        self._catalogue = parameters.catalogue_models
        self._busy: dict[str, set[int]] = {}

    def play(self, doers: list[Participant]) -> tuple[list[DeploymentPlan], list[PersonAct]]:
        """What all of them do. Raises RuntimeError where the window has no room for it."""
        plans: list[DeploymentPlan] = []
        acts: list[PersonAct] = []
        for doer in doers:
            number = self._draw.weighted(self._number)
            for app in self._draw.some([app.slug for app in self._parameters.apps], number):
                made, entered = self._app(doer, app)
                plans += made
                acts += entered
        return plans, acts

    def _app(self, doer: Participant, app: str) -> tuple[list[DeploymentPlan], list[PersonAct]]:
        outcome = self._draw.weighted(self._outcomes)
        how = self._draw.weighted(self._entries)
        model = self._draw.pick(self._catalogue) if self._draw.chance(25) else ANY
        setting = 0 if how == "catalogue" else self._draw.between(1, self._parameters.own_settings)
        sdl = self._library.sdl(app, model if how == "catalogue" else ANY, 1, setting)
        for _ in range(_TRIES):
            plans = self._attempt(doer, sdl, outcome)
            if plans:
                break
        else:
            raise RuntimeError(f"no room for {doer.name} to deploy {app}: the task's window is too full")
        if how == "catalogue" or outcome == "sdl_withheld":
            return plans, []
        return plans, list(self._enter(doer, app, how, plans))

    def _attempt(self, doer: Participant, sdl: Sdl, outcome: str) -> list[DeploymentPlan]:
        """The deployments of one app one after the other from a random moment; empty where there is no room."""
        window = self._parameters.task_opens, self._parameters.task_closes
        day = self._draw.weighted(self._days)
        first = window[0] - 1 + moment(self._draw, self._parameters, day, self._hours)
        height, hosts = max(first, doer.height + 100), set[str]()
        plans: list[DeploymentPlan] = []
        distinct = _HOSTS - 1 if outcome == "two_providers" else _HOSTS
        minutes = self._draw.along(self._parameters.crowd.doers_minutes)
        busy = self._busy.setdefault(doer.name, set())
        for index in range(distinct):
            height += self._draw.between(20, 260)
            short = outcome == "one_short" and index == distinct - 1
            lease = self._lease(sdl, height, hosts, minutes=3 + minutes / 100 if short else minutes)
            if lease is None or height in busy or lease.opens >= window[1]:
                return []
            hosts.add(lease.provider)
            plans.append(DeploymentPlan(doer.name, sdl, height, height - 1, [lease], lease.closes))
        for plan in plans:
            self._hosts.take(plan.leases[0])
            busy.add(plan.height)
        return plans

    def _lease(self, sdl: Sdl, height: int, not_on: set[str], minutes: float) -> LeasePlan | None:
        opens = height + self._draw.between(*self._parameters.accept_blocks)
        closes = opens + self._parameters.calendar.blocks(minutes)
        room = [one for one in self._hosts.fitting(sdl.model, sdl.units, opens, closes) if one[0] not in not_on]
        if not room:
            return None
        provider, model = self._draw.pick(room)
        price = self._hosts.price(provider, model, sdl.units, self._draw.below(4) if self._draw.chance(20) else 0)
        return LeasePlan(1, 1, provider, model, sdl.units, height, opens, closes, Ending.DEPLOYMENT, price)

    def _enter(self, doer: Participant, app: str, how: str, plans: list[DeploymentPlan]) -> Iterator[PersonAct]:
        participant = self._folk.address(doer.name)
        last = max(plan.leases[0].opens for plan in plans)
        for plan in plans:
            at = last + self._draw.between(20, 3000)
            text = self._library.text(plan.sdl)
            named = app if how == "own_claim" else ""
            yield entry(self._parameters.task, at, participant, participant, plan.dseq, text, named)
