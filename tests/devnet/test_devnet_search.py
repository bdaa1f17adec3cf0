"""A search through the index finds what a search through every transaction finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from devnet.api.txs import Txs, parse_query
from devnet.network import Devnet, serve
from devnet.scenarios import small
from services.clock import StoppedClock
from tasks.moment import parse_moment

START = parse_moment("2026-11-24T10:00:00Z")
ADA, BEN, STRANGER = map(small.address, ("ada", "ben", "stranger"))


@pytest.fixture(scope="module")
def net() -> Iterator[Devnet]:
    with serve(small.scenario(), start=START, clock=StoppedClock(START), port=0) as net:
        yield net


def plainly(txs: Txs, query: str) -> list[str]:
    """Every transaction whose written events meet each condition, one by one."""
    found = []
    for height in txs.chain.heights():
        for tx in txs.chain.in_block(height):
            events: list[dict[str, Any]] = json.loads(f"[{txs.chain.events(tx)}]")
            told = {
                (f"{each['type']}.{pair['key']}", pair["value"]) for each in events for pair in each["attributes"]
            }
            if all((condition.tag, condition.value) in told for condition in parse_query(query)):
                found.append(txs.hash(tx))
    return found


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (f"transfer.recipient='{STRANGER}'", 1),
        (f"transfer.recipient='{ADA}'", None),
        (f"message.sender='{ADA}'", None),
        (f"message.sender='{BEN}' AND transfer.recipient='{ADA}'", 0),
        (f"message.action='/akash.escrow.v1.MsgAccountDeposit' AND message.sender='{BEN}'", 1),
        (f"use_feegrant.grantee='{ADA}'", 0),
        ("transfer.recipient='nobody'", 0),
        (f"tx.fee_payer='{BEN}'", None),
    ],
)
def test_search__by_an_address__finds_what_reading_everything_finds(
    net: Devnet, query: str, count: int | None
) -> None:
    net.chain.advance(300)
    txs = Txs(net.chain)
    found = [txs.hash(tx) for tx in txs.search(query, 300)]
    assert found == plainly(txs, query)
    assert count is None or len(found) == count
    assert count is not None or found
