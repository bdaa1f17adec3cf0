"""The stories by name, whole: the chain, what people do beside it, whose keys they are, what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from devnet.acts import Act, CreateCertificate, Person, Scenario, Send
from devnet.keys import Key
from devnet.story.authors import AuthorExpectation, PullTold, authors
from devnet.story.cast import Cast, Director, Expectation
from devnet.story.crowd import Crowd, Deployer, web_deployments
from devnet.story.doers import Doers
from devnet.story.draw import Draw
from devnet.story.evening import Evening, Running
from devnet.story.folk import Folk
from devnet.story.hosting import hosting
from devnet.story.hosts import Hosts
from devnet.story.keepers import HostExpectation, Keepers, keepers
from devnet.story.machines import hosted
from devnet.story.parameters import Parameters, Totals, read_parameters
from devnet.story.people import PersonAct, Register, renamed
from devnet.story.plans import DeploymentPlan
from devnet.story.racks import RackExpectation, racks
from devnet.story.reviewing import JudgedExpectation, pick, read_reviewing, reviewing, small_tasks, without
from devnet.story.sdls import Library
from devnet.story.signups import Participant, registrations, sign_ups
from devnet.story.staff import StaffAct
from devnet.story.writing import Writer

SCENARIOS = Path(__file__).parent.parent / "scenarios"
_FOLDERS = {"gpu-testnet-2023": "gpu_testnet_2023"}
_WEB_OWNERS = 40
_FAUCET = "faucet"
_FAUCET_GIVES = 25_000_000


@dataclass(frozen=True)
class Story:
    """A whole testnet.

    `chain`: what devnet plays. `people`: what people do beside the chain, by height. `keys`: everybody's, by address.
    `totals`: the five figures once `told_by` is reached, until `closes` (heights). `catalogue`: for each app of the
    deploy task its SDL texts, whose hashes are the catalogue's. `expected`: the cast's verdicts at the tip.
    `unreadable`: by address, a regular expression of the requests about it that a node fails to answer, where whoever
    runs the network sees to that.
    `capacity`: the GPUs that each provider really has, by address and model. `hosts`: what the pre-flight says of
    each provider at the tip, and who claims its GPUs; `racks`: who claims one in the made-up tasks of racks.
    `pulls`: what a code host shows; `authors`: what is expected of those who wrote SDLs for everybody.
    `decisions`: what the staff does, by height; `judged`: what is expected of what people judge. `small_tasks`:
    made-up tasks, part of a campaign file.
    """

    chain: Scenario
    people: tuple[PersonAct, ...]
    keys: Mapping[str, Key]
    totals: Totals
    told_by: int
    closes: int
    catalogue: Mapping[str, tuple[str, ...]]
    expected: tuple[Expectation, ...]
    unreadable: Mapping[str, str]
    capacity: Mapping[str, Mapping[str, int]]
    hosts: tuple[HostExpectation, ...]
    racks: tuple[RackExpectation, ...]
    pulls: tuple[PullTold, ...]
    authors: tuple[AuthorExpectation, ...]
    decisions: tuple[StaffAct, ...]
    judged: tuple[JudgedExpectation, ...]
    small_tasks: str


def names() -> tuple[str, ...]:
    """The stories there are."""
    return tuple(_FOLDERS)


def story(name: str, *, scale: str = "full", seed: int | None = None) -> Story:
    """Tell a story: the same name, scale and seed give the same story, act for act, on every machine.

    Raises KeyError for an unknown name or scale, RuntimeError where a seed leaves no way to the totals.
    """
    parameters = read_parameters(SCENARIOS / _FOLDERS[name], scale)
    return Teller(parameters if seed is None else replace(parameters, seed=seed)).tell()


def scenario(name: str, *, scale: str = "full", seed: int | None = None) -> Scenario:
    """Only what devnet plays."""
    return story(name, scale=scale, seed=seed).chain


class Teller:
    """Tells one story: cast first, then doers, then the crowd up to the totals, then the evening."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._folk = Folk(parameters.seed)
        self._sdls = Library(parameters.folder / "sdl")
        self._hosts = Hosts(parameters)
        self._draw = Draw(parameters.seed, "story")

    def tell(self) -> Story:
        """The whole story."""
        cast = Director(self._parameters, self._folk, self._sdls, self._hosts).play()
        crowd = sign_ups(self._parameters, self._parameters.totals.participants - cast.registered)
        people: list[PersonAct] = [*cast.acts, *registrations(self._parameters, self._folk, crowd)]
        plans, web_owners, entered = self._plans(cast, crowd)
        people += entered
        told = read_reviewing(self._parameters)
        made = pick(told, crowd, plans)
        rest = without(crowd, made.values())
        registered = {act.participant: act.height for act in cast.acts if isinstance(act, Register)}
        kept = self._keepers(registered, rest, plans)
        racked = racks(self._parameters, self._folk, kept.keeps, registered | kept.since)
        written = authors(self._parameters, self._folk, self._sdls, rest, plans)
        known = {one.name: one.participant for one in written.expected} | self._cast()
        judged = reviewing(self._parameters, self._folk, self._sdls, told, made, known)
        names = kept.names | written.names | judged.names
        people = [*renamed(people, names), *kept.acts, *racked.acts, *written.acts, *judged.acts]
        acts = sorted([*self._acts(plans, web_owners), *judged.sends], key=lambda act: act.height)
        used = {act.sdl for act in acts if hasattr(act, "sdl")}
        catalogue = {
            app.slug: tuple(self._sdls.text(self._sdls.sdl(app.slug, m)) for m in self._parameters.catalogue_models)
            for app in self._parameters.apps
        }
        chain = Scenario(
            name=self._parameters.name,
            chain_id=self._parameters.chain_id,
            acts=acts,
            people=tuple(Person(key.name, key.address, key.public_key) for key in self._folk.everybody().values()),
            sdls=self._sdls.texts(used),
            seconds_per_block=self._parameters.calendar.seconds_per_block,
            ends=self._parameters.closes,
            hosts=hosted(self._parameters, self._folk),
        )
        return Story(
            chain=chain,
            people=tuple(sorted(people, key=lambda act: act.height)),
            keys=self._folk.everybody(),
            totals=self._totals(plans),
            told_by=self._parameters.told_by,
            closes=self._parameters.closes,
            catalogue=catalogue,
            expected=tuple(cast.expected),
            unreadable=cast.unreadable | kept.unreadable,
            capacity={
                self._folk.provider(one.name): {model: gpus.count for model, gpus in one.gpus.items()}
                for one in self._parameters.providers
            },
            hosts=tuple(kept.expected),
            racks=tuple(racked.expected),
            pulls=tuple(written.pulls),
            authors=tuple(written.expected),
            decisions=tuple(sorted([*judged.staff, *racked.staff], key=lambda act: act.height)),
            judged=tuple(judged.expected),
            small_tasks=small_tasks(self._parameters, self._folk),
        )

    def _cast(self) -> dict[str, str]:
        registered = (one["name"] for one in self._parameters.cast if one["registers"] is not None)
        return {name: self._folk.address(name) for name in registered}

    def _keepers(
        self, registered: Mapping[str, int], crowd: list[Participant], plans: list[DeploymentPlan]
    ) -> Keepers:
        """Providers are kept by people who lease no GPU, so that no lease is on one's own provider by chance."""
        busy = {plan.who for plan in plans if plan.asks_gpu}
        free = [one for one in crowd if one.name not in busy]
        return keepers(self._parameters, self._folk, free, registered)

    def _plans(self, cast: Cast, crowd: list[Participant]) -> tuple[list[DeploymentPlan], list[str], list[PersonAct]]:
        """All deployments; who owns those without a GPU; the SDLs that the doers enter."""
        wanted, sizes = self._parameters.totals, self._parameters.crowd
        early = [one for one in crowd if one.height < self._parameters.task_closes - 30_000]
        doers = self._draw.some(early, sizes.doers)
        made, entered = Doers(self._parameters, self._folk, self._sdls, self._hosts).play(doers)
        plans = [*cast.plans, *made]
        owners = {plan.who for plan in plans if plan.asks_gpu} | {one.name for one in doers}
        players = sizes.players if wanted.deployers is None else wanted.deployers - len(owners) - sizes.strangers
        rest = self._draw.shuffled([one for one in early if one not in set(doers)])
        deployers = [self._deployer(one) for one in [*doers, *rest[: players or 0]]]
        deployers += [
            Deployer(f"stranger-{number:02d}", 600, known=False) for number in range(1, sizes.strangers + 1)
        ]
        used = {(plan.who, plan.height) for plan in plans}
        others = Crowd(self._parameters, self._sdls, self._hosts)
        number = wanted.requests - sum(plan.asks_gpu for plan in plans)
        requests = others.requests(deployers, number, used)
        leases = None if wanted.leases is None else wanted.leases - _gpu_leases(plans)
        others.answer(requests, leases)
        others.stretch_to_peak([*requests, *made])
        web_owners = [one.name for one in rest[players or 0 :][:_WEB_OWNERS]] + [f"visitor-{n}" for n in range(1, 4)]
        return [*plans, *requests, *web_deployments(self._parameters, self._sdls, web_owners)], web_owners, entered

    def _deployer(self, one: Participant) -> Deployer:
        """Most deploy only after registering; some could not wait."""
        eager = self._draw.chance(10)
        return Deployer(one.name, one.height - 20_000 if eager else one.height, known=True)

    def _acts(self, plans: list[DeploymentPlan], web_owners: list[str]) -> list[Act]:
        writer = Writer(self._parameters, self._folk, self._hosts)
        acts: list[Act] = list(hosting(self._parameters, self._folk))
        running = []
        first: dict[str, int] = {}
        for plan in sorted(plans, key=lambda one: (one.height, one.who)):
            first.setdefault(plan.who, plan.height)
            acts += writer.deployment(plan)
            running += [
                Running(writer.bid(plan, one), one.closes or self._parameters.closes)
                for one in plan.leases
                if (one.closes is None or one.closes > self._parameters.told_by) and plan.deposit is None
            ]
        for number, (who, height) in enumerate(first.items()):
            owner = self._folk.address(who)
            faucet = self._folk.address(_FAUCET)
            acts.append(Send(height=max(2, height - 90), sender=faucet, recipient=owner, amount=_FAUCET_GIVES))
            acts.append(CreateCertificate(height=max(3, height - 40), owner=owner, serial=5000 + number))
        acts += Evening(self._parameters, self._folk, self._sdls, web_owners).acts(running)
        kept = [act for act in acts if act.height < self._parameters.closes]
        return sorted(kept, key=lambda act: act.height)

    def _totals(self, plans: list[DeploymentPlan]) -> Totals:
        return Totals(
            participants=self._parameters.totals.participants,
            requests=sum(plan.asks_gpu for plan in plans),
            leases=_gpu_leases(plans),
            deployers=len({plan.who for plan in plans if plan.asks_gpu}),
            peak=self._hosts.highest(),
        )


def _gpu_leases(plans: list[DeploymentPlan]) -> int:
    return sum(len(plan.leases) for plan in plans if plan.asks_gpu)
