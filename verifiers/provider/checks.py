"""What must hold of a provider at one moment, each as a check (pure): for the pre-flight and the official run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from verifiers.chain.answers import Provider
from verifiers.chain.answers.resources import ANY, GpuModel
from verifiers.deployed.wording import count_of
from verifiers.evidence import Check, Outcome
from verifiers.provider.facts import Answer, End, ProviderSeen
from verifiers.provider.gpu_models import ModelNames
from verifiers.provider.identity import Standing
from verifiers.provider.inventory import Gpu, Inventory, Node, counted, named_nodes, readable
from verifiers.provider.trouble import told

GIB = 1 << 30
_KERNEL_KEEPS = 16
"""A machine's system memory is up to a sixteenth less than what is built in: the kernel keeps that."""

_LONGEST_TEXT = 400

_CLEAR = frozenset({"bad_certificate", "host_refused"})
"""Troubles that are a clear answer; every other one means that we could not look."""


@dataclass(frozen=True, slots=True)
class Wants:
    """What a campaign asks of a provider. `gpu_model` (an id of `names`) and `count`: of one claim; None: any.

    `unmet`: the outcome of what does not hold now: failed, or pending while it can still become true.
    """

    names: ModelNames
    min_cpu: int = 2
    gpu_model: str | None = None
    count: int = 1
    unmet: Outcome = Outcome.FAILED


def record_checks(
    owner: str, record: Provider | None, trouble: str | None, observations: tuple[str, ...], wants: Wants
) -> tuple[Check, ...]:
    """Whether the provider is on the chain; `record` None and no `trouble`: the chain says it is not."""
    expected = f"a provider record of {owner} on the chain"
    if trouble is not None:
        seen, outcome = "the chain could not be asked", Outcome.UNKNOWN
    elif record is None:
        seen, outcome = "no provider record", wants.unmet
    else:
        seen, outcome = f"there, at {record.host_uri[:200]}", Outcome.PASSED
    return (_readable(Check("provider", expected, seen, outcome, observations)),)


def instant_checks(record: Provider, seen: ProviderSeen, wants: Wants) -> tuple[Check, ...]:
    """Every check on one look at a provider: certificate, answers, inventory, attributes, machines."""
    certificate = _certificate(seen, wants)
    checks = (
        _readable(certificate),
        _readable(_rest(seen)),
        _readable(_address(seen, wants)),
        _readable(_grpc(seen, wants)),
        *inventory_checks(record, seen, wants),
    )
    return checks if certificate.outcome is Outcome.UNKNOWN else waiting_checks(checks, seen, wants)


def inventory_checks(record: Provider, seen: ProviderSeen, wants: Wants) -> tuple[Check, ...]:
    """The checks that an inventory decides; all unknown where there is none of this provider."""
    inventory, ids = seen.known_inventory, seen.inventory.observations
    names = ("inventory", "gpu_listed", "attributes", "cpu", "ram", "one_model", "gpu_label")
    if inventory is None:
        trouble = seen.inventory.trouble or ("unasked" if not seen.grpc.identity.is_known else "not_ready")
        text = f"the provider {told(trouble)}"
        return tuple(Check(name, _EXPECTED[name], text, Outcome.UNKNOWN, ids) for name in names)
    nodes = _nodes(inventory, wants)
    found = (
        _gpus(inventory, wants),
        _listed(inventory, wants),
        _attributes(record, inventory, wants),
        _cpu(nodes, wants),
        _ram(nodes, wants),
        _one_model(nodes, wants),
        _label(nodes, wants),
    )
    return tuple(
        _readable(Check(name, expected or _EXPECTED[name], text, outcome, ids))
        for name, (expected, text, outcome) in zip(names, found, strict=True)
    )


def _readable(check: Check) -> Check:
    """Much of it is what others wrote."""
    return replace(check, seen=readable(check.seen, _LONGEST_TEXT))


_EXPECTED = {
    "inventory": "GPUs in the provider's inventory",
    "gpu_listed": "GPU models that the campaign lists",
    "attributes": "the inventory agrees with the provider's attributes on the chain",
    "cpu": "enough CPU in every machine with a GPU",
    "ram": "as much memory in the machine as on its GPU",
    "one_model": "one GPU model in each machine",
    "gpu_label": "labels that agree with the PCI device ids",
}

