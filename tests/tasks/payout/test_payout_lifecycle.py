"""Which act a batch's state allows, and who may approve."""

from __future__ import annotations

import itertools

import pytest

from tasks.payout.approval import Approvals
from tasks.payout.lifecycle import HOLDING, LIVE, ON_THE_WAY, Act, BatchState, WrongState, after, states_allowing


def reachable(start: BatchState, acts: set[Act]) -> set[BatchState]:
    found, new = {start}, {start}
    while new:
        new = {
            after(state, act) for state, act in itertools.product(new, acts) if state in states_allowing(act)
        } - found
        found |= new
    return found


def test_states__from_planned__all_reached() -> None:
    assert reachable(BatchState.PLANNED, set(Act)) == set(BatchState)


def test_lines__of_a_batch_that_was_exported__freed_by_proof_or_by_a_person_only() -> None:
    free = set(BatchState) - HOLDING
    without_proof = set(Act) - {Act.FIND_DEAD, Act.SAY_UNPAID, Act.SAY_PARTLY}
    for state in ON_THE_WAY:
        assert not reachable(state, without_proof) & free


@pytest.mark.parametrize("state", [BatchState.PAID, BatchState.PARTLY_PAID, BatchState.DEAD, BatchState.DISCARDED])
def test_states__ended__lead_nowhere_else(state: BatchState) -> None:
    assert reachable(state, set(Act)) == {state}
    assert state not in LIVE


@pytest.mark.parametrize(
    ("state", "act"),
    [
        (BatchState.PLANNED, Act.EXPORT),
        (BatchState.EXPORTED, Act.DISCARD),
        (BatchState.EXPORTED, Act.NOTE_BROADCAST),
        (BatchState.DEAD, Act.EXPORT),
        (BatchState.PAID, Act.FIND_DEAD),
        (BatchState.QUESTION, Act.FIND_DEAD),
        (BatchState.QUESTION, Act.EXPORT),
    ],
    ids=str,
)
def test_after__act_that_the_state_forbids__refused_with_both_words(state: BatchState, act: Act) -> None:
    with pytest.raises(WrongState, match=f"{state}.*{act}"):
        after(state, act)


@pytest.mark.parametrize(
    ("approvals", "needed", "is_enough"),
    [
        (Approvals("ada", (), 100), 1, False),
        (Approvals("ada", ("ada",), 100), 1, False),
        (Approvals("ada", ("bob",), 100), 1, True),
        (Approvals("ada", ("bob",), 100, 100), 1, True),
        (Approvals("ada", ("bob",), 101, 100), 2, False),
        (Approvals("ada", ("bob", "bob"), 101, 100), 2, False),
        (Approvals("ada", ("bob", "cyd"), 101, 100), 2, True),
    ],
)
def test_approvals__people__enough_or_not(approvals: Approvals, needed: int, is_enough: bool) -> None:
    assert (approvals.needed, approvals.is_enough) == (needed, is_enough)


def test_refusal__planner_in_any_of_its_addresses__refused() -> None:
    approvals = Approvals("ada", ("bob",), 100)
    assert approvals.refusal("ada")
    assert approvals.refusal("second address of ada", ["ada"])
    assert approvals.refusal("bob")
    assert approvals.refusal("second address of bob", ["bob"])
    assert approvals.refusal("cyd", ["third address of cyd"]) is None
