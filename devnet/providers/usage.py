"""What of a provider's machines is in use at a height: the leases of the chain, laid onto the nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devnet.acts import BidId, OrderId
from devnet.groups import GroupSpec
from devnet.providers.hosted import Hosted, Machine
from devnet.state.chain import Chain
from devnet.state.objects import BID_STATES, LEASE_STATES
from devnet.state.store import Key

_RUNS = frozenset({LEASE_STATES.index("active"), LEASE_STATES.index("reclaiming")})
_OPEN = frozenset({BID_STATES.index("open")})
RESERVED_CORES_THOUSANDTHS = 200
RESERVED_MEMORY_BYTES = 104_857_600
RESERVED_DISK_BYTES = 102_672_007_176
"""What the system keeps of a node: allocatable is less than capacity by so much."""


@dataclass(slots=True)
class Amounts:
    """`cpu` in thousandths, `memory` and `disk` in bytes, `gpu` in cards."""

    cpu: int = 0
    memory: int = 0
    disk: int = 0
    gpu: int = 0

    def add(self, other: Amounts) -> None:
        """Make this the sum of both."""
        self.cpu += other.cpu
        self.memory += other.memory
        self.disk += other.disk
        self.gpu += other.gpu

    def less(self, other: Amounts) -> Amounts:
        """What is left, never below nothing."""
        return Amounts(
            max(0, self.cpu - other.cpu),
            max(0, self.memory - other.memory),
            max(0, self.disk - other.disk),
            max(0, self.gpu - other.gpu),
        )


Replica = tuple[Amounts, str]
"""What a replica takes, and the GPU model that it wants ("" and "*": any)."""

SYSTEM_PODS = Amounts(cpu=650, memory=1_446 * 2**20)


@dataclass(frozen=True, slots=True)
class Usage:
    """`active`, `pending`: what each lease and each open bid (while there is room) holds.

    `allocated`: by node, pending included.
    """

    active: Sequence[Amounts]
    pending: Sequence[Amounts]
    allocated: Sequence[Amounts]


def allocatable(machine: Machine) -> Amounts:
    """What pods may use of a machine."""
    return Amounts(
        cpu=machine.cores * 1000 - RESERVED_CORES_THOUSANDTHS,
        memory=machine.memory_bytes - RESERVED_MEMORY_BYTES,
        disk=machine.disk_bytes - RESERVED_DISK_BYTES,
        gpu=len(machine.cards),
    )


def usage_at(chain: Chain, height: int, hosted: Hosted) -> Usage:
    """What is in use at `height`, which the chain has reached; follows from the chain's state there alone.

    The replicas with most GPUs go first, each to the first node with room and the card; a lease that finds no room
    goes where most GPUs are free (`allocated` above `allocatable` occurs on real networks too), a bid then holds
    nothing.
    """
    allocated = [Amounts(SYSTEM_PODS.cpu, SYSTEM_PODS.memory) for _ in hosted.machines]
    active, pending = [], []
    for replicas in _asked(chain, "leases", _RUNS, height, hosted.owner):
        active.append(_sum(amounts for amounts, _ in replicas))
        for amounts, model in replicas if hosted.machines else ():
            place = _room(hosted.machines, allocated, amounts, model)
            allocated[_roomiest(hosted.machines, allocated) if place is None else place].add(amounts)
    for replicas in _asked(chain, "bids", _OPEN, height, hosted.owner):
        places = [_room(hosted.machines, allocated, amounts, model) for amounts, model in replicas]
        if None not in places:
            pending.append(_sum(amounts for amounts, _ in replicas))
            for place, (amounts, _) in zip(places, replicas, strict=True):
                allocated[place or 0].add(amounts)
    return Usage(active, pending, allocated)


def _asked(chain: Chain, table: str, states: frozenset[int], height: int, owner: str) -> list[Sequence[Replica]]:
    """The replicas of each lease or bid, those with most GPUs first."""
    rows = chain.world.tables[table]
    found = []
    for key in tuple(rows.by_provider.get(owner, ())):  # a copy: the chain may grow meanwhile
        row = rows.at(key, height)
        if row is not None and row.state in states:
            found.append(tuple(_replicas(chain.world.orders[_bid_id(key).order].spec)))
    return sorted(found, key=lambda replicas: -max((amounts.gpu for amounts, _ in replicas), default=0))


def _sum(held: Iterable[Amounts]) -> Amounts:
    whole = Amounts()
    for one in held:
        whole.add(one)
    return whole


def _bid_id(key: Key) -> BidId:
    owner, dseq, gseq, oseq, provider, bseq = key
    order = OrderId(str(owner), int(str(dseq)), int(str(gseq)), int(str(oseq)))
    return BidId(order, str(provider), int(str(bseq)))


def _replicas(spec: GroupSpec) -> Iterator[Replica]:
    for unit in spec.resources:
        resource: Mapping[str, Any] = unit["resource"]
        gpu = int(resource["gpu"]["units"]["val"])
        wanted = [str(pair["key"]) for pair in resource["gpu"]["attributes"]] if gpu else []
        parts = wanted[0].split("/") if len(wanted) == 1 else []
        model = parts[3] if len(parts) > 3 else ""
        for _ in range(int(unit["count"])):
            yield (
                Amounts(
                    cpu=int(resource["cpu"]["units"]["val"]),
                    memory=int(resource["memory"]["quantity"]["val"]),
                    disk=sum(int(volume["quantity"]["val"]) for volume in resource["storage"]),
                    gpu=gpu,
                ),
                model,
            )


def _room(machines: Sequence[Machine], allocated: Sequence[Amounts], wanted: Amounts, model: str) -> int | None:
    """The first machine with the card and the room."""
    for place, machine in enumerate(machines):
        if wanted.gpu and not any(model in {"", "*", card.model} for card in machine.cards):
            continue
        room = allocatable(machine).less(allocated[place])
        if room.gpu >= wanted.gpu and room.cpu >= wanted.cpu and room.memory >= wanted.memory:
            return place
    return None


def _roomiest(machines: Sequence[Machine], allocated: Sequence[Amounts]) -> int:
    free = [allocatable(machine).less(used).gpu for machine, used in zip(machines, allocated, strict=True)]
    return free.index(max(free))
