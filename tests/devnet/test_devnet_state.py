"""State follows from the scenario alone; what the chain refuses changes nothing but fee and sequence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devnet import acts
from devnet.amounts import ONE
from devnet.generation import V1, V2, Generation
from devnet.scenarios import small
from devnet.state.bank import ESCROW
from devnet.state.chain import Chain
from devnet.state.objects import OPEN

START = 1_700_000_000 * 10**9


def _all_rows(chain: Chain, height: int) -> dict[str, dict[object, bytes]]:
    found: dict[str, dict[object, bytes]] = {}
    for name, table in chain.world.tables.items():
        rows = {key: table.at(key, height) for key in table.keys}
        found[name] = {key: b"".join(row.pieces) for key, row in rows.items() if row is not None}
    return found


@pytest.mark.parametrize("generation", [V1, V2], ids=["v1", "v2"])
def test_state__made_at_once_or_block_by_block_or_cut_short__is_the_same(generation: Generation) -> None:
    at_once = Chain(small.scenario(), generation, START)
    at_once.advance(small.ENDS)
    stepwise = Chain(small.scenario(), generation, START)
    for height in range(1, small.ENDS + 1):
        stepwise.advance(height)
    for height in (1, 20, 60, 61, 121, 150, 260, 300):
        cut = replace(small.scenario(), acts=[act for act in small.scenario().acts if act.height <= height])
        short = Chain(cut, generation, START)
        short.advance(height)
        told = _all_rows(at_once, height)
        assert told == _all_rows(stepwise, height)
        assert told == _all_rows(short, height)


def test_transactions__made_twice__have_the_same_bytes() -> None:
    chains = [Chain(small.scenario(), V2, START) for _ in range(2)]
    for chain in chains:
        chain.advance(small.ENDS)
    first, second = ([chain.tx_bytes(tx) for height in chain.txs for tx in chain.txs[height]] for chain in chains)
    assert first == second


def test_block_times__of_six_seconds__lie_within_a_millisecond_of_their_second() -> None:
    chain = Chain(small.scenario(), V2, START)
    for height in range(1, 200):
        assert 0 <= chain.time(height) - START - (height - 1) * 6 * 10**9 < 10**6
        assert chain.height_at(chain.time(height)) == height
    assert chain.height_at(START - 1) == 0


TENANTS = ("ada", "ben")
HOSTS = ("north", "south", "east")
_dseqs = st.integers(1, 3)
_orders = st.builds(
    acts.OrderId, st.sampled_from([small.address(name) for name in TENANTS]), _dseqs, st.just(1), st.integers(1, 3)
)
_bids = st.builds(acts.BidId, _orders, st.sampled_from([small.address(name) for name in HOSTS]))
_owners = st.sampled_from([small.address(name) for name in TENANTS])
_any_height = st.integers(10, 40)
_any_act = st.one_of(
    st.builds(
        acts.CreateDeployment,
        height=_any_height,
        owner=_owners,
        dseq=_dseqs,
        sdl=st.sampled_from(["model", "web"]),
        deposit=st.sampled_from([499_999, 500_000, 600_000]),
    ),
    st.builds(
        acts.CreateBid,
        height=_any_height,
        bid=_bids,
        price=st.sampled_from(["1", "7.25", "19999", "20000", "20001"]),
    ),
    *(
        st.builds(kind, height=_any_height, bid=_bids)
        for kind in (acts.CreateLease, acts.CloseLease, acts.CloseBid, acts.WithdrawLease, acts.StartReclaim)
    ),
    *(
        st.builds(kind, height=_any_height, owner=_owners, dseq=_dseqs)
        for kind in (acts.CloseDeployment, acts.StartGroup, acts.PauseGroup, acts.CloseGroup)
    ),
    st.builds(
        acts.DepositDeployment,
        height=_any_height,
        owner=_owners,
        dseq=_dseqs,
        amount=st.integers(1, 10**6),
        denom=st.sampled_from(["", "uakt"]),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_any_act, max_size=40), st.sampled_from([V1, V2]))
def test_any_acts__in_any_order__keep_the_money_and_refuse_without_a_trace(
    some: list[acts.Act], generation: Generation
) -> None:
    hosting = [act for act in small.scenario().acts if isinstance(act, acts.CreateProvider)]
    told = replace(small.scenario(), acts=[*hosting, *some])
    whole = Chain(told, generation, START)
    whole.advance(60)
    refused = {id(tx.act) for height in whole.txs for tx in whole.txs[height] if tx.code}
    without = Chain(replace(told, acts=[act for act in told.acts if id(act) not in refused]), generation, START)
    without.advance(60)
    assert _all_rows(whole, 60) == _all_rows(without, 60)
    bank, held = whole.world.bank, dict.fromkeys(generation.denoms, 0)
    for holder in bank.holders.values():
        for denom, amount in holder.balances[-1].items():
            assert amount > 0
            held[denom] += amount
    held["uakt"] += sum(fee for _, fee in bank.fees_by_height)
    assert held == bank.genesis
    owed = sum(
        sum(item.amount for item in deployment.account.deposits)
        + sum(payment.balance for payment in deployment.account.payments.values())
        for deployment in whole.world.deployments.values()
    ) + sum(item.amount for bid in whole.world.bids.values() for item in bid.account.deposits)
    assert sum(bank.holders[ESCROW].balances[-1].values()) * ONE >= owed


def test_lease__opened_and_settled_in_one_block__stays_open_as_on_the_chain() -> None:
    bid = acts.BidId(acts.OrderId(small.address("ada"), 1), small.address("north"))
    hosting = [act for act in small.scenario().acts if isinstance(act, acts.CreateProvider)]
    told = [
        acts.CreateDeployment(height=10, owner=small.address("ada"), dseq=1, sdl="model"),
        acts.CreateBid(height=11, bid=bid, price="5"),
        acts.CreateLease(height=12, position=0, bid=bid),
        acts.CloseDeployment(height=12, position=1, owner=small.address("ada"), dseq=1),
    ]
    chain = Chain(replace(small.scenario(), acts=[*hosting, *told]), V2, START)
    chain.advance(13)
    lease = chain.world.leases[bid]
    assert (lease.state, lease.payment.state, lease.payment.withdrawn) == ("closed", OPEN, 0)
