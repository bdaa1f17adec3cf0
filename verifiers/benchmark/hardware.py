"""Whether the GPU that a result names is the one that lease and provider speak of (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from verifiers.benchmark.answers import GpuFacts
from verifiers.benchmark.gpus import NamedGpu, fits_listed_memory, is_known, named_gpu, nominal_gib, same_model
from verifiers.benchmark.params import BenchmarkParams
from verifiers.chain.answers import Group, Provider
from verifiers.chain.answers.resources import ANY, GpuModel
from verifiers.provider.gpu_models import plain_name
from verifiers.provider.inventory import Inventory
from verifiers.provider.quantities import whole

LEASE, INVENTORY = "the lease", "the provider's inventory"
NO_GPUS = frozenset({"none"})
"""The models of an inventory in which there is no GPU."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one source says which GPU it is: `models` by the campaign's ids, `sizes` of that model in GiB.

    `is_late`: seen so long after the run that machines may have changed; then it only raises doubts.
    """

    source: str
    models: frozenset[str]
    sizes: frozenset[int] = frozenset()
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Hardware:
    """The GPU of a result beside what others say. `mismatch`: a clear contradiction; `doubts`: for a reviewer."""

    gpu: NamedGpu
    model: str
    told: tuple[Told, ...]
    mismatch: str
    doubts: tuple[str, ...]

    @property
    def seen(self) -> str:
        """In words."""
        others = [f"{each.source}: {_named(each)}" for each in self.told]
        return "; ".join([f"{self.gpu.name}, {self.gpu.vram_gib} GB ({self.model})", *others])


def hardware(facts: GpuFacts, told: Iterable[Told], params: BenchmarkParams) -> Hardware:
    """Compare a result's GPU with what lease, inventory or attributes tell."""
    gpu = named_gpu(facts.name, facts.memory_bytes, params.names)
    model = gpu.model or plain_name(facts.name)
    known = tuple(each for each in told if each.models)
    clear = [each for each in known if not each.is_late and not _is_guess(model, each, params)]
    mismatch = next((text for each in clear if (text := _against(gpu, model, each))), "")
    return Hardware(gpu, model, known, mismatch, tuple(_doubts(facts, gpu, model, known, params)))


def _is_guess(model: str, told: Told, params: BenchmarkParams) -> bool:
    """Whether names differ of which one is in no table: it may be another spelling of the same card."""
    if any(same_model(model, each) for each in told.models) or told.models == NO_GPUS:
        return False
    return not all(is_known(each, params.names) for each in (model, *told.models))


def _against(gpu: NamedGpu, model: str, told: Told) -> str:
    if not any(same_model(model, each) for each in told.models):
        return f"{told.source} has {_named(told)}, the result names {model}"
    if told.sizes and gpu.vram_gib not in told.sizes:
        return f"{told.source} has {_named(told)}, the result's GPU has {gpu.vram_gib} GB"
    return ""


def _doubts(
    facts: GpuFacts, gpu: NamedGpu, model: str, told: Sequence[Told], params: BenchmarkParams
) -> Iterable[str]:
    if not told:
        yield "nothing but the result names the GPU"
    for each in told:
        text = _against(gpu, model, each)
        if text and each.is_late:
            yield f"{text}, seen more than a day after the run"
        elif text and _is_guess(model, each, params):
            yield f"{text} ({gpu.name}): a name that is in no table, so these may be one card"
    label = params.names.pci_label(facts.pci_id.lower().removeprefix("0x")[:4])
    if label is not None and not same_model(label, model):
        yield f"the PCI id {facts.pci_id} is that of a {label}, the name says {model}"
    listed = params.names.vram_gib(gpu.model) if gpu.model else None
    if not fits_listed_memory(gpu, listed):
        yield f"the campaign lists the {model} with {listed} GB, this one has {gpu.vram_gib} GB"


def unsaid(found: Hardware, params: BenchmarkParams) -> str:
    """Why only the result says which memory its GPU has, where models of that name have several; else empty.

    A lease says it by naming this model alone with its memory; the model alone will do where it has one size.
    """
    gpu, by = found.gpu, {each.source: each for each in found.told}
    lease, inventory = by.get(LEASE), by.get(INVENTORY)
    has_one_size = gpu.model is not None and params.names.vram_gib(gpu.model) is not None
    if inventory is not None:
        is_there = any(same_model(found.model, each) for each in inventory.models)
        if not is_there or has_one_size or inventory.sizes:
            return ""
    names_it = lease is not None and all(same_model(found.model, each) for each in lease.models)
    if names_it and lease is not None and (has_one_size or lease.sizes == {gpu.vram_gib}):
        return ""
    read = "could not be read within a day of the run" if inventory is None else "names no memory"
    which = "memory" if names_it else "model"
    return f"{INVENTORY} {read}, and {LEASE} does not say which {which}: only the result says {gpu.vram_gib} GB"


def of_lease(offered: Sequence[GpuModel], group: Group, params: BenchmarkParams) -> Told:
    """What the lease is for: the models that its bid offers, else those that were requested; none for any model."""
    models = [model for model in offered if model.model != ANY]
    if not models:
        asked = [model for request in group.gpu_requests for model in request.models]
        models = [] if any(model.model == ANY for model in asked) else asked
    return _told(LEASE, models, params)


def of_attributes(record: Provider, params: BenchmarkParams) -> Told:
    """What the provider's attributes on the chain claim; any model claims none."""
    models = [model for model in record.gpu_models if model.model != ANY]
    return Told("the provider's attributes", frozenset(_id(model.model, params) for model in models))


def of_inventory(inventory: Inventory, model: str, params: BenchmarkParams) -> Told:
    """The models in the provider's inventory, and the memory of those of `model` where each says it."""
    gpus = [gpu for node in inventory.nodes for gpu in node.gpus]
    sizes = [gpu.memory_bytes for gpu in gpus if same_model(_id(gpu.name, params), model)]
    known = frozenset(nominal_gib(size) for size in sizes if size)
    return Told(
        INVENTORY,
        frozenset(_id(gpu.name, params) for gpu in gpus) or NO_GPUS,
        known if known and all(sizes) else frozenset(),
    )


def _told(source: str, models: Sequence[GpuModel], params: BenchmarkParams) -> Told:
    sizes = [_ram(model.ram) for model in models]
    known = frozenset(nominal_gib(size) for size in sizes if size)
    return Told(
        source,
        frozenset(_id(model.model, params) for model in models),
        known if known and all(sizes) else frozenset(),
    )


def _ram(text: str) -> int | None:
    """Bytes of a `ram` in a key on the chain, which is read in lower case: `80gi`; None or 0 where it says none."""
    return whole(f"{text[:-1].upper()}i" if text.endswith("i") else text.upper())


def _id(name: str, params: BenchmarkParams) -> str:
    return params.names.id_of(name) or plain_name(name)


def _named(told: Told) -> str:
    sizes = "" if not told.sizes else f" with {' or '.join(f'{size} GB' for size in sorted(told.sizes))}"
    return ", ".join(sorted(told.models)) + sizes
