"""The gRPC gateway of a provider on one connection: HTTP/2 frames in the order in which grpc-go sends them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError

from devnet.providers.faults import ANSWER, ProviderFault
from devnet.providers.sending import Sender

SERVICE = "akash.provider.v1.ProviderRPC"
_SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + b"\x00\x05\x00\x00\x40\x00"
"""The only setting that grpc-go sends: frames of 16 KiB."""
_BANDWIDTH_PING = bytes((2, 4, 16, 16, 9, 14, 7, 7))
_FRAME_BYTES = 16_384
_READ_BYTES = 1 << 16
_OK = (("grpc-status", "0"), ("grpc-message", ""))

Headers = list[tuple[str, str]]


class Speaker(Protocol):
    """What the gateway asks the provider behind it."""

    def status(self) -> bytes | None:
        """The Status message now; None: no inventory yet."""
        ...

    def partial_status(self) -> bytes:
        """The Status of a stream that begins before there is an inventory."""
        ...

    def meeting(self, kinds: Sequence[str], api: str, target: str) -> list[ProviderFault]:
        """The faults that this request meets."""
        ...


@dataclass
class _Call:
    """One stream: what was asked, what is left to send."""

    headers: dict[str, str]
    heard: bytes = b""
    is_answered: bool = False
    left: bytes = b""
    stays_open: bool = False
    faults: list[ProviderFault] = field(default_factory=list)

    @property
    def is_asked(self) -> bool:
        """Whether the whole message is there; without its five bytes nobody ever answers."""
        return len(self.heard) >= 5 and len(self.heard) >= 5 + int.from_bytes(self.heard[1:5], "big")


class _Ended(Exception):
    """This connection is over."""


class GrpcGateway:
    """Answers one connection after the other; keeps nothing."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker

    def serve(self, tls: ssl.SSLSocket, make_sender: Callable[[Sequence[ProviderFault]], Sender]) -> None:
        """Serve a connection that agreed on h2; without it the connection just ends."""
        if tls.selected_alpn_protocol() == "h2":
            _Connection(self._speaker, tls, make_sender).run()


