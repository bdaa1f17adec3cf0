"""The one door to the network: every request has one total deadline and one byte limit, and follows nobody.

A `Door` leads to one host. Which address a name may mean is its `connect`: `connect_operator` for hosts from the
settings (any address is the operator's choice). Hosts named by others get `sockets.ConnectChecked`, which checks and
pins the address (security.md 2); everything else here holds for both.
"""

from __future__ import annotations

import threading
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connectionpool import HTTPConnectionPool

from verifiers.sockets import Connect, Deadline, Pin, connect_operator, pool_to
from verifiers.trouble import BadCertificate, CutBody, Timeout, TooLarge, Trouble, Unreachable, WrongContentType

_MIB = 1 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost. `body_bytes` holds before and after gunzip."""

    deadline_seconds: float = 30.0
    connect_seconds: float = 5.0
    body_bytes: int = 64 * _MIB


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of whatever status, its body complete and unpacked. Header names match in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _OneHost(HTTPAdapter):
    """Gives every request the one pool of its host, so no address and no proxy can be chosen elsewhere."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self._pool = pool

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()


@dataclass
class _Line:
    """What one thread keeps open to the host."""

    adapter: HTTPAdapter
    deadline: Deadline


class Door:
    """Asks one host. Thread safe: each thread keeps its own connection alive.

    `base_url` is `http(s)://[user:password@]host[:port][/prefix]`; credentials go out as basic authorization and
    appear nowhere else. `name` is what an Observation may show. `ca_file` (PEM) replaces the public authorities,
    `pin` authorities and host name: then only that one certificate is good.
    Raises ValueError for an address of any other form.
    """

    def __init__(
        self,
        base_url: str,
        limits: Limits = Limits(),
        connect: Connect = connect_operator,
        ca_file: str | None = None,
        pin: Pin | None = None,
    ) -> None:
        parts = urlsplit(base_url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{_hidden(base_url)!r} is not an address such as https://node.example:1317")
        self._tls = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (443 if self._tls else 80)
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self._base = f"{parts.scheme}://{shown}:{self._port}{parts.path.rstrip('/')}"
        self.name = f"{shown}:{self._port}{parts.path.rstrip('/')}"
        self.limits = limits
        self._connect = connect
        self._verify: bool | str = False if pin else ca_file or True
        self._pin = pin
        self._headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "waymark"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        self._local = threading.local()
        self._lines: list[_Line] = []
        self._lock = threading.Lock()

    def get(
        self, target: str, headers: Mapping[str, str] | None = None, deadline_seconds: float | None = None
    ) -> Reply:
        """GET `target`, a path with its query already encoded.

        Returns whatever the host answers. Raises Timeout, Unreachable, CutBody, TooLarge, WrongContentType.
        """
        line = self._line()
        line.deadline.start(deadline_seconds or self.limits.deadline_seconds)
        request = self._prepare("GET", target, headers, None)
        try:
            return self._send(line, request)
        except _Stale:
            # the host closed a connection that was kept alive, just as we used it again: once more, on a new one
            return self._send(line, request, is_last_try=True)

    def post(
        self,
        target: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float | None = None,
    ) -> Reply:
        """POST a body, never repeated by itself. As `get`."""
        line = self._line()
        line.deadline.start(deadline_seconds or self.limits.deadline_seconds)
        return self._send(line, self._prepare("POST", target, headers, body), is_last_try=True)

    def close(self) -> None:
        """Close every thread's connection; the next request opens a new one."""
        with self._lock:
            lines, self._lines = self._lines, []
            self._local = threading.local()
        for line in lines:
            line.adapter.close()

    def _line(self) -> _Line:
        line: _Line | None = getattr(self._local, "line", None)
        if line is None:
            line = self._open()
            self._local.line = line
            with self._lock:
                self._lines.append(line)
        return line

    def _open(self) -> _Line:
        deadline = Deadline(self.limits.connect_seconds)
        pool = pool_to(self._host, self._port, self._connect, deadline, is_tls=self._tls, pin=self._pin)
        return _Line(_OneHost(pool), deadline)

    def _prepare(
        self, method: str, target: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> requests.PreparedRequest:
        request = requests.PreparedRequest()
        request.method = method
        request.url = self._base + target
        request.headers = CaseInsensitiveDict(self._headers)
        if headers:
            request.headers.update(headers)
        if body is not None:
            request.headers["Content-Length"] = str(len(body))
        request.body = body
        request.hooks = {"response": []}
        return request

    def _send(self, line: _Line, request: requests.PreparedRequest, *, is_last_try: bool = False) -> Reply:
        seconds = self.limits.deadline_seconds
        try:
            # the adapter alone: a session adds cookies, the environment's proxies and redirects, and we want none
            answer = line.adapter.send(request, stream=True, timeout=seconds, verify=self._verify, proxies={})
            try:
                body = self._read(answer.raw)
            except BaseException:
                answer.raw.close()
                raise
            return Reply(answer.status_code, answer.headers, self._unpack(body, answer.headers))
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
            raise Timeout(f"{self.name} did not answer in time. Waymark tries again or asks another host.") from None
        except requests.exceptions.SSLError as error:
            kind = BadCertificate if _is_about_certificate(error) else Unreachable
            raise kind(f"{self.name} shows no certificate that can be trusted: {_reason(error)}") from None
        except requests.ConnectionError as error:
            raise self._broken(error, is_last_try=is_last_try) from None
        except urllib3.exceptions.HTTPError:
            raise CutBody(f"{self.name} cut its answer. Waymark tries again or asks another host.") from None
        except requests.RequestException as error:
            raise Unreachable(f"{self.name} can't be asked: {_reason(error)}") from None

    def _broken(self, error: requests.ConnectionError, *, is_last_try: bool) -> Trouble:
        cause = error.args[0] if error.args else None
        if isinstance(cause, urllib3.exceptions.ProtocolError):
            kind = CutBody if is_last_try else _Stale
            return kind(f"{self.name} closed the connection before it answered. Waymark asks again.")
        return Unreachable(f"{self.name} can't be reached: {_reason(error)}. Check the address, or that it runs.")

    def _read(self, raw: Any) -> bytes:
        limit = self.limits.body_bytes
        announced = raw.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > limit:
            raise TooLarge(f"{self.name} announces {announced} bytes, more than the {limit} allowed.")
        chunks: list[bytes] = []
        size = 0
        while chunk := raw.read(_CHUNK_BYTES, decode_content=False):
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"{self.name} answers more than the {limit} bytes allowed.")
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _unpack(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding in {"identity", ""} or not body:
            return body
        if encoding not in {"gzip", "x-gzip"}:
            raise WrongContentType(f"{self.name} answers in the encoding {encoding[:20]!r}, which was not asked for.")
        limit = self.limits.body_bytes
        unpacker = zlib.decompressobj(wbits=31)
        try:
            plain = unpacker.decompress(body, limit + 1)
        except zlib.error:
            raise CutBody(f"{self.name} answers with broken gzip. Waymark asks again.") from None
        if len(plain) > limit:
            raise TooLarge(f"{self.name} answers more than the {limit} bytes allowed, once unpacked.")
        if not unpacker.eof:
            raise CutBody(f"{self.name} cut its packed answer. Waymark asks again.")
        return plain


class _Stale(CutBody):
    """A kept connection that the host had closed."""


def _is_about_certificate(error: requests.exceptions.SSLError) -> bool:
    """Whether the certificate was seen and is not good, rather than no handshake coming about."""
    text = str(error)
    return "CERTIFICATE_VERIFY_FAILED" in text or "Fingerprints did not match" in text


def _reason(error: BaseException) -> str:
    """The innermost cause as one line: what an operator needs, without an object's address."""
    inner: BaseException = error
    while isinstance(inner.args[0] if inner.args else None, BaseException):
        inner = inner.args[0]
    reason = getattr(inner, "reason", None)
    text = str(reason if isinstance(reason, BaseException) else inner)
    return text.partition("): ")[2] or text


def _hidden(url: str) -> str:
    """An address without its credentials, for a message."""
    return url.rpartition("@")[2]
