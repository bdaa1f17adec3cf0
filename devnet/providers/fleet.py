"""All providers of a network: two ports each, one process, faults for each."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from devnet.acts import Scenario
from devnet.providers import answers, messages
from devnet.providers.certificates import (
    ServerCertificate,
    make_server_certificate,
    tls_context,
)
from devnet.providers.faults import CERTIFICATE, CONNECTION, ProviderFault, ProviderFaults
from devnet.providers.grpc import GrpcGateway
from devnet.providers.hosted import Hosted
from devnet.providers.listening import Doorkeeper, two_listeners
from devnet.providers.papers import host_uri, on_chain
from devnet.providers.rest import RestGateway
from devnet.providers.sending import Sender
from devnet.providers.usage import Usage, usage_at
from devnet.state.chain import Chain

SECOND = 1_000_000_000
PORTS_EACH = 2
_HANDSHAKE_SECONDS = 20
_IDLE_SECONDS = 60
_EXPIRED_BEFORE_NS = 400 * 86_400 * SECOND
_PROTOCOLS: Mapping[str, tuple[str, ...]] = {"rest": (), "grpc": ("h2",)}
"""REST selects no protocol whatever is offered; gRPC needs h2."""

View = Callable[[], tuple[Chain, int]]
"""The chain and its newest height, made up to there."""
Now = Callable[[], int]


class Provider:
    """One provider behind its two ports. `faults` may be changed while it runs."""

    def __init__(self, hosted: Hosted, rest: socket.socket, grpc: socket.socket) -> None:
        self.hosted = hosted
        self.rest_port: int = rest.getsockname()[1]
        self.grpc_port: int = grpc.getsockname()[1]
        self.faults = ProviderFaults(hosted.faults)
        self.listeners = {"rest": rest, "grpc": grpc}

    @property
    def host_uri(self) -> str:
        """As the chain says it."""
        return host_uri(self.rest_port)


class Fleet(Mapping[str, Provider]):
    """The providers by owner. Ports are taken at once; they answer from `start` on."""

    def __init__(self, hosts: Sequence[Hosted], port: int) -> None:
        """`port`: the first of all, in pairs (REST, gRPC) in the order of `hosts`; 0: any free pairs.

        Raises OSError where a port is taken.
        """
        self._providers: dict[str, Provider] = {}
        try:
            for place, hosted in enumerate(hosts):
                pair = two_listeners(port + PORTS_EACH * place if port else 0)
                self._providers[hosted.owner] = Provider(hosted, *pair)
        except OSError:
            for provider in self._providers.values():
                for listener in provider.listeners.values():
                    listener.close()
            raise
        self._keeper = Doorkeeper()
        self._certificates: Mapping[str, ServerCertificate] = {}

    def __getitem__(self, owner: str) -> Provider:
        return self._providers[owner]

    def __iter__(self) -> Iterator[str]:
        return iter(self._providers)

    def __len__(self) -> int:
        return len(self._providers)

    def on_chain(self, scenario: Scenario, start: int) -> Scenario:
        """The scenario with these ports and certificates in it."""
        ports = {owner: provider.rest_port for owner, provider in self.items()}
        papers = on_chain(scenario, [provider.hosted for provider in self.values()], start, ports)
        self._certificates = papers.certificates
        return papers.scenario

    def start(self, view: View, now: Now) -> None:
        """Begin to answer."""
        for provider in self.values():
            gateway = _Gateways(provider, self._certificates, view, now, self._keeper.is_closing)
            for api, listener in provider.listeners.items():
                self._keeper.watch(listener, partial(gateway.serve, api))
        self._keeper.start()

    def close(self) -> None:
        """Stop answering; the ports are free again."""
        self._keeper.close()


class _Gateways:
    """What is behind the two ports of one provider; both gateways ask it (their `Speaker`)."""

    def __init__(
        self,
        provider: Provider,
        certificates: Mapping[str, ServerCertificate],
        view: View,
        now: Now,
        closing: threading.Event,
    ) -> None:
        self._hosted = provider.hosted
        self._faults = provider.faults
        self._certificates = certificates
        self._view = view
        self._now = now
        self._closing = closing
        self._contexts: dict[tuple[str, str], ssl.SSLContext] = {}
        self.release = provider.hosted.release
        self._rest = RestGateway(self, lambda: now() / SECOND)
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
        return messages.status(self._hosted, self._usage(), self._now())

    def partial_status(self) -> bytes:
        """The Status of a stream that begins before there is an inventory."""
        return messages.status(self._hosted, None, self._now())

    def meeting(self, kinds: Sequence[str], api: str, target: str) -> list[ProviderFault]:
        """The faults that this request meets now."""
        return self._faults.meeting(kinds, api, target, lambda: self._view()[1])

    def _usage(self) -> Usage:
        chain, height = self._view()
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
            stranger = "akash1" + "q" * 38
            return make_server_certificate(stranger, serial, hostname)
        return self._certificates[self._hosted.shows or owner]
