"""What a group asks for and a bid offers: resources, and the GPUs among them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from verifiers.chain.answers.numbers import DecCoin

ANY = "*"

_SXM = re.compile(r"sxm\d*")


@dataclass(frozen=True, slots=True)
class Attribute:
    """A key and a value as written on the chain; keys may repeat and mean what their reader makes of them."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Amount:
    """Units of a resource (thousandths of a CPU, bytes, whole GPUs)."""

    val: int


@dataclass(frozen=True, slots=True)
class Cpu:
    """Thousandths of a CPU."""

    units: Amount
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes."""

    quantity: Amount
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of one named volume."""

    name: str
    quantity: Amount
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class GpuModel:
    """One alternative of a request or an offer, lower case; `*` is any model, empty means "not said"."""

    vendor: str
    model: str = ANY
    ram: str = ""
    interface: str = ""

    def __str__(self) -> str:
        return f"{self.vendor}/{self.model}"


@dataclass(frozen=True, slots=True)
class Gpu:
    """GPUs of one unit; several attributes are alternatives."""

    units: Amount
    attributes: tuple[Attribute, ...] = ()

    @property
    def models(self) -> tuple[GpuModel, ...]:
        """The alternatives, in the order written."""
        return gpu_models(self.attributes)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An exposed endpoint: `SHARED_HTTP`, `RANDOM_PORT`, `LEASED_IP`."""

    kind: str
    sequence_number: int = 0


@dataclass(frozen=True, slots=True)
class Resources:
    """What one replica gets."""

    id: int
    cpu: Cpu
    memory: Memory
    storage: tuple[Storage, ...]
    gpu: Gpu
    endpoints: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceUnit:
    """`count` replicas of one set of resources, at a price each and block."""

    resource: Resources
    count: int
    price: DecCoin


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Auditors who must have signed the attributes: all of these, any of those."""

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirements:
    """Which providers may bid."""

    signed_by: SignedBy
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class GpuRequest:
    """`units` GPUs in each of `count` replicas, of any of `models` (none given: any)."""

    units: int
    count: int
    models: tuple[GpuModel, ...]


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """One placement group as asked for."""

    name: str
    requirements: Requirements
    resources: tuple[ResourceUnit, ...]

    @property
    def gpu_requests(self) -> tuple[GpuRequest, ...]:
        """One entry for each resource unit that asks for GPUs."""
        return tuple(
            GpuRequest(unit.resource.gpu.units.val, unit.count, unit.resource.gpu.models)
            for unit in self.resources
            if unit.resource.gpu.units.val > 0
        )

    @property
    def gpu_units(self) -> int:
        """GPUs asked for in all: units times count, summed."""
        return sum(unit.resource.gpu.units.val * unit.count for unit in self.resources)

    @property
    def gpu_models(self) -> tuple[str, ...]:
        """Every alternative asked for as `vendor/model`, sorted, each once."""
        return tuple(sorted({str(model) for request in self.gpu_requests for model in request.models}))


@dataclass(frozen=True, slots=True)
class Offer:
    """What a bid offers for one resource unit; the provider daemon fills in the matched GPU."""

    resources: Resources
    count: int


def gpu_models(attributes: Iterable[Attribute], before: str = "") -> tuple[GpuModel, ...]:
    """Read `vendor/<v>/model/<m>[/ram/<r>][/interface/<i>]` = `true`, each different model once, in order.

    `before` is what stands in front of `vendor` (`capabilities/gpu/` in a provider's attributes). Keys are read as
    pairs, only the value `true` counts, a missing model is `*`, `sxm4` is `sxm` (akash-chain.md 1.6).
    """
    found: dict[GpuModel, None] = {}
    for attribute in attributes:
        if attribute.value != "true" or not attribute.key.startswith(before):
            continue
        steps = attribute.key.removeprefix(before).lower().split("/")
        if len(steps) % 2 or steps[0] != "vendor" or not steps[1]:
            continue
        pairs = dict(zip(steps[::2], steps[1::2], strict=True))
        interface = _SXM.sub("sxm", pairs.get("interface", ""))
        found[GpuModel(pairs["vendor"], pairs.get("model") or ANY, pairs.get("ram", ""), interface)] = None
    return tuple(found)
