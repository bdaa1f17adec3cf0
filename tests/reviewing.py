"""A small campaign with tasks that people judge, its cast, and one round of verification, for tests."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ledger.claims import ClaimRow
from ledger.people import AddressRow, ParticipantRow, RegistrationRow, RoleRow
from ledger.verdicts import take_due
from services import campaigns
from services.house import House
from services.verification import LEASE, verify_claims
from tasks.moment import SECOND
from tests import houses
from tests.houses import NOON, later
from tests.wallets import Keyholder
from verifiers.chain.client import Chain
from verifiers.evidence import ChainPoint

HOUR = 3600
ADA = Keyholder("a participant")
BEN = Keyholder("another participant")
REVIEWER = Keyholder("a reviewer")
SECOND_REVIEWER = Keyholder("a second reviewer")
PLAYING_REVIEWER = Keyholder("a reviewer who takes part")
LINKED_REVIEWER = Keyholder("a reviewer's address that is linked to a participant")
ORGANIZER = Keyholder("an organizer")
STRANGER = Keyholder("a stranger")

CAMPAIGN = """\
campaign: reviewed-test
revision: 1
title: A test of reviews
summary: A campaign for tests.
terms: Be kind.
chain_id: local-v2
opens: 2026-11-01T00:00:00Z
closes: 2026-12-01T00:00:00Z
appeals: 7d
reward: {unit: USD, denom: uakt, rate: "0.85", budget: 5000}
tasks:
  - slug: video
    kind: reviewed
    title: Make a video
    summary: Show how it is done.
    params: {fields: [{name: url, label: Link to the video, type: url, required: true, hosts: [video.example]}]}
    reward: {amount: 60, slots: [{max: 10}]}
  - slug: bug
    kind: reviewed
    title: Find a bug
    summary: Tell us.
    params:
      reviewers: 2
      needs_work_keeps: 24h
      fields:
        - {name: words, label: What happens, type: text, required: true}
        - {name: severity, label: Severity, type: choice, choices: [low, high], decided: true}
    reward: {amount: {by: severity, table: {low: 10, high: 100}}, budget: 1000}
  - slug: both
    kind: all_of
    title: A video and a bug
    summary: Both of them.
    params: {tasks: [video, bug]}
    reward: {amount: 40, slots: [{max: 5}]}
"""

ROLES = ((REVIEWER, "reviewer"), (SECOND_REVIEWER, "reviewer"), (PLAYING_REVIEWER, "reviewer"),
         (LINKED_REVIEWER, "reviewer"), (ORGANIZER, "organizer"))  # fmt: skip


def make_house(folder: Path) -> House:
    """The campaign with two participants and one more who reviews, and the staff."""
    house = houses.make_house(folder, campaign=CAMPAIGN)
    chain = Chain(("http://127.0.0.1:9",), ("http://127.0.0.1:9",), house.clock)
    with house.ledger.write() as session:
        for who in (ADA, BEN, PLAYING_REVIEWER):
            address = who.address
            session.add(ParticipantRow(address=address, created_ns=NOON))
            session.flush()
            known = {"proved_ns": NOON, "proof": "text", "linked_ns": NOON}
            session.add(AddressRow(address=address, participant=address, **known))
            session.add(
                RegistrationRow(
                    campaign="reviewed-test",
                    participant=address,
                    rules_digest="0" * 64,
                    received_ns=NOON - 100 * SECOND,
                )
            )
        linked = {"proved_ns": NOON, "proof": "text", "linked_ns": NOON + SECOND}
        session.add(AddressRow(address=LINKED_REVIEWER.address, participant=ADA.address, **linked))
        session.add_all(RoleRow(address=who.address, role=role) for who, role in ROLES)
    return replace(house, chain=chain)


def look(house: House) -> None:
    """One round of verification at the house's time."""
    now = house.clock.now()
    taken = house.ledger.transact(lambda session: take_due(session, now, "tests", 200, LEASE))
    verify_claims(house, campaigns.required(house), ChainPoint("local-v2", 1000, now), taken, "tests")


def claim_of(house: House, name: str) -> ClaimRow:
    """The claim as it stands."""
    with house.ledger.read() as session:
        return session.get_one(ClaimRow, name)


def token_in(html: str) -> str:
    """The token of the last form of a page."""
    return re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', html)[-1]


__all__ = ["HOUR", "later"]
