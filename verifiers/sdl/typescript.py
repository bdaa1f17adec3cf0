"""The manifest as the TypeScript SDK builds it (npm `@akashnetwork/chain-sdk`), where it differs from Go."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from verifiers.sdl.manifest import LEASED_IP, RANDOM_PORT, SHARED_HTTP, Json
from verifiers.sdl.nodes import Node, uses_merge
from verifiers.sdl.scripted import JsValue, NotScripted, js_value, number_text

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


def groups(root: Node) -> list[Json]:
    """The manifest groups of an SDL that the Go rules hold for valid. Raises NotScripted where the SDK refuses it."""
    if uses_merge(root):
        raise NotScripted("<<")
    document = _map(js_value(root))
    if document.get("version") not in ("2.0", "2.1"):
        raise NotScripted("version")
    builder = _Builder(document)
    return builder.groups()


class _Builder:
    def __init__(self, document: Map) -> None:
        self._services = {name: _map(value) for name, value in _map(document.get("services")).items()}
        self._deployment = {
            name: {placement: _map(value) for placement, value in _map(pairs).items()}
            for name, pairs in _map(document.get("deployment")).items()
        }
        self._computes = _map(_map(document.get("profiles")).get("compute"))
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
                profile = _text(pair.get("profile"))
                if (placement, profile) not in ids:
                    ids[placement, profile] = counts[placement] = counts.get(placement, 0) + 1
                service = self._service(name, pair, profile, ids[placement, profile])
                built.setdefault(placement, []).append(service)
        ordered = sorted(built, key=lambda group: group.encode("utf-16-be", "surrogatepass"))
        return [{"name": name, "services": built[name]} for name in ordered]

    def _ip_numbers(self) -> dict[str, int]:
        names = [
            _text(to.get("ip"))
            for service in self._services.values()
            for _, to in _targets(service)
            if to.get("global") and to.get("ip")
        ]
        return {name: number for number, name in enumerate(sorted(names), start=1)}

    def _service(self, name: str, pair: Map, profile: str, unit: int) -> Json:
        service = self._services[name]
        manifest: dict[str, object] = {
            "name": name,
            "image": _text(service.get("image")),
            "command": _texts(service.get("command")),
            "args": _texts(service.get("args")),
            "env": _texts(service.get("env")),
            "resources": self._resources(_map(self._computes.get(profile)), service, unit),
            "count": _number(pair.get("count")),
            "expose": self._exposes(service),
            "credentials": _credentials(service),
        }
        if service.get("params") is not None:
            manifest["params"] = _params(_map(service["params"]))
        return manifest

    def _resources(self, compute: Map, service: Map, unit: int) -> Json:
        resources = _map(compute.get("resources"))
        cpu = _map(resources.get("cpu"))
        gpu = _map(resources.get("gpu")) if resources.get("gpu") is not None else {}
        storage = resources.get("storage")
        volumes = storage if isinstance(storage, list) else [storage]
        return {
            "id": unit,
            "cpu": _with_attributes(
                {"units": {"val": _cpu_text(cpu.get("units"))}}, _attributes(cpu.get("attributes"))
            ),
            "memory": {"size": {"val": _size_text(_map(resources.get("memory")).get("size"))}},
            "storage": [_volume(_map(volume)) for volume in volumes],
            "gpu": _with_attributes({"units": {"val": _gpu_text(gpu.get("units"))}}, _gpu_attributes(gpu)),
            "endpoints": self._endpoints(service),
        }

    def _endpoints(self, service: Map) -> list[Json]:
        endpoints: list[Json] = []
        for expose, to in _targets(service):
            if not to.get("global"):
                continue
            port = expose.get("as") or expose.get("port")
            kind = SHARED_HTTP if _proto(expose) == "TCP" and port == 80 else RANDOM_PORT
            endpoints.append({"kind": kind, "sequence_number": 0} if kind else {"sequence_number": 0})
            if to.get("ip"):
                number = self._numbers.get(_text(to.get("ip")), 0)
                endpoints.append({"kind": LEASED_IP, "sequence_number": number})
        return endpoints

    def _exposes(self, service: Map) -> list[Json]:
        entries = [
            {
                "port": _number(expose.get("port")),
                "externalPort": _number(expose.get("as") or 0),
                "proto": _proto(expose),
                "service": _text(to.get("service") or ""),
                "global": _flag(to.get("global")),
                "hosts": _texts(expose.get("accept")),
                "httpOptions": _http(expose),
                "ip": _text(to.get("ip") or ""),
                "endpointSequenceNumber": self._numbers.get(_text(to.get("ip") or ""), 0),
            }
            for expose, to in _targets(service)
        ]
        return sorted(entries, key=_exposed_key)


def _exposed_key(entry: Mapping[str, object]) -> tuple[str, float, str, bool]:
    port = entry["port"]
    return str(entry["service"]), port if isinstance(port, int) else 0, str(entry["proto"]), not entry["global"]


def _targets(service: Map) -> list[tuple[Map, Map]]:
    """(expose, element of `to`) pairs: an expose without `to` is dropped."""
    return [
        (expose, _map(to)) for expose in map(_map, _list(service.get("expose"))) for to in _list(expose.get("to"))
    ]


def _map(value: JsValue) -> Map:
    if not isinstance(value, dict):
        raise NotScripted("object")
    return value


def _list(value: JsValue) -> list[JsValue]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise NotScripted("array")
    return value


def _text(value: JsValue) -> str:
    if not isinstance(value, str):
        raise NotScripted("string")
    return value


def _texts(value: JsValue) -> list[str] | None:
    return [_text(item) for item in _list(value)] or None


def _flag(value: JsValue) -> bool:
    if value is not None and not isinstance(value, bool):
        raise NotScripted("boolean")
    return bool(value)


def _number(value: JsValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise NotScripted("integer")
    return value


def _proto(expose: Map) -> str:
    return _text(expose.get("proto") or "TCP").upper()


def _http(expose: Map) -> Json:
    given = _map(expose["http_options"]) if expose.get("http_options") is not None else {}
    if "proxy_buffer_size" in given:
        raise NotScripted("proxy_buffer_size")
    options: dict[str, object] = {}
    for name, (key, default) in _HTTP_DEFAULTS.items():
        value = given.get(key)
        chosen = default if value is None else value
        options[name] = _texts(chosen) or [] if name == "nextCases" else _number(chosen)
    return options


def _volume(volume: Map) -> Json:
    attributes = volume.get("attributes")
    written = {"name": _text(volume.get("name") or "default"), "size": {"val": _size_text(volume.get("size"))}}
    pairs = _attributes(attributes)
    if isinstance(attributes, dict) and attributes.get("class") == "ram" and "persistent" not in attributes:
        pairs = [*pairs, {"key": "persistent", "value": "false"}]
    return _with_attributes(written, sorted(pairs, key=lambda pair: pair["key"]))


def _attributes(value: JsValue) -> list[dict[str, str]]:
    if value is None:
        return []
    return [{"key": key, "value": _js_text(item)} for key, item in sorted(_map(value).items())]


def _js_text(value: JsValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return _text(value)


def _gpu_attributes(gpu: Map) -> list[dict[str, str]]:
    if bool(_gpu_text(gpu.get("units")) != "0") != (gpu.get("attributes") is not None):
        raise NotScripted("gpu")
    if gpu.get("attributes") is None:
        return []
    pairs = []
    for vendor, models in sorted(_map(_map(gpu["attributes"]).get("vendor")).items()):
        if vendor != "nvidia":
            raise NotScripted("vendor")
        if models is None:
            pairs.append({"key": f"vendor/{vendor}/model/*", "value": "true"})
        for model in map(_map, _list(models)):
            key = f"vendor/{vendor}/model/{_text(model.get('model'))}"
            key += f"/ram/{_text(model['ram'])}" if model.get("ram") else ""
            key += f"/interface/{_text(model['interface'])}" if model.get("interface") else ""
            pairs.append({"key": key, "value": "true"})
    return pairs


def _with_attributes(written: Mapping[str, object], pairs: Sequence[Mapping[str, str]]) -> Json:
    return {**written, "attributes": list(pairs)} if pairs else written


def _cpu_text(value: JsValue) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value * 1000)
    match = _CPU.fullmatch(_text(value).lower())
    if match is None or match[1].count(".") > 1 or match[1] == ".":
        raise NotScripted("cpu")
    units = float(match[1])
    return number_text(units if match[2] == "m" else units * 1000)


def _size_text(value: JsValue) -> str:
    match = _SIZE.fullmatch(_text(value).lower())
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
    given = _map(service["credentials"])
    email = _text(given["email"]) if "email" in given else ""
    password = _text(given.get("password"))
    if len(password) < 6 or ("email" in given and len(email) < 5):
        raise NotScripted("credentials")
    return {
        "host": _text(given.get("host")),
        "email": email,
        "username": _text(given.get("username")),
        "password": password,
    }


def _params(params: Map) -> Json:
    if "tee" in params:
        raise NotScripted("tee")
    storage = _map(params["storage"]) if params.get("storage") is not None else {}
    mounts = [(name, _map(value)) for name, value in sorted(storage.items())]
    written: dict[str, object] = {
        "storage": [
            {"name": name, "mount": _text(mount.get("mount")), "readOnly": _flag(mount.get("readOnly"))}
            for name, mount in mounts
        ]
    }
    if params.get("permissions") is not None:
        written["permissions"] = params["permissions"]
    return written