class _Connection:
    def __init__(
        self, speaker: Speaker, tls: ssl.SSLSocket, make_sender: Callable[[Sequence[ProviderFault]], Sender]
    ) -> None:
        self._speaker = speaker
        self._tls = tls
        self._make_sender = make_sender
        self._sender = make_sender(())
        self._h2 = H2Connection(config=H2Configuration(client_side=False, header_encoding="utf-8"))
        self._calls: dict[int, _Call] = {}
        self._has_pinged = False

    def run(self) -> None:
        """Until the client leaves or breaks the rules."""
        self._h2.initiate_connection()
        self._h2.data_to_send()  # its settings are not those of grpc-go
        self._tls.sendall(_SETTINGS)
        try:
            while data := self._tls.recv(_READ_BYTES):
                events = self._h2.receive_data(data)
                self._flush()
                for event in events:
                    self._take(event)
                self._go_on()
        except (ProtocolError, UnicodeDecodeError, _Ended):
            return

    def _take(self, event: Event) -> None:
        if isinstance(event, ConnectionTerminated):
            raise _Ended
        if isinstance(event, StreamReset):
            self._calls.pop(event.stream_id, None)
        elif isinstance(event, RequestReceived):
            call = _Call({str(name): str(value) for name, value in event.headers})
            if "authorization" in call.headers:
                raise _Ended  # the interceptor does not survive it
            self._calls[event.stream_id] = call
            self._refuse_form(event.stream_id, call, has_ended=event.stream_ended is not None)
        elif isinstance(event, DataReceived):
            self._hear(event)
        elif isinstance(event, StreamEnded):
            call = self._calls.get(event.stream_id, _Call({}))
            if call.is_asked and not call.is_answered:
                self._begin(event.stream_id, call)

    def _hear(self, event: DataReceived) -> None:
        if event.flow_controlled_length:
            self._h2.increment_flow_control_window(event.flow_controlled_length)
        if not self._has_pinged:
            self._has_pinged = True
            self._h2.ping(_BANDWIDTH_PING)
        self._flush()
        call = self._calls.get(event.stream_id)
        if call is not None and len(call.heard) < _READ_BYTES:
            call.heard += event.data

    def _refuse_form(self, stream: int, call: _Call, *, has_ended: bool) -> None:
        """What is no gRPC call is answered at once, and the stream reset."""
        method, kind = call.headers.get(":method", ""), call.headers.get("content-type", "")
        if method != "POST":
            status, code = "405", "13"
            told = f'Received a HEADERS frame with :method "{method}" which should be POST'
        elif kind != "application/grpc" and not kind.startswith(("application/grpc+", "application/grpc;")):
            status, code, told = "415", "3", f'invalid gRPC request content-type "{kind}"'
        else:
            return
        call.is_answered = True
        self._trailers_only(stream, status, code, told)
        if not has_ended:
            self._h2.reset_stream(stream, error_code=0)
        self._flush()
        self._calls.pop(stream, None)

    def _begin(self, stream: int, call: _Call) -> None:
        call.is_answered = True
        path = call.headers.get(":path", "")
        call.faults = self._speaker.meeting(ANSWER, "grpc", path)
        self._sender = self._make_sender(call.faults)
        kinds = {fault.kind: fault for fault in call.faults}
        if "delay" in kinds:
            self._sender.wait(kinds["delay"].seconds)
        if "drop" in kinds:
            raise _Ended
        if self._fails(stream, kinds):
            return
        service, _, method = path.removeprefix("/").rpartition("/")
        if service != SERVICE:
            self._trailers_only(stream, "200", "12", f"unknown service {service}")
        elif method == "BidScreening":
            self._trailers_only(stream, "200", "12", "BidScreening not implemented")
        elif method not in {"GetStatus", "StreamStatus"}:
            self._trailers_only(stream, "200", "12", f"unknown method {method} for service {service}")
        else:
            self._status(stream, call, kinds, is_stream=method == "StreamStatus")

    def _fails(self, stream: int, kinds: dict[str, ProviderFault]) -> bool:
        """Answers that come from something in front of the gateway."""
        if "status" in kinds:
            fault = kinds["status"]
            headers = [("content-type", "text/plain; charset=utf-8")]
            if fault.retry_after is not None:
                headers.append(("retry-after", str(fault.retry_after)))
            self._h2.send_headers(stream, [(":status", str(fault.status)), *headers], end_stream=True)
        elif "redirect" in kinds:
            headers = [(":status", "302"), ("location", kinds["redirect"].location)]
            self._h2.send_headers(stream, headers, end_stream=True)
        elif "content_type" in kinds:
            self._h2.send_headers(stream, [(":status", "200"), ("content-type", "text/html; charset=utf-8")])
            self._h2.send_data(stream, b"<!doctype html><p>Hello", end_stream=True)
        else:
            return False
        self._flush()
        return True

    def _status(self, stream: int, call: _Call, kinds: dict[str, ProviderFault], *, is_stream: bool) -> None:
        told = None if "not_ready" in kinds else self._speaker.status()
        if told is None and not is_stream:
            self._trailers_only(stream, "200", "2", "inventory status not available yet")
            return
        call.stays_open = is_stream
        body = self._speaker.partial_status() if told is None else told
        call.left = b"\0" + len(body).to_bytes(4, "big") + body
        self._h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        self._sender.head(self._h2.data_to_send())
        if "cut" in kinds:
            self._h2.send_data(stream, call.left[: len(call.left) // 2])
            self._sender.body(self._h2.data_to_send())
            raise _Ended

    def _go_on(self) -> None:
        """Send as much of each answer as the client's windows let us, and the trailers after the last byte."""
        for stream, call in list(self._calls.items()):
            while call.left:
                size = min(len(call.left), self._h2.local_flow_control_window(stream), _FRAME_BYTES)
                if size <= 0:
                    break
                self._h2.send_data(stream, call.left[:size])
                call.left = call.left[size:]
                self._sender.body(self._h2.data_to_send())
                if not call.left and not call.stays_open:
                    self._h2.send_headers(stream, list(_OK), end_stream=True)
                    self._calls.pop(stream, None)
        self._flush()

    def _trailers_only(self, stream: int, status: str, code: str, told: str) -> None:
        headers: Headers = [
            (":status", status),
            ("content-type", "application/grpc"),
            ("grpc-status", code),
            ("grpc-message", told),
        ]
        self._h2.send_headers(stream, headers, end_stream=True)
        self._flush()

    def _flush(self) -> None:
        if data := self._h2.data_to_send():
            self._sender.head(data)
