"""A whole local network over real HTTP: one chain, one or more hosts that serve it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from devnet.acts import Scenario
from devnet.api.answer import Answer
from devnet.api.node import Node, Settings
from devnet.api.rest import HEIGHT_HEADER, Rest
from devnet.api.rpc import Rpc
from devnet.faults import Fault, Faults, refusal, spoiled
from devnet.generation import GENERATIONS, Generation
from devnet.providers.faults import ProviderFault
from devnet.providers.fleet import Fleet
from devnet.providers.gateways import Present
from devnet.sent.journal import Journal
from devnet.server import HttpRequest, HttpServer, Sent
from devnet.state.chain import SECOND, Chain

LOOPBACK = "127.0.0.1"
CONTROL_PATH = "/devnet/control"


class Clock(Protocol):
    """Where the network takes the present from."""

    def now(self) -> int:
        """Unix nanoseconds, UTC."""
        ...


class Host:
    """One node behind two ports. Its faults are its own; the chain is everybody's.

    `noted`: what it was asked, each target with the height that its header named ("" none), once somebody wants it.
    """

    def __init__(self, devnet: Devnet, rest_port: int, rpc_port: int, settings: Settings) -> None:
        self.settings = settings
        self.faults = Faults()
        self.noted: list[tuple[str, str]] | None = None
        self._devnet = devnet
        self.connect(devnet.chain)
        seconds = lambda: devnet.clock.now() / SECOND  # noqa: E731 (one expression, used twice)
        self._rest_server = HttpServer(LOOPBACK, rest_port, self._answer_rest, seconds)
        try:
            self._rpc_server = HttpServer(LOOPBACK, rpc_port, self._answer_rpc, seconds)
        except OSError:
            self._rest_server.close()
            raise
        self.rest_url = f"http://{LOOPBACK}:{self._rest_server.port}"
        self.rpc_url = f"http://{LOOPBACK}:{self._rpc_server.port}"

    def connect(self, chain: Chain) -> None:
        """Serve this chain from now on."""
        self.node = Node(chain, self._devnet.clock.now, self.settings)
        self._rest = Rest(self.node)
        self._rpc = Rpc(self.node)

    def close(self) -> None:
        """Stop serving."""
        self._rest_server.close()
        self._rpc_server.close()

    def _answer_rest(self, request: HttpRequest) -> Sent:
        if self._devnet.has_control and request.target == CONTROL_PATH:
            return Sent(self._devnet.control(self, request))
        return self._with_faults(
            "rest", request, lambda: self._rest.answer(request.method, request.target, request.headers, request.body)
        )

    def _answer_rpc(self, request: HttpRequest) -> Sent:
        def answer() -> Answer:
            return self._rpc.post(request.body) if request.method == "POST" else self._rpc.get(request.target)

        return self._with_faults("rpc", request, answer)

    def _with_faults(self, api: str, request: HttpRequest, answer: Callable[[], Answer]) -> Sent:
        if self.noted is not None:
            self.noted.append((request.target, request.headers.get(HEIGHT_HEADER, "")))
        met = self.faults.meeting(api, request.target)
        if not met:
            return Sent(answer())
        for fault in met:
            if fault.kind == "delay":
                time.sleep(fault.seconds)
        return refusal(met) or spoiled(answer(), met)


class Devnet:
    """A running network; a context manager that stops it. `hosts[0]` is the one that the URLs name.

    `providers`: those that answer, by owner; `scenario`: with their host_uri and certificates in it.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        start: int,
        clock: Clock,
        generation: Generation,
        port: int,
        until: int | None,
        has_control: bool,
        provider_port: int | None,
        journal: Path | None,
    ) -> None:
        kept = Journal(journal) if journal else None
        self.start = start = kept.begun(start) if kept else start
        self.clock = clock
        self.generation = generation
        self.until = until
        self.has_control = has_control
        self.providers = Fleet(() if provider_port is None else scenario.hosts, provider_port or 0)
        self.hosts: list[Host] = []
        try:
            self.scenario = self.providers.on_chain(scenario, start)
            self.chain = Chain(self.scenario, generation, start, journal=kept)
            self.add_host(port, port + 1 if port else 0)
        except BaseException:
            self.providers.close()
            raise
        self.providers.start(Present(self._chain_at_tip, self._newest, clock.now))

    @property
    def rest_url(self) -> str:
        """REST of the first host, without a slash at the end."""
        return self.hosts[0].rest_url

    @property
    def rpc_url(self) -> str:
        """RPC of the first host."""
        return self.hosts[0].rpc_url

    @property
    def settings(self) -> Settings:
        """What the first host was told; may be changed while it runs."""
        return self.hosts[0].settings

    @property
    def faults(self) -> Faults:
        """The faults of the first host."""
        return self.hosts[0].faults

    def add_host(self, rest_port: int = 0, rpc_port: int = 0) -> Host:
        """Another host of the same chain. Raises OSError where a port is taken."""
        host = Host(self, rest_port, rpc_port, Settings(until=self.until, moniker=f"devnet-{len(self.hosts)}"))
        self.hosts.append(host)
        return host

    def tip(self) -> int:
        """The newest block of the first host."""
        with self.hosts[0].node.lock:
            return self.hosts[0].node.tip()

    def _chain_at_tip(self) -> tuple[Chain, int]:
        node = self.hosts[0].node
        with node.lock:
            return node.chain, node.tip()

    def _newest(self) -> int:
        return self.hosts[0].node.newest()

    def reset(self, *, chain_id: str | None = None, seed: str = "reset", scenario: Scenario | None = None) -> None:
        """Begin a new chain in the place of the old one: other hashes, and another id or story where given."""
        story = scenario or self.scenario
        if chain_id is not None:
            named = {each.name: getattr(story, each.name) for each in fields(story)}
            story = Scenario(**{**named, "chain_id": chain_id})
        self.chain = Chain(story, self.generation, self.start, seed)
        for host in self.hosts:
            host.connect(self.chain)

    def stop(self) -> None:
        """Stop every host."""
        self.providers.close()
        for host in self.hosts:
            host.close()

    def control(self, host: Host, request: HttpRequest) -> Answer:
        """The control endpoint, only where it was asked for, one JSON with any of `settings`, `fault`, `clear`,
        `reset`, `provider` (`{"owner", "fault", "clear"}`), `note`: note what is asked from now on, and answer what
        was `noted` since the last time."""
        try:
            asked = json.loads(request.body or b"{}")
            for name, value in asked.get("settings", {}).items():
                if name not in Settings.__slots__:
                    raise ValueError(f"{name!r} is no setting")
                setattr(host.settings, name, value)
            if asked.get("clear"):
                host.faults.clear()
            if "fault" in asked:
                host.faults.add(Fault(**asked["fault"]))
            if "reset" in asked:
                self.reset(**asked["reset"])
            if "provider" in asked:
                self._control_provider(asked["provider"])
            told: dict[str, Any] = {"tip": self.tip()}
            if asked.get("note"):
                told["noted"], host.noted = host.noted or [], []
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            return Answer(400, json.dumps({"message": str(error)}).encode())
        return Answer(200, json.dumps(told).encode())

    def _control_provider(self, asked: Mapping[str, Any]) -> None:
        faults = self.providers[asked["owner"]].faults
        if asked.get("clear"):
            faults.clear()
        if "fault" in asked:
            faults.add(ProviderFault(**asked["fault"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(
    scenario: Scenario,
    *,
    start: int,
    clock: Clock,
    port: int = 0,
    generation: str | Generation = "v2",
    faults: Iterable[Fault] = (),
    until: int | None = None,
    has_control: bool = False,
    provider_port: int | None = None,
    journal: Path | None = None,
) -> Devnet:
    """Start a network in threads of this process: REST on `port`, RPC on `port` + 1 (0: any two free ports).

    `start`: Unix nanoseconds of block 1. `until`: no block above it is made. `has_control`: POST /devnet/control
    on the REST port changes settings and faults. `provider_port`: the scenario's `hosts` answer there, in pairs
    (REST, gRPC) from it on (0: any free pairs; None: nobody answers, and the chain stays as it is written).
    `journal`: a file that keeps the transactions sent to the chain, which stand in their blocks again at the next
    start, and the first start's `start`. Raises OSError where a port is taken, KeyError for an unknown generation,
    ValueError for another file.
    """
    devnet = Devnet(
        scenario,
        start=start,
        clock=clock,
        generation=GENERATIONS[generation] if isinstance(generation, str) else generation,
        port=port,
        until=until,
        has_control=has_control,
        provider_port=provider_port,
        journal=journal,
    )
    devnet.faults.add(*faults)
    return devnet
