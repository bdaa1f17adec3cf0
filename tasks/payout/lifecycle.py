"""The life of a batch: which act leads where, and in which states it holds its award lines."""

from __future__ import annotations

from enum import StrEnum


class BatchState(StrEnum):
    """Where a batch is. A line belongs to at most one batch that holds it."""

    PLANNED = "planned"
    APPROVED = "approved"
    EXPORTED = "exported"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    PAID = "paid"
    QUESTION = "question"
    """A person must say what a transaction was: partly foreign, looks paid, paid twice."""

    PARTLY_PAID = "partly paid"
    """A person said which rows were paid: it holds the lines of these, the others are owed again."""

    DEAD = "dead"
    """Provably never paid: its lines are owed again."""

    DISCARDED = "discarded"
    """Given up before it was exported, so no file of it exists: its lines are owed again."""


class Act(StrEnum):
    """What is done with a batch, or found out about it."""

    APPROVE = "approve"
    DISCARD = "discard"
    EXPORT = "export"
    STORE_SIGNED = "store signed"
    NOTE_BROADCAST = "note broadcast"
    FIND_PAID = "find paid"
    FIND_DEAD = "find dead"
    FIND_QUESTION = "find question"
    SAY_PAID = "say paid"
    SAY_PARTLY = "say partly paid"
    SAY_UNPAID = "say unpaid"


HOLDING = frozenset(BatchState) - {BatchState.DEAD, BatchState.DISCARDED}
"""States in which a batch holds its lines: they may be in no other batch."""

LIVE = HOLDING - {BatchState.PAID, BatchState.PARTLY_PAID}
"""States in which it is still open whether the lines are paid."""

ON_THE_WAY = frozenset({BatchState.EXPORTED, BatchState.SIGNED, BatchState.BROADCAST})
"""States in which a signed file may exist somewhere, whatever we know of it."""

_P = BatchState
_ACTS: dict[tuple[BatchState, Act], BatchState] = {
    (_P.PLANNED, Act.APPROVE): _P.APPROVED,
    (_P.PLANNED, Act.DISCARD): _P.DISCARDED,
    (_P.APPROVED, Act.DISCARD): _P.DISCARDED,
    (_P.APPROVED, Act.EXPORT): _P.EXPORTED,
    # An export again hands out the same bytes; a file signed again has another sequence and so another hash.
    (_P.EXPORTED, Act.EXPORT): _P.EXPORTED,
    (_P.SIGNED, Act.EXPORT): _P.SIGNED,
    (_P.BROADCAST, Act.EXPORT): _P.BROADCAST,
    (_P.EXPORTED, Act.STORE_SIGNED): _P.SIGNED,
    (_P.SIGNED, Act.STORE_SIGNED): _P.SIGNED,
    (_P.BROADCAST, Act.STORE_SIGNED): _P.SIGNED,
    # Only what was stored is broadcast by us; whoever broadcasts otherwise is found by the memo.
    (_P.SIGNED, Act.NOTE_BROADCAST): _P.BROADCAST,
    (_P.BROADCAST, Act.NOTE_BROADCAST): _P.BROADCAST,
    # A payment found twice, by two workers, changes nothing.
    (_P.PAID, Act.FIND_PAID): _P.PAID,
    # A second payment that turns up later is told to people; the lines stay paid.
    (_P.PAID, Act.FIND_QUESTION): _P.PAID,
    (_P.QUESTION, Act.FIND_QUESTION): _P.QUESTION,
    (_P.QUESTION, Act.FIND_PAID): _P.PAID,
    (_P.QUESTION, Act.SAY_PAID): _P.PAID,
    # These two only once the chain is past the timeout (Conclusion.is_over): else the rest could still be paid.
    (_P.QUESTION, Act.SAY_PARTLY): _P.PARTLY_PAID,
    (_P.QUESTION, Act.SAY_UNPAID): _P.DEAD,
}
for _state in ON_THE_WAY:
    _ACTS[_state, Act.FIND_PAID] = _P.PAID
    _ACTS[_state, Act.FIND_DEAD] = _P.DEAD
    _ACTS[_state, Act.FIND_QUESTION] = _P.QUESTION


class WrongState(ValueError):
    """An act that the batch's state does not allow; the message says both."""


def after(state: BatchState, act: Act) -> BatchState:
    """The state that an act leads to. Raises WrongState: the batch moved on meanwhile, or it was never allowed."""
    try:
        return _ACTS[state, act]
    except KeyError:
        raise WrongState(f"a batch that is {state} can't be asked to {act}; look at it again") from None


def states_allowing(act: Act) -> frozenset[BatchState]:
    """The states in which an act is allowed: the condition of its conditional update."""
    return frozenset(state for state, possible in _ACTS if possible is act)
