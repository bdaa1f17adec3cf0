"""The first block from a moment on: right, and found with few looks."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.moment import SECOND, Moment
from tests.nodes import Node
from verifiers.chain.answers import decode_block
from verifiers.chain.client import Chain
from verifiers.chain.search import first_height_from
from verifiers.chain.trouble import Pruned

gaps = st.lists(st.one_of(st.integers(1, 20), st.integers(10_000, 10_000_000)), min_size=1, max_size=400)


@given(gaps=gaps, wanted=st.integers(0, 2**34), low=st.integers(1, 1_000_000))
def test_first_height_from__any_block_times__is_the_first_not_earlier_in_few_looks(
    gaps: list[int], wanted: int, low: int
) -> None:
    times = list(accumulate(gaps))
    looks: list[int] = []

    def time_of(height: int) -> Moment:
        looks.append(height)
        return Moment(times[height - low])

    found = first_height_from(Moment(wanted), low, low + len(times) - 1, time_of)
    assert found == low + sum(time < wanted for time in times)
    assert len(looks) <= 3 * math.ceil(math.log2(len(times) + 1)) + 4


def test_first_height_from__even_block_times__takes_a_handful_of_looks() -> None:
    looks: list[int] = []

    def time_of(height: int) -> Moment:
        looks.append(height)
        return Moment(height * 6 * SECOND + height * 7919 % SECOND)

    assert first_height_from(Moment(3_141_592 * 6 * SECOND), 1, 5_000_000, time_of) == 3_141_592
    assert len(looks) <= 8


def heights(chain: Chain, moment: Moment) -> list[int]:
    return [decode_block(seen.body).height for seen in chain.first_block_from(moment)]


@pytest.mark.parametrize(
    ("block", "shift", "expected"),
    [
        pytest.param(50, 0, [49, 50], id="at a block's time"),
        pytest.param(50, 1, [50, 51], id="a nanosecond after"),
        pytest.param(50, -1, [49, 50], id="a nanosecond before"),
        pytest.param(1, 0, [1], id="at the first block"),
        pytest.param(1, -5, [1], id="before the first block"),
        pytest.param(100, 0, [99, 100], id="at the tip"),
        pytest.param(100, 1, [100], id="after the tip"),
    ],
)
def test_first_block_from__moment__gives_the_headers_on_both_sides(
    nodes: Callable[..., Node], make: Callable[..., Chain], block: int, shift: int, expected: list[int]
) -> None:
    node = nodes()
    assert heights(make(node), Moment(node.time_of(block) + shift)) == expected


def test_first_block_from__forgotten_blocks__prove_nothing_below_and_all_above(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    node.earliest = 30
    chain = make(node)
    assert heights(chain, node.time_of(31)) == [30, 31]
    with pytest.raises(Pruned):
        chain.first_block_from(node.time_of(30))


def test_first_block_from__rest_keeps_less_than_rpc_says__goes_up_to_what_it_keeps(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    node.earliest = 30
    chain = make(node)
    assert [decode_block(seen.body).height for seen in chain.first_block_from(node.time_of(60), 1, 100)] == [59, 60]


def test_first_block_from__chain_that_starts_at_another_height__knows_its_first_block(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    node.first = node.earliest = 40
    assert heights(make(node), Moment(node.time_of(40) - 1)) == [40]
