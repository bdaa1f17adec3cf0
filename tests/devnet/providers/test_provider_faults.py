"""Each fault of a provider as a plain client and the platform's own see it; by height, on request, for a time."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from devnet.acts import CreateCertificate, CreateProvider
from devnet.network import Devnet, serve
from devnet.providers import answers
from devnet.providers.faults import ProviderFault
from devnet.providers.fleet import Provider
from devnet.providers.hosted import GIB, Card, Machine
from devnet.providers.messages import varint
from devnet.providers.papers import on_chain
from devnet.providers.usage import Amounts, Usage, usage_at
from devnet.scenarios import small
from tasks.moment import Moment
from tests.devnet.providers.asking import ask_grpc, ask_rest, open_tls
from verifiers.chain.client import Chain
from verifiers.chain.pinned import PinnedChain
from verifiers.guard import Guard
from verifiers.provider.client import ProviderLimits, Providers
from verifiers.provider.facts import ProviderSeen, provider_seen
from verifiers.provider.identity import Standing
from verifiers.provider.inventory import decode_get_status
from verifiers.provider.source import PinnedProviders

START = 1_790_000_000 * 10**9
GET_STATUS = "/akash.provider.v1.ProviderRPC/GetStatus"
NORTH = small.address("north")
Look = Callable[[], ProviderSeen]


@dataclass
class Still:
    at: int

    def now(self) -> Moment:
        return Moment(self.at)


CLOCK = Still(START + 299 * 6 * 10**9)


@pytest.fixture(scope="module")
def network() -> Iterator[Devnet]:
    with serve(small.scenario(), start=START, clock=CLOCK, provider_port=0, has_control=True) as net:
        net.tip()
        yield net


@pytest.fixture
def north(network: Devnet) -> Iterator[Provider]:
    yield network.providers[NORTH]
    network.providers[NORTH].faults.clear()
    network.settings.tip = None


@pytest.fixture(scope="module")
def look(network: Devnet) -> Iterator[Look]:
    chain = Chain([network.rest_url], [network.rpc_url], CLOCK, chain_id=small.CHAIN_ID)
    limits = ProviderLimits(look_seconds=1.2, question_seconds=0.4, connect_seconds=0.4)
    providers = Providers(CLOCK, Guard(("127.0.0.0/8",)), limits=limits)

    def once() -> ProviderSeen:
        looks = PinnedProviders(providers, PinnedChain(chain, chain.tip().point))
        uri = network.providers[NORTH].host_uri
        return provider_seen(NORTH, looks.look(NORTH, uri), CLOCK.now())

    yield once
    chain.close()


def test_look__no_fault__is_pinned_and_complete(north: Provider, look: Look) -> None:
    seen = look()
    assert (seen.rest.identity.standing, seen.grpc.identity.standing) == (Standing.PINNED, Standing.PINNED)
    assert seen.first_trouble is None
    assert seen.address.value == NORTH
    assert seen.known_inventory is not None
    assert seen.known_inventory.counts(lambda name: name) == {"a100": 4, "h100": 4} == north.hosted.gpus


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        pytest.param(ProviderFault("refuse"), "refused", id="refuse"),
        pytest.param(ProviderFault("silent"), "timeout", id="silent"),
        pytest.param(ProviderFault("no_tls"), "tls", id="no-tls"),
        pytest.param(ProviderFault("delay", seconds=2), "timeout", id="delay"),
        pytest.param(ProviderFault("slow_header", seconds=0.05), "timeout", id="slow-header"),
        pytest.param(ProviderFault("slow_body", seconds=0.05), "timeout", id="slow-body"),
        pytest.param(ProviderFault("status", status=429, retry_after=3), "rate_limited", id="429"),
        pytest.param(ProviderFault("status", status=503), "server_error", id="503"),
        pytest.param(ProviderFault("redirect"), "redirected", id="redirect"),
        pytest.param(ProviderFault("content_type"), "wrong_content_type", id="content-type"),
        pytest.param(ProviderFault("cut"), "cut_body", id="cut"),
        pytest.param(ProviderFault("drop"), "cut_body", id="drop"),
        pytest.param(ProviderFault("not_ready"), "not_ready", id="not-ready"),
    ],
)
def test_look__a_fault__is_told_by_its_name(north: Provider, look: Look, fault: ProviderFault, trouble: str) -> None:
    north.faults.add(fault)
    seen = look()
    assert seen.known_inventory is None
    told = {seen.grpc.trouble, seen.inventory.trouble}
    assert trouble in told, (told, seen.rest.trouble)


@pytest.mark.parametrize(
    ("kind", "standing"),
    [("expired", Standing.EXPIRED), ("foreign", Standing.FOREIGN), ("unlisted", Standing.UNLISTED)],
)
def test_look__a_wrong_certificate__is_told(north: Provider, look: Look, kind: str, standing: Standing) -> None:
    north.faults.add(ProviderFault(kind))
    seen = look()
    assert (seen.rest.identity.standing, seen.grpc.identity.standing) == (standing, standing)
    assert seen.known_inventory is None


def test_look__kubernetes_away__still_has_an_inventory(north: Provider, look: Look) -> None:
    north.faults.add(ProviderFault("no_kubernetes"))
    assert ask_rest(north.rest_port, "GET", "/version").status_line == "HTTP/1.1 503 Service Unavailable"
    seen = look()
    assert seen.version.trouble is not None
    assert seen.known_inventory is not None


def test_fault__of_one_api_and_route__leaves_the_others(north: Provider) -> None:
    north.faults.add(ProviderFault("status", status=500, api="rest", path="^/status$"))
    assert ask_rest(north.rest_port, "GET", "/status").status_line.startswith("HTTP/1.1 500")
    assert ask_rest(north.rest_port, "GET", "/address").status_line == "HTTP/1.1 200 OK"
    assert ask_grpc(north.grpc_port, GET_STATUS).trailers is not None


def test_fault__counted__ends(north: Provider) -> None:
    north.faults.add(ProviderFault("status", status=429, retry_after=7, count=2))
    lines = [ask_rest(north.rest_port, "GET", "/address") for _ in range(3)]
    assert [line.status_line.split()[1] for line in lines] == ["429", "429", "200"]
    assert ("Retry-After", "7") in lines[0].headers


def test_fault__refusing_once__resets_the_connection(north: Provider) -> None:
    north.faults.add(ProviderFault("refuse", count=1))
    with pytest.raises((ConnectionError, ssl.SSLError)):
        open_tls(north.rest_port)
    open_tls(north.rest_port).close()


def test_fault__down_by_height__is_the_same_at_every_look(network: Devnet, north: Provider) -> None:
    north.faults.add(ProviderFault("refuse", first=100, every=50, lasts=10, end=200))
    told = {}
    for height in (99, 100, 109, 110, 149, 150, 159, 160, 205, 105):
        network.settings.tip = height
        network.providers[NORTH].faults.when_changed()
        try:
            socket.create_connection(("127.0.0.1", north.rest_port), timeout=5).close()
            told[height] = "up"
        except ConnectionRefusedError:
            told[height] = "down"
    assert [height for height, state in told.items() if state == "down"] == [100, 109, 150, 159, 105]


def test_fault__down_by_height__turns_by_itself(network: Devnet, north: Provider) -> None:
    network.settings.tip = 100
    north.faults.add(ProviderFault("refuse", first=150))
    network.settings.tip = 150
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", north.grpc_port), timeout=5).close()
        except ConnectionError:
            return
    pytest.fail("the door stayed open")


def test_control__fault_of_a_provider__comes_and_goes(network: Devnet, north: Provider) -> None:
    def control(asked: dict[str, object]) -> int:
        url = f"{network.rest_url}/devnet/control"
        request = urllib.request.Request(url, json.dumps({"provider": {"owner": NORTH, **asked}}).encode())
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)

    assert control({"fault": {"kind": "status", "status": 502}}) == 200
    assert ask_rest(north.rest_port, "GET", "/status").status_line == "HTTP/1.1 502 Bad Gateway"
    assert control({"clear": True}) == 200
    assert ask_rest(north.rest_port, "GET", "/status").status_line == "HTTP/1.1 200 OK"
    with pytest.raises(urllib.error.HTTPError, match="400"):
        control({"fault": {"kind": "sulk"}})


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "sulk"}, {"kind": "cut", "api": "soap"}, {"kind": "cut", "path": "("}, {"kind": "cut", "every": 0}],
)
def test_fault__that_makes_no_sense__is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises((ValueError, re.error)):
        ProviderFault(**wrong)  # type: ignore[arg-type]


def test_usage__at_each_height__follows_the_leases_of_the_chain(network: Devnet) -> None:
    hosted = network.providers[NORTH].hosted
    usages = {height: usage_at(network.chain, height, hosted) for height in (20, 21, 33, 59, 60, 73)}
    assert {height: sorted(one.gpu for one in usage.active) for height, usage in usages.items()} == {
        20: [],
        21: [1],
        33: [1, 2],
        59: [1, 2],
        60: [1],
        73: [1, 1],
    }
    at_33 = usages[33]
    assert sum(node.gpu for node in at_33.allocated) == 3 + sum(one.gpu for one in at_33.pending)
    nothing = usage_at(network.chain, 33, replace(hosted, machines=()))
    assert (len(nothing.active), nothing.pending, nothing.allocated) == (2, [], [])


def test_usage__less_room_than_leases__is_more_than_allocatable_and_no_reservation(network: Devnet) -> None:
    hosted = network.providers[NORTH].hosted
    small_one = replace(hosted, machines=(replace(hosted.machines[0], cards=hosted.machines[0].cards[:1]),))
    usage = usage_at(network.chain, 33, small_one)
    assert [node.gpu for node in usage.allocated] == [3]
    assert usage.pending == []


def test_rest_and_grpc__of_one_moment__tell_the_same_of_gpus(network: Devnet, north: Provider) -> None:
    rest = json.loads(ask_rest(north.rest_port, "GET", "/status").body)
    nodes = decode_get_status(ask_grpc(north.grpc_port, GET_STATUS).data).nodes
    for told, node in zip(rest["cluster"]["inventory"]["available"]["nodes"], nodes, strict=True):
        assert told["name"] == node.name
        assert told["allocatable"]["gpu"] == node.gpu.allocatable
        assert told["available"]["gpu"] == max(0, node.gpu.allocatable - node.gpu.allocated)
        assert told["allocatable"]["memory"] == node.memory.allocatable


def test_get_status__of_many_machines__waits_for_the_window() -> None:
    told = small.scenario()
    card = Card("a100", "80Gi", "PCIe", "20b5")
    machines = tuple(Machine(f"node-{place:03d}", 64, 512 * GIB, (card,) * 4) for place in range(200))
    scenario = replace(told, hosts=(replace(told.hosts[0], machines=machines),))
    with serve(scenario, start=START, clock=CLOCK, provider_port=0) as net:
        port = net.providers[NORTH].grpc_port
        held = ask_grpc(port, GET_STATUS, opens_window=False, seconds=0.5)
        assert (len(held.data), held.trailers) == (65_535, None)
        whole = ask_grpc(port, GET_STATUS)
        assert len(decode_get_status(whole.data).nodes) == 200
        assert whole.trailers == [("grpc-status", "0"), ("grpc-message", "")]
        assert max(length for kind, _, length in whole.frames if kind == "DataFrame") == 16_384


def three_in_a_row() -> int:
    """The first of three ports that are free."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                for number in (port + 1, port + 2):
                    socket.create_server(("127.0.0.1", number)).close()
            except (OSError, OverflowError):
                continue
        return port


