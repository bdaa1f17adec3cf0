"""Every fault at every call of every verifier: first which trouble a client makes of it, then which verdict follows.

Both halves list themselves: the calls are those that `gather` made, the troubles all that our clients know.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

import verifiers.chain.trouble
import verifiers.codehost.trouble
import verifiers.provider.trouble
from tasks.moment import SECOND, Moment
from tests.codehost_double import CodeHostDouble as Codehost
from tests.codehost_double import Fault, dripping, silent
from tests.healthy_worlds import WORLDS, Healthy
from tests.nodes import BIRTH, Answer, Node, StandingClock, Stopwatch
from tests.provider_double import NOW, OWNER, ProviderDouble, StubChain, made
from verifiers import deciding
from verifiers.chain.client import Chain
from verifiers.chain.trouble import DoesNotExist
from verifiers.codehost.client import CodeHost
from verifiers.codehost.links import PullRequest
from verifiers.deployed import wording
from verifiers.evidence import Observation, Outcome, Source
from verifiers.guard import Guard
from verifiers.http import Limits
from verifiers.onboarding.state import state_of
from verifiers.provider.client import ProviderLimits, Providers
from verifiers.provider.facts import provider_seen
from verifiers.provider.trouble import Whose, whose
from verifiers.submitted import finding
from verifiers.trouble import Trouble

# ------------------------------------------------- from the network to the name of a trouble

INFO = "/akash/deployment/v1beta4/deployments/info"
RESULTS = "/block_results"
SHORT = Limits(deadline_seconds=0.5)
QUICK = ProviderLimits(look_seconds=30.0, question_seconds=1.0, connect_seconds=1.0)
HTML = b"<html>hello</html>"
OUT_OF_BOUNDS = {"location": "http://169.254.169.254/latest"}
HTTP: Mapping[str, tuple[Fault, str]] = {
    "timeout": (Fault("", raw=silent), "timeout"),
    "slow header": (Fault("", raw=dripping(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 500)), "timeout"),
    "slow body": (
        Fault("", raw=dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"{" * 900)),
        "timeout",
    ),
    "429": (Fault("", 429, {"retry-after": "30"}, b"{}"), "rate_limited"),
    "500": (Fault("", 500, {}, b"{}"), "server_error"),
    "503": (Fault("", 503, {}, HTML), "server_error"),
    "cut body": (
        Fault("", raw=lambda to: to.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")),
        "cut_body",
    ),
    "wrong content type": (Fault("", 200, {"content-type": "text/html"}, HTML), "wrong_content_type"),
    "redirect to a private address": (Fault("", 302, OUT_OF_BOUNDS, b"{}"), "redirected"),
}
PROVIDER = {
    "timeout": ("silent", "silent"), "slow header": ("slow_header", "slow"), "slow body": ("slow_body", "slow"),
    "429": ("429", "http_429"), "500": ("500", "unavailable"), "503": ("503", "http_503"),
    "cut body": ("cut_body", "cut_body"), "wrong content type": ("wrong_type", "wrong_type"),
    "redirect to a private address": ("redirect", "http_302"),
}  # fmt: skip


def asked_chain(fault: Fault, route: str, ask: Callable[[Chain], object]) -> str | None:
    """The trouble that one host's answer becomes."""
    answer = Answer(fault.body, fault.status, {"content-type": "application/json", **fault.headers}, fault.raw)
    watch = Stopwatch()
    with Node() as node:
        node.routes[route] = lambda _: answer
        clock = StandingClock(Moment(BIRTH + 600 * SECOND))
        chain = Chain([node.url], [node.url], clock, limits=SHORT, monotonic=watch.monotonic, sleep=watch.sleep)
        try:
            ask(chain)
        except Trouble as trouble:
            return trouble.name
        finally:
            chain.close()
    return None


def asked_codehost(fault: Fault) -> str | None:
    with Codehost() as double:
        double.faults = [fault]
        host = CodeHost(double.url, StandingClock(NOW), limits=SHORT, monotonic=Stopwatch().monotonic)
        (seen,) = host.pull(PullRequest("github.com", "net/apps", 12))
        host.close()
    return seen.trouble


def looked_at(rest: str, grpc: str) -> str | None:
    with ProviderDouble() as double:
        double.rest_fault, double.grpc_fault = rest, grpc
        providers = Providers(StandingClock(NOW), Guard(("127.0.0.0/8",)), limits=QUICK)
        seen = providers.look(OWNER, double.host_uri, StubChain(made().row()))
    return state_of(provider_seen(OWNER, seen, NOW)).cause


