"""Places taken, held and left, and what the percent is now and next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.task_board import DecayNow, decay_at, most_places
from tasks.campaign import load
from tasks.moment import SECOND, Duration, Moment
from tasks.parts import Decay, Excused, GpuModel, Reward, SlotLine, Task
from tests.houses import CAMPAIGN

DAY = 86_400 * SECOND
BASE = load(CAMPAIGN)
TASK = BASE.tasks[0]


def decaying(percents: Sequence[int], after: int, every: int = DAY) -> Task:
    assert TASK.reward is not None
    return replace(TASK, reward=replace(TASK.reward, decay=Decay(Duration(every), tuple(percents), after)))


def at(days: float) -> Moment:
    """So many days after the task opens."""
    return Moment(TASK.opens + int(days * DAY))


def excused(start: float, end: float) -> Excused:
    return Excused(at(start), at(end), "a bug")


@pytest.mark.parametrize(
    ("days", "out", "expected"),
    [
        (-3, [], DecayNow(100, at(1), 90)),
        (0, [], DecayNow(100, at(1), 90)),
        (0.999, [], DecayNow(100, at(1), 90)),
        (1, [], DecayNow(90, at(3), 50)),
        (2.5, [], DecayNow(90, at(3), 50)),
        (3, [], DecayNow(50, at(4), 25)),
        (4, [], DecayNow(25, None, None)),
        (400, [], DecayNow(25, None, None)),
        (1, [excused(0.5, 1)], DecayNow(100, at(1.5), 90)),
        (1, [excused(0.5, 1), excused(0.25, 0.75)], DecayNow(100, at(1.75), 90)),
        (0, [excused(0.5, 1)], DecayNow(100, at(1.5), 90)),
        (1.2, [excused(2, 2.5)], DecayNow(90, at(3.5), 50)),
    ],
)
def test_decay__each_moment__says_now_and_next(days: float, out: list[Excused], expected: DecayNow) -> None:
    assert decay_at(decaying([100, 90, 90, 50], 25), out, at(days)) == expected


def test_decay__next_step_after_the_close__is_not_announced() -> None:
    assert decay_at(decaying([100, 50], 0, every=90 * DAY), [], at(1)) == DecayNow(100, None, None)


def test_decay__reward_that_does_not_decay__is_none() -> None:
    assert decay_at(TASK, [], at(1)) is None


@given(
    now=st.integers(0, 28 * 24),
    out=st.lists(st.tuples(st.integers(0, 28 * 24), st.integers(1, 60)), max_size=4),
)
def test_decay__at_the_announced_moment__is_the_announced_percent(now: int, out: list[tuple[int, int]]) -> None:
    task = decaying([100, 80, 60, 40], 20)
    intervals = [excused(start / 24, (start + length) / 24) for start, length in out]
    here = decay_at(task, intervals, at(now / 24))
    assert here is not None
    if here.next_at is not None:
        then = decay_at(task, intervals, here.next_at)
        before = decay_at(task, intervals, Moment(here.next_at - 1))
        assert then is not None
        assert before is not None
        assert (before.percent, then.percent) == (here.percent, here.next_percent)


@pytest.mark.parametrize(
    ("lines", "models", "places"),
    [
        ((), None, None),
        ((SlotLine(30),), None, 30),
        ((SlotLine(30), SlotLine(20)), None, 20),
        ((SlotLine(30), SlotLine(5, where=(("gpu_class", "consumer"),))), None, 30),
        ((SlotLine(5, per="gpu_model"),), 2, 15),
        ((SlotLine(5, per="app"),), 2, None),
        ((SlotLine(5, per="gpu_model"),), None, None),
    ],
    ids=["no-line", "one", "smallest", "where-left-out", "per-listed-model", "per-attribute", "per-any-model"],
)
def test_most_places__each_line__bounds_as_the_rules_say(
    lines: tuple[SlotLine, ...], models: int | None, places: int | None
) -> None:
    listed = None if models is None else tuple(GpuModel(f"m{number}", "consumer", 8) for number in range(models))
    assert TASK.reward is not None
    reward: Reward = replace(TASK.reward, slots=lines)
    assert most_places(replace(BASE, gpu_models=listed), reward) == places
