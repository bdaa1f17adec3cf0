"""An SDL that we issue offers its price in the coin that the chain takes then, and keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.benchmarks import BenchmarkChallengeRow
from services import benchmarks
from services.benchmarks import Issued
from services.house import House
from tests.benchmark_town import PARTICIPANT, PROVIDER, make
from tests.houses import NOON, later
from tests.nodes import Answer, Asked, Node, StandingClock
from verifiers.chain.client import Chain

PARAMS = "/akash/deployment/v1beta4/params"


def takes(node: Node, *denoms: str) -> None:
    """Deployment params as nodes of both generations were recorded."""
    body = {"params": {"min_deposits": [{"denom": denom, "amount": "500000"} for denom in denoms]}}
    node.routes[PARAMS] = lambda asked: node.state(asked, body)


def broken(_: Asked) -> Answer:
    return Answer({"code": 2, "message": "panic"}, 500)


@pytest.fixture
def node() -> Iterator[Node]:
    with Node() as running:
        yield running


Connect = Callable[[str | None], House]


@pytest.fixture
def connect(tmp_path: Path, node: Node) -> Iterator[Connect]:
    """A house on the node, whose chain it takes to be the named one."""
    house = make(tmp_path)
    chains = []

    def connected(chain_id: str | None) -> House:
        chain = Chain([node.url], [node.url], StandingClock(NOON), chain_id=chain_id, patience_seconds=0.5)
        chains.append(chain)
        return replace(house, chain=chain)

    yield connected
    for chain in chains:
        chain.close()
    house.ledger.close()


def ask(house: House, seconds: int = 0) -> Issued:
    return benchmarks.issue(later(house, seconds), PARTICIPANT.address, PROVIDER, "h100")


@pytest.mark.parametrize(("denoms", "denom"), [(["uakt"], "uakt"), (["uakt", "uact"], "uact")], ids=["v1", "v2"])
def test_issue__chain_of_each_generation__is_priced_in_its_coin(
    connect: Connect, node: Node, denoms: list[str], denom: str
) -> None:
    takes(node, *denoms)
    house = connect(None)
    issued = ask(house)
    assert f"{{denom: {denom}, amount: " in issued.sdl
    with house.ledger.read() as session:
        assert session.get_one(BenchmarkChallengeRow, issued.challenge.id).price_denom == denom


def test_issued__chain_changes_its_coin__keeps_its_text(connect: Connect, node: Node) -> None:
    takes(node, "uakt")
    house = connect(None)
    first = ask(house)
    takes(node, "uakt", "uact")
    assert benchmarks.issued(house, PARTICIPANT.address, first.challenge.id).sdl == first.sdl
    assert "denom: uact" in ask(house, 1).sdl


def test_issue__chain_not_to_be_asked__is_priced_as_the_newest_before(connect: Connect, node: Node) -> None:
    takes(node, "uact", "uakt")
    house = connect(None)
    ask(house)
    node.routes[PARAMS] = broken
    assert "denom: uact" in ask(house, 1).sdl
    assert "denom: uact" in ask(replace(house, chain=None), 2).sdl


@pytest.mark.parametrize("body", [{"params": {"min_deposits": []}}, {"params": {}}, {}])
def test_issue__nothing_known__is_priced_in_the_campaigns_coin(connect: Connect, node: Node, body: object) -> None:
    node.routes[PARAMS] = lambda asked: node.state(asked, body)
    assert "denom: uakt" in ask(connect(None)).sdl


def test_issue__node_of_another_chain__is_not_believed(connect: Connect, node: Node) -> None:
    node.chain_id = "another-1"
    takes(node, "uact")
    assert "denom: uakt" in ask(connect(None)).sdl
    assert "denom: uakt" in ask(connect("local-v2"), 1).sdl
