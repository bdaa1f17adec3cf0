"""The 2023 GPU testnet as devnet's own chain plays it, in its tiny form; the whole is in test_story_verdicts."""

from __future__ import annotations

from collections import Counter

import pytest

from devnet.acts import CreateDeployment, CreateLease
from devnet.generation import V1, V2, Generation
from devnet.state.chain import Chain
from devnet.story.library import Story, story

START = 1_700_000_000_000_000_000


@pytest.mark.parametrize(("scale", "generation"), [("tiny", V1), ("tiny", V2)])
def test_chain__plays_the_story__refuses_only_what_was_meant_to_fail(scale: str, generation: Generation) -> None:
    told = story("gpu-testnet-2023", scale=scale)
    chain = Chain(told.chain, generation, START)
    chain.advance(told.closes)
    refuses_only_what_was_meant_to_fail(told, chain)


def refuses_only_what_was_meant_to_fail(told: Story, chain: Chain) -> None:
    refused = Counter(type(tx.act).__name__ for txs in chain.txs.values() for tx in txs if tx.code)
    assert set(refused) <= {"Failed", "CloseDeployment", "CreateBid"}
    assert sum(refused.values()) < 160
    asks = {
        (act.owner, act.dseq) for act in told.chain.acts if isinstance(act, CreateDeployment) and _asks_gpu(told, act)
    }
    leased = [tx.act.bid.order for txs in chain.txs.values() for tx in txs if isinstance(tx.act, CreateLease)]
    assert len(asks) == told.totals.requests
    assert sum((order.owner, order.dseq) in asks for order in leased) == told.totals.leases


def _asks_gpu(told: Story, act: CreateDeployment) -> bool:
    return "        gpu:" in told.chain.sdls[act.sdl]
