"""Every recorded question is asked again of devnet after the same play: status, headers, keys, types, encodings.

What a play fixes (deployments, market, escrow, providers, certificates, audits, errors) has to be equal byte for
byte; what hangs on hashes, times and gas has to have the same shape.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from devnet.network import Devnet, Host

from .conftest import recorded

COMMON = (
    "rest-node",
    "rest-deployments",
    "rest-market",
    "rest-providers",
    "rest-escrow",
    "rest-bank-auth",
    "rest-txs",
    "rest-heights",
    "rest-errors",
    "rpc",
)
SETS = {"v1": ("akash-recorded", (*COMMON, "edge")), "v2": ("akash-recorded-v2", (*COMMON, "rest-v2"))}
SAME_BYTES = {"rest-deployments", "rest-market", "rest-providers", "rest-escrow", "rest-heights", "rest-errors"}

LEFT_OUT = (
    # Modules that Waymark never asks: a devnet answers them as any unknown path.
    (r"^/(cosmos/(staking|gov|distribution)|cosmwasm|akash/(bme|oracle|wasm))/", "a module that nobody asks here"),
    (r"^/cosmos/bank/v1beta1/denoms_metadata", "names of denoms, nobody asks"),
    (
        r"abci_query|genesis|dump_consensus_state|consensus_state|unconfirmed_txs\?limit",
        "the application's raw store",
    ),
    (r"r7-|payout|multisig|^account of validator", "not part of the play: test_multisig_play.py asks this"),
    (r"hash without 0x", "the error names the hash's second digit"),
    (r"acc_seq", "a probe before the recorded play shifts one account's sequence"),
)
"""Requests whose twins devnet does not answer, by name, path or body, and why."""

SHAPELESS = {"/", "/cosmos/base/tendermint/v1beta1/node_info", "/cosmos/auth/v1beta1/accounts?pagination.limit=2"}
"""Answers whose lists differ by their nature: the list of routes, of the program's parts, of all accounts."""

TRANSPORT = {"date", "content-length", "transfer-encoding", "connection", "x-content-type-options"}
"""Headers of the transport: lengths differ with the bodies, the recording kept no others."""


def _ask(host: Devnet | Host, asked: Mapping[str, Any], path: str) -> tuple[int, dict[str, str], str]:
    url = urlsplit(host.rest_url if asked["api"] == "rest" else host.rpc_url)
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=20)
    try:
        body = (asked.get("request_body") or "").encode()
        connection.putrequest(asked["method"], path, skip_accept_encoding=True)
        for name, value in (asked.get("request_headers") or {}).items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read().decode()
    finally:
        connection.close()


def _questions() -> Iterator[Any]:
    for generation, (folder, files) in SETS.items():
        for name in files:
            yield pytest.param(generation, folder, name, id=f"{generation}-{name}")


def _is_left_out(asked: Mapping[str, Any]) -> bool:
    method = "POST " if asked["method"] == "POST" else ""
    told = (asked["name"], method + asked["path"], asked["request_body"] or "")
    return "request_note" in asked or any(re.search(pattern, each) for pattern, _ in LEFT_OUT for each in told)


class _Hashes:
    """Recorded transaction hashes and the twin of each: the transaction of the same block here."""

    def __init__(self, devnet: Devnet, folder: str) -> None:
        self.twins: dict[str, str] = {}
        self.unknown: set[str] = set()
        for asked in recorded(folder, "rest-txs") + recorded(folder, "rpc"):
            for told, height in re.findall(r'"hash":"([0-9A-F]{64})","height":"(\d+)"', asked.get("body") or ""):
                self._learn(devnet, told, int(height))
            found = re.search(r'"tx_response":\{"height":"(\d+)","txhash":"([0-9A-F]{64})"', asked.get("body") or "")
            if found:
                self._learn(devnet, found[2], int(found[1]))

    def _learn(self, devnet: Devnet, told: str, height: int) -> None:
        made = devnet.chain.txs.get(height)
        if made:
            self.twins[told] = devnet.chain.tx_hash(made[0]).hex().upper()
        else:
            self.unknown.add(told)

    def put(self, path: str) -> str | None:
        """The path with the twin's hash; None where the play holds no twin (multisig payouts)."""
        for told in re.findall(r"[0-9A-Fa-f]{64}", path):
            if told.upper() in self.unknown:
                return None
            path = path.replace(told, self.twins.get(told.upper(), told))
        return path


def _shape(value: object) -> object:
    """A JSON value with each scalar replaced by the name of its encoding; of a list the set of its shapes."""
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(_shape(item)) for item in value})
    if isinstance(value, str):
        for name, pattern in _ENCODINGS:
            if re.fullmatch(pattern, value):
                return name
        return "text"
    return type(value).__name__


