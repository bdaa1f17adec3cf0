"""The manifest as the TypeScript SDK builds it (npm `@akashnetwork/chain-sdk`), where it differs from Go."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from verifiers.sdl.manifest import LEASED_IP, RANDOM_PORT, SHARED_HTTP, Json
from verifiers.sdl.nodes import Node
from verifiers.sdl.quantities import timeout_ms
from verifiers.sdl.scripted import JsValue, NotScripted, js_value, number_text
from verifiers.sdl.scripted_relations import check_relations
from verifiers.sdl.scripted_schema import check_schema

Map = dict[str, JsValue]

_SIZE = re.compile(r"([\d.]+)([a-z])([a-z]*)", re.ASCII)
_CPU = re.compile(r"([\d.]+)([a-z]*)", re.ASCII)
_PREFIXES = "kmgtpe"
_HTTP_DEFAULTS: Mapping[str, tuple[str, JsValue]] = {
    "maxBodySize": ("max_body_size", 1_048_576),
    "readTimeout": ("read_timeout", 60_000),
    "sendTimeout": ("send_timeout", 60_000),
    "nextTries": ("next_tries", 3),
    "nextTimeout": ("next_timeout", 0),
    "nextCases": ("next_cases", ["error", "timeout"]),
}


def document_of(root: Node) -> Map:
    """The SDL as the SDK sees it. Raises NotScripted where it is no SDL of 2.0 or 2.1."""
    document = as_map(js_value(root))
    if document.get("version") not in ("2.0", "2.1"):
        raise NotScripted("version")
    return document


def accepts(root: Node) -> bool:
    """Whether the SDK, in its version 1.0.0-alpha.25, takes the SDL."""
    try:
        document = document_of(root)
        check_schema(document)
        check_relations(document)
        Builder(document).groups()
    except NotScripted:
        return False
    return True


def groups(root: Node) -> list[Json]:
    """The manifest groups that `generateManifest` makes of an SDL that it takes.

    Raises NotScripted where it cannot make them; the schema is not asked, for later versions of the SDK take more.
    """
    return Builder(document_of(root)).groups()


class Builder:
    """Builds the groups as `generateManifest` does; the deprecated class of the SDK overrides where it differs."""

    def __init__(self, document: Map) -> None:
        self._services = {name: as_map(value) for name, value in as_map(document.get("services")).items()}
        self._deployment = {
            name: {placement: as_map(value) for placement, value in as_map(pairs).items()}
            for name, pairs in as_map(document.get("deployment")).items()
        }
        self._computes = as_map(as_map(document.get("profiles")).get("compute"))
        if set(self._services) != set(self._deployment):
            raise NotScripted("deployment")
        self._numbers = self._ip_numbers()

    def groups(self) -> list[Json]:
        """Groups by name; services by name; ids shared by services of one profile within a group."""
        ids: dict[tuple[str, str], int] = {}
        counts: dict[str, int] = {}
        built: dict[str, list[Json]] = {}
        for name in sorted(self._services):
            for placement, pair in self._deployment[name].items():
                profile = as_text(pair.get("profile"))
                if (placement, profile) not in ids:
                    ids[placement, profile] = counts[placement] = counts.get(placement, 0) + 1
                service = self._service(name, pair, profile, ids[placement, profile])
                built.setdefault(placement, []).append(service)
        ordered = sorted(built, key=lambda group: group.encode("utf-16-be", "surrogatepass"))
        return [{"name": name, "services": built[name]} for name in ordered]

    def _ip_numbers(self) -> dict[str, int]:
        names = [
            as_text(to.get("ip"))
            for service in self._services.values()
            for _, to in targets(service)
            if to.get("global") and to.get("ip")
        ]
        return {name: number for number, name in enumerate(sorted(names), start=1)}

    def _service(self, name: str, pair: Map, profile: str, unit: int) -> Json:
        service = self._services[name]
        manifest: dict[str, object] = {
            "name": name,
            "image": as_text(service.get("image")),
            "command": self._texts(service.get("command")),
            "args": self._texts(service.get("args")),
            "env": self._texts(service.get("env")),
            "resources": self._resources(as_map(self._computes.get(profile)), service, unit),
            "count": _number(pair.get("count")),
            "expose": self._exposes(service),
            "credentials": _credentials(service),
        }
        if "params" in service and (params := self._params(as_map(service["params"]))) is not None:
            manifest["params"] = params
        return manifest

    def _resources(self, compute: Map, service: Map, unit: int) -> Json:
        resources = as_map(compute.get("resources"))
        cpu = as_map(resources.get("cpu"))
        gpu = as_map(resources.get("gpu")) if resources.get("gpu") is not None else {}
        storage = resources.get("storage")
        volumes = storage if isinstance(storage, list) else [storage]
        return {
            "id": unit,
            "cpu": self._with_attributes({"units": {"val": self._cpu_units(cpu.get("units"))}}, cpu, _attributes),
            "memory": {"size": {"val": self._size(as_map(resources.get("memory")).get("size"))}},
            "storage": [self._volume(as_map(volume)) for volume in volumes],
            "gpu": self._with_attributes(
                {"units": {"val": self._gpu_units(gpu)}}, gpu, lambda _: self._gpu_pairs(gpu)
            ),
            "endpoints": self._endpoints(service),
        }

    def _endpoints(self, service: Map) -> list[Json]:
        endpoints: list[Json] = []
        for expose, to in targets(service):
            if not to.get("global"):
                continue
            port = expose.get("as") or expose.get("port")
            kind = SHARED_HTTP if _proto(expose) == "TCP" and port == 80 else RANDOM_PORT
            endpoints.append({"kind": kind, "sequence_number": 0} if kind else {"sequence_number": 0})
            if to.get("ip"):
                number = self._numbers.get(as_text(to.get("ip")), 0)
                endpoints.append({"kind": LEASED_IP, "sequence_number": number})
        return endpoints

    def _exposes(self, service: Map) -> list[Json]:
        entries = [
            {
                "port": _number(expose.get("port")),
                "externalPort": _number(expose.get("as") or 0),
                "proto": _proto(expose),
                "service": as_text(to.get("service") or ""),
                "global": _flag(to.get("global")),
                "hosts": self._texts(expose.get("accept")),
                "httpOptions": self._http(expose),
                "ip": as_text(to.get("ip") or ""),
                "endpointSequenceNumber": self._numbers.get(as_text(to.get("ip") or ""), 0),
            }
            for expose, to in targets(service)
        ]
        return sorted(entries, key=_exposed_key)

    def _texts(self, value: JsValue) -> list[str] | None:
        return _texts(value) or None

    def _with_attributes(
        self, written: Mapping[str, object], given: Map, pairs_of: Callable[[JsValue], list[dict[str, str]]]
    ) -> Json:
        pairs = pairs_of(given["attributes"]) if "attributes" in given else []
        return {**written, "attributes": pairs} if pairs else written

    def _volume(self, volume: Map) -> Json:
        written = {
            "name": as_text(volume.get("name") or "default"),
            "size": {"val": self._size(volume.get("size"))},
        }
        return self._with_attributes(written, volume, _volume_attributes)

    def _cpu_units(self, value: JsValue) -> str:
        return _cpu_text(value)

    def _size(self, value: JsValue) -> str:
        return _size_text(value)

    def _gpu_pairs(self, gpu: Map) -> list[dict[str, str]]:
        return _gpu_attributes(gpu)

    def _gpu_units(self, gpu: Map) -> str:
        return _gpu_text(gpu.get("units"))

    def _http(self, expose: Map) -> Json:
        given = as_map(expose["http_options"]) if "http_options" in expose else {}
        if "proxy_buffer_size" in given:
            raise NotScripted("proxy_buffer_size")
        options: dict[str, object] = {}
        for name, (key, default) in _HTTP_DEFAULTS.items():
            chosen = self._http_value(given[key], default) if key in given else default
            if name in ("readTimeout", "sendTimeout") and isinstance(chosen, str):
                chosen = _timeout_ms(chosen)
            options[name] = (_texts(chosen) or []) if name == "nextCases" else _number(chosen)
        return options

    def _http_value(self, given: JsValue, _default: JsValue) -> JsValue:
        return given

    def _params(self, params: Map) -> Json | None:
        written: dict[str, object] = {"storage": mounts_of(params)}
        if "permissions" in params:
            written["permissions"] = as_map(params["permissions"])
        return written


def _exposed_key(entry: Mapping[str, object]) -> tuple[str, float, str, bool]:
    port = entry["port"]
    return str(entry["service"]), port if isinstance(port, int) else 0, str(entry["proto"]), not entry["global"]


def targets(service: Map) -> list[tuple[Map, Map]]:
    """(expose, element of `to`) pairs: an expose without `to` is dropped."""
    return [
        (expose, as_map(to))
        for expose in map(as_map, as_list(service.get("expose")))
        for to in as_list(expose.get("to"))
    ]


def as_map(value: JsValue) -> Map:
    """An object. Raises NotScripted for anything else, null too."""
    if not isinstance(value, dict):
        raise NotScripted("object")
    return value


def as_list(value: JsValue) -> list[JsValue]:
    """An array, empty where null or absent. Raises NotScripted for anything else."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise NotScripted("array")
    return value


