"""The fault matrix cell by cell: for every call of every verifier, in every trouble, the outcome that must follow.

The calls are those that `gather` made and the troubles all that our clients know, so a new one of either is missing
here until somebody says what must come of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

import verifiers.chain.trouble
import verifiers.codehost.trouble
import verifiers.provider.trouble  # noqa: F401 - all families must be there before they are listed
from tests.healthy_worlds import WORLDS, Healthy
from verifiers import deciding
from verifiers.chain.trouble import DoesNotExist
from verifiers.evidence import Observation, Outcome, Source
from verifiers.trouble import Trouble

ASKED = {Source.CHAIN, Source.PROVIDER, Source.CODEHOST}
LIES: Mapping[str, Mapping[str, object]] = {
    "stale node": {"height": 40},
    "chain reset": {"chain_id": "another-1"},
    "nothing in it": {"body": b"{}"},
    "a page": {"body": b"<html>hello</html>"},
    "half of it": {"body": b'{"leases": [{"lease"'},
    "500 kept as an answer": {"status": 500},
}
FORGOTTEN = frozenset({"index_off", "not_indexed", "pruned"})
"""Gone for good: where something else says the same, nobody waits for it."""
ELSEWHERE = frozenset({"stale node", "500 kept as an answer"})
"""Lies that a judge passes over as no answer at all to this question."""
CLEAR = frozenset({"bad_certificate", "host_refused"})
"""Whose certificate it is, and where an address leads, are clear answers about a provider."""


@dataclass(frozen=True)
class Call:
    """What a trouble at this call makes of a claim that passes: unknown, but for what is named here.

    `usual`: the troubles that change nothing; None: none does, as the answer is of no weight here. `no`: those that
    are a no once the task is closed. `asks`: once it is closed a person is asked. `some`: only some of these answers
    decide, each trouble at one of them at least.
    """

    usual: frozenset[str] | None = frozenset()
    no: frozenset[str] = frozenset()
    some: bool = False
    asks: bool = False


DECIDES = Call()
NO_WEIGHT = Call(usual=None)
SOME_BLOCKS = Call(some=True)
PASSED_OVER = Call(usual=FORGOTTEN | ELSEWHERE)

CELLS: Mapping[str, Mapping[str, Call]] = {
    "provider_onboarding": {
        "provider record": DECIDES,
        "signed attributes": DECIDES,
        # a client names these two itself and keeps no such answer
        "certificates": Call(usual=frozenset({"stale node", "chain reset"})),
        "TLS rest": Call(no=CLEAR),
        "TLS grpc": Call(no=CLEAR),
        "/version": DECIDES,
        "/address": DECIDES,
        "/status": DECIDES,
        "GetStatus": Call(no=CLEAR),
        "leases": DECIDES,
        "block": SOME_BLOCKS,
        "bid": PASSED_OVER,  # the group names the model too
        "deployment": Call(usual=frozenset({"500 kept as an answer"})),
        "results": PASSED_OVER,  # only the position in the block is missing then
    },
    "provider_onboarding with a spot check": {
        **dict.fromkeys(
            ("provider record", "certificates", "TLS rest", "TLS grpc", "/version", "/address", "/status",
             "GetStatus", "leases", "bid", "deployment", "results", "deployments"),
            DECIDES,
        ),
        "block": SOME_BLOCKS,
    },
    "ai_deployment": {
        "deployments": DECIDES,
        "leases": DECIDES,
        "block": SOME_BLOCKS,
        "results": PASSED_OVER,
        "bid": PASSED_OVER,
    },
    "benchmark_run": {
        "deployments": DECIDES,
        "leases": DECIDES,
        "block": Call(usual=ELSEWHERE),
        "bid": PASSED_OVER,
        "provider record": Call(usual=FORGOTTEN),
        # a provider that is silent for a day after the run: who rents it can't help it, and the lease names no memory
        "certificates": Call(usual=frozenset({"stale node", "chain reset"}), some=True, asks=True),
        **dict.fromkeys(("TLS grpc", "GetStatus"), Call(asks=True)),
        **dict.fromkeys(("TLS rest", "/address"), NO_WEIGHT),
    },
    "sdl_submission": {
        "deployments": DECIDES,
        "leases": DECIDES,
        "block": SOME_BLOCKS,
        "results": NO_WEIGHT,  # its receipt dates a submission
        "bid": NO_WEIGHT,
        "pull request": DECIDES,
        "changed files": DECIDES,
        "file": DECIDES,
    },
}  # fmt: skip

CALLS = {
    r"GET /akash/provider/\S+/providers/\w+$": "provider record",
    r"GET /akash/audit/": "signed attributes",
    r"GET /akash/cert/\S+list": "certificates",
    r"GET /akash/market/\S+leases/list": "leases",
    r"GET /akash/market/\S+bids/info": "bid",
    r"GET /akash/deployment/\S+deployments/list": "deployments",
    r"GET /akash/deployment/\S+deployments/info": "deployment",
    r"GET /cosmos/base/tendermint/\S+/blocks/\d+$": "block",
    r"RPC block_results": "results",
    r"TLS rest of ": "TLS rest",
    r"TLS grpc of ": "TLS grpc",
    r"GET /version of ": "/version",
    r"GET /address of ": "/address",
    r"GET /status of ": "/status",
    r"GRPC GetStatus of ": "GetStatus",
    r"GET /repos/[^/]+/[^/]+/pulls/\d+$": "pull request",
    r"GET /repos/\S+/files": "changed files",
    r"GET /repos/\S+/contents/": "file",
}


def call_of(request: str) -> str:
    return next((name for pattern, name in CALLS.items() if re.match(pattern, request)), request)


def _members(family: type[Trouble]) -> Iterator[type[Trouble]]:
    for member in family.__subclasses__():
        yield member
        yield from _members(member)


TROUBLES = sorted({member.name for member in _members(Trouble) if member is not DoesNotExist})


def faults_of(seen: Observation) -> Iterator[tuple[str, Observation]]:
    for name in TROUBLES:
        yield name, replace(seen, body=b"", status=None, trouble=name)
    if seen.source == Source.CHAIN:
        for name, change in LIES.items():
            yield name, replace(seen, **change)  # type: ignore[arg-type]


def must_be(call: Call, fault: str, usual: Outcome, *, is_closed: bool) -> Outcome:
    if call.usual is None or fault in call.usual:
        return usual
    if is_closed and call.asks:
        return Outcome.PENDING
    if fault in call.no:
        return Outcome.FAILED if is_closed else Outcome.PENDING
    return Outcome.UNKNOWN


def cells_of(healthy: Healthy) -> dict[tuple[str, str], set[Outcome]]:
    """By call and trouble: what came of it, at each answer to such a call."""
    found: dict[tuple[str, str], set[Outcome]] = defaultdict(set)
    for place, each in enumerate(healthy.seen):
        if each.source in ASKED:
            for fault, instead in faults_of(each):
                found[call_of(each.request), fault].add(healthy.judged(place, instead).outcome)
    return found


@pytest.mark.parametrize("kind", WORLDS)
@pytest.mark.parametrize("height", [1000, 50_010], ids=["open", "closed"])
def test_cells__each_call_in_each_trouble__has_its_outcome(kind: str, height: int) -> None:
    healthy = WORLDS[kind](height)
    usual = deciding.judge(healthy.verifier, healthy.claim, healthy.seen, healthy.params, healthy.point).outcome
    found = cells_of(healthy)
    assert {call for call, _ in found} == set(CELLS[kind])
    wrong = {}
    for (call, fault), outcomes in found.items():
        rule = CELLS[kind][call]
        wanted = must_be(rule, fault, usual, is_closed=height > 1000)
        if rule.some:
            is_right = outcomes <= {usual, wanted} and (wanted in outcomes or fault in ELSEWHERE | FORGOTTEN)
        else:
            is_right = outcomes == {wanted}
        if not is_right:
            wrong[call, fault] = sorted(outcomes)
    assert not wrong


def test_cells__troubles_of_the_issue__are_all_there() -> None:
    named = {"timeout", "rate_limited", "server_error", "cut_body", "wrong_content_type", "redirected", "lagging",
             "pruned", "wrong_chain", "bad_certificate", "host_refused", "disagree"}  # fmt: skip
    assert named <= set(TROUBLES)
