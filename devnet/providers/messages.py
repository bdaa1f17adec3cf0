"""The status of a provider as protobuf (akash.provider.v1.Status); field numbers: chain-sdk `proto/provider`.

Zero numbers and empty texts stay out, messages are written even when empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from devnet.providers.answers import PERSISTENT_BYTES, RECLAMATION_WINDOW_SECONDS, tells_reclamation
from devnet.providers.hosted import Card, Hosted, Machine
from devnet.providers.quantities import binary, decimal, thousandths
from devnet.providers.usage import Amounts, Usage, allocatable

SECOND = 1_000_000_000
SOCKET_CORES = 16


def status(hosted: Hosted, usage: Usage | None, now: int) -> bytes:
    """One Status. `usage` None: no cluster in it yet, as a stream begins. `now`: Unix nanoseconds."""
    deployments = 0 if usage is None else len(usage.active)
    fields = []
    if usage is not None:
        fields.append(message(2, cluster(hosted, usage)))
    fields += [
        message(3, b""),
        message(4, number(1, deployments)),
        text(5, hosted.hostname),
        message(6, number(1, now // SECOND) + number(2, now % SECOND)),
    ]
    if tells_reclamation(hosted):
        fields.append(message(7, number(1, RECLAMATION_WINDOW_SECONDS)))
    return b"".join(fields)


def cluster(hosted: Hosted, usage: Usage) -> bytes:
    """ClusterStatus."""
    nodes = b"".join(
        message(1, _node(machine, used)) for machine, used in zip(hosted.machines, usage.allocated, strict=True)
    )
    size = decimal(PERSISTENT_BYTES)
    storage = message(1, _pair(size, "0", size)) + message(2, text(1, "beta3"))
    reservations = message(1, _metric(usage.pending)) + message(2, _metric(usage.active))
    inventory = message(1, nodes + (message(2, storage) if hosted.machines else b"")) + message(2, reservations)
    if tells_reclamation(hosted):
        inventory += message(3, _pair("0", "0", "0"))
    return message(1, number(1, len(usage.active))) + message(2, inventory)


def _node(machine: Machine, used: Amounts) -> bytes:
    free = allocatable(machine)
    gpus = str(len(machine.cards))
    processors = b"".join(message(2, one) for one in _processors(machine))
    nothing = _pair("0", "0", "0")
    resources = (
        message(
            1,
            message(1, _pair(thousandths(free.cpu), thousandths(used.cpu), str(machine.cores))) + processors,
        )
        + message(2, message(1, _pair(decimal(free.memory), binary(used.memory), decimal(machine.memory_bytes))))
        + message(
            3, message(1, _pair(gpus, str(used.gpu), gpus)) + b"".join(message(2, _gpu(c)) for c in machine.cards)
        )
        + message(4, _pair(decimal(free.disk), binary(used.disk), decimal(machine.disk_bytes)))
        + message(5, nothing)
        + message(6, nothing)
    )
    classes = b"".join(text(1, name) for name in machine.storage_classes)
    return text(1, machine.name) + message(2, resources) + message(3, classes)


def _processors(machine: Machine) -> Iterable[bytes]:
    vendor, model = machine.processor
    for place in range(-(-machine.cores // SOCKET_CORES)):
        cores = min(SOCKET_CORES, machine.cores - place * SOCKET_CORES)
        yield text(1, str(place)) + text(2, vendor) + text(3, model) + number(4, cores)


def _gpu(card: Card) -> bytes:
    """GPUInfo; `vendor_id` (2) is never sent."""
    return (
        text(1, card.vendor)
        + text(3, card.model)
        + text(4, card.device_id)
        + text(5, card.interface)
        + text(6, card.memory)
    )


def _metric(held: Sequence[Amounts]) -> bytes:
    """ReservationsMetric: CPU in cores, sizes in plain bytes."""
    whole = Amounts()
    for one in held:
        whole.add(one)
    amounts = thousandths(whole.cpu), str(whole.memory), str(whole.gpu), str(whole.disk)
    resources = b"".join(message(place, text(1, amount)) for place, amount in enumerate(amounts, 1))
    return number(1, len(held)) + message(2, resources)


def _pair(free: str, used: str, capacity: str) -> bytes:
    """ResourcePair of three quantities."""
    return message(1, text(1, free)) + message(2, text(1, used)) + message(4, text(1, capacity))


def message(field: int, data: bytes) -> bytes:
    """A field of a message's bytes."""
    return varint(field << 3 | 2) + varint(len(data)) + data


def text(field: int, value: str) -> bytes:
    """A field of text, nothing where it is empty."""
    return message(field, value.encode()) if value else b""


def number(field: int, value: int) -> bytes:
    """A field of an unsigned number, nothing where it is zero."""
    return varint(field << 3) + varint(value) if value else b""


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
