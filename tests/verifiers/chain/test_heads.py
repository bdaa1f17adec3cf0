"""The heads of orders, bids and leases say what the whole rows say, on every recorded list."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from tests.recordings import Recording, recordings
from verifiers.chain.answers import BIDS, LEASES, ORDERS, Listing
from verifiers.chain.answers.heads import BID_HEADS, LEASE_HEADS, ORDER_HEADS
from verifiers.chain.apiset import CURRENT
from verifiers.trouble import Undecodable

PAIRS: tuple[tuple[Listing[Any], Listing[Any], str], ...] = (
    (ORDERS, ORDER_HEADS, ""),
    (BIDS, BID_HEADS, "bid"),
    (LEASES, LEASE_HEADS, "lease"),
)


def lists(listing: Listing[Any]) -> list[Recording]:
    files = ("akash-recorded/rest-market", "akash-recorded-v2/rest-market")
    return [line for file in files for line in recordings(file)
            if line.status == 200 and line.route == listing.path(CURRENT)]  # fmt: skip


@pytest.mark.parametrize(("whole", "head", "part"), PAIRS, ids=["orders", "bids", "leases"])
def test_heads__every_recorded_list__as_the_whole_rows(whole: Listing[Any], head: Listing[Any], part: str) -> None:
    lines = lists(whole)
    assert len(lines) > 10
    for line in lines:
        rows, heads = whole.decode(line.body, CURRENT), head.decode(line.body, CURRENT)
        assert heads.next_key == rows.next_key
        assert len(heads.rows) == len(rows.rows)
        for row, short in zip(rows.rows, heads.rows, strict=True):
            full = getattr(row, part) if part else row
            for field in fields(short):
                assert getattr(short, field.name) == getattr(full, field.name), line.where
            assert head.identity(short) == whole.identity(row)
            facts = {
                "filters.owner": short.id.owner,
                "filters.dseq": str(short.id.dseq),
                "filters.state": short.state,
            }
            assert head.satisfies(short, facts)
            assert whole.satisfies(row, facts)
            assert not head.satisfies(short, {"filters.state": "other"})


@pytest.mark.parametrize("head", [ORDER_HEADS, BID_HEADS, LEASE_HEADS], ids=["orders", "bids", "leases"])
@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"orders":[{}],"bids":[{}],"leases":[{}]}', b"<html>"])
def test_heads__something_else__is_undecodable(head: Listing[Any], body: bytes) -> None:
    with pytest.raises(Undecodable):
        head.decode(body, CURRENT)
