"""A provider in pure Python: the certificate of the Akash kind, REST over TLS 1.3, GetStatus over h2, and its faults.

It answers what it is told; `rest_fault` and `grpc_fault` name what goes wrong (see RestFault, GrpcFault).
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, WindowUpdated
from h2.exceptions import ProtocolError

from tasks.moment import Moment
from tests.provider_certificates import NOW, OWNER, STRANGER, MadeCertificate, made, public_certificate
from verifiers.evidence import Observation, Source
from verifiers.provider.messages import STATUS
from verifiers.provider.wire import Kind, Message

CERTIFICATES_PATH = "/akash/cert/v1/certificates/list"


# -------------------------------------------------------------------------------- the status


def encoded(message: Message, values: dict[str, Any]) -> bytes:
    """Protobuf bytes of plain values by field name."""
    numbers = {field.name: (number, field) for number, field in message.items()}
    out = bytearray()
    for name, value in values.items():
        number, about = numbers[name]
        if about.kind in {Kind.UNSIGNED, Kind.SIGNED}:
            out += varint(number << 3) + varint(value)
            continue
        for one in value if about.is_repeated else [value]:
            data = one.encode() if about.kind is Kind.TEXT else encoded(about.of or {}, one)
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return bytes(out)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def node(name: str = "node-a", *, gpus: Sequence[tuple[str, str]] = (("a100", "80Gi"),), cpu: str = "32",
         memory: str = "256Gi", capacity: int | None = None, modelid: str = "", interface: str = "PCIe"
         ) -> dict[str, Any]:  # fmt: skip
    """One machine; `gpus` are (model, memory)."""

    def quantity(text: str) -> dict[str, Any]:
        return {"quantity": {which: {"string": text} for which in ("allocatable", "allocated", "capacity")}}

    info = [
        {"vendor": "nvidia", "name": model, "modelid": modelid, "interface": interface, "memory_size": size}
        for model, size in gpus
    ]
    gpu = {**quantity(str(len(gpus) if capacity is None else capacity)), "info": info}
    return {"name": name, "resources": {"cpu": quantity(cpu), "memory": quantity(memory), "gpu": gpu}}


def status_of(*nodes: dict[str, Any]) -> dict[str, Any]:
    """A whole GetStatus answer with these machines."""
    inventory = {"cluster": {"nodes": list(nodes)}}
    return {"cluster": {"leases": {"active": 1}, "inventory": inventory}, "public_hostnames": ["gpu.example.org"]}


# ------------------------------------------------------------------------------- the provider


@dataclass
class ProviderDouble:
    """REST at `port`, gRPC at the next, on loopback. What is asked is kept in `asked`; `certificate` may change.

    `public`: shown to who asks for `localhost` by name. `replayed`: sent on the gRPC port instead of an answer.
    """

    owner: str = OWNER
    certificate: MadeCertificate = field(default_factory=made)
    public: MadeCertificate | None = None
    nodes: Sequence[dict[str, Any]] = field(default_factory=lambda: [node()])
    rest_fault: str = ""
    grpc_fault: str = ""
    asked: list[str] = field(default_factory=list)
    grpc_headers: list[tuple[str, str]] = field(default_factory=list)
    server_names: list[str | None] = field(default_factory=list)
    replayed: bytes = b""

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._rest, self._grpc = _two_listeners()
        self.port = self._rest.getsockname()[1]
        self.host_uri = f"https://localhost:{self.port}"
        ends = ((self._rest, self._serve_rest, ()), (self._grpc, self._serve_grpc, ("h2",)))
        for listener, serve, protocols in ends:
            threading.Thread(target=self._accept, args=(listener, serve, protocols), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for listener in (self._rest, self._grpc):
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _context(self, protocols: Sequence[str]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.certificate.file)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if self.public is not None and not protocols:
            public = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            public.load_cert_chain(self.public.file)

            def choose(sock: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
                self.server_names.append(name)
                if name == "localhost":
                    sock.context = public

            context.sni_callback = choose
        return context

    def _accept(
        self, listener: socket.socket, serve: Callable[[ssl.SSLSocket], None], protocols: Sequence[str]
    ) -> None:
        while not self._stop.is_set():
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(plain, serve, protocols), daemon=True).start()

    def _meet(self, plain: socket.socket, serve: Callable[[ssl.SSLSocket], None], protocols: Sequence[str]) -> None:
        fault = self.grpc_fault if protocols else self.rest_fault
        plain.settimeout(5)
        with contextlib.suppress(OSError, ssl.SSLError, ProtocolError), plain:
            if fault == "silent":
                self._stop.wait(5)
                return
            if fault == "no_tls":
                plain.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
                return
            if fault == "hang_up":
                return
            if fault == "slow_handshake":
                plain.sendall(b"\x16\x03\x03\x40\x00")
                self._trickle(plain, b"\2" * 200)
                return
            with self._context(protocols).wrap_socket(plain, server_side=True) as tls:
                serve(tls)

    # ---------------------------------------------------------------- REST

    def _serve_rest(self, tls: ssl.SSLSocket) -> None:
        heard = b""
        while b"\r\n\r\n" not in heard:
            chunk = tls.recv(4096)
            if not chunk:
                return
            heard += chunk
        head = heard.decode()
        route = head.split(" ", 2)[1]
        self.asked.append(head)
        body = json.dumps(self._rest_body(route)).encode()
        self._answer_rest(tls, body)

    def _rest_body(self, route: str) -> dict[str, Any]:
        if route == "/version":
            return {"akash": {"version": "0.14.0", "name": "provider-services"}, "kube": None}
        if route == "/address":
            return {"address": self.owner}
        inventory: dict[str, Any] = {"available": {}}
        if self.rest_fault == "not_ready":
            inventory["error"] = {}
        return {"address": self.owner, "cluster": {"leases": 0, "inventory": inventory}}

    def _answer_rest(self, tls: ssl.SSLSocket, body: bytes) -> None:
        fault = self.rest_fault
        statuses = {"429": "429 Too Many Requests", "500": "500 Internal Server Error", "503": "503 Unavailable",
                    "401": "401 Unauthorized", "404": "404 Not Found",
                    "redirect": "302 Found\r\nlocation: http://169.254.169.254/latest"}  # fmt: skip
        kind = "text/html" if fault == "wrong_type" else "application/json"
        if fault == "garbage":
            body = b"{not json"
        length = len(body) * 2 if fault == "cut_body" else len(body)
        if fault == "huge":
            length = 2 << 20
        if fault == "gzip_bomb":
            body = gzip.compress(b" " * (16 << 20))
            length = len(body)
            kind += "\r\ncontent-encoding: gzip"
        head = (
            f"HTTP/1.1 {statuses.get(fault, '200 OK')}\r\ncontent-type: {kind}\r\n"
            f"content-length: {length}\r\nconnection: close\r\n\r\n"
        ).encode()
        if fault == "slow_header":
            self._trickle(tls, head + body)
        elif fault == "slow_body":
            tls.sendall(head)
            self._trickle(tls, body)
        elif fault == "chunked":
            tls.sendall(head.replace(b"content-length: %d" % length, b"transfer-encoding: chunked"))
            for place in range(0, len(body), 7):
                piece = body[place : place + 7]
                tls.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            tls.sendall(b"0\r\n\r\n")
        elif fault == "endless":
            tls.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")
            while not self._stop.is_set():
                tls.sendall(b" " * 65536)
        else:
            tls.sendall(head + body)

    def _trickle(self, tls: socket.socket, data: bytes) -> None:
        for place in range(len(data)):
            if self._stop.is_set():
                return
            tls.sendall(data[place : place + 1])
            time.sleep(0.05)

    # ---------------------------------------------------------------- gRPC

    def _serve_grpc(self, tls: ssl.SSLSocket) -> None:
        if tls.selected_alpn_protocol() != "h2":
            return
        h2 = H2Connection(config=H2Configuration(client_side=False, header_encoding="utf-8"))
        if self.replayed:
            tls.recv(65536)
            tls.sendall(self.replayed)
            self._stop.wait(5)
            return
        h2.initiate_connection()
        tls.sendall(h2.data_to_send())
        left, body = b"", b""
        while data := tls.recv(65536):
            for event in h2.receive_data(data):
                if isinstance(event, RequestReceived):
                    self.grpc_headers = [(str(name), str(value)) for name, value in event.headers]
                elif isinstance(event, DataReceived):
                    body += event.data
                elif isinstance(event, StreamEnded) and body == b"\0\0\0\0\0":
                    left = self._begin(tls, h2)
                if isinstance(event, StreamEnded | WindowUpdated) and body:
                    left = self._send(tls, h2, left)
            tls.sendall(h2.data_to_send())

    def _begin(self, tls: ssl.SSLSocket, h2: H2Connection) -> bytes:
        """Send the headers; what is left to send."""
        fault = self.grpc_fault
        answers = {
            "not_ready": ("2", "inventory status not available yet"),
            "unavailable": ("14", "no%20route"),
            "internal": ("13", "boom"),
            "unimplemented": ("12", "GetStatus not implemented"),
            "exhausted": ("8", "slow down"),
            "odd_status": ("9", "precondition"),
        }
        head = [(":status", "200"), ("content-type", "application/grpc")]
        if fault in answers:
            code, text = answers[fault]
            h2.send_headers(1, [*head, ("grpc-status", code), ("grpc-message", text)], end_stream=True)
        elif fault in {"http_503", "http_429", "http_415", "http_302"}:
            h2.send_headers(1, [(":status", fault[5:]), ("content-type", "text/plain")], end_stream=True)
        elif fault == "wrong_type":
            h2.send_headers(1, [(":status", "200"), ("content-type", "text/html")])
            return framed(b"")
        elif fault == "goaway":
            h2.close_connection()
        elif fault == "slow":
            self._trickle(tls, h2.data_to_send())
            self._stop.wait(5)
        elif fault == "noise":
            tls.sendall(b"\0\xff\xff\xff" * 50)
        elif fault == "pings":
            while not self._stop.is_set():
                h2.ping(b"pingpong")
                tls.sendall(h2.data_to_send() * 500)
        else:
            h2.send_headers(1, head)
            return self._message()
        return b""

    def _message(self) -> bytes:
        message = framed(encoded(STATUS, status_of(*self.nodes)))
        changed = {
            "no_cluster": framed(encoded(STATUS, {"public_hostnames": ["gpu.example.org"]})),
            "packed": b"\1" + message[1:],
            "bad_message": framed(b"\xff\xff\xff"),
            "huge": b"\0" * (3 << 20),
        }
        return changed.get(self.grpc_fault, message)

    def _send(self, tls: ssl.SSLSocket, h2: H2Connection, left: bytes) -> bytes:
        """Send as much as the client's window lets us, and the trailers after the last byte."""
        while left:
            size = min(len(left), h2.local_flow_control_window(1), 16384)
            if size <= 0:
                return left
            if self.grpc_fault == "cut_body":
                h2.send_data(1, left[: size // 2])
                tls.sendall(h2.data_to_send())
                raise ConnectionResetError
            h2.send_data(1, left[:size])
            tls.sendall(h2.data_to_send())
            left = left[size:]
            if not left:
                if self.grpc_fault == "no_trailers":
                    h2.end_stream(1)
                elif self.grpc_fault == "reset":
                    h2.reset_stream(1)
                else:
                    h2.send_headers(1, [("grpc-status", "0"), ("grpc-message", "")], end_stream=True)
        return left


def _two_listeners() -> tuple[socket.socket, socket.socket]:
    """Two ports in a row, as the gRPC port is told from REST's."""
    while True:
        first = socket.create_server(("127.0.0.1", 0))
        port = first.getsockname()[1]
        if port < 65535:
            with contextlib.suppress(OSError):
                return first, socket.create_server(("127.0.0.1", port + 1))
        first.close()


class StubChain:
    """What a chain answers about certificates; `trouble` instead, where it can't be asked."""

    def __init__(self, *rows: dict[str, Any], trouble: str | None = None) -> None:
        self.rows = rows
        self.trouble = trouble
        self.asked: list[tuple[str, int]] = []

    def __call__(self, owner: str, serial: int) -> Sequence[Observation]:
        self.asked.append((owner, serial))
        return [self._answer(owner, serial, state) for state in ("valid", "revoked")]

    def _answer(self, owner: str, serial: int, state: str) -> Observation:
        rows = [row for row in self.rows if row["serial"] == str(serial) and row["certificate"]["state"] == state]
        body = json.dumps({"certificates": rows, "pagination": {"next_key": None, "total": "0"}}).encode()
        request = f"GET {CERTIFICATES_PATH}?filter.owner={owner}&filter.serial={serial}&filter.state={state}"
        return Observation(
            Source.CHAIN,
            request,
            b"" if self.trouble else body,
            "node",
            Moment(NOW),
            status=None if self.trouble else 200,
            trouble=self.trouble,
        )


__all__ = [
    "CERTIFICATES_PATH", "NOW", "OWNER", "STRANGER", "MadeCertificate", "ProviderDouble", "StubChain", "encoded",
    "framed", "made", "node", "public_certificate", "status_of",
]  # fmt: skip