def test_serve__a_provider_port_is_taken__leaves_every_other_free() -> None:
    port = three_in_a_row()
    with socket.create_server(("127.0.0.1", port + 2)):
        with pytest.raises(OSError, match="in use"):
            serve(small.scenario(), start=START, clock=CLOCK, provider_port=port)
        for number in (port, port + 1):
            socket.create_server(("127.0.0.1", number)).close()


def test_serve__many_questions_at_once__are_answered_in_time(network: Devnet) -> None:
    begun = time.monotonic()
    for _ in range(30):
        for provider in network.providers.values():
            assert ask_grpc(provider.grpc_port, GET_STATUS).trailers
    assert time.monotonic() - begun < 10


def test_address__of_a_host_that_says_anothers__is_that() -> None:
    (north, south) = small.scenario().hosts[:2]
    copied = replace(north, says=south.owner)
    assert json.loads(answers.address(copied)) == {"address": south.owner}
    assert json.loads(answers.status(copied, None))["address"] == south.owner
    assert json.loads(answers.address(north)) == {"address": north.owner}


def test_scenario__on_its_ports__is_a_function_of_start_and_ports() -> None:
    told = small.scenario()
    ports = {host.owner: 9000 + 2 * place for place, host in enumerate(told.hosts)}
    first, again = (on_chain(told, told.hosts, START, ports) for _ in range(2))
    later = on_chain(told, told.hosts, START + 60 * 10**9, ports)
    assert first == again
    assert [act for act in first.scenario.acts if isinstance(act, CreateProvider)] == [
        replace(act, host_uri=f"https://127.0.0.1:{ports[act.owner]}")
        for act in told.acts
        if isinstance(act, CreateProvider)
    ]
    serials = {owner: made.serial for owner, made in first.certificates.items()}
    assert {owner: made.serial - 60 * 10**9 for owner, made in later.certificates.items()} == serials
    published = {act.serial: act for act in first.scenario.acts if isinstance(act, CreateCertificate)}
    for made in first.certificates.values():
        assert (published[made.serial].pem, published[made.serial].owner) == (made.pem, made.owner)
        assert START - 60 * 10**9 < made.serial < START + 60 * 10**9


def test_varint__numbers__are_written_in_groups_of_seven_bits() -> None:
    assert (varint(0), varint(127), varint(128), varint(300)) == (b"\0", b"\x7f", b"\x80\x01", b"\xac\x02")


def test_amounts__less_than_nothing__is_nothing() -> None:
    assert Amounts(1, 2, 3, 4).less(Amounts(2, 1, 5, 4)) == Amounts(0, 1, 0, 0)
    assert Usage([], [], []).active == []
