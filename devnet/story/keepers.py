"""Who keeps which provider and claims its GPUs: `hosts.yaml` turned into acts of people and what is expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from devnet.story.folk import Folk
from devnet.story.parameters import Parameters
from devnet.story.people import Link, PersonAct, SubmitClaim
from devnet.story.signups import Participant

_SOON = 30
_HOUR = 600
_UNREADABLE = {
    "record": "/providers/{}$",
    "leases and audits": "/leases/list.*filters.provider={0}|/audit/attributes/[^/]*/{0}",
    "keeper": "owner={}",
}
"""What a node fails to answer about a provider or its keeper, as requests look."""


@dataclass(frozen=True, slots=True)
class HostExpectation:
    """What the pre-flight must say of a provider at the tip: the checks in `not_passed` do not pass, all others do.

    `verdict`: of every claim on it then. `keeper`: the participant who claims `claims` (model with number of GPUs);
    "" where the scale has nobody for it.
    """

    provider: str
    keeper: str
    claims: Mapping[str, int]
    verdict: str
    not_passed: tuple[str, ...]
    why: str


@dataclass
class Keepers:
    """Their acts, the names that they show, what is expected of their providers.

    `keeps`: who keeps a provider; `since`: from when. `unreadable`: by address, what nodes fail to answer about it.
    """

    acts: list[PersonAct] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    expected: list[HostExpectation] = field(default_factory=list)
    keeps: dict[str, str] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


def keepers(
    parameters: Parameters, folk: Folk, free: Sequence[Participant], registered: Mapping[str, int]
) -> Keepers:
    """Give each provider a keeper: the person named, else the next of `free` (by registration).

    `registered`: heights of the cast's registrations, by address. Nobody left: a provider without keeper.
    """
    made = Keepers()
    waiting = iter(sorted(free, key=lambda one: one.height))
    joins = {one.name: one.joins for one in parameters.providers}
    linked = {act for told in parameters.cast for act in _linked(told)}
    for told in parameters.hosts:
        if told["provider"] not in joins:
            continue
        provider, claims, keeper = folk.provider(told["provider"]), told["claims"], ""
        named = folk.address(told["keeper"]) if "keeper" in told else ""
        someone = None if named in registered else next(waiting, None)
        if named in registered:
            keeper, height = named, registered[named]
        elif someone is not None:
            keeper, height = folk.address(someone.name), someone.height
            made.names[keeper] = f"Keeper of {told['provider']}"
        if keeper:
            at = max(height, joins[told["provider"]]) + _SOON
            made.keeps[provider], made.since[keeper] = keeper, at
            if told["provider"] not in linked or keeper != named:
                made.acts.append(Link(height=at, participant=keeper, address=provider))
            for number, (model, count) in enumerate(claims.items(), 1):
                fields = (("provider", provider), ("gpu_model", model), ("count", str(count)))
                task = parameters.hosts_task
                made.acts.append(
                    SubmitClaim(height=at + number * _HOUR, participant=keeper, task=task, fields=fields)
                )
        made.expected.append(
            HostExpectation(provider, keeper, claims, told["verdict"], tuple(told["not"]), told["why"])
        )
    for told in parameters.unreadable_hosts:
        if told["provider"] in joins:
            provider = folk.provider(told["provider"])
            address = made.keeps.get(provider, "") if told["fails"] == "keeper" else provider
            made.unreadable |= {address: _UNREADABLE[told["fails"]].format(address)} if address else {}
    return made


def _linked(told: Mapping[str, object]) -> Iterator[str]:
    links = told.get("links", ())
    if isinstance(links, list):
        for link in links:
            if "provider" in link:
                yield link["provider"]