def as_text(value: JsValue) -> str:
    """A string. Raises NotScripted for anything else."""
    if not isinstance(value, str):
        raise NotScripted("string")
    return value


def _texts(value: JsValue) -> list[str] | None:
    """The list; None where it is null or absent."""
    return None if value is None else [as_text(item) for item in as_list(value)]


def _flag(value: JsValue) -> bool:
    if value is not None and not isinstance(value, bool):
        raise NotScripted("boolean")
    return bool(value)


def _number(value: JsValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise NotScripted("integer")
    return value


def _timeout_ms(text: str) -> int:
    try:
        return timeout_ms(text)
    except ValueError:
        raise NotScripted("timeout") from None


def _proto(expose: Map) -> str:
    return as_text(expose.get("proto") or "TCP").upper()


def _volume_attributes(value: JsValue) -> list[dict[str, str]]:
    attributes = as_map(value)
    pairs = _attributes(value)
    if attributes.get("class") == "ram" and "persistent" not in attributes:
        pairs.append({"key": "persistent", "value": "false"})
    return pairs


def _attributes(value: JsValue) -> list[dict[str, str]]:
    if value is None:
        return []
    return [{"key": key, "value": _js_text(item)} for key, item in sorted(as_map(value).items())]


def _js_text(value: JsValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return as_text(value)


def _gpu_attributes(gpu: Map) -> list[dict[str, str]]:
    if bool(_gpu_text(gpu.get("units")) != "0") != (gpu.get("attributes") is not None):
        raise NotScripted("gpu")
    if gpu.get("attributes") is None:
        return []
    pairs = []
    for vendor, models in sorted(as_map(as_map(gpu["attributes"]).get("vendor")).items()):
        if vendor != "nvidia":
            raise NotScripted("vendor")
        if models is None:
            pairs.append({"key": f"vendor/{vendor}/model/*", "value": "true"})
        for model in map(as_map, as_list(models)):
            key = f"vendor/{vendor}/model/{as_text(model.get('model', 'undefined'))}"
            key += f"/ram/{as_text(model['ram'])}" if model.get("ram") else ""
            key += f"/interface/{as_text(model['interface'])}" if model.get("interface") else ""
            pairs.append({"key": key, "value": "true"})
    return pairs


def _cpu_text(value: JsValue) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value * 1000)
    match = _CPU.fullmatch(as_text(value).lower())
    if match is None or match[1].count(".") > 1 or match[1] == ".":
        raise NotScripted("cpu")
    units = float(match[1])
    return number_text(units if match[2] == "m" else units * 1000)


def _size_text(value: JsValue) -> str:
    match = _SIZE.fullmatch(as_text(value).lower())
    if match is None or match[1].count(".") > 1 or match[1] == ".":
        raise NotScripted("size")
    power = _PREFIXES.find(match[2]) + 1
    size = float(match[1]) * float((1024 if match[3] == "i" else 1000) ** power)
    if not size < 2**63:
        raise NotScripted("size")
    return str(math.ceil(size))


def _gpu_text(value: JsValue) -> str:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return str(int(value))
    return str(_number(0 if value is None else value))


def _credentials(service: Map) -> Json | None:
    if service.get("credentials") is None:
        return None
    given = as_map(service["credentials"])
    email = as_text(given["email"]) if "email" in given else ""
    password = as_text(given.get("password"))
    if len(password) < 6 or ("email" in given and len(email) < 5):
        raise NotScripted("credentials")
    return {
        "host": as_text(given.get("host")),
        "email": email,
        "username": as_text(given.get("username")),
        "password": password,
    }


def mounts_of(params: Map) -> list[Json]:
    """`params.storage` as written, the order of older versions; later ones sort it by name."""
    if "tee" in params:
        raise NotScripted("tee")
    storage = as_map(params["storage"]) if "storage" in params else {}
    return [
        {"name": name, "mount": as_text(mount.get("mount")), "readOnly": _flag(mount.get("readOnly"))}
        for name, mount in ((name, as_map(value)) for name, value in storage.items())
    ]
