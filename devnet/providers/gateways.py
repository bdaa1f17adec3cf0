"""What is behind the two ports of one provider: connection, certificate, then the REST or the gRPC gateway."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from devnet.providers import answers, messages
from devnet.providers.certificates import ServerCertificate, make_server_certificate, tls_context
from devnet.providers.faults import CERTIFICATE, CONNECTION, ProviderFault, ProviderFaults
from devnet.providers.grpc import GrpcGateway
from devnet.providers.hosted import Hosted
from devnet.providers.rest import RestGateway
from devnet.providers.sending import Sender
from devnet.providers.usage import Usage, usage_at
from devnet.state.chain import Chain

SECOND = 1_000_000_000
_HANDSHAKE_SECONDS = 20
_IDLE_SECONDS = 60
_EXPIRED_BEFORE_NS = 400 * 86_400 * SECOND
_STRANGER = "akash1" + "q" * 38
_PROTOCOLS: Mapping[str, tuple[str, ...]] = {"rest": (), "grpc": ("h2",)}
"""REST selects no protocol whatever is offered; gRPC needs h2."""


@dataclass(frozen=True, slots=True)
class Present:
    """The chain made up to its newest height; that height alone, at once; Unix nanoseconds."""

    chain: Callable[[], tuple[Chain, int]]
    height: Callable[[], int]
    now: Callable[[], int]


class Gateways:
    """One provider; both of its gateways ask it (their `Speaker`)."""

    def __init__(
        self,
        hosted: Hosted,
        faults: ProviderFaults,
        certificates: Mapping[str, ServerCertificate],
        present: Present,
        closing: threading.Event,
    ) -> None:
        self._hosted = hosted
        self._faults = faults
        self._certificates = certificates
        self._present = present
        self._closing = closing
        self._contexts: dict[tuple[str, str], ssl.SSLContext] = {}
        self.release = hosted.release
        self._rest = RestGateway(self, lambda: present.now() / SECOND)
        self._grpc = GrpcGateway(self)

    def serve(self, api: str, connection: socket.socket) -> None:
        """Serve one connection from its first byte."""
        connection.settimeout(_HANDSHAKE_SECONDS)
        for fault in self.meeting(CONNECTION, api, ""):
            if fault.kind == "refuse":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif fault.kind == "silent":
                self._closing.wait(_IDLE_SECONDS)
            else:
                connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            return
        with self._context(api).wrap_socket(connection, server_side=True) as tls:
            tls.settimeout(_IDLE_SECONDS)
            gateway = self._rest if api == "rest" else self._grpc
            gateway.serve(tls, partial(Sender, tls, self._closing))

    def body(self, route: str, *, is_ready: bool) -> bytes:
        """The JSON of a public route now."""
        if route == "/status":
            return answers.status(self._hosted, self._usage() if is_ready else None)
        return answers.address(self._hosted) if route == "/address" else answers.version(self._hosted)

    def status(self) -> bytes:
        """The Status message now."""
        return messages.status(self._hosted, self._usage(), self._present.now())

    def partial_status(self) -> bytes:
        """The Status of a stream that begins before there is an inventory."""
        return messages.status(self._hosted, None, self._present.now())

    def meeting(self, kinds: Sequence[str], api: str, target: str) -> list[ProviderFault]:
        """The faults that this request meets now."""
        return self._faults.meeting(kinds, api, target, self._present.height)

    def _usage(self) -> Usage:
        chain, height = self._present.chain()
        return usage_at(chain, height, self._hosted)

    def _context(self, api: str) -> ssl.SSLContext:
        """Made when it is first needed: a start costs nothing for it."""
        kinds = [fault.kind for fault in self.meeting(CERTIFICATE, api, "")]
        which = kinds[0] if kinds else ""
        found = self._contexts.get((which, api))
        if found is None:
            found = self._contexts[which, api] = tls_context(self._shown(which), _PROTOCOLS[api])
        return found

    def _shown(self, which: str) -> ServerCertificate:
        owner, hostname = self._hosted.owner, self._hosted.hostname
        serial = self._certificates[owner].serial
        if which == "expired":
            return make_server_certificate(owner, serial - _EXPIRED_BEFORE_NS, hostname)
        if which == "unlisted":
            return make_server_certificate(owner, serial + 1, hostname)
        if which == "foreign":
            return make_server_certificate(_STRANGER, serial, hostname)
        return self._certificates[self._hosted.shows or owner]
