"""`python -m bench.probes`: one probe round over 500 real endpoints on loopback, a tenth of which hang."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import build_house
from devnet.acts import CreateCertificate, CreateProvider, Person, Scenario
from devnet.keys import key_of
from devnet.network import serve
from devnet.providers.faults import ProviderFault
from devnet.providers.hosted import GIB, Card, Hosted, Machine
from ledger.chain import ProviderRow
from ledger.claims import ClaimRow
from ledger.people import ParticipantRow
from ledger.probes import load_days
from ledger.rows import insert_rows
from ledger.upgrading import upgrade
from services import following
from services.clock import SystemClock
from services.house import House
from services.loading import load_campaign
from services.probing import probe
from services.settings import load_settings
from tasks.moment import SECOND, Moment, format_moment
from verifiers.probes import day_of

PROVIDERS, HANGING = 500, 50
ROOT = Path(__file__).resolve().parent.parent
CHAIN_ID = "waymark-probes-1"
HOUR = 3600 * SECOND
CARD = Card("a100", "80Gi", "PCIe", "20b5")


def scenario(count: int, hanging: int) -> Scenario:
    """`count` providers with a certificate each; every one of `hanging`, spread evenly, accepts and says nothing."""
    keys = [key_of(1, f"probed-{number}") for number in range(count)]
    every = count // hanging if hanging else count + 1
    acts = [
        act
        for place, key in enumerate(keys)
        for act in (
            CreateProvider(
                height=2,
                position=place,
                owner=key.address,
                host_uri=f"https://probed-{place}.example:8443",
                attributes=(("host", "akash"), ("capabilities/gpu/vendor/nvidia/model/a100", "true")),
            ),
            CreateCertificate(height=3, position=place, owner=key.address, serial=1_000_001 + place),
        )
    ]
    hosts = [
        Hosted(
            key.address,
            f"probed-{place}.example",
            (Machine(f"node-{place}", 64, 256 * GIB, (CARD,)),),
            faults=(ProviderFault("silent"),) if place % every == 0 else (),
        )
        for place, key in enumerate(keys)
    ]
    people = [Person(f"probed-{place}", key.address, key.public_key) for place, key in enumerate(keys)]
    return Scenario("probed", CHAIN_ID, acts, people, {}, ends=10, hosts=tuple(hosts))


def main() -> None:
    """Print how long a round of one process took, and what it found."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="waymark-bench-") as folder:
        found = sweep(Path(folder), PROVIDERS, HANGING)
    states = ", ".join(f"{number} {name}" for name, number in sorted(found.states.items()))
    print(f"{found.seconds:.1f} s, {found.processor_seconds:.1f} s of a processor; found {states}")


@dataclass(frozen=True)
class Sweep:
    """What one round took and how many providers it found in each state."""

    seconds: float
    processor_seconds: float
    states: Counter[str]


def sweep(folder: Path, count: int, hanging: int, **settings: object) -> Sweep:
    """One round over `count` providers that another process serves; the database lies in `folder`."""
    now = SystemClock().now()
    asked = ["network", str(now - HOUR), str(count), str(hanging)]
    network = subprocess.Popen(
        [sys.executable, "-m", "bench.probes", *asked], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        addresses = network.stdout.readline().split() if network.stdout else []
        return _measured(folder, addresses, now, settings)
    finally:
        network.kill()
        network.communicate()


def _network(start: int, count: int, hanging: int) -> None:
    with serve(scenario(count, hanging), start=start, clock=SystemClock(), provider_port=0) as devnet:
        print(devnet.hosts[0].rest_url, devnet.hosts[0].rpc_url, flush=True)
        threading.Event().wait()


def _measured(folder: Path, addresses: list[str], now: Moment, more: Mapping[str, object]) -> Sweep:
    settings = load_settings(
        folder / "no.env",
        database_url=f"sqlite:///{folder}/bench.db",
        chain_rest=(addresses[0],),
        chain_rpc=(addresses[1],),
        allow_private_hosts=("127.0.0.1/32",),
        **more,
    )
    upgrade(settings.database_url)
    house = build_house(settings)
    load_campaign(house, _campaign(now), "bench")
    following.follow(house)
    owners = _claimed(house, Moment(now - HOUR // 2))
    began, work = time.perf_counter(), time.process_time()
    probe(house)
    seconds, work = time.perf_counter() - began, time.process_time() - work
    today = day_of(house.clock.now())
    with house.ledger.read() as session:
        days = [day for owner in owners for day, _ in load_days(session, owner, today, today)]
    states = Counter(
        f"{state.standing} {state.cause}".strip()
        for day in days
        for slot in range(len(day.slots))
        if day.slots[slot] and (state := day.state(slot))
    )
    return Sweep(seconds, work, states)


def _claimed(house: House, since: Moment) -> list[str]:
    """Each provider with one live claim, so that each is due."""

    def store(session: Session) -> list[str]:
        owners = list(session.scalars(select(ProviderRow.owner)))
        insert_rows(session, ParticipantRow, [{"address": owner, "created_ns": since} for owner in owners])
        insert_rows(session, ClaimRow, [_claim(owner, since) for owner in owners])
        return owners

    return house.ledger.transact(store)


def _claim(owner: str, since: Moment) -> dict[str, object]:
    return {
        "id": owner[-32:],
        "campaign": "probed",
        "participant": owner,
        "task": "onboard",
        "kind": "provider_onboarding",
        "subject": f"{owner}/a100/1",
        "fields": {"provider": owner, "gpu_model": "a100", "count": "1"},
        "received_ns": since,
        "found": False,
        "outcome": "pending",
        "at_ns": since,
        "attributes": {},
        "holds_place": True,
        "settled": False,
    }


def _campaign(now: Moment) -> str:
    return f"""\
campaign: probed
revision: 1
title: Probes
summary: A campaign for a measurement.
terms: None.
chain_id: {CHAIN_ID}
opens: {format_moment(Moment(now - HOUR))}
closes: {format_moment(Moment(now + 24 * HOUR))}
reward: {{unit: USD, denom: uakt, rate: "1", budget: 10000}}
gpu_models:
  - {{id: a100, class: data_center, aliases: ["NVIDIA A100-PCI"]}}
tasks:
  - slug: onboard
    kind: provider_onboarding
    title: Bring a GPU
    summary: Bring one.
    params: {{min_cpu: 2, gpu_models: listed, min_observed: 1h}}
    reward: {{amount: 10, slots: [{{max: 500}}]}}
"""


if __name__ == "__main__":
    if sys.argv[1:2] == ["network"]:
        _network(*map(int, sys.argv[2:5]))
    else:
        main()
