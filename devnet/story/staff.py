"""What those who run the story's testnet do about the work of others, each act at its block.

Their names among the folk are organizer, reviewer and second-reviewer; whoever plays the story gives them
their roles.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAct:
    """Something that `by` (the address of one of the staff) does when the block `height` is the newest."""

    height: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide(StaffAct):
    """Decide about the claim (participant, task, subject). `act`: accept, needs_work, reject or reopen.

    `decided`: the fields that are the reviewer's to fill in. `waits`: it needs the claim's verdict first.
    """

    participant: str
    task: str
    subject: str
    act: str
    reason: str
    decided: tuple[tuple[str, str], ...] = ()
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAppeal(StaffAct):
    """Decide the appeal about a claim. `outcome`: won or lost. `waives`: failed checks set aside; None: all.

    `done`: the height at which the work was done, None where it is known otherwise.
    """

    participant: str
    task: str
    subject: str
    about: str
    outcome: str
    reason: str
    waives: tuple[str, ...] | None = None
    done: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetEligibility(StaffAct):
    """Say who may earn and be paid. `eligibility`: eligible, withheld or ineligible; `starts`: from this height."""

    participant: str
    eligibility: str
    reason: str
    starts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveGrant(StaffAct):
    """Give `amount` of the campaign's unit for the claim (task, subject), decided by the two of `names`."""

    participant: str
    amount: str
    reason: str
    names: tuple[str, ...]
    task: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseCampaign(StaffAct):
    """Load a revision that reaches back: of each pair of `replaced` the second text stands for the first."""

    reason: str
    replaced: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTask(StaffAct):
    """Publish the results of a task (`state` provisional), or make them final."""

    task: str
    state: str
