"""The bounded set of hashes that an honest deployment of one SDL may carry on the chain (reference akash-sdl 5)."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from verifiers.sdl import manifest, typescript, typescript_class, typescript_later
from verifiers.sdl.manifest import Exposed, Json
from verifiers.sdl.model import Sdl
from verifiers.sdl.nodes import Node
from verifiers.sdl.scripted import NotScripted

MAX_MANIFESTS = 5_040
"""Seven mounted volumes in every order; beyond it only the sorted order is tried."""
MAX_HASHED_BYTES = 48 * 1024 * 1024

_ESCAPED = re.compile(r"\\(.)")
_OLD_ESCAPES = {"b": "\\u0008", "f": "\\u000c"}


@dataclass(frozen=True, slots=True)
class HashSet:
    """Hex digests, the Go rule with sorted volumes first. `undecided`: why the set may lack the right one."""

    hashes: tuple[str, ...]
    undecided: tuple[str, ...] = ()


def manifest_hashes(sdl: Sdl, root: Node, *, console_only: bool = False) -> HashSet:
    """Hashes of Go in every order of params.storage and of TypeScript, within bounds; `sdl` is that of `root`.

    `console_only`: the Go rule refuses the SDL and makes no hash.
    """
    undecided: list[str] = []
    hashes: dict[str, None] = {}
    for groups in () if console_only else go_manifests(sdl, undecided):
        _add(hashes, _group_texts(groups, undecided), undecided)
    for groups in _scripted(root):
        for ordered in (_by_name(groups), groups):
            _add(hashes, _scripted_texts(ordered), undecided)
    return HashSet(tuple(hashes), tuple(dict.fromkeys(undecided)))


def _scripted(root: Node) -> Iterator[list[Json]]:
    """The manifests of the TypeScript SDK: `generateManifest`, its later versions, and the deprecated class."""
    with suppress(NotScripted):
        yield typescript.groups(root)
    with suppress(NotScripted):
        yield from typescript_later.groups(root)
    with suppress(NotScripted):
        yield from typescript_class.groups(root)


def go_manifests(sdl: Sdl, undecided: list[str]) -> Iterator[list[Json]]:
    """The manifests of the Go rule, one for each order of exposes that Go's unstable sort may leave.

    What cannot be decided is noted in `undecided`.
    """
    if any(len(compute.volumes) > manifest.STABLE_VOLUMES for compute in sdl.computes.values()):
        undecided.append(f"a profile has more than {manifest.STABLE_VOLUMES} volumes")
    numbers = manifest.ip_sequence_numbers(sdl)
    names = sorted({pair.service for pair in sdl.deployed})
    written = {name: manifest.exposed_entries(sdl.services[name], numbers) for name in names}
    ties = {name: _tied(entries) for name, entries in written.items()}
    orders = math.prod(math.prod(math.factorial(len(tie)) for tie in groups) for groups in ties.values())
    if orders > MAX_MANIFESTS:
        undecided.append(f"a service has more than {manifest.STABLE_EXPOSES} exposed ports with too many equal ones")
        yield manifest.groups(sdl, {name: _sorted(entries) for name, entries in written.items()})
        return
    for chosen in itertools.product(*(_orders(written[name]) for name in names)):
        yield manifest.groups(sdl, dict(zip(names, chosen, strict=True)))


def _sorted(entries: Sequence[Exposed]) -> list[Exposed]:
    return sorted(entries, key=lambda entry: entry.sort_key)


def _tied(entries: Sequence[Exposed]) -> list[list[Exposed]]:
    """Entries that Go's sort compares equal although they differ, where it is not stable."""
    if len(entries) <= manifest.STABLE_EXPOSES:
        return []
    runs = [list(run) for _, run in itertools.groupby(_sorted(entries), key=lambda entry: entry.sort_key)]
    return [run for run in runs if len(run) > 1 and any(_seen(entry) != _seen(run[0]) for entry in run)]


def _seen(entry: Exposed) -> tuple[object, ...]:
    return entry.external_port, entry.hosts, entry.ip, entry.sequence, entry.http


