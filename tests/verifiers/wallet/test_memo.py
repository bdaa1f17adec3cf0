"""Proof by the memo of a transaction on the chain, against two recorded transactions."""

from __future__ import annotations

import json

import pytest

from tasks.moment import SECOND, parse_moment
from tests.wallets import FIXTURES, Keyholder
from verifiers.wallet.memo import is_memo_sent_by, is_transaction_hash

RECORDED = {chain: (FIXTURES / f"login-by-memo-{chain}.json").read_bytes() for chain in ("local-1", "local-v2")}
MEMO = "AKTINC-LOGIN abc"


def asked(answer: bytes, **changes: object) -> bool:
    found = json.loads(RECORDED["local-1"])
    time = parse_moment(found["tx_response"]["timestamp"])
    given = {
        "address": found["tx"]["body"]["messages"][0]["from_address"],
        "memo": MEMO,
        "transaction_hash": found["tx_response"]["txhash"],
        "answer": answer,
        "not_before": time - SECOND,
        "not_after": time + SECOND,
    }
    return is_memo_sent_by(**(given | changes))


@pytest.mark.parametrize("chain", RECORDED)
def test_memo__recorded_transfer__holds(chain):
    found = json.loads(RECORDED[chain])
    time = parse_moment(found["tx_response"]["timestamp"])
    address = found["tx"]["body"]["messages"][0]["from_address"]
    transaction_hash = found["tx_response"]["txhash"].lower()
    assert is_memo_sent_by(address, MEMO, transaction_hash, RECORDED[chain], not_before=time, not_after=time)


@pytest.mark.parametrize(
    "changes",
    [
        {"address": Keyholder("another").address},
        {"memo": "AKTINC-LOGIN ab"},
        {"memo": ""},
        {"transaction_hash": "0" * 64},
        {"not_after": 0},
        {"not_before": 2**62, "not_after": 2**63},
    ],
    ids=["another sender", "another memo", "empty memo", "another hash", "too late", "too early"],
)
def test_memo__anything_else_expected__is_refused(changes):
    assert not asked(RECORDED["local-1"], **changes)


def changed(place: str, value: object) -> bytes:
    found = json.loads(RECORDED["local-1"])
    *steps, last = [int(step) if step.isdigit() else step for step in place.split("/")]
    target = found
    for step in steps:
        target = target[step]
    target[last] = value
    return json.dumps(found).encode()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("tx_response/code", 5),
        ("tx_response/code", None),
        ("tx_response/timestamp", ""),
        ("tx/body/messages", []),
        ("tx/body/messages/0/@type", "/cosmos.authz.v1beta1.MsgExec"),
        ("tx/body", None),
    ],
)
def test_memo__answer_that_shows_something_else__is_refused(place, value):
    assert not asked(changed(place, value))


@pytest.mark.parametrize("answer", [b"", b"null", b"[" * 100_000, b"\xff", b'{"code":5,"message":"tx not found"}'])
def test_memo__answer_of_another_kind__is_refused(answer):
    assert not asked(answer)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("ab" * 32, True), ("AB" * 32, True), ("0x" + "ab" * 32, False), ("ab" * 31, False), ("../" + "a" * 61, False)],
)
def test_is_transaction_hash__text__is_told_apart(text, is_one):
    assert is_transaction_hash(text) is is_one
