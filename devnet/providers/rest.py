"""The REST gateway of a provider on one connection: HTTP/1.1, headers in the order in which Go sends them."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from io import BufferedReader
from typing import Protocol

from devnet.providers.faults import ANSWER, ProviderFault
from devnet.providers.sending import Sender
from devnet.server import REASONS

MAXIMUM_HEAD_BYTES = 1 << 20
CHUNKED_ABOVE_BYTES = 2048
"""Go sends no length for what does not fit its first buffer."""

JSON, PLAIN_JSON, TEXT = "application/json; charset=UTF-8", "application/json", "text/plain; charset=utf-8"
_PUBLIC = ("/version", "/address", "/status")
_TENANT = (
    ("PUT", re.compile(r"/deployment/[^/]+/manifest")),
    ("GET", re.compile(r"/lease/[^/]+/[^/]+/[^/]+/(manifest|status|kubeevents|logs|shell)")),
    ("GET", re.compile(r"/lease/[^/]+/[^/]+/[^/]+/service/[^/]+/status")),
    ("POST", re.compile(r"/(hostname|endpoint)/migrate")),
)
_MORE_REASONS = {302: "Found", 401: "Unauthorized"}
_NO_KUBERNETES = b'Get "https://10.43.0.1:443/version": dial tcp 10.43.0.1:443: connect: connection refused\n'
_BROKEN_TOKEN = (
    b'{"message":"unknown error while processing JWT. token is malformed: could not base64 decode header: '
    b'illegal base64 data at input byte 0"}'
)


class Speaker(Protocol):
    """What the gateway asks the provider behind it."""

    release: str

    def body(self, route: str, *, is_ready: bool) -> bytes:
        """The JSON of a public route now."""
        ...

    def meeting(self, kinds: Sequence[str], api: str, target: str) -> list[ProviderFault]:
        """The faults that this request meets."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers before Date, body."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class RestGateway:
    """Answers one connection after the other; keeps nothing."""

    def __init__(self, speaker: Speaker, now_seconds: Callable[[], float]) -> None:
        self._speaker = speaker
        self._now_seconds = now_seconds

    def serve(self, tls: ssl.SSLSocket, make_sender: Callable[[Sequence[ProviderFault]], Sender]) -> None:
        """Serve a connection until either side has enough."""
        with tls.makefile("rb") as reader:
            while True:
                head = _read_head(reader)
                if head is None:
                    return
                method, target, headers = head
                size = headers.get("content-length", "0")
                if not size.isdecimal() or int(size) > MAXIMUM_HEAD_BYTES:
                    return
                reader.read(int(size))
                faults = self._speaker.meeting(ANSWER, "rest", target)
                keeps = headers.get("connection", "").lower() != "close"
                if not self._answer(make_sender(faults), self._reply(method, target, headers, faults), faults, keeps):
                    return

    def _reply(self, method: str, target: str, headers: dict[str, str], faults: Sequence[ProviderFault]) -> Reply:
        kinds = {fault.kind: fault for fault in faults}
        if "status" in kinds:
            return _failed(kinds["status"])
        if "redirect" in kinds:
            return Reply(302, (("Location", kinds["redirect"].location),))
        reply = self._routed(method, target.partition("?")[0], headers, kinds)
        if "content_type" in kinds:
            return Reply(reply.status, (("Content-Type", "text/html; charset=utf-8"),), b"<!doctype html><p>Hello")
        return reply

    def _routed(self, method: str, path: str, headers: dict[str, str], kinds: dict[str, ProviderFault]) -> Reply:
        clean = re.sub(r"/+", "/", path)
        if clean != path:
            return Reply(301, (("Location", clean),))
        if path in _PUBLIC and method != "GET":
            return Reply(405)
        is_tenants = any(method == verb and pattern.fullmatch(path) for verb, pattern in _TENANT)
        if path not in _PUBLIC and not is_tenants:
            return Reply(404, _text(), b"404 page not found\n")
        if "authorization" in headers:
            return self._refused_token()
        return _unauthorized() if is_tenants else self._public(path, kinds)

    def _public(self, path: str, kinds: dict[str, ProviderFault]) -> Reply:
        if path == "/version" and "no_kubernetes" in kinds:
            return Reply(500 if self._is_old else 503, _text(), _NO_KUBERNETES)
        return Reply(200, (("Content-Type", JSON),), self._speaker.body(path, is_ready="not_ready" not in kinds))

    @property
    def _is_old(self) -> bool:
        return self._speaker.release == "0.10.7"

    def _refused_token(self) -> Reply:
        """No token is known here: the tenants' keys sign none for a local network."""
        if self._is_old:
            return Reply(500, (("Content-Type", PLAIN_JSON),), _BROKEN_TOKEN)
        return Reply(401, (("Content-Type", PLAIN_JSON),), b'{"message":"JWT is invalid"}')

    def _answer(self, sender: Sender, reply: Reply, faults: Sequence[ProviderFault], keeps: bool) -> bool:  # noqa: FBT001
        """Send it; False where the connection ends."""
        kinds = {fault.kind: fault for fault in faults}
        if "delay" in kinds:
            sender.wait(kinds["delay"].seconds)
        if "drop" in kinds:
            return False
        head, body = self._rendered(reply, keeps=keeps)
        sender.head(head)
        sender.body(body[: len(body) // 2] if "cut" in kinds else body)
        return keeps and "cut" not in kinds

    def _rendered(self, reply: Reply, *, keeps: bool) -> tuple[bytes, bytes]:
        reason = REASONS.get(reply.status) or _MORE_REASONS.get(reply.status, "Unknown")
        lines = [f"HTTP/1.1 {reply.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        lines.append(f"Date: {formatdate(self._now_seconds(), usegmt=True)}")
        end = [] if keeps else ["Connection: close"]
        body = reply.body
        if len(body) > CHUNKED_ABOVE_BYTES:
            lines += [*end, "Transfer-Encoding: chunked"]
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        else:
            lines += [f"Content-Length: {len(body)}", *end]
        return "\r\n".join(lines).encode() + b"\r\n\r\n", body


def _unauthorized() -> Reply:
    return Reply(401, (("Content-Type", PLAIN_JSON),), b'{"message":"unauthorized access"}')


def _text() -> tuple[tuple[str, str], ...]:
    return (("Content-Type", TEXT), ("X-Content-Type-Options", "nosniff"))


def _failed(fault: ProviderFault) -> Reply:
    headers = _text()
    if fault.retry_after is not None:
        headers = (*headers, ("Retry-After", str(fault.retry_after)))
    return Reply(fault.status, headers, f"devnet fault {fault.status}\n".encode())


def _read_head(reader: BufferedReader) -> tuple[str, str, dict[str, str]] | None:
    """Request line and headers; None at the end or where they are too long or no HTTP."""
    left = MAXIMUM_HEAD_BYTES
    line = reader.readline(left)
    words = line.decode("latin-1").split()
    if len(words) != 3 or not line.endswith(b"\n"):
        return None
    headers: dict[str, str] = {}
    while left > 0:
        left -= len(line)
        line = reader.readline(max(left, 0))
        if line in {b"\r\n", b"\n"}:
            return words[0], words[1], headers
        if not line.endswith(b"\n"):
            return None
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return None
