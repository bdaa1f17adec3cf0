"""The working of an award as a short sum, and each reason in words that say what would make it more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.profiles import Line
from tasks.parts import Task
from tasks.rewards.explain import Row, Told, explain
from tasks.rewards.refusals import Place
from web.formats import amount, number, percent

_HELD = "Its place is held while the rest is checked."


@dataclass(frozen=True, slots=True)
class SumRow:
    """One row of the sum: words at the left, a number at the right."""

    words: str
    number: str


@dataclass(frozen=True, slots=True)
class Sum:
    """An award as arithmetic, the total's words, one sentence on why, and a row for every rule that was asked."""

    rows: tuple[SumRow, ...]
    words: str
    amount_micro: int
    note: str
    rules: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a line: when the work was done, the task, an organizer's reason where it may be read."""

    place: Place = Place(None)  # noqa: RUF009 - frozen
    task: Task | None = None
    stated: str = ""


def working_of(line: Line, unit: str, total_micro: int, around: Around | None = None) -> Sum:
    """The sum of one line; `total_micro` is what the claim's award is now (lines are differences).

    The organizers' own reason for an ineligible claim is in `around.stated`, and only for who may read it.
    """
    around = around or Around()
    working = {**line.working, "ineligible_reason": around.stated}
    rows = [*_base(working, unit), *_bounds(working, unit)]
    words = "Expected if it passes" if line.provisional else "Award"
    told = Told(line.reason, total_micro, working, unit, around.place, around.task, line.waiting_before)
    found = explain(told)
    note = f"{_HELD} {found.sentence}" if line.provisional else found.sentence
    return Sum(tuple(rows), words, total_micro, note, found.rows)


def _base(working: Mapping[str, object], unit: str) -> list[SumRow]:
    rows = []
    base = working.get("base_micro")
    if isinstance(base, int):
        rows.append(SumRow("Amount of the task", number(base, unit)))
    share = working.get("percent")
    if isinstance(share, int) and not isinstance(share, bool):
        rows.append(SumRow("times the share paid at that time", percent(share)))
    overflow = working.get("overflow_percent")
    if isinstance(overflow, int):
        rows.append(SumRow("times the share without a place", percent(overflow)))
    return rows


def _bounds(working: Mapping[str, object], unit: str) -> list[SumRow]:
    """The bounds that cut the amount; one that left it whole played no part."""
    names = {
        "overflow_left_micro": "at most what was left for work without a place",
        "task_left_micro": "at most what was left of the task's budget",
        "budget_left_micro": "at most what was left of the campaign's budget",
    }
    uncut = _uncut(working)
    return [
        SumRow(words, number(value, unit))
        for name, words in names.items()
        if isinstance(value := working.get(name), int) and value < uncut
    ]


def _uncut(working: Mapping[str, object]) -> int:
    base, share, overflow = (working.get(name) for name in ("base_micro", "percent", "overflow_percent"))
    if not isinstance(base, int) or not isinstance(share, int):
        return 0
    return base * share * overflow // 10_000 if isinstance(overflow, int) else base * share // 100


def line_summary(line: Line, unit: str) -> str:
    """A line that belongs to no claim, or a correction, in a few words; a grant with its published reason."""
    if line.kind == "grant":
        what, reason = "Grant taken back" if line.amount_micro < 0 else "Grant", line.working.get("reason")
        return f"{what}: {amount(line.amount_micro, unit)}" + (f" ({reason})" if isinstance(reason, str) else "")
    what = {"pool": "Share of the pool", "bonus": "Bonus"}.get(line.kind, "Award")
    name = f" “{line.slug}”" if line.slug else ""
    return f"{what}{name}: {amount(line.amount_micro, unit)}"