_WAITS = "waits for the certificate"


def waiting_checks(checks: Sequence[Check], seen: ProviderSeen, wants: Wants) -> tuple[Check, ...]:
    """The same, where what nobody asked because the certificate is clearly not the provider's waits for that one,
    while it can still be mended: no trouble of ours hides who has to act."""
    routes = (seen.version, seen.address, seen.status)
    kept = {
        "rest": _keeps_from(seen.rest, routes, wants),
        "address": _keeps_from(seen.rest, (seen.address,), wants),
        "grpc": _keeps_from(seen.grpc, (seen.inventory,), wants),
    }
    inventory = kept["grpc"] or (seen.inventory.trouble in _CLEAR and wants.unmet is Outcome.PENDING)
    return tuple(
        replace(check, outcome=Outcome.PENDING, seen=_WAITS)
        if check.outcome is Outcome.UNKNOWN and kept.get(check.name, inventory)
        else check
        for check in checks
    )


def waits_for_certificate(check: Check) -> bool:
    """Whether its mend is that of the certificate."""
    return check.outcome is Outcome.PENDING and check.seen == _WAITS


def _keeps_from(end: End, answers: Sequence[Answer[object]], wants: Wants) -> bool:
    """Whether nothing but the certificate of this end keeps us from these answers, and can be mended."""
    are_unasked = all(answer.trouble in {None, "unasked"} for answer in answers)
    was_asked = end.identity.may_be_asked and any(answer.trouble for answer in answers)
    return _end_outcome(end, wants) is Outcome.PENDING and are_unasked and not was_asked


Found = tuple[str, str, Outcome]
"""Expected (empty: as in `_EXPECTED`), seen, outcome."""


def _certificate(seen: ProviderSeen, wants: Wants) -> Check:
    expected = "a certificate of this provider: the one on the chain, or one that public authorities vouch for"
    ids = (*seen.rest.observations, *seen.grpc.observations)
    worst = max((_end_outcome(seen.rest, wants), _end_outcome(seen.grpc, wants)), key=_SEVERITY.index)
    text = f"REST: {_end_text(seen.rest)}; gRPC: {_end_text(seen.grpc)}"
    return Check("certificate", expected, text, worst, tuple(dict.fromkeys(ids)))


_SEVERITY = (Outcome.PASSED, Outcome.PENDING, Outcome.UNKNOWN, Outcome.FAILED)


def _end_outcome(end: End, wants: Wants) -> Outcome:
    if end.trouble is not None:
        return wants.unmet if end.trouble in _CLEAR else Outcome.UNKNOWN
    if end.identity.is_known:
        return Outcome.PASSED
    return Outcome.UNKNOWN if end.identity.standing is Standing.UNKNOWN else wants.unmet


def _end_text(end: End) -> str:
    if end.trouble is not None:
        return f"the provider {told(end.trouble)}"
    return f"the certificate {end.identity.reason}"


def _rest(seen: ProviderSeen) -> Check:
    answers: dict[str, Answer[object]] = {
        "/version": seen.version,
        "/address": seen.address,
        "/status": seen.status,
    }
    troubled = [f"{route} {told(answer.trouble)}" for route, answer in answers.items() if answer.trouble]
    ids = tuple(one for answer in answers.values() for one in answer.observations)
    version = seen.version.value
    if len({answer.trouble for answer in answers.values()}) == 1 and troubled:
        troubled = [f"the provider {told(seen.version.trouble or '')}"]
    text = "; ".join(troubled) or f"all answered, version {version.akash.version if version else ''}".rstrip(" ,")
    outcome = Outcome.UNKNOWN if troubled else Outcome.PASSED
    return Check("rest", "answers of /version, /address and /status", text, outcome, ids)


def _address(seen: ProviderSeen, wants: Wants) -> Check:
    answer, expected = seen.address, f"/address says {seen.owner}"
    if answer.value is None:
        text, outcome = f"the provider {told(answer.trouble or 'unasked')}", Outcome.UNKNOWN
    elif not seen.rest.identity.is_known:
        text, outcome = "said by a host that is not known to be this provider", Outcome.UNKNOWN
    else:
        text = answer.value[:80]
        outcome = Outcome.PASSED if answer.value == seen.owner else wants.unmet
    return Check("address", expected, text, outcome, answer.observations)


