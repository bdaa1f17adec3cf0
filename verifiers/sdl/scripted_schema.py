"""The schema of the TypeScript SDK (npm `@akashnetwork/chain-sdk` 1.0.0-alpha.25, `sdl-schema.yaml`)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from verifiers.sdl.scripted import JsValue, NotScripted

Check = Callable[[JsValue], None]


def _no(what: str) -> NotScripted:
    return NotScripted(what)


def _text(pattern: str = "", *, shortest: int = 0) -> Check:
    compiled = re.compile(pattern) if pattern else None

    def check(value: JsValue) -> None:
        if not isinstance(value, str) or len(value) < shortest or (compiled and compiled.search(value) is None):
            raise _no(f"a text like {pattern or shortest}")

    return check


def _one_of(*words: str) -> Check:
    def check(value: JsValue) -> None:
        if value not in words or not isinstance(value, str):
            raise _no(f"one of {words}")

    return check


def _whole(lowest: int, highest: float = math.inf) -> Check:
    def check(value: JsValue) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise _no("a whole number")

    return check


def _number(*, above: float = -math.inf, lowest: float = -math.inf) -> Check:
    def check(value: JsValue) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= above or value < lowest:
            raise _no("a number")

    return check


def _flag(value: JsValue) -> None:
    if not isinstance(value, bool):
        raise _no("a boolean")


def _null(value: JsValue) -> None:
    if value is not None:
        raise _no("null")


def _any_object(value: JsValue) -> None:
    if not isinstance(value, dict):
        raise _no("an object")


def _either(*checks: Check) -> Check:
    def check(value: JsValue) -> None:
        for each in checks:
            try:
                return each(value)
            except NotScripted:
                continue
        raise _no("none of the forms")

    return check


def _list(item: Check) -> Check:
    def check(value: JsValue) -> None:
        if not isinstance(value, list):
            raise _no("an array")
        for each in value:
            item(each)

    return check


def _map(item: Check, names: str = "") -> Check:
    compiled = re.compile(names)

    def check(value: JsValue) -> None:
        if not isinstance(value, dict):
            raise _no("an object")
        for name, each in value.items():
            if compiled.search(name) is None:
                raise _no(name)
            item(each)

    return check


def _object(required: str, **members: Check) -> Check:
    def check(value: JsValue) -> None:
        if not isinstance(value, dict) or any(name not in value for name in required.split()):
            raise _no(f"an object with {required}")
        for name, each in value.items():
            if name not in members:
                raise _no(name)
            members[name](each)

    return check


def _next_cases(value: JsValue) -> None:
    case = _one_of("error", "timeout", "500", "502", "503", "504", "403", "404", "429", "off")
    _list(case)(value)
    if isinstance(value, list) and "off" in value and len(value) > 1:
        raise _no("off alone")


def _target(value: JsValue) -> None:
    _object("", **{"global": _flag, "ip": _text(shortest=1), "service": _text()})(value)
    if isinstance(value, dict) and "ip" in value and value.get("global") is not True:
        raise _no("an ip needs global")


def _storage_attributes(value: JsValue) -> None:
    _object("", **{"class": _text(), "persistent": _either(_flag, _text())})(value)
    if isinstance(value, dict) and value.get("class") == "ram" and value.get("persistent") in (True, "true"):
        raise _no("ram is never persistent")


_TEXTS = _either(_list(_text()), _null)
_PORT = _whole(1, 65535)
_HTTP = _object(
    "",
    max_body_size=_whole(0, 104_857_600),
    next_cases=_next_cases,
    next_timeout=_whole(0),
    next_tries=_whole(0),
    read_timeout=_whole(0, 60_000),
    send_timeout=_whole(0, 60_000),
)
_EXPOSE = _object(
    "port",
    **{"accept": _list(_text()), "as": _PORT, "http_options": _HTTP, "port": _PORT},
    proto=_one_of("TCP", "UDP", "tcp", "udp"),
    to=_list(_target),
)
_SERVICE = _object(
    "image",
    args=_TEXTS,
    command=_TEXTS,
    credentials=_object(
        "host username password",
        email=_text(shortest=5),
        host=_text(shortest=1),
        password=_text(shortest=6),
        username=_text(shortest=1),
    ),
    dependencies=_list(_object("", service=_text())),
    env=_TEXTS,
    expose=_list(_EXPOSE),
    image=_text(shortest=1),
    params=_object(
        "",
        storage=_map(_object("", mount=_text("^/"), readOnly=_flag)),
        permissions=_object("", read=_list(_one_of("deployment", "logs"))),
    ),
)
_VOLUME = _object("size", attributes=_storage_attributes, name=_text(), size=_text())
_GPU_MODEL = _object("", interface=_one_of("pcie", "sxm"), model=_text(), ram=_text())
_VENDOR = _object("nvidia", nvidia=_either(_list(_GPU_MODEL), _null))
_RESOURCES = _object(
    "cpu memory storage",
    cpu=_object(
        "units",
        attributes=_any_object,
        units=_either(_text(r"^(?!0+(\.0+)?m?$)[0-9]+(\.[0-9]+)?[a-zA-Z]*$"), _number(above=0)),
    ),
    gpu=_object("units", attributes=_object("", vendor=_VENDOR), units=_either(_text(), _number())),
    memory=_object("size", size=_text()),
    storage=_either(_VOLUME, _list(_VOLUME)),
)
_PRICE = _object(
    "denom amount",
    amount=_either(_text(r"^[0-9]+(\.[0-9]+)?$"), _number(lowest=0)),
    denom=_text("^(uakt|uact|ibc/.*)$"),
)
_PLACEMENT = _object(
    "pricing",
    attributes=_any_object,
    pricing=_map(_PRICE),
    signedBy=_object("", allOf=_list(_text()), anyOf=_list(_text())),
)
_DOCUMENT = _object(
    "version services profiles deployment",
    deployment=_map(_map(_object("profile count", count=_whole(1), profile=_text()))),
    endpoints=_map(_object("kind", kind=_one_of("ip")), "^[a-z]+[-_0-9a-z]+$"),
    include=_list(_text()),
    profiles=_object(
        "compute placement", compute=_map(_object("resources", resources=_RESOURCES)), placement=_map(_PLACEMENT)
    ),
    services=_map(_SERVICE),
    version=_one_of("2.0", "2.1"),
)


def check_schema(document: JsValue) -> None:
    """Raise NotScripted where the SDK's schema refuses the SDL."""
    _DOCUMENT(document)
