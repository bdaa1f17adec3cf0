"""A small campaign with people, claims, awards and a chain, for the tests of pages and API. All names are made up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow, ProvisionalLineRow
from ledger.chain import BlockRow, CursorRow, DeploymentRow, GroupRow, LeaseRow, ProviderRow
from ledger.claims import CheckRow, ClaimRow, VerdictObservationRow, VerdictRow
from ledger.jobs import JobStateRow
from ledger.observations import store_observations
from ledger.people import AddressRow, ParticipantRow, PersonalRow, RegistrationRow, RoleRow, SessionRow
from services.clock import StoppedClock
from services.house import House
from services.loading import load_campaign
from services.sessions import hash_token
from tasks.moment import SECOND, parse_moment
from tests import houses
from tests.wallets import Keyholder
from verifiers.evidence import ChainPoint, Observation, Source

CHAIN = "waymark-test-1"
NOW = parse_moment("2026-03-20T12:00:00Z")
OPENS = parse_moment("2026-03-01T00:00:00Z")
HEIGHT = 400_000
HOSTILE = "<script>alert(1)</script>"

PARTICIPANT = Keyholder("participant")
OTHER = Keyholder("other participant")
ORGANIZER = Keyholder("organizer")
STRANGER = Keyholder("stranger")
LINKED = Keyholder("participant's second address")
PROVIDER = Keyholder("a provider")

CAMPAIGN = """
campaign: spring-gpu
revision: 1
title: Spring GPU Testnet
summary: |
  Bring GPUs to the network, run **AI apps** on them, and be paid for work that anybody can check.

  The second paragraph is for the curious.
terms: |
  Take part *fairly*. One person, one registered address. <script>alert(1)</script>
links: {faucet: "https://faucet.example/", help: "https://help.example/", docs: "https://docs.example/"}
chain_id: waymark-test-1
opens: 2026-03-01T00:00:00Z
closes: 2026-03-31T00:00:00Z
results_by: 2026-04-14T00:00:00Z
appeals: 7d
reward:
  unit: USD
  denom: uakt
  rate: "0.85"
  budget: 20000
grants: {budget: 500}
excused:
  - {from: 2026-03-05T10:00:00Z, to: 2026-03-05T18:00:00Z, reason: "restart bug of the providers"}
gpu_models:
  - {id: h100, class: data_center, vram_gib: 80}
  - {id: rtx4090, class: consumer, vram_gib: 24}
tasks:
  - slug: deploy
    kind: ai_deployment
    title: Run an AI app on three providers
    summary: Deploy one of the apps on three different providers and keep it running for ten minutes.
    params:
      providers: 3
      active: 10m
      apps:
        - {slug: stable-diffusion, title: Stable Diffusion, images: [example/stable-diffusion]}
        - {slug: falcon, title: Falcon 7B, images: ["example/falcon:0.7"]}
        - {slug: whisper, title: Whisper, images: [example/whisper]}
    reward:
      amount: 40
      decay: {every: 7d, percents: [100, 90, 50], after: 25}
      slots: [{max: 20}]
      per_participant: 2
  - slug: onboard
    kind: provider_onboarding
    title: Bring a GPU to the network
    summary: Run a provider with a GPU of the list.
    reward:
      amount: {by: gpu_model, table: {h100: 4000, rtx4090: 800}}
      slots: [{max: 3}, {max: 2, where: {gpu_class: consumer}}]
      budget: 9000
  - slug: video
    kind: reviewed
    title: Make a video
    summary: Show how it is done.
    requires: {any_of: [onboard, deploy]}
    params: {fields: [{name: url, label: Address of the video, type: url, required: true, hosts: [video.example]}]}
    reward: {amount: 60, slots: [{max: 10}]}
