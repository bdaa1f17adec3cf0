"""What `GetStatus` says of a provider's nodes: GPUs by model, CPU, memory (pure).

All of it is the provider's own word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verifiers.provider.messages import STATUS
from verifiers.provider.quantities import thousandths, whole
from verifiers.provider.trouble import NotReady
from verifiers.provider.wire import read_message
from verifiers.trouble import Undecodable

_SXM = re.compile(r"sxm[0-9]*")
_PREFIX_BYTES = 5
_LONGEST_WORD = 80


@dataclass(frozen=True, slots=True)
class Amounts:
    """One resource of a node; None where the quantity can't be read. `allocated` may exceed `allocatable`."""

    capacity: int | None
    allocatable: int | None
    allocated: int | None


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU as the provider labels it, lower case. `modelid`: PCI device id. `memory_bytes` None: not said."""

    vendor: str
    name: str
    modelid: str
    interface: str
    memory_bytes: int | None
    ram: str

    def __str__(self) -> str:
        return f"{self.vendor}/{self.name}"


@dataclass(frozen=True, slots=True)
class Node:
    """One machine. CPU in thousandths, memory in bytes."""

    name: str
    gpus: tuple[Gpu, ...]
    gpu: Amounts
    cpu: Amounts
    memory: Amounts

    @property
    def models(self) -> tuple[str, ...]:
        """The different models as `vendor/name`, sorted."""
        return tuple(sorted({str(gpu) for gpu in self.gpus}))

    def counts(self) -> dict[str, int]:
        """GPUs by `vendor/name`: those labelled, never more than the node's capacity leaves for them."""
        labelled = Counter(str(gpu) for gpu in self.gpus)
        capacity = max(self.gpu.capacity or 0, 0)
        return {model: max(0, min(count, capacity - (labelled.total() - count))) for model, count in labelled.items()}


@dataclass(frozen=True, slots=True)
class Inventory:
    """A provider's status: its nodes, its active leases, the host names it says it has."""

    nodes: tuple[Node, ...]
    leases: int
    public_hostnames: tuple[str, ...]
    errors: tuple[str, ...] = ()

    @property
    def gpu_nodes(self) -> tuple[Node, ...]:
        """The nodes that have a GPU, by label or by capacity."""
        return tuple(node for node in self.nodes if node.gpus or (node.gpu.capacity or 0) > 0)

    def counts(self, named: Callable[[str], str | None]) -> dict[str, int]:
        """GPUs by model id, `named` giving the id of a label (`a100`), None for those that don't count."""
        found: Counter[str] = Counter()
        for node in self.nodes:
            for label, count in node.counts().items():
                model = named(label.partition("/")[2])
                if model is not None and count:
                    found[model] += count
        return dict(found)


def decode_get_status(body: bytes) -> Inventory:
    """Read the one message of a `GetStatus` answer with its five bytes in front.

    Raises Undecodable, and NotReady where the answer has no inventory: that is not "no GPUs".
    """
    status = decode_message(body)
    cluster = status.get("cluster")
    if cluster is None or "inventory" not in cluster:
        raise NotReady("The provider's inventory is not there yet. Waymark asks again.")
    nodes = cluster["inventory"].get("cluster", {}).get("nodes", ())
    return Inventory(
        nodes=tuple(_node(node) for node in nodes),
        leases=cluster.get("leases", {}).get("active", 0),
        public_hostnames=tuple(status.get("public_hostnames", ())),
        errors=tuple(status.get("errors", ())),
    )


def decode_message(body: bytes) -> dict[str, Any]:
    """The message as plain values by field name, as protobuf's JSON has it. Raises Undecodable."""
    if len(body) < _PREFIX_BYTES:
        raise Undecodable("This answer is no gRPC message.")
    if body[0] != 0:
        raise Undecodable("This gRPC message is packed, which was not asked for.")
    if int.from_bytes(body[1:_PREFIX_BYTES], "big") != len(body) - _PREFIX_BYTES:
        raise Undecodable("This gRPC message is cut, or more than one came.")
    return read_message(STATUS, body[_PREFIX_BYTES:])


def plain_interface(interface: str) -> str:
    """`PCIe`, `SXM4` as attributes write them: `pcie`, `sxm`."""
    return _SXM.sub("sxm", interface.strip().lower())


def _node(node: Mapping[str, Any]) -> Node:
    resources = node.get("resources", {})
    return Node(
        name=readable(node.get("name", ""), _LONGEST_WORD),
        gpus=tuple(_gpu(info) for info in resources.get("gpu", {}).get("info", ())),
        gpu=_amounts(resources, "gpu", whole),
        cpu=_amounts(resources, "cpu", thousandths),
        memory=_amounts(resources, "memory", whole),
    )


def _gpu(info: Mapping[str, str]) -> Gpu:
    size = info.get("memory_size", "").strip()
    return Gpu(
        vendor=_word(info.get("vendor", "")),
        name=_word(info.get("name", "")),
        modelid=_word(info.get("modelid", "")),
        interface=plain_interface(_word(info.get("interface", ""))),
        memory_bytes=whole(size) if size else None,
        ram=_word(size),
    )


def readable(text: str, longest: int) -> str:
    """What a provider wrote, safe to keep and show: no control characters, no more than `longest` characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:longest])


def _word(text: str) -> str:
    return readable(text.strip().lower(), _LONGEST_WORD)


def _amounts(resources: Mapping[str, Any], name: str, read: Callable[[str], int | None]) -> Amounts:
    pair = resources.get(name, {}).get("quantity", {})
    capacity, allocatable, allocated = (
        read(pair.get(which, {}).get("string", "")) for which in ("capacity", "allocatable", "allocated")
    )
    return Amounts(capacity, allocatable, allocated)


def counted(counts: Mapping[str, int]) -> str:
    """Models with their numbers, for a sentence: `8 x a100, 2 x t4`."""
    return ", ".join(f"{count} x {model}" for model, count in sorted(counts.items())) or "none"


def named_nodes(nodes: Sequence[Node]) -> str:
    """Names of nodes, for a sentence, no more than five of them."""
    names = [node.name or "(no name)" for node in nodes]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
