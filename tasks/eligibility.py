"""The decisions that an organizer may take on a participant's eligibility, and what each means for awards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tasks.moment import Moment


class Eligibility(StrEnum):
    """`withheld`: award and place stand, payment waits. `ineligible`: award 0, places move up (issue 5)."""

    ELIGIBLE = "eligible"
    WITHHELD = "withheld"
    INELIGIBLE = "ineligible"


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry; a later one of the same participant replaces it. `starts` None: all claims, else those from then."""

    participant: str
    eligibility: Eligibility
    reason: str
    starts: Moment | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for one completion: may it earn, may it be paid, and why not."""

    eligible: bool
    payable: bool
    reason: str


def standing(decisions: Iterable[Decision], at: Moment) -> Standing:
    """What the newest of a participant's decisions (given in their order) means for work done at `at`.

    An `ineligible` with a stated time leaves earlier work as the decision before it had it.
    """
    eligible, payable, reason = True, True, ""
    for decision in decisions:
        if decision.starts is not None and at < decision.starts:
            continue
        eligible = decision.eligibility is not Eligibility.INELIGIBLE
        payable = decision.eligibility is Eligibility.ELIGIBLE
        reason = "" if payable else decision.reason
    return Standing(eligible, payable, reason)
