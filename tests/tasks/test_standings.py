"""The order of the leaderboard, eligibility, and the conversion."""

from __future__ import annotations

import pytest

from tasks.eligibility import Decision, Eligibility, standing
from tasks.moment import Moment
from tasks.payouts import convert
from tasks.rewards.money import parse_rate
from tasks.standings import Sums, rank


def test_rank__of_equal_sums__goes_by_provisional_then_address() -> None:
    rows = [Sums("d", 1, 9), Sums("c", 5), Sums("b", 5, 1), Sums("a", 5)]
    assert [(each.rank, each.participant) for each in rank(rows)] == [(1, "b"), (2, "a"), (3, "c"), (4, "d")]


def test_convert__of_sums__gives_the_total_exactly_and_leaves_out_what_is_not_positive() -> None:
    conversion = convert({"c": 1_000_000, "b": 1_000_000, "a": 1_000_000, "z": 0, "y": -5}, parse_rate("0.7"))
    assert conversion.total_uakt == 4_285_714
    assert conversion.parts == {"a": 1_428_572, "b": 1_428_571, "c": 1_428_571}


DECISIONS = {
    "none": ([], (True, True)),
    "withheld": ([("withheld", None)], (True, False)),
    "ineligible": ([("ineligible", None)], (False, False)),
    "undone": ([("ineligible", None), ("eligible", None)], (True, True)),
    "ineligible-from-later": ([("ineligible", 11)], (True, True)),
    "ineligible-from-then": ([("ineligible", 10)], (False, False)),
    "withheld-then-ineligible-from-later": ([("withheld", None), ("ineligible", 11)], (True, False)),
}


@pytest.mark.parametrize("case", DECISIONS)
def test_standing__after_decisions__is_that_of_the_newest_that_applies(case: str) -> None:
    entries, expected = DECISIONS[case]
    decisions = [
        Decision("ann", Eligibility(word), "because", None if starts is None else Moment(starts))
        for word, starts in entries
    ]
    now = standing(decisions, Moment(10))
    assert (now.eligible, now.payable) == expected
    assert bool(now.reason) is not now.payable
