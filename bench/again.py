"""`python -m bench.again`: 3,000 claims verified twice, one block apart, nothing changed: what a node is asked."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import build_house
from devnet.acts import (
    Act,
    BidId,
    CreateBid,
    CreateCertificate,
    CreateDeployment,
    CreateLease,
    CreateProvider,
    OrderId,
    Person,
    Scenario,
)
from devnet.keys import Key, key_of
from devnet.network import CONTROL_PATH, serve
from devnet.providers.hosted import GIB, Card, Hosted, Machine
from ledger.claims import ClaimRow, VerdictRow
from ledger.people import AddressRow, ParticipantRow, RegistrationRow
from ledger.rows import insert_rows
from ledger.upgrading import upgrade
from services import benchmarks, claims, following, verification
from services.clock import StoppedClock
from services.house import House
from services.loading import load_campaign
from services.settings import load_settings
from tasks.moment import SECOND, Moment, format_moment, parse_moment
from verifiers.sdl import check as check_sdl

ROOT = Path(__file__).resolve().parent.parent
START = parse_moment("2026-06-01T00:00:00Z")
CHAIN_ID = "waymark-again-1"
OPENS, RECEIVED, FIRST, AFTER = 15, 250, 300, 301
CARD = Card("a100", "80Gi", "PCIe", "20b5")
SDL = """\
version: "2.0"
services:
  llm:
    image: ghcr.io/example/model-server:1.{number}
    expose: [{{port: 8080, as: 80, to: [{{global: true}}]}}]
profiles:
  compute:
    llm:
      resources:
        cpu: {{units: 4}}
        memory: {{size: 16Gi}}
        storage: {{size: 100Gi}}
        gpu: {{units: 1, attributes: {{vendor: {{nvidia: }}}}}}
  placement:
    anywhere: {{pricing: {{llm: {{denom: uakt, amount: 20000}}}}}}
deployment:
  llm: {{anywhere: {{profile: llm, count: 1}}}}
"""

Asked = tuple[str, str]
"""One question to the node: its path and parameters, and the height that it is about, "" for the newest."""


@dataclass(frozen=True, slots=True)
class Size:
    """A claim for each: `deployments`, `authored` (at most 20) and `runs` of one tenant, `gpus` of one provider."""

    tenants: int
    deployments: int
    authored: int
    runs: int
    providers: int
    gpus: int

    @property
    def claims(self) -> int:
        """How many there are."""
        return self.tenants * (self.deployments + self.authored + self.runs) + self.providers * self.gpus


FULL = Size(tenants=60, deployments=30, authored=10, runs=8, providers=15, gpus=8)


@dataclass(frozen=True, slots=True)
class Pass:
    """One look at every claim: what the node was asked, and what it took.

    `kinds`: claims that could be looked at. `verdicts`: new rows. `grown_mib`: the process, by this pass.
    """

    asked: Sequence[Asked]
    kinds: Mapping[str, int]
    verdicts: int
    seconds: float
    peak_mib: float
    grown_mib: float


def repeated(first: Pass, second: Pass) -> list[Asked]:
    """What the second asked though the first had its answer for good, since it names the block it is about."""
    known = set(first.asked)
    return [question for question in second.asked if question[1] and question in known]


def twice(one: Pass) -> list[Asked]:
    """What one pass asked more than once."""
    return [question for question, times in Counter(one.asked).items() if times > 1 and question[1]]


def main() -> None:
    """Print what each pass asked and took."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="waymark-bench-") as folder:
        first, second = looked_twice(Path(folder), FULL)
    print(", ".join(f"{number} {kind}" for kind, number in sorted(first.kinds.items())))
    for name, height, one in (("first", FIRST, first), ("second", AFTER, second)):
        at_block = sum(about == str(height) for _, about in one.asked)
        print(
            f"{name} pass over {sum(one.kinds.values())} claims: {len(one.asked)} questions, {at_block} about its "
            f"block, {len(twice(one))} asked twice; {one.verdicts} verdicts say something new; {one.seconds:.1f} s, "
            f"peak {one.peak_mib:.0f} MiB, {one.grown_mib:+.0f} MiB"
        )
    print(f"{len(repeated(first, second))} questions of the second pass were answered for good in the first")


# ---------------------------------------------------------------- the network


def key(name: str) -> Key:
    """The key of a tenant or provider."""
    return key_of(3000, name)


def names(kind: str, count: int) -> list[str]:
    """`tenant-0`, `tenant-1` …"""
    return [f"{kind}-{number}" for number in range(count)]


