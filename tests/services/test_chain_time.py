"""The first block from a moment: found in a few looks, kept for good, never guessed where blocks are gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chain_time import first_known_from, height_at
from services.clock import StoppedClock
from services.following import step
from services.house import House
from tasks.moment import SECOND, Moment
from tests.houses import make_house
from tests.nodes import BIRTH
from tests.small_chains import SmallChain
from verifiers.chain.client import Chain
from verifiers.chain.trouble import Pruned

TIP = 5_000


class UnevenChain(SmallChain):
    """Blocks come every six seconds, but for an hour's halt after block 1,000 and odd nanoseconds in between."""

    def time_of(self, height: int) -> Moment:
        halt = 3600 * SECOND if height > 1000 else 0
        return Moment(BIRTH + (height - 1) * 6 * SECOND + halt + height * 7919 % SECOND)


@pytest.fixture
def node() -> Iterator[SmallChain]:
    with UnevenChain(tip=TIP) as made:
        yield made


@pytest.fixture
def house(node: SmallChain, tmp_path: Path) -> Iterator[House]:
    clock = StoppedClock(node.time_of(TIP))
    made = make_house(tmp_path, campaign=None, chain=Chain([node.url], [node.url], clock)).at(clock)
    assert step(made).at_tip
    node.asked.clear()
    yield made
    made.ledger.close()


def brute(node: SmallChain, moment: Moment) -> int | None:
    return next((height for height in range(1, TIP + 1) if node.time_of(height) >= moment), None)


@pytest.mark.parametrize("height", [1, 2, 999, 1000, 1001, 2500, TIP - 1, TIP])
@pytest.mark.parametrize("shift", [-1, 0, 1], ids=["just before", "on", "just after"])
def test_height_at__around_a_block__is_the_first_not_earlier(
    node: SmallChain, house: House, height: int, shift: int
) -> None:
    moment = Moment(node.time_of(height) + shift)
    assert height_at(house, node.chain_id, moment) == brute(node, moment)
    assert node.count("/cosmos") <= 25


def test_height_at__again__asks_nobody(node: SmallChain, house: House) -> None:
    moment = Moment(node.time_of(2500) - 1)
    assert height_at(house, node.chain_id, moment) == 2500
    node.asked.clear()
    assert height_at(house, node.chain_id, moment) == 2500
    assert node.asked == []
    with house.ledger.read() as session:
        assert first_known_from(session, node.chain_id, moment) == 2500


def test_height_at__before_the_chain__is_its_first_block(node: SmallChain, house: House) -> None:
    assert height_at(house, node.chain_id, Moment(BIRTH - SECOND)) == 1


def test_height_at__after_the_tip__is_none(node: SmallChain, house: House) -> None:
    assert height_at(house, node.chain_id, Moment(node.time_of(TIP) + 1)) is None


def test_height_at__among_blocks_that_are_gone__says_so(node: SmallChain, house: House) -> None:
    node.earliest = 3000
    with pytest.raises(Pruned):
        height_at(house, node.chain_id, node.time_of(2500))
    assert height_at(house, node.chain_id, node.time_of(3001)) == 3001
