"""Reads `services` and `endpoints` of an SDL."""

from __future__ import annotations

import re
from collections.abc import Container

from verifiers.sdl.model import Credentials, Expose, ExposeTo, HttpOptions, Mount, Params, Service
from verifiers.sdl.nodes import ScalarNode
from verifiers.sdl.quantities import timeout_ms
from verifiers.sdl.reading import Cursor

NEXT_CASES = ("error", "timeout", "500", "502", "503", "504", "403", "404", "429", "off")
TEE_TYPES = ("cpu", "cpu-gpu")
MAX_BODY_BYTES = 104_857_600
MAX_PROXY_BUFFER_BYTES = 1_048_576
MAX_TIMEOUT_MS = 60_000

_SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_ENDPOINT_NAME = re.compile(r"[a-z]+[-_a-z0-9]+")


def read_services(place: Cursor, deployed: Container[str]) -> dict[str, Service]:
    """All services by name, with their own rules checked (reference akash-sdl 6) where they are `deployed`."""
    if place.is_absent:
        place.error("an SDL needs services: add one with an image")
    return {name: _service(name, cursor) for name, cursor in place.named(deployed)}


def read_endpoints(place: Cursor) -> dict[str, int]:
    """The declared IP endpoints and their lines."""
    declared: dict[str, int] = {}
    for name, cursor in place.items():
        if _ENDPOINT_NAME.fullmatch(name) is None:
            cursor.error(f"rename the endpoint {name[:40]!r}: lower-case letters first, then letters, digits, - or _")
        if cursor.at("kind").text() != "ip":
            cursor.error("an endpoint has kind: ip")
        declared[name] = cursor.line
    return declared


def _service(name: str, place: Cursor) -> Service:
    if _SERVICE_NAME.fullmatch(name) is None:
        place.rule(f"rename the service {name[:40]!r}: lower-case letters, digits and -, starting with a letter")
    image = place.at("image").text()
    if not image:
        place.at("image").rule("name the container image")
    env = place.at("env")
    _check_env(env)
    return Service(
        name=name,
        image=image,
        command=place.at("command").texts(),
        args=place.at("args").texts(),
        env=env.texts(),
        expose=tuple(_expose(cursor) for cursor in place.at("expose").elements()),
        params=_params(place.at("params")),
        credentials=_credentials(place.at("credentials")),
        line=place.line,
        path=place.path,
    )


def _check_env(env: Cursor) -> None:
    for place in env.elements():
        name = place.text().partition("=")[0]
        if _ENV_NAME.fullmatch(name) is None or name == "." or name.startswith(".."):
            place.rule(
                "an environment entry is NAME=value, its name of letters, digits, _, - and . without a digit first"
            )


def _expose(place: Cursor) -> Expose:
    port = place.at("port").whole()
    if not 1 <= port <= 65535:
        place.at("port").rule("a port lies between 1 and 65535")
    external = place.at("as")
    external_port = external.whole()
    if external_port > 65535:
        external.warn("a port lies between 1 and 65535; no provider can open this one")
    proto = place.at("proto").text()
    if proto.upper() not in ("", "TCP", "UDP"):
        place.at("proto").rule("proto is tcp or udp")
    return Expose(
        port=port,
        external_port=external_port,
        proto=proto,
        to=tuple(_to(cursor) for cursor in place.at("to").elements()),
        hosts=place.at("accept").texts(),
        http=_http(place.at("http_options")),
        line=place.line,
        path=place.path,
    )


def _to(place: Cursor) -> ExposeTo:
    place.items()  # anything but a mapping is an error of its own
    return ExposeTo(place.at("service").text(), place.at("global").flag(), place.at("ip").text(), place.line)


def _http(place: Cursor) -> HttpOptions:
    place.items()
    cases = place.at("next_cases")
    next_cases = cases.texts() or ()
    for element in cases.elements():
        if element.text() not in NEXT_CASES:
            element.rule(f"a next case is one of {', '.join(NEXT_CASES)}")
    if "off" in next_cases and len(next_cases) > 1:
        cases.rule("off stands alone; remove the other cases or off")
    return HttpOptions(
        max_body_size=place.at("max_body_size").whole(MAX_BODY_BYTES),
        read_timeout=_timeout(place.at("read_timeout")),
        send_timeout=_timeout(place.at("send_timeout")),
        next_tries=place.at("next_tries").whole(),
        next_timeout=place.at("next_timeout").whole(),
        proxy_buffer_size=place.at("proxy_buffer_size").whole(MAX_PROXY_BUFFER_BYTES),
        next_cases=next_cases,
    )


def _timeout(place: Cursor) -> int:
    """Milliseconds: up to a minute as a number, since August 2026 (chain-sdk `go/sdl`) any duration too."""
    if place.is_absent:
        return 0
    text = place.text()
    try:
        value = timeout_ms(text)
    except ValueError:
        return place.whole()
    if value > MAX_TIMEOUT_MS or not (text.isdigit() and isinstance(place.node, ScalarNode) and place.node.plain):
        place.warn("only tools since August 2026 read this; older ones take a number of at most 60000 milliseconds")
    return value


def _params(place: Cursor) -> Params | None:
    if place.is_absent:
        return None
    mounts = tuple(_mount(name, cursor) for name, cursor in place.at("storage").items())
    permissions = place.at("permissions")
    tee = place.at("tee").text()
    if tee and tee not in TEE_TYPES:
        place.at("tee").error(f"tee is one of {', '.join(TEE_TYPES)}")
    read = None if permissions.is_absent else permissions.at("read").texts() or ()
    return Params(mounts, read, tee, place.line)


def _mount(name: str, place: Cursor) -> Mount:
    mount = place.at("mount").text()
    if not mount.startswith("/"):
        place.at("mount").rule("mount is an absolute path such as /data")
    return Mount(name, mount, place.at("readOnly").flag(), place.line, place.path)


def _credentials(place: Cursor) -> Credentials | None:
    if place.is_absent:
        return None
    for key in ("host", "username", "password"):
        if not place.at(key).text().strip():
            place.at(key).rule(f"credentials need a {key}")
    return Credentials(*(place.at(key).text() for key in ("host", "email", "username", "password")))
