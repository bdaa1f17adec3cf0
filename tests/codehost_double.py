"""A code host on loopback that speaks GitHub's REST API as far as pull requests need it, and fails on request."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

HEAD = "a" * 40
JSON = "application/json; charset=utf-8"


@dataclass
class PullDouble:
    """One pull request; `files`: path to content of what it changes."""

    repository: str
    number: int
    body: str = ""
    title: str = "Add an SDL"
    state: str = "open"
    merged_at: str | None = None
    closed_at: str | None = None
    head: str = HEAD
    files: dict[str, bytes] = field(default_factory=dict)
    removed: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        return {
            "id": 7,
            "number": self.number,
            "state": self.state,
            "title": self.title,
            "body": self.body or None,
            "user": {"login": "somebody"},
            "created_at": "2026-11-20T10:00:00Z",
            "merged": self.merged_at is not None,
            "merged_at": self.merged_at,
            "closed_at": self.closed_at or self.merged_at,
            "head": {"sha": self.head, "repo": {"full_name": "somebody/fork"}},
            "base": {"repo": {"full_name": self.repository}},
            "changed_files": len(self.files),
        }

    def row(self, path: str) -> dict[str, Any]:
        status = "removed" if path in self.removed else "added"
        return {"sha": blob(self.files[path]), "filename": path, "status": status, "patch": "@@"}

    def content(self, path: str) -> dict[str, Any]:
        raw = self.files[path]
        packed = base64.encodebytes(raw).decode()
        return {"type": "file", "encoding": "base64", "size": len(raw), "path": path, "content": packed,
                "sha": blob(raw)}  # fmt: skip


def blob(raw: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw).hexdigest()


@dataclass
class Fault:
    """What the host does instead of answering a request whose path contains `where`."""

    where: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: Callable[[socket.socket], None] | None = None


class CodeHostDouble:
    """`pulls` are shown; `faults` go first; `asked` keeps (path, headers) of every request."""

    def __init__(self) -> None:
        self.repositories: set[str] = set()
        self.pulls: dict[tuple[str, int], PullDouble] = {}
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.headers: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, pull: PullDouble) -> PullDouble:
        self.repositories.add(pull.repository)
        self.pulls[pull.repository, pull.number] = pull
        return pull

    def count(self, part: str) -> int:
        return sum(part in path for path, _ in self.asked)

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, Any]:
        parts = [unquote(part) for part in path.strip("/").split("/")]
        repository = "/".join(parts[1:3])
        if parts[0] != "repos" or repository not in self.repositories:
            return 404, {"message": "Not Found", "status": "404"}
        if len(parts) == 3:
            return 200, {"full_name": repository, "private": False}
        if parts[3] == "contents":
            return self._contents(repository, "/".join(parts[4:]), query.get("ref", ""))
        pull = self.pulls.get((repository, int(parts[4])))
        if pull is None:
            return 404, {"message": "Not Found", "status": "404"}
        if len(parts) == 5:
            return 200, pull.shown()
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        rows = [pull.row(name) for name in pull.files]
        return 200, rows[size * (page - 1) : size * page]

    def _contents(self, repository: str, path: str, commit: str) -> tuple[int, Any]:
        for (name, _), pull in self.pulls.items():
            if name == repository and pull.head == commit and path in pull.files:
                return 200, pull.content(path)
        return 404, {"message": "Not Found", "status": "404"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 1 << 16

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                double.asked.append((self.path, dict(self.headers)))
                fault = next((each for each in double.faults if each.where in self.path), None)
                if fault is not None and fault.raw is not None:
                    self.close_connection = True
                    try:
                        fault.raw(self.connection)
                    except OSError:
                        # the client had enough, as it should
                        return
                    return
                if fault is not None:
                    self._send(fault.status, fault.body, {"content-type": JSON, **fault.headers})
                    return
                status, document = double.answer(parts.path, dict(parse_qsl(parts.query)))
                try:
                    self._document(status, document)
                except OSError:
                    # the client did not wait
                    self.close_connection = True

            def _document(self, status: int, document: Any) -> None:
                body = json.dumps(document).encode()
                etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                if status == 200 and self.headers.get("if-none-match") == etag:
                    self._send(304, b"", {"etag": etag, **double.headers})
                    return
                self._send(status, body, {"content-type": JSON, "etag": etag, **double.headers})

            def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        return Handler


def dripping(head: bytes, seconds: float = 0.05) -> Callable[[socket.socket], None]:
    """Send one byte now and then, so that no single read waits long."""

    def send(connection: socket.socket) -> None:
        for byte in head:
            connection.sendall(bytes([byte]))
            time.sleep(seconds)

    return send


def sending(raw: bytes) -> Callable[[socket.socket], None]:
    """Send these bytes and close."""
    return lambda connection: connection.sendall(raw)


def silent(connection: socket.socket) -> None:
    """Say nothing until the client leaves."""
    connection.settimeout(5)
    connection.recv(1)


FAULTS: Mapping[str, tuple[str, Fault]] = {
    "timeout": ("timeout", Fault("", raw=silent)),
    "slow header": ("timeout", Fault("", raw=dripping(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 500))),
    "slow body": (
        "timeout",
        Fault("", raw=dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"{" * 900, 0.02)),
    ),
    "429": ("rate_limited", Fault("", 429, {"retry-after": "30"}, b"{}")),
    "403 at the limit": (
        "rate_limited",
        Fault("", 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4102444800"}, b"{}"),
    ),
    "403 secondary limit": (
        "rate_limited",
        Fault("", 403, {}, b'{"message": "You have exceeded a secondary rate limit."}'),
    ),
    "403": ("denied", Fault("", 403, {}, b'{"message": "Forbidden"}')),
    "401": ("denied", Fault("", 401, {}, b'{"message": "Bad credentials"}')),
    "500": ("server_error", Fault("", 500, {}, b"{}")),
    "502": ("server_error", Fault("", 502, {"content-type": "text/html"}, b"<html>")),
    "503": ("server_error", Fault("", 503, {"retry-after": "1"}, b"{}")),
    "cut": ("cut_body", Fault("", raw=sending(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"))),
    "no answer": ("cut_body", Fault("", raw=sending(b""))),
    "wrong content type": ("wrong_content_type", Fault("", 200, {"content-type": "text/html"}, b"<html>ok</html>")),
    "404 of a proxy": ("repository_hidden", Fault("", 404, {"content-type": "text/html"}, b"<html>")),
    "410": ("unexpected_status", Fault("", 410, {}, b"{}")),
    "no json": ("undecodable", Fault("", 200, {}, b"{broken")),
    "another json": ("undecodable", Fault("", 200, {}, b'"hello"')),
    "empty": ("undecodable", Fault("", 200, {}, b"")),
    "redirect": ("redirected", Fault("", 301, {"location": "http://169.254.169.254/"}, b"{}")),
    "redirect to itself": ("redirected", Fault("", 302, {"location": "/"}, b"{}")),
}
"""Every fault: the trouble that it must be, and what the host does."""