def _orders(entries: Sequence[Exposed]) -> Iterator[list[Exposed]]:
    ordered = _sorted(entries)
    tied = {run[0].sort_key for run in _tied(entries)}
    runs = [list(run) for _, run in itertools.groupby(ordered, key=lambda entry: entry.sort_key)]
    choices = [itertools.permutations(run) if run[0].sort_key in tied else iter([tuple(run)]) for run in runs]
    for chosen in itertools.product(*choices):
        yield list(itertools.chain.from_iterable(chosen))


ServiceTexts = list[tuple[str, list[list[str]]]]
"""For each group its name and, for each service, its canonical texts by order of params.storage, sorted first."""


def _scripted_texts(groups: Sequence[Json]) -> ServiceTexts:
    """The one text of each service: the TypeScript SDK knows no random order."""
    return [
        (str(group["name"]), [[manifest.canonical(each, escapes_separators=False)] for each in _services(group)])
        for group in groups
    ]


def _by_name(groups: Sequence[Json]) -> list[Json]:
    """The groups with `params.storage` sorted by name."""
    return [{**group, "services": [_sorted_storage(service) for service in _services(group)]} for group in groups]


def _sorted_storage(service: Json) -> Json:
    params = service.get("params")
    if _mounts(service) < 2 or not isinstance(params, Mapping):
        return service
    storage = sorted(_storage(service), key=lambda mount: str(mount["name"]))
    return {**service, "params": {**params, "storage": storage}}


def _group_texts(groups: Sequence[Json], undecided: list[str]) -> ServiceTexts:
    services = [(str(group["name"]), _services(group)) for group in groups]
    orders = math.prod(math.factorial(_mounts(service)) for _, members in services for service in members)
    tries_orders = orders <= MAX_MANIFESTS
    if not tries_orders:
        undecided.append("the services mount too many volumes to try every order")

    def texts(service: Json) -> list[str]:
        variants = _storage_orders(service) if tries_orders else iter([service])
        return [manifest.canonical(variant) for variant in variants]

    return [(name, [texts(service) for service in members]) for name, members in services]


def _services(group: Json) -> list[Json]:
    members = group["services"]
    return list(members) if isinstance(members, list) else []


def _storage(service: Json) -> list[Json]:
    params = service.get("params")
    storage = params.get("storage") if isinstance(params, Mapping) else None
    return list(storage) if isinstance(storage, list) else []


def _mounts(service: Json) -> int:
    return len(_storage(service))


def _storage_orders(service: Json) -> Iterator[Json]:
    params = service.get("params")
    if _mounts(service) < 2 or not isinstance(params, Mapping):
        yield service
        return
    for order in itertools.permutations(_storage(service)):
        yield {**service, "params": {**params, "storage": list(order)}}


def _add(hashes: dict[str, None], texts: ServiceTexts, undecided: list[str]) -> None:
    """Add the digest of every combination of service texts; where that is too much, of the first one only."""
    places = [variants for _, members in texts for variants in members]
    size = sum(len(variants[0]) for variants in places)
    combinations: Iterator[tuple[str, ...]] = itertools.product(*places)
    if math.prod(len(variants) for variants in places) * size > MAX_HASHED_BYTES:
        undecided.append("the services mount too many volumes to try every order")
        combinations = iter([tuple(variants[0] for variants in places)])
    for combination in combinations:
        text = _manifest_text(texts, combination)
        hashes[_digest(text)] = None
        older = _ESCAPED.sub(lambda match: _OLD_ESCAPES.get(match[1], match[0]), text)
        if older != text:  # very old Go versions wrote \b and \f in long form
            hashes[_digest(older)] = None


def _manifest_text(texts: ServiceTexts, combination: Sequence[str]) -> str:
    position = 0
    groups = []
    for name, members in texts:
        services = ",".join(combination[position : position + len(members)])
        position += len(members)
        groups.append(f'{{"name":{manifest.canonical(name)},"services":[{services}]}}')
    return "[" + ",".join(groups) + "]"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
