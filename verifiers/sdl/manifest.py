"""The manifest as the Go SDK builds it (reference akash-sdl 2 and 3; chain-sdk `go/sdl`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verifiers.sdl.model import Compute, Deployed, Expose, GpuModel, HttpOptions, Params, Sdl, Service, Volume

Json = Mapping[str, object]

SHARED_HTTP, RANDOM_PORT, LEASED_IP = 0, 1, 2
STABLE_EXPOSES = 12
"""Up to so many elements Go's sort is an insertion sort and therefore stable."""
STABLE_VOLUMES = 20


@dataclass(frozen=True, slots=True)
class Exposed:
    """One expose entry of the manifest."""

    service: str
    port: int
    external_port: int
    proto: str
    is_global: bool
    hosts: tuple[str, ...] | None
    ip: str
    sequence: int
    http: HttpOptions
    line: int
    path: str

    @property
    def sort_key(self) -> tuple[str, int, str, bool]:
        """What Go compares: service, port, protocol, global first."""
        return self.service, self.port, self.proto, not self.is_global


def ip_sequence_numbers(sdl: Sdl) -> dict[str, int]:
    """Numbers of the IP names: sorted with their repetitions, the last number wins; a `to` without a name that is
    not global counts as an empty name (rule 10)."""
    services = [sdl.services[name] for name in sorted({pair.service for pair in sdl.deployed})]
    names = [
        to.ip for service in services for expose in service.expose for to in expose.to if to.ip or not to.is_global
    ]
    return {name: number for number, name in enumerate(sorted(names), start=1)}


def exposed_entries(service: Service, numbers: Mapping[str, int]) -> list[Exposed]:
    """One entry for each element of `to`, one that is not global where there is none; in the order written.

    `numbers` are those of `ip_sequence_numbers`.
    """
    entries = []
    for expose in service.expose:
        if not expose.to:
            entries.append(_exposed(expose, "", "", 0, is_global=False))
        for to in expose.to:
            sequence = numbers[to.ip] if to.is_global and to.ip else 0
            entries.append(_exposed(expose, to.service, to.ip, sequence, is_global=to.is_global))
    return entries


def _exposed(expose: Expose, service: str, ip: str, sequence: int, *, is_global: bool) -> Exposed:
    return Exposed(
        service,
        expose.port,
        expose.external_port,
        expose.protocol,
        is_global,
        expose.hosts,
        ip,
        sequence,
        expose.http,
        expose.line,
        expose.path,
    )


def endpoints_of(entries: Sequence[Exposed]) -> list[tuple[int, int]]:
    """(kind, sequence number) for each global entry, its leased IP after it (rule 9)."""
    endpoints = []
    for entry in entries:
        if entry.is_global:
            is_ingress = entry.proto == "TCP" and (entry.external_port or entry.port) == 80
            endpoints.append((SHARED_HTTP if is_ingress else RANDOM_PORT, 0))
            if entry.ip:
                endpoints.append((LEASED_IP, entry.sequence))
    return endpoints


def sorted_volumes(volumes: Sequence[Volume]) -> list[Volume]:
    """Go's insertion sort with a comparator that is no strict weak order: equal ephemeral ones come out reversed."""
    ordered = list(volumes)
    for start in range(1, len(ordered)):
        index = start
        while index > 0 and _before(ordered[index], ordered[index - 1]):
            ordered[index], ordered[index - 1] = ordered[index - 1], ordered[index]
            index -= 1
    return ordered


def _before(left: Volume, right: Volume) -> bool:
    if left.size_bytes != right.size_bytes:
        return left.size_bytes < right.size_bytes
    mine, other = left.persistent, right.persistent
    if other is not None and (mine is None or mine < other):
        return True
    if mine is not None and other is None:
        return False
    if mine != "true":
        return True
    if other != "true":
        return False
    return left.name < right.name


def gpu_keys(models: Sequence[GpuModel]) -> list[str]:
    """The attribute keys of a GPU request, sorted."""
    return sorted(model.key for model in models)


def resource_ids(sdl: Sdl) -> dict[tuple[str, str], int]:
    """The id of each (service, placement): its own in 2.0, shared by services of one profile from 2.1 on."""
    ids: dict[tuple[str, str], int] = {}
    counts: dict[str, int] = {}
    shared: dict[tuple[str, str], int] = {}
    for pair in sdl.deployed:
        known = shared.get((pair.placement, pair.profile)) if sdl.shares_profiles else None
        if known is None:
            known = counts[pair.placement] = counts.get(pair.placement, 0) + 1
            shared[pair.placement, pair.profile] = known
        ids[pair.service, pair.placement] = known
    return ids


