"""Award lines: amount and reason of each completion, with the facts that its working is written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tasks.rewards.completion import Completion
from tasks.rewards.plan import TaskPlan, Version
from tasks.rewards.working import write_working


class Reason(StrEnum):
    """Why a line has its amount (CAMPAIGN_FORMAT, "How awards follow", rules 1 to 9)."""

    INELIGIBLE = "ineligible"
    OUTSIDE_WINDOW = "outside_window"
    BEFORE_REGISTRATION = "before_registration"
    DUPLICATE = "duplicate"
    SUBJECT_TAKEN = "subject_taken"
    REQUIRES = "requires"
    NOT_LISTED = "not_listed"
    NO_REWARD = "no_reward"
    DECAYED = "decayed"
    PARTICIPANT_LIMIT = "participant_limit"
    SLOTS_FULL = "slots_full"
    BUDGET_SPENT = "budget_spent"
    OVERFLOW = "overflow"
    AWARDED = "awarded"
    PARTLY_AWARDED = "partly_awarded"


HOLDS_AWARD = frozenset({Reason.AWARDED, Reason.PARTLY_AWARDED, Reason.OVERFLOW, Reason.NO_REWARD})
"""The reasons that hold an award, for rule 3 and for pools."""

TAKES_SLOT = frozenset({Reason.AWARDED, Reason.PARTLY_AWARDED})
"""The reasons that take a place."""

PASSED_FOUR = frozenset(Reason) - {
    Reason.INELIGIBLE,
    Reason.OUTSIDE_WINDOW,
    Reason.BEFORE_REGISTRATION,
    Reason.DUPLICATE,
    Reason.SUBJECT_TAKEN,
    Reason.REQUIRES,
}
"""Completions that passed rules 1 to 4: they meet prerequisites, complete sets and count in rankings."""


class Room(NamedTuple):
    """How full a limit was when a completion was worked: `line` counts from 1, `last` took the latest place."""

    line: int
    most: int
    taken: int
    last: AwardLine | None
    value: str

    @property
    def is_full(self) -> bool:
        """Whether no place was left."""
        return self.taken >= self.most

    def taken_by(self, line: AwardLine) -> Room:
        """The limit with one place more taken."""
        return Room(self.line, self.most, self.taken + 1, line, self.value)


@dataclass(slots=True)
class Facts:
    """Everything that played a part in one line. What did not is None, or empty.

    `at`, `height`, `tx_index` are those it was worked with; where they are not the completion's own, `cause` is the
    line that met its requirement. For a set's completion `cause` is the part that completed it. `other` is the line
    that holds the subject or the once_per values already.
    """

    plan: TaskPlan
    version: Version
    at: int
    height: int | None
    tx_index: int | None
    cause: AwardLine | None
    other: AwardLine | None = None
    base: int | None = None
    value: str | None = None
    step: int | None = None
    percent: int | None = None
    excused: int = 0
    limit: Room | None = None
    rooms: tuple[Room, ...] = ()
    overflow_percent: int | None = None
    overflow_left: int | None = None
    task_left: int | None = None
    budget_left: int | None = None


class AwardLine:
    """One line of the result: what a completion is worth and why."""

    __slots__ = ("amount_micro", "completion", "facts", "reason")

    def __init__(self, completion: Completion, amount_micro: int, reason: Reason, facts: Facts) -> None:
        self.completion = completion
        self.amount_micro = amount_micro
        self.reason = reason
        self.facts = facts

    @property
    def claim(self) -> str:
        """The claim's id."""
        return self.completion.claim

    @property
    def participant(self) -> str:
        """Who did it."""
        return self.completion.participant

    @property
    def task(self) -> str:
        """The task's slug."""
        return self.completion.task

    @property
    def working(self) -> dict[str, object]:
        """Every number used, as JSON values; `amount_from_working` gives the amount from it alone."""
        return write_working(self)

    def to_json(self) -> Mapping[str, object]:
        """The line as simulate prints it."""
        return {
            "claim": self.claim,
            "participant": self.participant,
            "task": self.task,
            "amount_micro": self.amount_micro,
            "reason": str(self.reason),
            "working": self.working,
        }
