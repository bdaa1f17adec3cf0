"""What a provider answers on its public REST routes (provider `gateway/rest`, JSON as Go writes it)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from devnet.providers.hosted import Hosted
from devnet.providers.usage import Amounts, Usage, allocatable

_RELEASES = Path(__file__).parent / "releases"
PERSISTENT_BYTES = 955_630_223_360
"""Free persistent storage of the class beta3 in every cluster."""
RECLAMATION_WINDOW_SECONDS = 86_400

Json = Mapping[str, object]


def version(hosted: Hosted) -> bytes:
    """`GET /version`."""
    return _version(hosted.release)


def address(hosted: Hosted) -> bytes:
    """`GET /address`."""
    return _compact({"address": hosted.says or hosted.owner})


def status(hosted: Hosted, usage: Usage | None) -> bytes:
    """`GET /status`: totals only. `usage` None: the inventory is not there yet, which is still no error."""
    document: dict[str, object] = {
        "cluster": {
            "leases": 0 if usage is None else len(usage.active),
            "inventory": {"available": {}, "error": {}} if usage is None else _inventory(hosted, usage),
        },
        "bidengine": {"orders": 0},
        "manifest": {"deployments": 0 if usage is None else len(usage.active)},
        "cluster_public_hostname": hosted.hostname,
    }
    if tells_reclamation(hosted):
        document["reclamation_window"] = RECLAMATION_WINDOW_SECONDS * 10**9
    return _compact(document | {"address": hosted.says or hosted.owner})


def tells_reclamation(hosted: Hosted) -> bool:
    """Newer releases name the time in which they may take resources back."""
    return hosted.release != "0.10.7"


def _inventory(hosted: Hosted, usage: Usage) -> Json:
    document: dict[str, object] = {}
    for name, held in (("active", usage.active), ("pending", usage.pending)):
        if held:
            document[name] = [_amounts(one) for one in held]
    available: dict[str, object] = {}
    if hosted.machines:
        available["nodes"] = [
            {
                "name": machine.name,
                "allocatable": _amounts(allocatable(machine)),
                "available": _amounts(allocatable(machine).less(used)),
            }
            for machine, used in zip(hosted.machines, usage.allocated, strict=True)
        ]
        available["storage"] = [{"class": "beta3", "size": PERSISTENT_BYTES}]
    return document | {"available": available}


def _amounts(amounts: Amounts) -> Json:
    return {
        "cpu": amounts.cpu,
        "gpu": amounts.gpu,
        "memory": amounts.memory,
        "storage_ephemeral": amounts.disk,
    }


@cache
def _version(release: str) -> bytes:
    return _compact(json.loads((_RELEASES / f"{release}.json").read_text(encoding="utf-8")))


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