"""


@dataclass(frozen=True)
class Town:
    """A house with its ledger filled, and the claims by what became of them."""

    house: House
    clock: StoppedClock
    claims: dict[str, str]
    observation: str
    restricted: str


def make_house(folder: Path, **settings: object) -> House:
    """An empty house on a database of its own."""
    return houses.make_house(folder, campaign=None, **settings).at(StoppedClock(NOW))


def sign_in(house: House, who: Keyholder) -> str:
    """A session of `who`; gives the token of the cookie."""
    token = f"token of {who.name}".replace(" ", "-").replace("'", "")
    with house.ledger.write() as session:
        session.merge(
            SessionRow(
                token_hash=hash_token(token),
                address=who.address,
                created_ns=NOW,
                seen_ns=NOW,
                expires_ns=NOW + 3600 * SECOND,
                csrf_token="a-token-for-forms",
            )
        )
    return token


def fill(house: House, people: int = 0) -> Town:
    """Fill the house; `people` more participants without claims."""
    load_campaign(house, CAMPAIGN, "a test")
    with house.ledger.write() as session:
        _people(session, people)
        fill_chain(session)
        session.flush()
        ids = _observations(session)
        claims = _claims(session, ids)
        session.add(
            JobStateRow(
                job="verify",
                last_run_ns=NOW - 5 * SECOND,
                last_ok_ns=NOW - 5 * SECOND,
                last_error=None,
                last_detail="4 claims verified",
                last_duration_ns=SECOND // 4,
            )
        )
        session.add(
            JobStateRow(
                job="follow",
                last_run_ns=NOW - 2 * SECOND,
                last_ok_ns=NOW - 600 * SECOND,
                last_error="the node answered too late",
                last_detail="",
                last_duration_ns=20 * SECOND,
            )
        )
    assert isinstance(house.clock, StoppedClock)
    return Town(house, house.clock, claims, ids[0], ids[1])


def _people(session: Session, more: int) -> None:
    keys = {PARTICIPANT.address: "Ada Example", OTHER.address: HOSTILE, ORGANIZER.address: None}
    names = keys | {f"akash1extra{number:06d}{'q' * 27}": f"Extra {number}" for number in range(more)}
    for position, (address, name) in enumerate(names.items()):
        session.add(ParticipantRow(address=address, created_ns=OPENS))
        session.flush()
        session.add(AddressRow(address=address, participant=address, proved_ns=OPENS, proof="text", linked_ns=OPENS))
        session.add(
            RegistrationRow(
                campaign="spring-gpu",
                participant=address,
                rules_digest="0" * 64,
                received_ns=OPENS + position * SECOND,
                chain_id=CHAIN,
                height=100_000 + position,
                time_ns=OPENS + position * SECOND,
            )
        )
        session.add(PersonalRow(participant=address, display_name=name, contact="never@shown.example"))
    session.add(
        AddressRow(
            address=LINKED.address,
            participant=PARTICIPANT.address,
            proved_ns=OPENS,
            proof="text",
            linked_ns=OPENS + 9 * SECOND,
        )
    )
    session.add(RoleRow(address=ORGANIZER.address, role="organizer"))


def fill_chain(session: Session) -> None:
    """A followed chain with twenty days of GPU deployments."""
    session.add(
        CursorRow(
            chain_id=CHAIN,
            stage="following",
            height=HEIGHT,
            hash="A" * 64,
            time_ns=NOW - 6 * SECOND,
            listing_round=0,
            state="following",
            detail="",
            checked_ns=NOW - SECOND,
            tip_height=HEIGHT + 1,
            tip_time_ns=NOW - SECOND,
        )
    )
    for day in range(20):
        height = 100_000 + day * 15_000
        moment = OPENS + day * 86400 * SECOND
        session.add(BlockRow(chain_id=CHAIN, height=height, hash=None, time_ns=moment))
        for number in range(1, 3 + day % 4):
            session.add(
                DeploymentRow(
                    chain_id=CHAIN,
                    owner=PARTICIPANT.address if number % 2 else OTHER.address,
                    dseq=height + number,
                    state="closed",
                    hash="b" * 64,
                    created_at=height,
                    closed_at=height + 200,
                    gpu_units=number,
                    gpu_models=["nvidia/h100"],
                    read_height=HEIGHT,
                )
            )
            session.add(
                GroupRow(
                    chain_id=CHAIN,
                    owner=PARTICIPANT.address if number % 2 else OTHER.address,
                    dseq=height + number,
                    gseq=1,
                    state="closed",
                    gpu_units=number,
                    gpu_models=["nvidia/h100"],
                    created_at=height,
                    read_height=HEIGHT,
                )
            )
            session.add(
                LeaseRow(
                    chain_id=CHAIN,
                    owner=PARTICIPANT.address if number % 2 else OTHER.address,
                    dseq=height + number,
                    gseq=1,
                    oseq=1,
                    provider=PROVIDER.address,
                    bseq=1,
                    state="closed",
                    price="10.0",
                    denom="uakt",
                    created_at=height,
                    closed_on=height + 200,
                    reason="",
                    gpu_units=number,
                    read_height=HEIGHT,
                )
            )
    session.add(
        ProviderRow(
            chain_id=CHAIN,
            owner=PROVIDER.address,
            host_uri=f"https://provider.example:8443/{HOSTILE}",
            attributes=[
                ["capabilities/gpu/vendor/nvidia/model/h100", "true"],
                ["capabilities/gpu/vendor/nvidia/model/rtx4090/ram/24Gi", "true"],
                ["capabilities/gpu/vendor/nvidia/model/t4", "false"],
                ["region", "eu-west"],
                ["organization", HOSTILE],
            ],
            created_at=None,
            not_later_than=HEIGHT,
            read_height=HEIGHT,
        )
    )


def _observations(session: Session) -> tuple[str, str]:
    point = ChainPoint(CHAIN, HEIGHT, NOW)
    public = Observation(
        source=Source.CHAIN,
        request=f"GET /akash/deployment/v1beta4/deployments/list?filters.owner={PARTICIPANT.address}",
        body=b'{"deployments":[],"note":"<script>alert(1)</script>"}',
        host="node.example",
        seen_at=NOW,
        status=200,
        chain_id=CHAIN,
        height=HEIGHT,
    )
    hidden = Observation(
        source=Source.REVIEWER, request="REVIEW 1", body=b"a secret note", host="", seen_at=NOW, restricted=True
    )
    store_observations(session, [public, hidden], "ai_deployment/1", point)
    session.flush()
    return public.id, hidden.id


_STORIES: tuple[tuple[Any, ...], ...] = (
    # name, participant, app, outcome, place held, settled, next look in seconds, missing, checks
    (
        "passed",
        PARTICIPANT,
        "stable-diffusion",
        "passed",
        False,
        True,
        None,
        [],
        [
            ("deployment_exists", "a deployment of yours on waymark-test-1", "dseq 100001", "passed"),
            ("leases_on_providers", "3 providers", "3 providers", "passed"),
            ("active", "each lease active for 10 minutes", "14, 21 and 11 minutes", "passed"),
        ],
    ),
    (
        "pending",
        PARTICIPANT,
        "falcon",
        "pending",
        True,
        False,
        420,
        ["Lease on the third provider: 4 minutes of 10 so far."],
        [
            ("deployment_exists", "a deployment of yours on waymark-test-1", "dseq 115001", "passed"),
            ("active", "each lease active for 10 minutes", "4 minutes so far", "pending"),
        ],
    ),
    (
        "failed",
        OTHER,
        "stable-diffusion",
        "failed",
        False,
        True,
        None,
        [],
        [
            ("deployment_exists", "a deployment of yours on waymark-test-1", "dseq 130001", "passed"),
            ("gpu_requested", "at least one GPU", "a deployment without GPU", "failed"),
        ],
    ),
    (
        "unknown",
        OTHER,
        "falcon",
        "unknown",
        False,
        False,
        120,
        [],
        [("deployment_exists", "a deployment of yours on waymark-test-1", "the node answered too late", "unknown")],
    ),
)


def _claims(session: Session, observations: tuple[str, str]) -> dict[str, str]:
    made = {}
    for number, story in enumerate(_STORIES):
        name, who, app, outcome, holds, settled, look, missing, checks = story
        claim = f"{number:032x}"
        verdict = VerdictRow(
            claim=claim,
            outcome=outcome,
            judge="ai_deployment",
            version=1,
            as_of_chain=CHAIN,
            as_of_height=HEIGHT,
            as_of_time_ns=NOW,
            decided_ns=NOW,
            at_ns=NOW - 86400 * SECOND if outcome != "unknown" else None,
            height=HEIGHT - 14_400 if outcome != "unknown" else None,
            tx_index=3,
            attributes={"app": app, "gpu_model": "h100"},
            holds_place=holds,
            next_look_ns=NOW + look * SECOND if look else None,
            missing=missing,
        )
        session.add(
            ClaimRow(
                id=claim,
                campaign="spring-gpu",
                participant=who.address,
                task="deploy",
                kind="ai_deployment",
                subject=f"{who.address}/{app}",
                fields={"owner": who.address},
                received_ns=NOW - 3600 * SECOND,
                found=True,
                due_ns=NOW + look * SECOND if look else None,
                looked_ns=NOW,
                looked_height=HEIGHT,
                outcome=outcome,
                at_ns=verdict.at_ns,
                height=verdict.height,
                tx_index=3,
                attributes={"app": app, "gpu_model": "h100"},
                holds_place=holds,
                next_look_ns=NOW + look * SECOND if look else None,
                settled=settled,
            )
        )
        session.flush()
        session.add(verdict)
        session.flush()
        for position, (check, expected, seen, result) in enumerate(checks):
            session.add(
                CheckRow(
                    verdict=verdict.id,
                    position=position,
                    name=check,
                    expected=expected,
                    seen=seen,
                    outcome=result,
                    height=HEIGHT if result != "unknown" else None,
                    time_ns=NOW if result != "unknown" else None,
                    observations=list(observations),
                )
            )
        session.add(VerdictObservationRow(verdict=verdict.id, position=0, observation=observations[0]))
        session.get_one(ClaimRow, claim).verdict_id = verdict.id
        made[name] = claim
    _awards(session, made)
    return made


def _awards(session: Session, claims: dict[str, str]) -> None:
    working = {"base_micro": 40_000_000, "percent": 50, "step": 2, "revision": 1}
    slot = {"line": 0, "max": 20, "taken": 1, "last_claim": None}
    for step, (amount, reason, cause) in enumerate(
        [(36_000_000, "awarded", "passed"), (-16_000_000, "awarded", "other completions changed")]
    ):
        session.add(
            AwardLineRow(
                campaign="spring-gpu",
                revision=1,
                key=claims["passed"],
                step=step,
                claim=claims["passed"],
                kind="claim",
                slug=None,
                participant=PARTICIPANT.address,
                task="deploy",
                amount_micro=amount,
                reason=reason,
                working=working | {"slot": slot},
                cause=cause,
                corrects=None,
                position=step,
                computed_ns=NOW - (10 - step) * SECOND,
            )
        )
    session.add(
        ProvisionalLineRow(
            campaign="spring-gpu",
            claim=claims["pending"],
            participant=PARTICIPANT.address,
            task="deploy",
            amount_micro=20_000_000,
            reason="awarded",
            working=working,
            position=2,
        )
    )
