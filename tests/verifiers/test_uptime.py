"""Uptime from days of probes, against a count that goes second by second."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.moment import SECOND, Moment
from verifiers.probes import DAY, Capacity, ProbeDay, Standing, State
from verifiers.uptime import TOO_FEW, Answer, Incident, Uptime, answer, measure

OWNER = "akash1provider"
HOUR = 3600 * SECOND
UP, FEWER = State.up({"nvidia/a100": 4}), State.up({"nvidia/a100": 1})
DOWN, REFUSED, OURS = State.down("timeout"), State.down("refused"), State.unknown("no_control")


def a100(capacity: Capacity) -> int:
    return dict(capacity).get("nvidia/a100", 0)


def days(states: Sequence[State | None], every: int = 3600, first: int = 0) -> list[ProbeDay]:
    """One state after the other from the first day's midnight on."""
    per_day = -(-86_400 // every)
    found: dict[int, ProbeDay] = {}
    for place, state in enumerate(states):
        number, slot = divmod(place, per_day)
        day = found.setdefault(number, ProbeDay.empty(OWNER, first + number, every))
        found[number] = day.with_state(slot, state) if state else day
    return list(found.values())


def counted(
    rows: Sequence[ProbeDay], wanted: int, begins: int, ends: int, excused: Sequence[tuple[int, int]], step: int
) -> tuple[int, int, int]:
    """The same by brute force: counted, up and down, sampled at every `step`."""
    by_day = {day.day: day for day in reversed(rows)}
    total = up = down = 0
    for moment in range(begins, ends, step):
        if any(start <= moment < stop for start, stop in excused):
            continue
        total += step
        day = by_day.get(moment // DAY)
        state = day.state(day.slot_of(Moment(moment))) if day else OURS
        if state.standing is Standing.UP and a100(state.capacity) >= wanted:
            up += step
        elif state.standing is not Standing.UNKNOWN:
            down += step
    return total, up, down


GRAIN = 900 * SECOND
MOMENTS = st.integers(0, 3 * DAY // GRAIN).map(lambda place: place * GRAIN)
WINDOWS = st.tuples(MOMENTS, MOMENTS)


@given(
    st.lists(st.sampled_from([UP, FEWER, DOWN, REFUSED, OURS, None]), max_size=80),
    st.sampled_from([900, 1800, 3600, 25_200]),
    st.integers(1, 5),
    WINDOWS,
    st.lists(WINDOWS, max_size=4),
)
def test_measure__anything__is_what_counting_gives(
    states: list[State | None], every: int, wanted: int, window: tuple[int, int], excused: list[tuple[int, int]]
) -> None:
    rows = days(states, every)
    begins, ends = min(window), max(window)
    found = measure(rows, a100, wanted, Moment(begins), Moment(ends), excused)
    assert (found.counted, found.up, found.down) == counted(rows, wanted, begins, ends, excused, GRAIN)
    assert sum(each.ends - each.begins for each in found.incidents) == found.down
    assert all(one.ends <= two.begins for one, two in zip(found.incidents, found.incidents[1:], strict=False))


@given(st.lists(st.sampled_from([UP, DOWN, OURS, None]), max_size=30), st.lists(WINDOWS, max_size=3), st.data())
def test_measure__nanoseconds__are_exact(states: list[State | None], excused: list[tuple[int, int]], data) -> None:
    begins = data.draw(st.integers(0, DAY))
    middle, end = sorted(data.draw(st.tuples(st.integers(begins, 2 * DAY), st.integers(begins, 2 * DAY))))
    rows = days(states)
    parts = [
        measure(rows, a100, 1, Moment(low), Moment(high), excused) for low, high in ((begins, middle), (middle, end))
    ]
    whole = measure(rows, a100, 1, Moment(begins), Moment(end), excused)
    assert [whole.counted, whole.up, whole.down] == [
        sum(values) for values in zip(*((part.counted, part.up, part.down) for part in parts), strict=True)
    ]


def test_incidents__causes_that_follow_each_other__are_one_across_midnight() -> None:
    rows = days([UP] * 22 + [DOWN, REFUSED, FEWER, UP, OURS, DOWN])
    found = measure(rows, a100, 2, Moment(0), Moment(2 * DAY))
    assert found.incidents == (
        Incident(Moment(22 * HOUR), Moment(25 * HOUR), ("timeout", "refused", TOO_FEW)),
        Incident(Moment(27 * HOUR), Moment(28 * HOUR), ("timeout",)),
    )


def test_incidents__excused_hour__is_cut_out() -> None:
    found = measure(days([DOWN] * 4), a100, 1, Moment(0), Moment(4 * HOUR), [(HOUR, 2 * HOUR)])
    assert [(each.begins // HOUR, each.ends // HOUR) for each in found.incidents] == [(0, 1), (2, 4)]


def test_measure__each_gpu__has_its_own_uptime() -> None:
    rows = days([UP] * 9 + [FEWER])
    assert [measure(rows, a100, wanted, Moment(0), Moment(10 * HOUR)).permille for wanted in (1, 2, 4, 5)] == [
        1000, 900, 900, 0,
    ]  # fmt: skip


def uptime(window: int, up: int, down: int, counted: int | None = None) -> Uptime:
    total = window if counted is None else counted
    return Uptime(Moment(0), Moment(window * HOUR), total * HOUR, up * HOUR, down * HOUR)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(uptime(100, 95, 5), Answer.ENOUGH, id="exactly 95 percent"),
        pytest.param(uptime(1000, 949, 51), Answer.TOO_LITTLE, id="a little less"),
        pytest.param(uptime(71, 71, 0), Answer.TOO_SHORT, id="began too late"),
        pytest.param(uptime(72, 72, 0), Answer.ENOUGH, id="exactly long enough"),
        pytest.param(uptime(100, 89, 0), Answer.REVIEW, id="under 90 percent known"),
        pytest.param(uptime(100, 90, 0), Answer.ENOUGH, id="exactly 90 percent known"),
        pytest.param(uptime(100, 0, 89), Answer.REVIEW, id="little known, and that is down"),
        pytest.param(uptime(100, 100, 0, counted=100), Answer.ENOUGH, id="all known"),
        pytest.param(uptime(100, 50, 0, counted=50), Answer.ENOUGH, id="excused time makes nobody too late"),
        pytest.param(uptime(100, 0, 0, counted=0), Answer.REVIEW, id="all excused"),
        pytest.param(uptime(0, 0, 0), Answer.TOO_SHORT, id="no window at all"),
    ],
)
def test_answer__cases(seen: Uptime, expected: Answer) -> None:
    assert answer(seen, 950, 72 * HOUR) == expected