def scenario(size: Size) -> Scenario:
    """Each tenant has leases that are active, spread over the providers; each provider shows half its GPUs."""
    everybody = [*names("tenant", size.tenants), *names("provider", size.providers)]
    people = [Person(name, key(name).address, key(name).public_key) for name in everybody]
    hosts = [
        Hosted(key(name).address, f"{name}.example", (Machine(name, 64, 1024 * GIB, (CARD,) * (size.gpus // 2)),))
        for name in names("provider", size.providers)
    ]
    sdls = {str(number): SDL.format(number=number) for number in range(size.deployments)}
    acts = [*_providers(size), *_leases(size)]
    return Scenario("again", CHAIN_ID, acts, people, sdls, ends=FIRST, hosts=tuple(hosts))


def _providers(size: Size) -> Iterator[Act]:
    for place, name in enumerate(names("provider", size.providers)):
        yield CreateProvider(
            height=2,
            position=place,
            owner=key(name).address,
            host_uri=f"https://{name}.example:8443",
            attributes=(("host", "akash"), ("capabilities/gpu/vendor/nvidia/model/a100", "true")),
        )
        yield CreateCertificate(height=3, position=place, owner=key(name).address, serial=1_000_001 + place)


def _leases(size: Size) -> Iterator[Act]:
    for place, name in enumerate(names("tenant", size.tenants)):
        for number in range(size.deployments):
            owner, height = key(name).address, 20 + (place * 7 + number * 5) % 180
            provider = key(f"provider-{(place + number) % size.providers}").address
            bid = BidId(OrderId(owner, 1001 + number, 1, 1), provider)
            yield CreateDeployment(height=height, position=place, owner=owner, dseq=1001 + number, sdl=str(number))
            yield CreateBid(height=height + 2, position=place, bid=bid, price="100", gpu_models=("a100",))
            yield CreateLease(height=height + 3, position=place, bid=bid)


def at(height: int) -> Moment:
    """Half a block's time after a block."""
    return Moment(START + (height - 1) * 6 * SECOND + SECOND // 2)


def _network(size: Size) -> None:
    clock = StoppedClock(at(AFTER))
    with serve(scenario(size), start=START, clock=clock, has_control=True, provider_port=0) as devnet:
        print(devnet.rest_url, devnet.rpc_url, flush=True)
        threading.Event().wait()


# ---------------------------------------------------------------- the platform


def campaign(size: Size) -> str:
    """Every task waits for more than there is: ten providers more, a run of a month, an auditor who signs nothing."""
    hashes = [
        hex_ for number in range(size.deployments) for hex_ in check_sdl(SDL.format(number=number)).manifest_hashes
    ]
    return f"""\
campaign: again
revision: 1
title: Looked at again
summary: A campaign for a measurement.
terms: None.
chain_id: {CHAIN_ID}
opens: {format_moment(at(OPENS))}
closes: {format_moment(Moment(START + 60 * 86_400 * SECOND))}
reward: {{unit: USD, denom: uakt, rate: "1", budget: 1000000}}
gpu_models: [{{id: a100, class: data_center, aliases: ["NVIDIA A100-PCI"]}}]
tasks:
  - slug: deploy
    kind: ai_deployment
    title: Deploy
    summary: Deploy.
    params:
      group_by: deployment
      providers: {size.providers + 10}
      active: 1m
      apps: [{{slug: llm, title: A model, hashes: {json.dumps(hashes)}}}]
    reward: {{amount: 1, slots: [{{max: 10000}}]}}
  - slug: write
    kind: sdl_submission
    title: Write
    summary: Write.
    params: {{own_run: true, active: 720h}}
    reward: {{amount: 1, slots: [{{max: 10000}}]}}
  - slug: measure
    kind: benchmark_run
    title: Measure
    summary: Measure.
    params: {{suite: 1, expires: 2h}}
    reward: {{amount: 1, slots: [{{max: 10000}}]}}
  - slug: onboard
    kind: provider_onboarding
    title: Bring a GPU
    summary: Bring one.
    params: {{min_cpu: 2, gpu_models: listed, min_observed: 1h, auditors: [{key("auditor").address}]}}
    reward: {{amount: 1, slots: [{{max: 10000}}]}}
"""


def looked_twice(folder: Path, size: Size) -> tuple[Pass, Pass]:
    """Two passes over the same claims, one block apart; another process serves the chain and the providers."""
    words = [sys.executable, "-m", "bench.again", "network", *map(str, astuple(size))]
    network = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        rest, rpc = network.stdout.readline().split() if network.stdout else ("", "")
        house = _house(folder, rest, rpc)
        _enter(house, size)
        return _look(house, rest, FIRST), _look(house, rest, AFTER)
    finally:
        network.kill()
        network.communicate()


def _house(folder: Path, rest: str, rpc: str) -> House:
    settings = load_settings(
        folder / "no.env",
        database_url=f"sqlite:///{folder}/bench.db",
        chain_rest=(rest,),
        chain_rpc=(rpc,),
        allow_private_hosts=("127.0.0.1/32",),
    )
    upgrade(settings.database_url)
    return build_house(settings, StoppedClock(at(AFTER)))


def _enter(house: House, size: Size) -> None:
    """Everybody registers and enters what they have, at one block."""
    load_campaign(house.at(StoppedClock(START)), campaign(size), "bench")
    everybody = [key(name).address for name in (*names("tenant", size.tenants), *names("provider", size.providers))]
    house.ledger.transact(lambda session: _register(session, everybody))
    then = house.at(StoppedClock(at(RECEIVED)))
    result = json.loads((ROOT / "tests" / "fixtures" / "benchmark" / "cpu-mode.json").read_text())
    for place, name in enumerate(names("tenant", size.tenants)):
        person = key(name).address
        for number in range(size.authored):
            claims.submit(then, person, "write", {"sdl": SDL.format(number=number)})
        for number in range(size.runs):
            provider = key(f"provider-{(place + number) % size.providers}").address
            moment = house.at(StoppedClock(Moment(at(RECEIVED) + number * SECOND)))
            challenge = benchmarks.issue(moment, person, provider).challenge.id
            text = json.dumps({**result, "challenge": challenge})
            claims.submit(moment, person, "measure", {"challenge": challenge, "result": text})
    for name in names("provider", size.providers):
        fields = {"provider": key(name).address, "gpu_model": "a100", "count": str(size.gpus)}
        claims.submit(then, key(name).address, "onboard", fields)


def _register(session: Session, people: Sequence[str]) -> None:
    insert_rows(session, ParticipantRow, [{"address": each, "created_ns": START} for each in people])
    proved = {"proved_ns": START, "proof": "text", "linked_ns": START}
    insert_rows(session, AddressRow, [{"address": each, "participant": each, **proved} for each in people])
    known = {"campaign": "again", "rules_digest": "0" * 64, "received_ns": START}
    insert_rows(session, RegistrationRow, [{"participant": each, **known} for each in people])


def _look(house: House, rest: str, height: int) -> Pass:
    """Follow to this block, make every claim due, settled ones too, and verify until none is."""
    now = house.at(StoppedClock(at(height)))
    _control(rest, {"settings": {"tip": height}})
    following.follow(now)
    claims.find_claims(now)
    with now.ledger.write() as session:
        session.execute(update(ClaimRow).values(due_ns=0, settled=False))
    _control(rest, {"note": True})
    before, began = _resident_mib(), time.perf_counter()
    verification.verify_due(now)
    seconds = time.perf_counter() - began
    asked = [(target, about(target, header)) for target, header in _control(rest, {"note": True})["noted"]]
    with now.ledger.read() as session:
        looked = select(ClaimRow.kind).where(ClaimRow.looked_height == height, ClaimRow.outcome != "unknown")
        kinds = Counter(session.scalars(looked))
        fresh = select(func.count()).select_from(VerdictRow).where(VerdictRow.as_of_height == height)
        verdicts = session.scalar(fresh) or 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Pass(asked, kinds, verdicts, seconds, peak, _resident_mib() - before)


def about(target: str, header: str) -> str:
    """The height that a question is about: its header's, else the one in its path, else "" (the newest)."""
    path, _, query = target.partition("?")
    if path.startswith("/cosmos/base/tendermint/v1beta1/blocks/"):
        return path.rpartition("/")[2].replace("latest", "")
    if path in {"/block", "/block_results"}:
        return query.removeprefix("height=").strip('"')
    return header


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _control(rest: str, asked: Mapping[str, object]) -> dict[str, list[tuple[str, str]]]:
    request = urllib.request.Request(f"{rest}{CONTROL_PATH}", json.dumps(asked).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        told: dict[str, list[tuple[str, str]]] = json.load(answer)
    return told


if __name__ == "__main__":
    if sys.argv[1:2] == ["network"]:
        _network(Size(*map(int, sys.argv[2:])))
    else:
        main()
