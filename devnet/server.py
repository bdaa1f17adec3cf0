"""A lean HTTP/1.1 server: keep-alive, one thread a connection, the limits of a real node."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from io import BufferedReader

from devnet.api.answer import Answer

MAXIMUM_HEAD_BYTES = 1_048_576
MAXIMUM_BODY_BYTES = 1_000_000
CHUNKED_ABOVE_BYTES = 2048
"""Go sends no length for what does not fit its first buffer."""

REASONS = {
    200: "OK",
    301: "Moved Permanently",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
_BODY_TOO_LARGE = (
    b'{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request","data":"error reading request body: '
    b'http: request body too large"}}'
)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What came in. `headers` by lower-case name; `target` as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """What goes out, and how it is to go wrong: `cut_after` bytes of the body the connection is closed; `drop`:
    it is closed without a word."""

    answer: Answer
    cut_after: int | None = None
    drop: bool = False


Respond = Callable[[HttpRequest], Sent]


class HttpServer:
    """Serves one port in threads of its own until `close`."""

    def __init__(self, host: str, port: int, respond: Respond, now_seconds: Callable[[], float]) -> None:
        """Binds at once (port 0: any free one). Raises OSError where the port is taken."""
        self._respond = respond
        self._now_seconds = now_seconds
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._server = _Server((host, port), self)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._server.shutdown()
        self._server.server_close()
        with self._guard:
            open_now = list(self._connections)
        for connection in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.join_all()

    def serve_connection(self, connection: socket.socket) -> None:
        """Answer request after request until either side has enough."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._guard:
            self._connections.add(connection)
        try:
            with connection.makefile("rb") as reader:
                while self._serve_one(connection, reader):
                    pass
        except OSError:
            pass  # the client went away, or close() was called
        finally:
            with self._guard:
                self._connections.discard(connection)

    def _serve_one(self, connection: socket.socket, reader: BufferedReader) -> bool:
        head = _read_head(reader)
        if head is None:
            return False
        method, target, headers = head
        told_size = headers.get("content-length") or "0"
        if not told_size.isdecimal():
            return False
        size = int(told_size)
        if size > MAXIMUM_BODY_BYTES:
            reader.read(min(size, 4 * MAXIMUM_BODY_BYTES))
            answer = Answer(400, _BODY_TOO_LARGE, tells_time=False)
            connection.sendall(self._rendered(answer, _HttpForm(is_head=False, keeps=False)))
            return False
        body = reader.read(size) if size else b""
        keeps = headers.get("connection", "").lower() != "close"
        sent = self._respond(HttpRequest(method, target, headers, body))
        if sent.drop:
            return False
        out = self._rendered(sent.answer, _HttpForm(is_head=method == "HEAD", keeps=keeps))
        if sent.cut_after is not None:
            end = out.index(b"\r\n\r\n") + 4
            connection.sendall(out[: end + sent.cut_after])
            return False
        connection.sendall(out)
        return keeps

    def _rendered(self, answer: Answer, form: _HttpForm) -> bytes:
        body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
        seconds = self._now_seconds()
        lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if answer.tells_time:
            lines.append(f"X-Server-Time: {int(seconds)}")
        lines.append(f"Date: {formatdate(seconds, usegmt=True)}")
        if not form.keeps:
            lines.append("Connection: close")
        if len(body) > CHUNKED_ABOVE_BYTES and not form.is_head:
            lines.append("Transfer-Encoding: chunked")
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        else:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        return head if form.is_head else head + body


@dataclass(frozen=True, slots=True)
class _HttpForm:
    is_head: bool
    keeps: bool


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: HttpServer) -> None:
        self._owner = owner
        self._workers: list[threading.Thread] = []
        super().__init__(address, _Handler)

    @property
    def owner(self) -> HttpServer:
        return self._owner

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        worker = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._workers = [each for each in self._workers if each.is_alive()]
        self._workers.append(worker)
        worker.start()

    def join_all(self) -> None:
        for worker in self._workers:
            worker.join(timeout=2)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.owner.serve_connection(self.request)


def _read_head(reader: BufferedReader) -> tuple[str, str, dict[str, str]] | None:
    """Request line and headers; None at the end or where they are too long or no HTTP."""
    left = MAXIMUM_HEAD_BYTES
    line = reader.readline(left)
    left -= len(line)
    words = line.decode("latin-1").split()
    if len(words) != 3 or not line.endswith(b"\n"):
        return None
    headers: dict[str, str] = {}
    while left > 0:
        line = reader.readline(left)
        left -= len(line)
        if line in {b"\r\n", b"\n"}:
            return words[0], words[1], headers
        if not line.endswith(b"\n"):
            return None
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return None
