"""The working of an award as a short sum, and each reason in words that say what would make it more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.profiles import Line
from web.formats import amount, integer, number, percent

_REASONS = {
    "awarded": "Awarded in full.",
    "partly_awarded": "Awarded in part: less was left of the budget than the task pays.",
    "overflow": "All places were taken, so a share of the amount was paid.",
    "no_reward": "This task pays nothing itself; it counts for the tasks that need it.",
    "ineligible": "Not paid: this participant or claim is not eligible. The organizers say why and hear appeals.",
    "withdrawn": "Taken back: the claim does not count any more. Its checks say why.",
    "outside_window": "Not paid: the work lies outside the task's dates. Work within them counts.",
    "before_registration": "Not paid: the work lies before the registration. Work after it counts.",
    "duplicate": "Not paid again: the same thing was already awarded to this participant.",
    "subject_taken": "Not paid: the same thing was already awarded to somebody else who did it earlier.",
    "requires": "Not paid yet: another task has to be done first. Once it is, this counts from then.",
    "not_listed": "Not paid: this model is not in the list of the rules.",
    "decayed": "Not paid: by the time it was done the amount had fallen to nothing.",
    "participant_limit": "Not paid: this participant has all the awards of this task that one can have.",
    "slots_full": "Not paid: all places were taken by earlier work. A place that falls free moves the next one up.",
    "budget_spent": "Not paid: the budget was spent by earlier work.",
}


@dataclass(frozen=True, slots=True)
class SumRow:
    """One row of the sum: words at the left, a number at the right."""

    words: str
    number: str


@dataclass(frozen=True, slots=True)
class Sum:
    """An award as arithmetic, with the total's words and a note on why it is what it is."""

    rows: tuple[SumRow, ...]
    words: str
    amount_micro: int
    note: str


def reason_in_words(reason: str) -> str:
    """A reason of the reward rules (CAMPAIGN_FORMAT) for people; an unknown one is shown as it is."""
    return _REASONS.get(reason, f"{reason.replace('_', ' ').capitalize()}.")


def working_of(line: Line, unit: str, total_micro: int) -> Sum:
    """The sum of one line; `total_micro` is what the claim's award is now (lines are differences)."""
    working = line.working
    rows = [*_base(working, unit), *_bounds(working, unit)]
    words = "Expected if it passes" if line.provisional else "Award"
    return Sum(
        tuple(rows),
        words,
        total_micro,
        " ".join(part for part in (reason_in_words(line.reason), _slot(working)) if part),
    )


def _base(working: Mapping[str, object], unit: str) -> list[SumRow]:
    rows = []
    base = working.get("base_micro")
    if isinstance(base, int):
        rows.append(SumRow("Amount of the task", number(base, unit)))
    share = working.get("percent")
    if isinstance(share, int) and not isinstance(share, bool):
        step = working.get("step")
        when = f", step {integer(step + 1)}" if isinstance(step, int) else ""
        rows.append(SumRow(f"times the share at that time{when}", percent(share)))
    overflow = working.get("overflow_percent")
    if isinstance(overflow, int):
        rows.append(SumRow("times the share without a place", percent(overflow)))
    return rows


def _bounds(working: Mapping[str, object], unit: str) -> list[SumRow]:
    names = {
        "task_left_micro": "at most what was left of the task's budget",
        "overflow_left_micro": "at most what was left for work without a place",
        "budget_left_micro": "at most what was left of the campaign's budget",
    }
    return [
        SumRow(words, number(value, unit))
        for name, words in names.items()
        if isinstance(value := working.get(name), int)
    ]


def _slot(working: Mapping[str, object]) -> str:
    slot = working.get("slot")
    if not isinstance(slot, Mapping):
        return ""
    taken, most, last = slot.get("taken"), slot.get("max"), slot.get("last_claim")
    if not (isinstance(taken, int) and isinstance(most, int)):
        return ""
    words = f"{integer(taken)} of {integer(most)} places were taken"
    return f"{words}, the last one by claim {str(last)[:12]}." if last else f"{words}."


def line_summary(line: Line, unit: str) -> str:
    """A line that belongs to no claim, or a correction, in a few words."""
    what = {"pool": "Share of the pool", "bonus": "Bonus", "grant": "Grant"}.get(line.kind, "Award")
    name = f" “{line.slug}”" if line.slug else ""
    return f"{what}{name}: {amount(line.amount_micro, unit)}"
