"""The rules between the parts of an SDL as the TypeScript SDK has them (`@akashnetwork/chain-sdk`, validateSDL)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from verifiers.sdl.scripted import JsValue, NotScripted

_NO = ("false", "no", "0", "")


def check_relations(document: JsValue) -> None:
    """Raise NotScripted where the SDK refuses an SDL that fits its schema; read no further than the schema allows."""
    sdl: Any = document
    for name, service in sdl["services"].items():
        if name not in sdl["deployment"]:
            raise NotScripted("deployment")
        for placement, pair in sdl["deployment"][name].items():
            _check_pair(sdl, service, placement, pair["profile"])
    _check_ips(sdl)


def _check_pair(sdl: Any, service: Any, placement: str, profile: str) -> None:
    infra = sdl["profiles"]["placement"].get(placement)
    compute = sdl["profiles"]["compute"].get(profile)
    if infra is None or compute is None or profile not in infra["pricing"]:
        raise NotScripted("references")
    storage = compute["resources"]["storage"]
    _check_volumes(service, storage if isinstance(storage, list) else [storage])
    gpu = compute["resources"].get("gpu")
    if gpu is not None and (gpu["units"] != 0) != ("attributes" in gpu):
        raise NotScripted("gpu attributes")
    if gpu is not None and "attributes" in gpu and "vendor" not in gpu["attributes"]:
        raise NotScripted("gpu vendor")


def _check_volumes(service: Any, volumes: list[Any]) -> None:
    mounts = service.get("params", {}).get("storage", {})
    paths = [str(mount.get("mount")) for mount in mounts.values()]
    if set(mounts) - {volume.get("name") for volume in volumes} or len(set(paths)) < len(paths):
        raise NotScripted("mounts")
    for volume in volumes:
        wanted = volume.get("attributes", {}).get("persistent", False)
        persistent = wanted if isinstance(wanted, bool) else wanted.lower() not in _NO
        if persistent and not mounts.get(volume.get("name", ""), {}).get("mount"):
            raise NotScripted("persistent volume without a mount")


def _check_ips(sdl: Any) -> None:
    """Every IP declared and used; one service to a port and protocol of it."""
    taken: set[tuple[str, int, str]] = set()
    for expose, target in _with_ip(sdl):
        port = (target["ip"], expose.get("as", expose["port"]), expose.get("proto", "tcp").upper())
        if target["ip"] not in sdl.get("endpoints", {}) or port in taken:
            raise NotScripted("ip")
        taken.add(port)
    if set(sdl.get("endpoints", {})) - {name for name, _, _ in taken}:
        raise NotScripted("endpoint without use")


def _with_ip(sdl: Any) -> Iterator[tuple[Any, Any]]:
    for service in sdl["services"].values():
        for expose in service.get("expose", []):
            for target in expose.get("to", []):
                if target.get("ip"):
                    yield expose, target