_ENCODINGS = (
    ("number", r"-?\d+"),
    ("decimal", r"-?\d+\.\d{18}"),
    ("hash", r"[0-9A-F]{64}"),
    ("address", r"akash(valcons|valoper)?1[a-z0-9]{38,}"),
    ("time", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z"),
    ("32 bytes", r"[A-Za-z0-9+/]{43}="),
    ("coins", r"\d+(\.\d{18})?u[a-z]+"),
)


def _plain(body: str) -> str:
    """A body without what a play cannot fix: deadlines of reclamations hang on block times."""
    return re.sub(r'"deadline":"\d+"', '"deadline":"…"', body)


def _problems(asked: Mapping[str, Any], told: tuple[int, dict[str, str], str], name: str) -> list[str]:
    status, headers, body = told
    found = [] if status == asked["status"] else [f"status {status}, recorded {asked['status']}"]
    names, recorded_names = set(headers) - TRANSPORT, set(asked["headers"]) - TRANSPORT
    if names != recorded_names:
        found.append(f"headers {sorted(names ^ recorded_names)}")
    if headers.get("content-type") != asked["headers"].get("content-type"):
        found.append(f"content type {headers.get('content-type')}")
    real = asked["body"] or ""
    if name in SAME_BYTES and _plain(body) != _plain(real):
        found.append(f"body {body[:300]} recorded {real[:300]}")
    if name not in SAME_BYTES and asked["path"] not in SHAPELESS and not _same_shape(body, real):
        found.append(f"shape {body[:400]} recorded {real[:400]}")
    return found


def _same_shape(body: str, real: str) -> bool:
    try:
        mine, other = json.loads(body), json.loads(real)
    except ValueError:
        return body == real
    if isinstance(other, dict) and ("message" in other or "error" in other):
        return re.sub(r"\d+", "N", body.replace("\u00a0", " ")) == re.sub(r"\d+", "N", real.replace("\u00a0", " "))
    return _covers(_shape(other), _shape(mine))


def _covers(real: object, mine: object) -> bool:
    """Same keys in the same order, same encodings; a list may hold fewer kinds of rows than the recorded one."""
    if isinstance(real, dict) and isinstance(mine, dict):
        return list(real) == list(mine) and all(_covers(real[name], mine[name]) for name in real)
    if isinstance(real, list) and isinstance(mine, list):
        rows = [json.loads(row) for row in real]
        return (not mine or bool(real)) and all(any(_covers(row, json.loads(one)) for row in rows) for one in mine)
    if not (isinstance(real, str) and isinstance(mine, str)):
        return False
    return real == mine or {real, mine} <= {"text", "NoneType", "32 bytes"}


@pytest.mark.parametrize(("generation", "folder", "name"), list(_questions()))
def test_recorded_question__asked_of_devnet__answered_alike(
    plays: dict[str, Devnet], generation: str, folder: str, name: str
) -> None:
    devnet = plays[generation]
    devnet.tip()
    hashes = _Hashes(devnet, folder)
    problems, asked_count = [], 0
    for asked in recorded(folder, name):
        path = hashes.put(asked["path"])
        if path is None or _is_left_out(asked) or asked["status"] is None:
            continue
        asked_count += 1
        found = _problems(asked, _ask(devnet, asked, path), name)
        problems.extend(f"{asked['n']} {asked['name']}: {path[:120]}: {problem}" for problem in found)
    assert asked_count > 5
    assert not problems, f"{len(problems)} of {asked_count}:\n" + "\n".join(problems[:40])


PRUNED = (
    ("v2", "akash-recorded-v2", "pruned-state-node", {"tip": 764, "keep_states": 20}),
    ("v1", "akash-recorded", "pruned-node", {"tip": 372, "keep_states": 30, "keep_blocks": 31}),
    (
        "v1",
        "akash-recorded",
        "noindex-node",
        {"tip": 453, "keep_states": 76, "keep_blocks": 76, "indexes_txs": False},
    ),
)
"""Recorded nodes that forget: the play, the file, and what a host here is told to be like it."""


@pytest.mark.parametrize(("generation", "folder", "name", "told"), PRUNED, ids=[each[2] for each in PRUNED])
def test_recorded_question__asked_of_a_forgetful_host__refused_alike(
    plays: dict[str, Devnet], generation: str, folder: str, name: str, told: dict[str, Any]
) -> None:
    """The chain of the v1 nodes was another one (`local-3`), so what they still knew is not compared; what each
    had forgotten is."""
    host = plays[generation].add_host()
    for setting, value in told.items():
        setattr(host.settings, setting, value)
    problems, asked_count = [], 0
    for asked in recorded(folder, name):
        known = asked["status"] == 200 and generation == "v1"
        foreign = re.search(r"txs?/[0-9A-F]{64}|hash=0x(?!AB)|message.sender", asked["path"])
        if _is_left_out(asked) or known or (foreign and told.get("indexes_txs", True)):
            continue
        asked_count += 1
        status, headers, body = _ask(host, asked, asked["path"])
        headers.pop("cache-control", None)  # the recorder of these files did not keep it
        found = _problems(asked, (status, headers, body), name)
        if asked["status"] != 200 and body != asked["body"]:
            found.append(f"body {body} recorded {asked['body']}")
        problems.extend(f"{asked['n']} {asked['name']}: {problem}" for problem in found)
    assert asked_count > 8
    assert not problems, "\n".join(problems)
