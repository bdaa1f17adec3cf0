"""Those who stand out: `cast.yaml` turned into plans, acts of people and what is expected of them at the tip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from devnet.story.folk import Folk, provider_name
from devnet.story.hosts import Hosts
from devnet.story.parameters import ANY, Parameters
from devnet.story.people import GiveSdl, Link, PersonAct, Register, SubmitClaim
from devnet.story.plans import DeploymentPlan, Ending, LeasePlan
from devnet.story.sdls import Library, Sdl

Told = Mapping[str, Any]
_UNREADABLE = {"everything": "owner={}", "bids": "/bids/info.*owner={}", "deployments": "/deployments/info.*owner={}"}
"""What a node fails to answer about an owner, as requests look."""

_SOON = 30
"""Blocks after a lease until an SDL is entered, or after a broken lease until the deployment is closed."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the deploy task must say at the tip of the claim `<owner>/<app>` of `name`.

    `verdict`: passed, failed, pending, unknown, or none where no claim may exist. `reason`: the award's where passed.
    """

    name: str
    owner: str
    app: str
    verdict: str
    reason: str
    why: str


@dataclass
class Cast:
    """What came of the cast list. `unreadable`: by address, a regular expression of what nodes fail to answer."""

    plans: list[DeploymentPlan] = field(default_factory=list)
    acts: list[PersonAct] = field(default_factory=list)
    expected: list[Expectation] = field(default_factory=list)
    registered: int = 0
    unreadable: dict[str, str] = field(default_factory=dict)


class Director:
    """Turns each entry of the cast list into plans and acts; leases are taken from the hosts at once."""

    def __init__(self, parameters: Parameters, folk: Folk, library: Library, hosts: Hosts) -> None:
        self._parameters = parameters
        self._calendar = parameters.calendar
        self._folk = folk
        self._library = library
        self._hosts = hosts
        self.cast = Cast()

    def play(self) -> Cast:
        """Play the whole list. Raises Full where two of them want the same GPU."""
        for told in self._parameters.cast:
            registered = self._introduce(told)
            for run in told["does"]:
                plans = list(self._flood(told, run) if "flood" in run else self._run(told, run))
                self.cast.plans += plans
                if "gives" in run and registered is not None:
                    self.cast.acts += self._entries(told["name"], registered, run, plans)
            if "unreadable" in told:
                address = self._folk.address(told["name"])
                self.cast.unreadable[address] = _UNREADABLE[told["unreadable"]].format(address)
            for one in told["expect"]:
                owner = self._folk.address(one.get("by", told["name"]))
                self.cast.expected.append(
                    Expectation(told["name"], owner, one["app"], one["verdict"], one.get("reason", ""), told["why"])
                )
        return self.cast

    def _introduce(self, told: Told) -> int | None:
        """Register and link; the height of the registration."""
        if told["registers"] is None:
            return None
        height = self._calendar.height(told["registers"])
        participant = self._folk.address(told["name"])
        title = told["name"].replace("-", " ").capitalize()
        self.cast.acts.append(Register(height=height, participant=participant, display_name=title))
        self.cast.registered += 1
        for link in told.get("links", ()):
            name = provider_name(link["provider"]) if "provider" in link else link["name"]
            at = self._calendar.height(link["at"])
            self.cast.acts.append(Link(height=at, participant=participant, address=self._folk.address(name)))
        return height

    def _run(self, told: Told, run: Told) -> Iterator[DeploymentPlan]:
        sdl = self._library.parse(run["sdl"])
        first = self._calendar.height(run["at"])
        who = run.get("by", told["name"])
        steps = [0] if run.get("together") else range(len(run["hosts"]))
        for step in steps:
            height = first + step * self._calendar.blocks(run.get("every", 20))
            plan = DeploymentPlan(who, sdl, height, height - 1)
            hosts = run["hosts"] if run.get("together") else [run["hosts"][step]]
            for gseq, host in enumerate(hosts, 1):
                last = gseq == len(hosts) and step == steps[-1]
                self._lease(plan, run, host, gseq, last=last)
            self._extras(plan, run, last=step == steps[-1])
            yield plan

    def _lease(self, plan: DeploymentPlan, run: Told, host: str, gseq: int, *, last: bool) -> None:
        opens = plan.height + self._calendar.blocks(run.get("after", 2))
        if last and "leased_at" in run:
            opens = self._calendar.height(run["leased_at"])
        minutes = run["shorter"] if last and "shorter" in run else run.get("for", 45)
        ending = Ending(run["ends"]) if last and "ends" in run else Ending.DEPLOYMENT
        lease = self._planned(plan.sdl, host, plan.height, opens, minutes, ending)
        lease.gseq = gseq
        if "price" in run and (last or "deposit" not in run):
            lease.price = str(run["price"])
        self._book(plan, lease)
        again = run.get("again")
        if last and again:
            opens = (lease.closes or 0) + self._calendar.blocks(again["after"])
            asked = (lease.closes or 0) if ending is Ending.LEASE else opens - self._calendar.blocks(2)
            second = self._planned(plan.sdl, again["host"], asked, opens, again["for"], Ending.DEPLOYMENT)
            second.gseq, second.oseq = gseq, 2
            self._book(plan, second)

    def _planned(
        self, sdl: Sdl, host: str, asked: int, opens: int, minutes: float | str, ending: Ending
    ) -> LeasePlan:
        model = (
            "" if not sdl.units else next(iter(self._hosts.providers[host].gpus)) if sdl.model == ANY else sdl.model
        )
        price = self._hosts.price(host, model, sdl.units)
        if isinstance(minutes, str):
            return LeasePlan(1, 1, host, model, sdl.units, asked, opens, None, Ending.NEVER, price)
        closes = opens + self._calendar.blocks(minutes)
        return LeasePlan(1, 1, host, model, sdl.units, asked, opens, closes, ending, price)

    def _book(self, plan: DeploymentPlan, lease: LeasePlan) -> None:
        if lease.units:
            self._hosts.take(lease)
        plan.leases.append(lease)
        if lease.closes is None or lease.ending is Ending.DRY:
            plan.closes = None
        else:
            later = 0 if lease.ending is Ending.DEPLOYMENT else _SOON
            plan.closes = max(plan.closes or 0, lease.closes + later)

    def _extras(self, plan: DeploymentPlan, run: Told, *, last: bool) -> None:
        opens = plan.leases[-1].opens
        if last:
            plan.deposit = run.get("deposit")
        if "update" in run:
            key = self._library.parse(run["update"]["sdl"]).key
            plan.updates.append((opens + self._calendar.blocks(run["update"]["after"]), key))
        if "paid_by" in run:
            plan.deposits.append((opens + _SOON, 2_000_000, run["paid_by"]))
        if last and "reclaim" in run:
            plan.reclaim = (opens + self._calendar.blocks(run["reclaim"]["after"]), run["reclaim"]["window"])

    def _flood(self, told: Told, run: Told) -> Iterator[DeploymentPlan]:
        first, end = self._calendar.height(run["at"]), self._calendar.height(run["until"])
        sdl, number, leased = self._library.parse(run["sdl"]), run["flood"], run.get("leased", 0)
        for index in range(number):
            height = first + (end - first) * index // number
            plan = DeploymentPlan(told["name"], sdl, height, height - 1, hardly_bid_on=True)
            plan.closes = height + 5 * _SOON if index % 3 else None
            opens = height + _SOON
            until = opens + self._calendar.blocks(run.get("for", 45))
            room = self._hosts.fitting(sdl.model, sdl.units, opens, until)
            if leased and index % (number // leased) == 0 and index // (number // leased) < leased and room:
                self._book(plan, self._planned(sdl, room[0][0], height, opens, run["for"], Ending.DEPLOYMENT))
            yield plan

    def _entries(self, name: str, registered: int, run: Told, plans: list[DeploymentPlan]) -> Iterator[PersonAct]:
        """The SDLs that the person enters, after each lease or all at one time."""
        participant = self._folk.address(name)
        for plan in plans:
            at = self._calendar.height(run["given_at"]) if "given_at" in run else plan.leases[-1].opens + _SOON
            sdl = self._library.parse(run.get("instead", plan.sdl.key))
            app = next((app.slug for app in self._parameters.apps if sdl.file.startswith(app.slug)), "")
            yield entry(
                self._parameters.task,
                max(at, registered + 1),
                participant,
                self._folk.address(plan.who),
                plan.dseq,
                self._library.text(sdl),
                app if run["gives"] == "claim" else "",
            )


def entry(task: str, height: int, participant: str, owner: str, dseq: int, text: str, app: str) -> PersonAct:
    """An SDL given for a deployment; with an app it is the claim's form, where that is named."""
    if not app:
        return GiveSdl(height=height, participant=participant, task=task, owner=owner, dseq=dseq, sdl_text=text)
    fields = (("owner", owner), ("dseq", str(dseq)), ("sdl", text), ("app", app))
    return SubmitClaim(height=height, participant=participant, task=task, fields=fields)
