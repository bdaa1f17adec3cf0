"""Asks a gateway byte by byte, with nothing of the platform's client: what came, in the order in which it came."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from hyperframe.frame import Frame


def open_tls(
    port: int,
    protocols: Sequence[str] = (),
    sni: str | None = "mtls.localhost",
    version: ssl.TLSVersion | None = None,
) -> ssl.SSLSocket:
    """TLS with whoever is there, trusting nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.maximum_version = version
    if protocols:
        context.set_alpn_protocols(list(protocols))
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    try:
        return context.wrap_socket(plain, server_hostname=sni)
    except BaseException:
        plain.close()
        raise


@dataclass
class RestAnswer:
    status_line: str
    headers: list[tuple[str, str]]
    body: bytes


def ask_rest(
    port: int, method: str, path: str, headers: Sequence[tuple[str, str]] = (), body: str = ""
) -> RestAnswer:
    """One request that closes the connection afterwards, as the recorder sent it."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {len(body)}"] if body else []
    with open_tls(port) as tls:
        tls.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body.encode())
        heard = b""
        while data := tls.recv(65536):
            heard += data
    head, _, rest = heard.partition(b"\r\n\r\n")
    first, *others = head.decode().split("\r\n")
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in others)]
    if ("Transfer-Encoding", "chunked") in pairs:
        rest = unchunked(rest)
    return RestAnswer(first, pairs, rest)


def unchunked(data: bytes) -> bytes:
    whole = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        if int(size, 16) == 0:
            return whole
        whole += data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]


@dataclass
class GrpcAnswer:
    headers: list[tuple[str, str]] = field(default_factory=list)
    trailers: list[tuple[str, str]] | None = None
    data: bytes = b""
    frames: list[tuple[str, int, int]] = field(default_factory=list)
    is_over: bool = False


def ask_grpc(
    port: int,
    path: str,
    *,
    headers: Sequence[tuple[str, str]] = (("content-type", "application/grpc"), ("te", "trailers")),
    method: str = "POST",
    body: bytes = b"\0\0\0\0\0",
    opens_window: bool = True,
    seconds: float = 5.0,
) -> GrpcAnswer:
    """One call; `frames`: (type, stream, length) as the server sent them. Waits `seconds` at most."""
    answer, raw = GrpcAnswer(), b""
    h2 = H2Connection(config=H2Configuration(client_side=True, header_encoding="utf-8"))
    with open_tls(port, ["h2"]) as tls:
        tls.settimeout(seconds)
        h2.initiate_connection()
        head = [(":method", method), (":scheme", "https"), (":path", path), (":authority", "localhost:8444")]
        h2.send_headers(1, [*head, *headers], end_stream=not body)
        if body:
            h2.send_data(1, body, end_stream=True)
        tls.sendall(h2.data_to_send())
        try:
            while not answer.is_over and (data := tls.recv(65536)):
                raw += data
                for event in h2.receive_data(data):
                    if isinstance(event, ResponseReceived):
                        answer.headers = [(str(name), str(value)) for name, value in event.headers]
                    elif isinstance(event, TrailersReceived):
                        answer.trailers = [(str(name), str(value)) for name, value in event.headers]
                    elif isinstance(event, DataReceived):
                        answer.data += event.data
                        if opens_window:
                            h2.acknowledge_received_data(event.flow_controlled_length, 1)
                    elif isinstance(event, StreamEnded | StreamReset):
                        answer.is_over = True
                tls.sendall(h2.data_to_send())
        except TimeoutError:
            pass
    answer.frames = list(frames(raw))
    return answer


def frames(raw: bytes) -> list[tuple[str, int, int]]:
    found = []
    while len(raw) >= 9:
        frame, length = Frame.parse_frame_header(memoryview(raw[:9]))
        found.append((type(frame).__name__, frame.stream_id, length))
        raw = raw[9 + length :]
    return found
