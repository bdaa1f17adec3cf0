"""A house whose participants have claimed GPUs, and a prober that finds what it is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ledger.chain import ProviderRow
from ledger.claims import ClaimRow
from ledger.people import ParticipantRow
from ledger.probes import load_days
from ledger.rows import insert_rows
from services import campaigns
from services.house import House
from services.probe_controls import WayOut
from services.probing import due_targets, onboarding_tasks, run_round, slot_at
from tasks.moment import SECOND, Moment
from tests.houses import NOON, SEASON, TWO_GPUS, make_house
from verifiers.evidence import Observation, Source
from verifiers.probes import ProbeDay, State, day_of

UP = State.up({"nvidia/a100": 1})
FIVE_MINUTES = 300 * SECOND
SINCE = Moment(NOON - 3600 * SECOND)

CAMPAIGN = f"""\
{SEASON}{TWO_GPUS}tasks:
  - slug: onboard
    kind: provider_onboarding
    title: Bring a GPU
    summary: Bring one.
    params: {{min_cpu: 2, gpu_models: listed, min_observed: 24h}}
    reward: {{amount: 10, slots: [{{max: 50}}]}}
"""


def names(count: int) -> list[str]:
    return [f"akash1provider{number:04d}" for number in range(count)]


def probing_house(folder: Path, providers: Sequence[str], at: Moment = SINCE) -> House:
    """Each provider is its own participant, with one claim that counts from `at`."""
    house = make_house(folder, campaign=CAMPAIGN)
    people = [{"address": name, "created_ns": NOON} for name in providers]
    records = [
        {
            "chain_id": "local-v2",
            "owner": name,
            "host_uri": f"https://{name}.example:8443",
            "attributes": [],
            "created_at": 5,
            "not_later_than": 5,
            "read_height": 10,
        }
        for name in providers
    ]
    claims = [_claim(name, at) for name in providers]
    with house.ledger.write() as session:
        insert_rows(session, ParticipantRow, people)
        insert_rows(session, ProviderRow, records)
        insert_rows(session, ClaimRow, claims)
    return house


def _claim(provider: str, at: Moment, **changes: object) -> dict[str, object]:
    return {
        "id": provider,
        "campaign": "small-test",
        "participant": provider,
        "task": "onboard",
        "kind": "provider_onboarding",
        "subject": f"{provider}/a100/1",
        "fields": {"provider": provider, "gpu_model": "a100", "count": "1"},
        "received_ns": NOON,
        "found": False,
        "outcome": "pending",
        "at_ns": at,
        "attributes": {},
        "holds_place": True,
        "settled": False,
        **changes,
    }


@dataclass
class FakeProber:
    """Finds `states` of a provider, else UP; `hanging` ones take that many seconds. `controls`: one after the other,
    then `control`. `near`: who stands in our own network. `stops_after`: then it dies, as a killed process does."""

    states: dict[str, State] = field(default_factory=dict)
    hanging: frozenset[str] = frozenset()
    hang_seconds: float = 1.0
    look_seconds: float = 0.0
    controls: list[WayOut] = field(default_factory=list)
    control: WayOut = WayOut.OPEN
    near: frozenset[str] = frozenset()
    stops_after: int | None = None
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def way_out(self) -> WayOut:
        return self.controls.pop(0) if self.controls else self.control

    def is_asked_through(self, host_uri: str) -> bool:
        return not any(host_uri == f"https://{name}.example:8443" for name in self.near)

    def probe(self, provider: str, host_uri: str, *, is_brief: bool) -> tuple[State, Sequence[Observation]]:
        if self.stops_after is not None and len(self.asked) >= self.stops_after:
            raise KeyboardInterrupt
        self.asked.append((provider, is_brief))
        time.sleep(self.hang_seconds if provider in self.hanging else self.look_seconds)
        state = State.down("timeout") if provider in self.hanging else self.states.get(provider, UP)
        text = f"{state.standing} {state.cause} {state.capacity}".encode()
        seen = Observation(Source.PROVIDER, f"GRPC GetStatus of {provider}", text, "host", NOON, 200)
        return state, [seen]


def run(house: House, prober: FakeProber) -> str:
    """One round, now."""
    loaded = campaigns.required(house)
    slot = slot_at(onboarding_tasks(loaded), house.clock.now())
    return run_round(house, prober, slot, due_targets(house, loaded, slot))


def today(house: House, provider: str) -> ProbeDay:
    day = day_of(house.clock.now())
    with house.ledger.read() as session:
        return load_days(session, provider, day, day)[0][0]


def state_now(house: House, provider: str) -> State:
    day = today(house, provider)
    return day.state(day.slot_of(house.clock.now()))