CLIENTS: Mapping[str, Callable[[str], str | None]] = {
    "node's REST": lambda word: asked_chain(
        HTTP[word][0], INFO, lambda chain: chain.get(INFO, {"id.owner": "akash1a", "id.dseq": "7"}, 42)
    ),
    "node's RPC": lambda word: asked_chain(HTTP[word][0], RESULTS, lambda chain: chain.block_results(42)),
    "code host": lambda word: asked_codehost(HTTP[word][0]),
    "provider's REST": lambda word: looked_at(PROVIDER[word][0], ""),
    "provider's gRPC": lambda word: looked_at("", PROVIDER[word][1]),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("word", HTTP)
def test_fault__on_the_wire__has_its_name(client: str, word: str) -> None:
    assert CLIENTS[client](word) == HTTP[word][1]


def test_fault__name_that_changes_to_a_private_address__asks_nobody() -> None:
    """The address that was checked is the one that is connected to; a name is looked up once for a look."""
    turns = itertools.chain(["93.184.216.34"], itertools.repeat("127.0.0.1"))

    def names(_: str, port: int, __: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(turns), port))]

    with ProviderDouble() as double:
        limits = ProviderLimits(look_seconds=0.6, question_seconds=0.3, connect_seconds=0.2)
        providers = Providers(StandingClock(NOW), Guard(), limits=limits, look_up=names)
        uri = double.host_uri.replace("localhost", "gpu.example")
        for _ in range(2):
            seen = providers.look(OWNER, uri, StubChain(made().row()))
        assert provider_seen(OWNER, seen, NOW).first_trouble == "host_refused"
        assert not double.asked


# ------------------------------------------------- from a trouble to the verdict


ASKED = {Source.CHAIN, Source.PROVIDER, Source.CODEHOST}


def _members(family: type[Trouble]) -> Iterator[type[Trouble]]:
    for member in family.__subclasses__():
        yield member
        yield from _members(member)


TROUBLES = sorted({member.name for member in _members(Trouble) if member is not DoesNotExist})
LIES: Mapping[str, Mapping[str, object]] = {
    "stale node": {"height": 40},
    "chain reset": {"chain_id": "another-1"},
    "lying node: nothing in it": {"body": b"{}"},
    "lying node: a page": {"body": HTML},
    "lying node: half of it": {"body": b'{"leases": [{"lease"'},
    "500 kept as an answer": {"status": 500},
}


def test_matrix__every_trouble_of_the_issue__is_among_them() -> None:
    named = {"timeout", "rate_limited", "server_error", "cut_body", "wrong_content_type", "redirected", "lagging",
             "pruned", "wrong_chain", "bad_certificate", "host_refused", "disagree"}  # fmt: skip
    assert named <= set(TROUBLES)


def test_matrix__every_trouble__has_words_for_who_is_asked() -> None:
    """A reader never meets the short word that an observation carries."""
    rooms = {
        "verifiers.chain.trouble": wording.TROUBLES,
        "verifiers.codehost.trouble": finding.TROUBLES,
        "verifiers.provider.trouble": verifiers.provider.trouble.TEXTS,
    }
    of_anybody = ("verifiers.trouble", "verifiers.guard", "verifiers.http")
    for room, words in rooms.items():
        members = [each for each in _members(Trouble) if each.__module__ in (room, *of_anybody)]
        assert {member.name for member in members} <= words.keys(), room


@pytest.mark.parametrize("kind", WORLDS)
@pytest.mark.parametrize("height", [1000, 50_010], ids=["open", "closed"])
def test_matrix__each_call_in_each_trouble__is_never_failed(kind: str, height: int) -> None:
    healthy = WORLDS[kind](height)
    asked = [place for place, each in enumerate(healthy.seen) if each.source in ASKED]
    assert len(asked) >= 3
    usual = deciding.judge(healthy.verifier, healthy.claim, healthy.seen, healthy.params, healthy.point)
    assert usual.outcome in (Outcome.PASSED, Outcome.PENDING, Outcome.UNKNOWN), usual.checks
    wrong = []
    for place in asked:
        for name in TROUBLES:
            gone = replace(healthy.seen[place], body=b"", status=None, trouble=name)
            wrong += _failures(healthy, place, name, gone)
        for name, change in LIES.items():
            lie = replace(healthy.seen[place], **change)  # type: ignore[arg-type]
            if lie.source == Source.CHAIN:
                wrong += _failures(healthy, place, name, lie)
    assert not wrong


def _failures(healthy: Healthy, place: int, fault: str, instead: Observation) -> list[str]:
    verdict = healthy.judged(place, instead)
    failed = [check.name for check in verdict.checks if check.outcome is Outcome.FAILED]
    if instead.source == Source.PROVIDER and whose(fault) is Whose.THEIRS:
        return []  # a wrong certificate or an address that nobody may ask is a clear answer about the provider
    cell = f"{fault} at {instead.request}: {verdict.outcome}, failed {failed}"
    return [cell] if failed or verdict.outcome is Outcome.FAILED else []
