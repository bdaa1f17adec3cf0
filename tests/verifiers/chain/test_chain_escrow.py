"""How long an escrow's money lasts and what a lease was really paid, on recorded accounts and in general."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import SETS, recordings
from verifiers.chain.answers import (
    ATTO,
    AccountState,
    Atto,
    DecCoin,
    DeploymentInfo,
    LeaseInfo,
    decode_deployment,
    decode_lease,
)
from verifiers.chain.escrow import counted_span, last_paid_height, rate_sum, really_paid, uncharged_blocks


def known(folder: str) -> tuple[dict[int, DeploymentInfo], list[LeaseInfo]]:
    deployments = {}
    leases = {}
    for line in recordings(f"{folder}/rest-deployments"):
        if line.route.endswith("/deployments/info") and line.status == 200 and not line.request_headers:
            row = decode_deployment(line.body)
            deployments[row.id.dseq] = row
    for line in recordings(f"{folder}/rest-market"):
        if line.route.endswith("/leases/info") and line.status == 200 and not line.request_headers:
            lease = decode_lease(line.body)
            leases[lease.lease.id] = lease
    return deployments, list(leases.values())


# folder, dseq, oseq, height of the look, end of the counted blocks, is dry, paid in whole units
RECORDED = [
    ("overdrawn and found: three of seven blocks", "akash-recorded", 20002, 1, 2440, 1538, True, 600_000),
    ("overdrawn, found by nobody", "akash-recorded", 20003, 1, 2440, 1548, True, 399_998),
    ("the same, looked at while the money lasted", "akash-recorded", 20003, 1, 1547, 1547, False, 199_999),
    ("closed by the tenant", "akash-recorded", 10003, 1, 2440, 1468, False, 10_500),
    ("open since, nothing settled", "akash-recorded", 10003, 2, 2440, 2440, False, 3300 * 970),
    ("one block for one uakt", "akash-recorded", 66001, 1, 2440, 1555, False, 1),
    ("found overdrawn on v2", "akash-recorded-v2", 20002, 1, 604, None, True, None),
]


@pytest.mark.parametrize(
    ("folder", "dseq", "oseq", "height", "end", "is_dry", "paid"),
    [pytest.param(*row[1:], id=row[0]) for row in RECORDED],
)
def test_counted_span__recorded_lease__ends_where_the_money_does(
    folder: str, dseq: int, oseq: int, height: int, end: int | None, is_dry: bool, paid: int | None
) -> None:
    deployments, leases = known(folder)
    of_deployment = [lease for lease in leases if lease.lease.id.dseq == dseq]
    lease = next(lease for lease in of_deployment if lease.lease.id.oseq == oseq)
    account = deployments[dseq].escrow_account.state
    rates = rate_sum(of_deployment, lease.escrow_payment.state.rate.denom)
    span = counted_span(lease, account, rates, height)
    assert span.is_dry is is_dry
    assert end is None or span.end == end
    assert paid is None or really_paid(lease, account, span) == paid * ATTO


@pytest.mark.parametrize("folder", SETS)
def test_really_paid__every_recorded_lease__is_at_most_rate_times_blocks(folder: str) -> None:
    deployments, leases = known(folder)
    assert leases
    for lease in leases:
        account = deployments[lease.lease.id.dseq].escrow_account.state
        of_deployment = [each for each in leases if each.lease.id.dseq == lease.lease.id.dseq]
        span = counted_span(lease, account, rate_sum(of_deployment, lease.escrow_payment.state.rate.denom), 5000)
        assert 0 <= really_paid(lease, account, span) <= lease.escrow_payment.state.rate.amount * span.blocks


def invented(created: int, settled: int, funds: int, rate: int) -> tuple[AccountState, LeaseInfo]:
    deployments, leases = known("akash-recorded")
    lease = next(each for each in leases if each.lease.id.dseq == 20003)
    account = replace(
        deployments[20003].escrow_account.state, settled_at=settled, funds=(DecCoin("uakt", Atto(funds)),)
    )
    state = replace(lease.escrow_payment.state, rate=DecCoin("uakt", Atto(rate)))
    payment = replace(lease.escrow_payment, state=state)
    return account, replace(lease, lease=replace(lease.lease, created_at=created), escrow_payment=payment)


@given(
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**30),
    st.integers(1, 10**24),
    st.integers(0, 10**7),
)
def test_last_paid_height__any_open_account__pays_that_block_and_not_the_next(
    created: int, later: int, funds: int, rate: int, ahead: int
) -> None:
    settled = created + later
    account, lease = invented(created, settled, funds, rate)
    height = last_paid_height(account, lease.escrow_payment.state, rate_sum([lease], "uakt"))
    assert height is not None
    assert rate * (height - settled) <= funds < rate * (height - settled + 1)
    span = counted_span(lease, account, rate_sum([lease], "uakt"), settled + ahead)
    assert created <= span.end <= settled + ahead
    assert really_paid(lease, account, span) <= funds


def test_last_paid_height__no_money_drawn__bounds_nothing() -> None:
    deployments, leases = known("akash-recorded")
    closed = next(lease for lease in leases if lease.escrow_payment.state.state == "closed")
    account = deployments[closed.lease.id.dseq].escrow_account.state
    assert last_paid_height(account, closed.escrow_payment.state, rate_sum([closed], "uakt")) is None


@pytest.mark.parametrize("folder", SETS)
def test_uncharged_blocks__three_leases_in_three_blocks__paid_and_forgone_make_the_whole(folder: str) -> None:
    deployments, leases = known(folder)
    of_deployment = [lease for lease in leases if lease.lease.id.dseq == 20001]
    account = deployments[20001].escrow_account.state
    forgone = {}
    for lease in of_deployment:
        state = lease.escrow_payment.state
        span = counted_span(lease, account, rate_sum(of_deployment, state.rate.denom), account.settled_at)
        missing = state.rate.amount * span.blocks - really_paid(lease, account, span)
        forgone[lease.lease.id.gseq] = uncharged_blocks(lease, of_deployment, span.end)
        assert missing == state.rate.amount * forgone[lease.lease.id.gseq]
    assert forgone == {1: 2, 2: 1, 3: 0}