def groups(sdl: Sdl, exposes: Mapping[str, Sequence[Exposed]]) -> list[Json]:
    """The manifest groups; `exposes` gives the sorted entries of each service. `params.storage` is sorted by name."""
    ids = resource_ids(sdl)
    built: dict[str, list[Json]] = {}
    for pair in sdl.deployed:
        entries = exposes[pair.service]
        unit = ids[pair.service, pair.placement]
        built.setdefault(pair.placement, []).append(_service(sdl, pair, entries, unit))
    return [{"name": name, "services": built[name]} for name in sorted(built)]


def _service(sdl: Sdl, pair: Deployed, entries: Sequence[Exposed], unit: int) -> Json:
    service, compute = sdl.services[pair.service], sdl.computes[pair.profile]
    manifest: dict[str, object] = {
        "name": service.name,
        "image": service.image,
        "command": service.command,
        "args": service.args,
        "env": service.env,
        "resources": _resources(compute, entries, unit),
        "count": pair.count,
        "expose": [_expose(entry) for entry in entries],
        "credentials": _credentials(sdl, service),
    }
    if service.params is not None:
        manifest["params"] = _params(service.params)
    return manifest


def _resources(compute: Compute, entries: Sequence[Exposed], unit: int) -> Json:
    cpu: dict[str, object] = {"units": _value(compute.cpu_thousandths)}
    if compute.cpu_arch is not None:
        cpu["attributes"] = [{"key": "arch", "value": compute.cpu_arch}]
    gpu: dict[str, object] = {"units": _value(compute.gpu_units)}
    if compute.gpu_models:
        gpu["attributes"] = [{"key": key, "value": "true"} for key in gpu_keys(compute.gpu_models)]
    return {
        "id": unit,
        "cpu": cpu,
        "memory": {"size": _value(compute.memory_bytes)},
        "storage": [_volume(volume) for volume in sorted_volumes(compute.volumes)],
        "gpu": gpu,
        "endpoints": [
            {"kind": kind, "sequence_number": sequence} if kind else {"sequence_number": sequence}
            for kind, sequence in endpoints_of(entries)
        ],
    }


def _value(number: int) -> Json:
    return {"val": str(number)}


def _volume(volume: Volume) -> Json:
    written: dict[str, object] = {"name": volume.name, "size": _value(volume.size_bytes)}
    if volume.attributes:
        written["attributes"] = [{"key": key, "value": value} for key, value in volume.attributes.items()]
    return written


def _expose(entry: Exposed) -> Json:
    return {
        "port": entry.port,
        "externalPort": entry.external_port,
        "proto": entry.proto,
        "service": entry.service,
        "global": entry.is_global,
        "hosts": entry.hosts,
        "httpOptions": _http(entry.http),
        "ip": entry.ip,
        "endpointSequenceNumber": entry.sequence,
    }


def _http(http: HttpOptions) -> Json:
    options: dict[str, object] = {
        "maxBodySize": http.max_body_size or 1_048_576,
        "readTimeout": http.read_timeout or 60_000,
        "sendTimeout": http.send_timeout or 60_000,
        "nextTries": http.next_tries or 3,
        "nextTimeout": http.next_timeout,
        "nextCases": http.next_cases or ("error", "timeout"),
    }
    if http.proxy_buffer_size:
        options["proxyBufferSize"] = http.proxy_buffer_size
    return options


def _credentials(sdl: Sdl, service: Service) -> Json | None:
    credentials = service.credentials
    if credentials is None:
        return None
    if not sdl.shares_profiles:  # 2.0 drops the email and trims nothing (rule 11)
        return {
            "host": credentials.host,
            "email": "",
            "username": credentials.username,
            "password": credentials.password,
        }
    return {
        "host": credentials.host.strip(),
        "email": credentials.email.strip(),
        "username": credentials.username.strip(),
        "password": credentials.password.strip(),
    }


def _params(params: Params) -> Json:
    mounts = [
        {"name": mount.name, "mount": mount.mount, "readOnly": mount.read_only}
        for mount in sorted(params.storage, key=lambda mount: mount.name)
    ]
    written: dict[str, object] = {"storage": mounts or None}
    if params.read is not None:
        written["permissions"] = {"read": params.read} if params.read else {}
    if params.tee:
        written["tee"] = {"type": params.tee, "attestation": True}
    return written


def canonical(value: object, *, escapes_separators: bool = True) -> str:
    """JSON with sorted keys, no spaces and Go's HTML escapes (reference akash-sdl 1).

    The TypeScript SDK leaves the two Unicode line separators as they are.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for raw, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(raw, escaped)
    if not escapes_separators:
        return text
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