def _grpc(seen: ProviderSeen, wants: Wants) -> Check:
    answer, expected = seen.inventory, "an answer of GetStatus with an inventory"
    if answer.value is not None:
        nodes, leases = len(answer.value.nodes), answer.value.leases
        text = f"{count_of(nodes, 'node')}, {count_of(leases, 'active lease')}"
        outcome = Outcome.PASSED
    else:
        text = f"the provider {told(answer.trouble or 'unasked')}"
        outcome = wants.unmet if answer.trouble in _CLEAR else Outcome.UNKNOWN
    return Check("grpc", expected, text, outcome, answer.observations)


def _nodes(inventory: Inventory, wants: Wants) -> tuple[Node, ...]:
    """The machines that matter: those with a GPU of the claim's model, else all with a GPU."""
    if wants.gpu_model is None:
        return inventory.gpu_nodes
    return tuple(
        node for node in inventory.nodes if any(wants.names.is_model(gpu.name, wants.gpu_model) for gpu in node.gpus)
    )


def _gpus(inventory: Inventory, wants: Wants) -> Found:
    counts = inventory.counts(wants.names.shown)
    if wants.gpu_model is None:
        expected, enough = "at least one GPU in the provider's inventory", bool(counts)
    else:
        expected = f"at least {wants.count} x {wants.gpu_model} in the provider's inventory"
        enough = counts.get(wants.gpu_model, 0) >= wants.count
    return expected, counted(counts), Outcome.PASSED if enough else wants.unmet


def _listed(inventory: Inventory, wants: Wants) -> Found:
    counts = inventory.counts(wants.names.id_of)
    if wants.gpu_model is not None:
        listed = wants.names.id_of(wants.gpu_model)
        text = f"{wants.gpu_model} is {'listed' if listed else 'not listed'}"
        return f"{wants.gpu_model} is a model that the campaign lists", text, _met(bool(listed), wants)
    others = sorted({gpu.name for node in inventory.nodes for gpu in node.gpus if not wants.names.id_of(gpu.name)})
    text = f"{counted(counts)} listed" + (f"; not listed: {', '.join(others)[:200]}" if others else "")
    return "", text, _met(bool(counts), wants)


def _attributes(record: Provider, inventory: Inventory, wants: Wants) -> Found:
    claimed = [model for model in record.gpu_models if model.model != ANY]
    shown = ", ".join(sorted({_claim_text(model) for model in claimed}))[:300] or "no GPU model"
    gpus = {
        gpu
        for node in inventory.nodes
        for gpu in node.gpus
        if wants.gpu_model is None or wants.names.is_model(gpu.name, wants.gpu_model)
    }
    missing = sorted({_gpu_text(gpu) for gpu in gpus if not _is_claimed(gpu, claimed, wants.names)})
    if not gpus:
        return "", f"attributes name {shown}; the inventory shows no such GPU", wants.unmet
    if missing:
        return "", f"attributes name {shown}; not among them: {', '.join(missing)[:300]}", wants.unmet
    return "", f"attributes name {shown}", Outcome.PASSED


def _is_claimed(gpu: Gpu, claimed: Sequence[GpuModel], names: ModelNames) -> bool:
    """By akash-provider.md 3.3: vendor and model equal; ram and interface where the attribute says them."""
    return any(
        model.vendor == gpu.vendor
        and names.shown(model.model) == names.shown(gpu.name)
        and model.ram in {"", gpu.ram}
        and model.interface in {"", gpu.interface}
        for model in claimed
    )


def _claim_text(model: GpuModel) -> str:
    return "/".join(part for part in (model.vendor, model.model, model.ram, model.interface) if part)


def _gpu_text(gpu: Gpu) -> str:
    return "/".join(part for part in (gpu.vendor, gpu.name, gpu.ram, gpu.interface) if part)


def _cpu(nodes: Sequence[Node], wants: Wants) -> Found:
    expected = f"at least {wants.min_cpu} CPU in every machine with such a GPU"
    short = [node for node in nodes if (node.cpu.capacity or 0) < wants.min_cpu * 1000]
    return _of_nodes(expected, nodes, short, wants, f"least: {_least_cpu(nodes)} CPU")


