"""One unary gRPC call over HTTP/2 on a TLS connection that was checked before (no grpcio: it refuses Akash's TLS)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

from verifiers.provider.answers import grpc_trouble, http_trouble
from verifiers.provider.tls import told_troubles
from verifiers.provider.trouble import TlsFailed
from verifiers.sockets import DeadlineTlsSocket
from verifiers.trouble import CutBody, TooLarge, WrongContentType

EMPTY_MESSAGE = b"\0\0\0\0\0"
"""An empty message with its frame; without these five bytes a provider never answers."""

_CHUNK_BYTES = 1 << 16
_OVERHEAD_BYTES = 1 << 17


@dataclass
class _Call:
    """What has come so far."""

    headers: dict[str, str] = field(default_factory=dict)
    trailers: dict[str, str] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)
    is_over: bool = False
    was_cut: bool = False

    @property
    def status(self) -> str | None:
        """From the trailers, or from the headers of an answer that is trailers only."""
        return self.trailers.get("grpc-status", self.headers.get("grpc-status"))

    @property
    def message(self) -> str:
        return self.trailers.get("grpc-message", self.headers.get("grpc-message", ""))


def call(tls: DeadlineTlsSocket, authority: str, method: str, body_bytes: int) -> tuple[int, bytes]:
    """POST one empty message to `method` (`/package.Service/Method`); gives the HTTP status and the framed answer.

    No `authorization` is ever sent: these servers do not survive it. Raises Timeout, CutBody, TooLarge, TlsFailed
    (no h2 agreed), and what the gRPC status means.
    """
    if tls.selected_alpn_protocol() != "h2":
        raise TlsFailed(f"{authority} speaks no HTTP/2. Check that this is the provider's gRPC port.")
    connection = H2Connection(config=H2Configuration(client_side=True, header_encoding="utf-8"))
    with told_troubles(authority):
        try:
            heard = _exchange(tls, connection, authority, method, body_bytes)
        except (ProtocolError, UnicodeDecodeError):
            raise CutBody(f"{authority} breaks the rules of HTTP/2. Waymark tries again.") from None
    return _answered(heard, authority)


def _exchange(
    tls: DeadlineTlsSocket, connection: H2Connection, authority: str, method: str, body_bytes: int
) -> _Call:
    connection.initiate_connection()
    stream = connection.get_next_available_stream_id()
    connection.send_headers(stream, [
        (":method", "POST"), (":scheme", "https"), (":path", method), (":authority", authority),
        ("content-type", "application/grpc"), ("te", "trailers"), ("user-agent", "waymark"),
    ])  # fmt: skip
    connection.send_data(stream, EMPTY_MESSAGE, end_stream=True)
    tls.sendall(connection.data_to_send())
    heard, received = _Call(), 0
    buffer = bytearray(_CHUNK_BYTES)
    while not heard.is_over:
        size = tls.recv_into(buffer)
        if size == 0:
            heard.was_cut = heard.is_over = True
            break
        received += size
        _take(connection, connection.receive_data(bytes(buffer[:size])), stream, heard)
        # what is thrown away counts too: pings, settings and headers without end are an endless answer
        if len(heard.data) > body_bytes or received - len(heard.data) > _OVERHEAD_BYTES:
            raise TooLarge(f"{authority} answers more than the {body_bytes} bytes allowed.")
        reply = connection.data_to_send()
        if reply and not heard.is_over:
            tls.sendall(reply)
    return heard


def _take(connection: H2Connection, events: Iterable[Event], stream: int, heard: _Call) -> None:
    for event in events:
        if isinstance(event, ConnectionTerminated):
            heard.was_cut = heard.is_over = True
        if getattr(event, "stream_id", None) != stream:
            continue
        if isinstance(event, ResponseReceived):
            heard.headers = _texts(event.headers)
        elif isinstance(event, TrailersReceived):
            heard.trailers = _texts(event.headers)
        elif isinstance(event, DataReceived):
            heard.data += event.data
            # gives the window back: without it a provider sends 65,535 bytes and then waits for ever
            connection.acknowledge_received_data(event.flow_controlled_length, stream)
        elif isinstance(event, StreamReset):
            heard.was_cut = heard.is_over = True
        elif isinstance(event, StreamEnded):
            heard.was_cut, heard.is_over = False, True
            return


def _answered(heard: _Call, authority: str) -> tuple[int, bytes]:
    status = heard.status
    # a status that came whole counts, also where the stream was reset right after it
    if status is not None:
        trouble = grpc_trouble(status, heard.message)
        if trouble is not None:
            raise trouble
    _check_http(heard.headers.get(":status", ""), authority)
    # a page of a proxy has no trailers, and is told by its content type rather than by the lack of them
    if heard.headers and not heard.headers.get("content-type", "").startswith("application/grpc"):
        raise WrongContentType(f"{authority} answers with another content type than gRPC's.")
    if heard.was_cut or status is None:
        raise CutBody(f"{authority} closed the connection before its answer was complete.")
    if not heard.data:
        raise CutBody(f"{authority} answers without a message.")
    return 200, bytes(heard.data)


def _check_http(status: str, authority: str) -> None:
    number = int(status) if status.isascii() and status.isdigit() else 200
    trouble = http_trouble(number, authority)
    if trouble is not None:
        raise trouble


def _texts(headers: Iterable[Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in headers}
