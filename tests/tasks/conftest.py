"""A small language for seasons: a campaign in YAML, a table of completions in lines."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.campaign import load
from tasks.moment import Moment, parse_moment
from tasks.revisions import Rules
from tasks.rewards.awards import Awards
from tasks.rewards.completion import Completion
from tasks.rewards.engine import compute
from tasks.rewards.working import amount_from_working

HEAD = """
campaign: trial
revision: {revision}
opens: 2026-01-01T00:00:00Z
closes: 2026-01-11T00:00:00Z
reward: {{unit: USD, rate: "0.5", budget: {budget}, overcommit: true}}
"""


def _time(text: str) -> Moment:
    """`03` is midnight of 3 January 2026; `03T12:30`, `03T12:30:00.000000001` are times of that day."""
    day, _, clock = text.partition("T")
    clock = clock or "00:00"
    return parse_moment(f"2026-01-{day}T{clock}{':00' if clock.count(':') == 1 else ''}Z")


def _completion(line: str) -> Completion:
    """`claim who task time[@height[.tx]] subject [key=value …]`; `-` is an empty subject.

    The keys `reg` (a time) and `not` (a reason: not eligible) are the row's; all others are attributes.
    """
    claim, who, task, when, subject, *rest = line.split()
    clock, _, place = when.partition("@")
    height, _, index = place.partition(".")
    pairs = dict(each.split("=", 1) for each in rest)
    registered = pairs.pop("reg", "")
    reason = pairs.pop("not", None)
    return Completion(
        claim,
        who,
        task,
        _time(clock),
        int(height) if height else None,
        int(index) if index else None,
        "" if subject == "-" else subject,
        pairs,
        reason is None,
        reason or "",
        _time(registered) if registered else None,
    )


@pytest.fixture
def completions() -> Callable[[str], list[Completion]]:
    """Completions from lines; what follows a `#` is a remark."""

    def make(rows: str) -> list[Completion]:
        lines = (line.split("#", 1)[0].strip() for line in rows.splitlines())
        return [_completion(line) for line in lines if line]

    return make


@pytest.fixture
def make_rules() -> Callable[..., Rules]:
    """Rules from the part of a campaign that follows its head; several parts are revisions 1, 2, …"""

    def make(*parts: str, budget: str = "1000") -> Rules:
        heads = (HEAD.format(revision=number, budget=budget) for number in range(1, len(parts) + 1))
        return Rules(load(head + part) for head, part in zip(heads, parts, strict=True))

    return make


@pytest.fixture
def season(make_rules: Callable[..., Rules], completions: Callable[[str], list[Completion]]) -> Callable[..., Awards]:
    """Awards of lines by a campaign; every line's amount is checked against its working on the way."""

    def work(rows: str, *parts: str, budget: str = "1000") -> Awards:
        awards = compute(make_rules(*parts, budget=budget), completions(rows))
        for line in awards.lines:
            assert amount_from_working(line.working) == line.amount_micro, line.working
        return awards

    return work
