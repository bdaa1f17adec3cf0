"""All providers of a network: two ports each, one process, faults for each."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from devnet.acts import Scenario
from devnet.providers.certificates import ServerCertificate
from devnet.providers.faults import ProviderFaults
from devnet.providers.gateways import Gateways, Present
from devnet.providers.hosted import Hosted
from devnet.providers.listening import Doorkeeper, two_listeners
from devnet.providers.papers import host_uri, on_chain

PORTS_EACH = 2


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
            self._close_listeners()
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

    def start(self, present: Present) -> None:
        """Begin to answer."""
        for provider in self.values():
            faults, closing = provider.faults, self._keeper.is_closing
            gateways = Gateways(provider.hosted, faults, self._certificates, present, closing)
            for api, listener in provider.listeners.items():
                is_shut = partial(faults.refuses, api, present.height)
                self._keeper.watch(listener, partial(gateways.serve, api), is_shut)
            faults.when_changed = self._keeper.turn
        if self._providers:
            self._keeper.start()

    def close(self) -> None:
        """Stop answering; the ports are free again."""
        self._keeper.close()
        self._close_listeners()

    def _close_listeners(self) -> None:
        for provider in self.values():
            for listener in provider.listeners.values():
                listener.close()
