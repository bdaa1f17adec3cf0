"""A house with a benchmark campaign, two registered people, and runs of theirs. All names are made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ledger.claims import ClaimRow
from ledger.people import AddressRow, ParticipantRow, RegistrationRow, SessionRow
from services import benchmarks, claims
from services.benchmarks import Issued
from services.house import House
from services.sessions import hash_token
from tasks.moment import SECOND
from tests.benchmark_worlds import gpu, measurements, result
from tests.houses import NOON, make_house
from tests.wallets import Keyholder

PARTICIPANT = Keyholder("participant")
OTHER = Keyholder("other participant")
STRANGER = Keyholder("stranger")
PROVIDER = Keyholder("a provider").address

CAMPAIGN = """\
campaign: bench-test
revision: 1
title: A season of benchmarks
summary: A campaign for tests.
terms: Be kind.
chain_id: local-v2
opens: 2026-11-01T00:00:00Z
closes: 2026-12-01T00:00:00Z
reward: {unit: USD, denom: uakt, rate: "0.85", budget: 5000}
gpu_models:
  - {id: h100, class: data_center, vram_gib: 80, aliases: ["NVIDIA H100 PCIe", "NVIDIA H100 80GB HBM3"]}
  - {id: a100, class: data_center, aliases: ["NVIDIA A100-SXM..."]}
tasks:
  - slug: benchmark
    kind: benchmark_run
    title: Benchmark a GPU
    summary: Run the suite on a leased GPU.
    params: {suite: 1, expires: 2h}
    reward: {amount: 50, slots: [{max: 5, per: gpu_model}], once_per: [gpu_model]}
"""


def make(folder: Path, campaign: str = CAMPAIGN, **settings: object) -> House:
    """The campaign, and two people registered for it."""
    house = make_house(folder, campaign=campaign, **settings)
    with house.ledger.write() as session:
        for who in (PARTICIPANT, OTHER):
            session.add(ParticipantRow(address=who.address, created_ns=NOON))
            session.flush()
            values = {"address": who.address, "participant": who.address, "proof": "text"}
            session.add(AddressRow(**values, proved_ns=NOON, linked_ns=NOON))
            session.add(
                RegistrationRow(
                    campaign="bench-test", participant=who.address, rules_digest="0" * 64, received_ns=NOON
                )
            )
    return house


def sign_in(house: House, who: Keyholder) -> str:
    """A session of `who` for an hour; gives the token of the cookie."""
    token, now = f"token-of-{who.address}", house.clock.now()
    values = {"created_ns": now, "seen_ns": now, "expires_ns": now + 3600 * SECOND}
    with house.ledger.write() as session:
        session.merge(
            SessionRow(token_hash=hash_token(token), address=who.address, csrf_token="a-token-for-forms", **values)
        )
    return token


def result_for(challenge: str, **changes: Any) -> dict[str, Any]:
    """A result of good form; its proof belongs to another challenge."""
    return result(challenge=challenge, **changes)


def enter(house: House, who: Keyholder, issued: Issued, **changes: Any) -> str:
    """Enter a result for a challenge; gives the claim's id."""
    text = json.dumps(result_for(issued.challenge.id, **changes))
    return claims.submit(house, who.address, "benchmark", {"challenge": issued.challenge.id, "result": text}).claim


def accept(house: House, claim: str) -> None:
    """As a verdict would say it."""
    with house.ledger.write() as session:
        row = session.get(ClaimRow, claim)
        assert row is not None
        row.outcome = "passed"
        row.settled = True


def accepted_run(house: House, who: Keyholder, name: str, gib: int, hf_bert_ns: int = 6_000_000) -> str:
    """A run of a GPU that counts; gives its challenge."""
    issued = benchmarks.issue(house, who.address, PROVIDER)
    suite = measurements(hf_Bert_fp16=hf_bert_ns)
    accept(house, enter(house, who, issued, gpu=gpu(name, gib), measurements=suite))
    return issued.challenge.id
