"""What the payout chain says before a payout, and how it is said that it can't be asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from services.errors import Refused, Unavailable
from services.house import House
from services.payout_facts import (
    connected,
    is_connected,
    payer_facts,
    payout_limits,
    refused_recipients,
    tip_height,
)
from tests.houses import CAMPAIGN, make_house
from tests.nodes import BIRTH, Answer, Asked, StandingClock, Stopwatch
from tests.pay_nodes import ACCOUNT, MODULE, PayChain, PayNode
from tests.paying import paying_house
from tests.payout_lines import PAYER, person
from verifiers.chain.client import Chain


@pytest.fixture
def node() -> Iterator[PayNode]:
    with PayNode(PayChain()) as made:
        yield made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def client(stack: ExitStack, node: PayNode, chain_id: str | None = None) -> Chain:
    watch = Stopwatch()
    chain = Chain([node.url], [node.url], StandingClock(BIRTH), chain_id=chain_id, monotonic=watch.monotonic,
                  sleep=watch.sleep)  # fmt: skip
    stack.callback(chain.close)
    return chain


@pytest.fixture
def house(tmp_path: Path, node: PayNode, stack: ExitStack) -> House:
    return paying_house(tmp_path, client(stack, node), "pay-1")


def test_payer_facts__account_of_the_chain__all_of_one_height(house: House, node: PayNode) -> None:
    node.asked.clear()
    facts = payer_facts(house, PAYER)
    assert (facts.address, facts.chain_id, facts.account_number, facts.sequence) == (PAYER, "pay-1", 7, 0)
    assert (facts.height, facts.balance_uakt, facts.gas_price) == (100, 10**15, Fraction(25, 10_000))
    assert (facts.memo_bytes, facts.signature_limit, facts.module_accounts) == (256, 7, frozenset({MODULE}))
    assert facts.other_chain_ids == ("local-v2", "akashnet-2")
    pinned = {asked.route: asked.height for asked in node.asked if asked.route.startswith("/cosmos/bank")}
    assert set(pinned.values()) == {100}


def test_payer_facts__account_that_the_chain_does_not_know__refused(house: House, node: PayNode) -> None:
    def unknown(_: Asked) -> Answer:
        return Answer(
            {"code": 5, "message": "account not found"}, 404, {"grpc-metadata-x-cosmos-block-height": "100"}
        )

    node.routes[f"{ACCOUNT}{PAYER}"] = unknown
    with pytest.raises(Refused, match="pay-1 knows no account") as refused:
        payer_facts(house, PAYER)
    assert refused.value.field == "payer"


def test_payout_limits__and_who_cannot_be_paid(house: House) -> None:
    limits = payout_limits(house)
    assert (limits.chain_id, limits.height, limits.block.max_gas) == ("pay-1", 100, -1)
    assert limits.gas_price == Fraction(25, 10_000)
    refused = refused_recipients(limits, PAYER)
    assert refused(person(1)) is None
    assert refused(PAYER) is not None
    assert refused(MODULE) is not None


@pytest.mark.parametrize("ask", [payout_limits, tip_height, lambda house: payer_facts(house, PAYER)])
@pytest.mark.parametrize("case", ["silent", "another-chain", "not-set", "known-to-be-another"])
def test_facts__chain_that_cannot_be_asked__unavailable_that_says_why(
    house: House, node: PayNode, stack: ExitStack, case: str, ask: object
) -> None:
    if case == "silent":
        node.routes["*"] = node.routes["/status"] = lambda _: Answer(raw=lambda connection: connection.close())
    if case == "another-chain":
        node.chain_id = "pay-2"
    if case == "known-to-be-another":
        house = replace(house, payout_chain=client(stack, node, "pay-3"))
    if case == "not-set":
        house = replace(house, payout_chain=None)
    words = {"silent": "can't be asked now", "another-chain": "stand on pay-2, and payouts are made on pay-1",
             "not-set": "not connected", "known-to-be-another": "stand on pay-3"}  # fmt: skip
    with pytest.raises(Unavailable, match=words[case]):
        ask(house)  # type: ignore[operator]


def test_connected__payouts_on_the_campaigns_own_chain__its_nodes_serve(tmp_path: Path, stack: ExitStack) -> None:
    with PayNode(PayChain(), chain_id="local-v2") as own:
        house = make_house(tmp_path, campaign=CAMPAIGN, chain=client(stack, own))
        assert is_connected(house)
        assert connected(house) is house.chain
        assert tip_height(house) == 100


def test_connected__payouts_on_another_chain_without_nodes__not_connected(tmp_path: Path, stack: ExitStack) -> None:
    text = CAMPAIGN.replace("chain_id: local-v2\n", "chain_id: local-v2\npayout_chain_id: pay-1\n")
    with PayNode(PayChain(), chain_id="local-v2") as own:
        house = make_house(tmp_path, campaign=text, chain=client(stack, own))
        assert not is_connected(house)
        with pytest.raises(Unavailable, match="WAYMARK_PAYOUT_REST"):
            connected(house)