def _least_cpu(nodes: Sequence[Node]) -> str:
    least = min((node.cpu.capacity or 0 for node in nodes), default=0)
    return f"{least // 1000}.{least % 1000:03d}".rstrip("0").rstrip(".")


def _ram(nodes: Sequence[Node], wants: Wants) -> Found:
    """A GPU whose memory nobody says is no failure: a person looks at it."""
    short = [node for node in nodes if not _has_enough_memory(node, wants.names)]
    sizes = ", ".join(sorted({f"{(node.memory.capacity or 0) / GIB:.0f} GiB beside {_vram(node)}" for node in nodes}))
    unknown = _of_unknown_memory(nodes, wants)
    if unknown and not short:
        return "", f"the memory of {unknown} is not known, {sizes[:200]}: a reviewer looks at it", Outcome.PENDING
    return _of_nodes(_EXPECTED["ram"], nodes, short, wants, sizes[:200])


def memory_doubt(seen: ProviderSeen, wants: Wants) -> str:
    """What a reviewer is asked about the check `ram`; empty where it is decided by numbers."""
    inventory = seen.known_inventory
    nodes = _nodes(inventory, wants) if inventory is not None else ()
    unknown = _of_unknown_memory(nodes, wants)
    is_short = any(not _has_enough_memory(node, wants.names) for node in nodes)
    return readable(f"the memory of {unknown} is not known", _LONGEST_TEXT) if unknown and not is_short else ""


def _of_unknown_memory(nodes: Sequence[Node], wants: Wants) -> str:
    gpus = {gpu.name for node in nodes for gpu in node.gpus if _memory_of(gpu, wants.names) is None}
    return ", ".join(sorted(gpus))[:200]


def _has_enough_memory(node: Node, names: ModelNames) -> bool:
    """By the GPUs whose memory is known."""
    memory = (node.memory.capacity or 0) * _KERNEL_KEEPS
    sizes = [_memory_of(gpu, names) or 0 for gpu in node.gpus]
    return memory > 0 and bool(sizes) and all(memory >= size * (_KERNEL_KEEPS - 1) for size in sizes)


def _memory_of(gpu: Gpu, names: ModelNames) -> int | None:
    """As the provider says it, else as the campaign lists it."""
    listed = names.vram_gib(names.shown(gpu.name))
    return gpu.memory_bytes or (listed * GIB if listed else None)


def _vram(node: Node) -> str:
    return " and ".join(sorted({gpu.ram or "a GPU of unknown memory" for gpu in node.gpus})) or "no labelled GPU"


def _one_model(nodes: Sequence[Node], wants: Wants) -> Found:
    models = {node: sorted({wants.names.shown(gpu.name) for gpu in node.gpus}) for node in nodes}
    mixed = [node for node in nodes if len(models[node]) > 1]
    seen = "; ".join(" and ".join(models[node]) for node in mixed)[:200]
    return _of_nodes("", nodes, mixed, wants, seen or "one each")


def _label(nodes: Sequence[Node], wants: Wants) -> Found:
    """A label that disagrees with its PCI device id is fraud or a mistake: a person looks at it."""
    wrong = sorted(
        {
            f"{gpu.name} has the id of {said}"
            for node in nodes
            for gpu in node.gpus
            for said in (wants.names.pci_label(gpu.modelid),)
            if said is not None and said != wants.names.shown(gpu.name)
        }
    )
    if not nodes:
        return "", "no such machine", wants.unmet
    if wrong:
        return "", f"{', '.join(wrong)[:200]}: a reviewer looks at it", Outcome.PENDING
    return "", "they agree, where the id is known", Outcome.PASSED


def _of_nodes(expected: str, nodes: Sequence[Node], bad: Sequence[Node], wants: Wants, good: str) -> Found:
    if not nodes:
        return expected, "no such machine", wants.unmet
    if bad:
        return expected, f"not so in {named_nodes(bad)[:200]}: {good}", wants.unmet
    return expected, f"{count_of(len(nodes), 'machine')}, {good}", Outcome.PASSED


def _met(holds: bool, wants: Wants) -> Outcome:  # noqa: FBT001 - one word with a meaning of its own
    return Outcome.PASSED if holds else wants.unmet
