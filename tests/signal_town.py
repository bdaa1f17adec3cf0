"""A small local network on which people pay for each other and lease from themselves, for tests of review signals."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from devnet.acts import Act, DepositDeployment, Send, UpdateProvider
from devnet.network import Devnet, serve
from devnet.scenarios import small
from ledger.claims import ClaimRow, EnteredSdlRow
from ledger.observations import store_observations
from ledger.people import AddressRow, ParticipantRow, RegistrationRow, RoleRow
from ledger.verdicts import claim_id
from services.clock import StoppedClock
from services.following import step
from services.house import House
from tasks.moment import SECOND, Moment, parse_moment
from tests import houses
from verifiers.chain.client import Chain
from verifiers.evidence import Observation, Source

START = parse_moment("2026-11-24T10:00:00Z")
ADA, BEN, DEE, ELI, FAY, STRANGER = map(small.address, ("ada", "ben", "dee", "eli", "fay", "stranger"))
NORTH, SOUTH, EAST = map(small.address, ("north", "south", "east"))
ORGANIZER, AUDITOR = small.address("organizer"), small.address("auditor")
LINKED = {SOUTH: ELI, NORTH: DEE, EAST: FAY}
CATALOGUE = "5d2c" * 16

CAMPAIGN = f"""\
campaign: signals-test
revision: 1
title: A test of review signals
summary: A campaign for tests.
terms: Be kind.
chain_id: {small.CHAIN_ID}
opens: 2026-11-01T00:00:00Z
closes: 2026-12-01T00:00:00Z
results_by: 2026-12-02T00:00:00Z
appeals: 2d
reward: {{unit: USD, denom: uakt, rate: "0.85", budget: 1000}}
tasks:
  - slug: deploy
    kind: ai_deployment
    title: Deploy an AI app
    summary: Deploy one.
    params:
      providers: 1
      apps: [{{slug: llm, title: LLM, images: [ghcr.io/example/model-server], hashes: ["{CATALOGUE}"]}}]
    reward: {{amount: 10, slots: [{{max: 5}}]}}
  - slug: video
    kind: reviewed
    title: Make a video
    summary: Show it.
    params: {{fields: [{{name: url, label: Link, type: url, required: true, hosts: [video.example]}}]}}
    reward: {{amount: 20, slots: [{{max: 5}}]}}
"""


def _paying() -> Iterator[Act]:
    yield Send(height=30, sender=ADA, recipient=STRANGER, amount=2_000_000)
    yield Send(height=95, sender=ADA, recipient=BEN, amount=2_000_000)
    yield DepositDeployment(height=75, owner=FAY, dseq=6001, amount=1_500_000, depositor=BEN)
    yield DepositDeployment(height=120, owner=ADA, dseq=1001, amount=1_500_000, depositor=DEE)
    attributes = (("host", "akash"), ("capabilities/gpu/vendor/nvidia/model/a100", "true"))
    yield UpdateProvider(
        height=290, owner=EAST, host_uri="https://provider.north.example:9443", attributes=attributes
    )


def moment(height: int) -> Moment:
    return Moment(START + (height - 1) * 6 * SECOND + SECOND // 2)


@contextmanager
def network(tip: int = 300) -> Iterator[Devnet]:
    """The small scenario with some more acts, standing at a height."""
    plain = small.scenario()
    acts = sorted([*plain.acts, *_paying()], key=lambda act: (act.height, act.position))
    with serve(replace(plain, acts=acts), start=START, clock=StoppedClock(moment(300)), port=0) as net:
        net.settings.tip = tip
        yield net


def house_on(folder: Path, net: Devnet) -> House:
    """Everybody registered and followed up to the tip, nobody with a claim."""
    clock = StoppedClock(moment(net.tip()))
    watch = itertools.count(0.0, 0.25).__next__
    chain = Chain([net.rest_url], [net.rpc_url], clock, monotonic=watch, sleep=lambda seconds: None)
    house = make_house(folder, chain).at(clock)
    while not step(house).at_tip:
        pass
    return house


def make_house(folder: Path, chain: Chain | None = None) -> House:
    """The campaign with its people, without a chain."""
    house = houses.make_house(folder, campaign=CAMPAIGN, chain=chain)
    with house.ledger.write() as session:
        for person in (ADA, BEN, DEE, ELI, FAY, STRANGER):
            session.add(ParticipantRow(address=person, created_ns=1))
            session.flush()
            session.add(AddressRow(address=person, participant=person, proved_ns=1, proof="text", linked_ns=1))
            session.add(
                RegistrationRow(campaign="signals-test", participant=person, rules_digest="d", received_ns=START)
            )
        for address, person in LINKED.items():
            session.add(AddressRow(address=address, participant=person, proved_ns=1, proof="text", linked_ns=2))
        session.add_all([RoleRow(address=ORGANIZER, role="organizer"), RoleRow(address=AUDITOR, role="reviewer")])
    return house


def claim(house: House, person: str, subject: str, task: str = "video", kind: str = "reviewed") -> str:
    """A claim as somebody entered it, without a verdict."""
    name = claim_id("signals-test", person, task, subject)
    now = house.clock.now()
    with house.ledger.write() as session:
        session.add(
            ClaimRow(
                id=name, campaign="signals-test", participant=person, task=task, kind=kind, subject=subject,
                fields={}, received_ns=now, found=False, outcome="pending", attributes={},
                holds_place=False, settled=False,
            )
        )  # fmt: skip
    return name


def entered_sdl(house: House, person: str, dseq: int, *hashes: str) -> str:
    """The reduced SDL that somebody gave for a deployment; returns the observation's id."""
    body = json.dumps({"hashes": list(hashes), "services": []}).encode()
    seen = Observation(Source.ENTERED, f"SDL {person}/{dseq}", body, "entered", house.clock.now())
    with house.ledger.write() as session:
        store_observations(session, [seen], "entered/1")
        session.flush()
        session.add(
            EnteredSdlRow(
                campaign="signals-test", participant=person, owner=person, dseq=dseq, observation=seen.id,
                received_ns=dseq,
            )
        )  # fmt: skip
    return seen.id
