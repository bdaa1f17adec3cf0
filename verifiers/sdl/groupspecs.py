"""The group specs that a deployment of an SDL has on the chain, in the JSON form of the REST interface."""

from __future__ import annotations

from collections.abc import Mapping

from verifiers.sdl import manifest
from verifiers.sdl.manifest import Exposed, Json
from verifiers.sdl.model import Compute, Deployed, Placement, Price, Sdl, Volume

KINDS = {manifest.SHARED_HTTP: "SHARED_HTTP", manifest.RANDOM_PORT: "RANDOM_PORT", manifest.LEASED_IP: "LEASED_IP"}


def group_specs_of(sdl: Sdl) -> list[Json]:
    """One `group_spec` for each placement, by name (reference akash-chain 1.5, akash-sdl 3.9 and 3.13)."""
    numbers = manifest.ip_sequence_numbers(sdl)
    ids = manifest.resource_ids(sdl)
    units: dict[str, dict[int, dict[str, object]]] = {}
    for pair in sdl.deployed:
        service = sdl.services[pair.service]
        entries = sorted(manifest.exposed_entries(service, numbers), key=lambda entry: entry.sort_key)
        of_group = units.setdefault(pair.placement, {})
        unit = ids[pair.service, pair.placement]
        if unit in of_group:
            _share(of_group[unit], pair, entries)
        else:
            price = sdl.placements[pair.placement].pricing[pair.profile]
            of_group[unit] = _unit(sdl.computes[pair.profile], pair, price, entries, unit)
    return [_group(sdl, name, list(units[name].values())) for name in sorted(units)]


def _group(sdl: Sdl, name: str, units: list[dict[str, object]]) -> Json:
    placement = sdl.placements[name]
    return {
        "name": name,
        "requirements": {
            "signed_by": {"all_of": list(placement.all_of), "any_of": list(placement.any_of)},
            "attributes": _pairs({**placement.attributes, **_tee(sdl, placement)}),
        },
        "resources": units,
    }


def _tee(sdl: Sdl, placement: Placement) -> dict[str, str]:
    for pair in sdl.deployed:
        params = sdl.services[pair.service].params
        if pair.placement == placement.name and params is not None and params.tee:
            return {"tee/type": params.tee}
    return {}


def _unit(compute: Compute, pair: Deployed, price: Price, entries: list[Exposed], unit: int) -> dict[str, object]:
    cpu = {} if compute.cpu_arch is None else {"arch": compute.cpu_arch}
    gpu = dict.fromkeys(manifest.gpu_keys(compute.gpu_models), "true")
    resource = {
        "id": unit,
        "cpu": {"units": _value(compute.cpu_thousandths), "attributes": _pairs(cpu)},
        "memory": {"quantity": _value(compute.memory_bytes), "attributes": []},
        "storage": [_volume(volume) for volume in manifest.sorted_volumes(compute.volumes)],
        "gpu": {"units": _value(compute.gpu_units), "attributes": _pairs(gpu)},
        "endpoints": _endpoints(entries),
    }
    return {
        "resource": resource,
        "count": pair.count,
        "price": {"denom": price.denom, "amount": decimal18(price.amount)},
    }


def _share(unit: dict[str, object], pair: Deployed, entries: list[Exposed]) -> None:
    """Add a service that shares the unit: counts are added, endpoints appended and sorted by sequence number."""
    resource, count = unit["resource"], unit["count"]
    if not (isinstance(resource, dict) and isinstance(count, int)):
        raise TypeError("a resource unit has a resource and a count")
    unit["count"] = count + pair.count
    endpoints = [*resource["endpoints"], *_endpoints(entries)]
    resource["endpoints"] = sorted(endpoints, key=lambda endpoint: int(endpoint["sequence_number"]))


def _endpoints(entries: list[Exposed]) -> list[dict[str, object]]:
    return [{"kind": KINDS[kind], "sequence_number": number} for kind, number in manifest.endpoints_of(entries)]


def _value(number: int) -> Json:
    return {"val": str(number)}


def _pairs(attributes: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in sorted(attributes.items())]


def _volume(volume: Volume) -> Json:
    return {
        "name": volume.name,
        "quantity": _value(volume.size_bytes),
        "attributes": _pairs(volume.attributes or {}),
    }


def decimal18(amount: str) -> str:
    """A decimal text with exactly 18 decimals, as the chain writes a DecCoin."""
    whole, _, fraction = amount.partition(".")
    return f"{int(whole)}.{fraction.ljust(18, '0')}"
