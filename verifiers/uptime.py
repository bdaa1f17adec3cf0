"""How long a provider was up, from its days of probes (pure, exact)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from tasks.moment import SECOND, Moment
from verifiers.probes import Capacity, ProbeDay, Standing

Holds = Callable[[Capacity], int]
"""How many GPUs of the claim's model an inventory shows."""

TOO_FEW = "capacity"
"""The cause of an incident in which the provider answered and showed fewer GPUs than the claim's number."""

LEAST_KNOWN_PERMILLE = 900
MINUTE = 60 * SECOND

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Incident:
    """Time in which it was down without a break, with the causes in the order seen."""

    begins: Moment
    ends: Moment
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uptime:
    """Nanoseconds of `[begins, ends)`: `counted` is without what is excused, the rest are parts of it."""

    begins: Moment
    ends: Moment
    counted: int
    up: int
    down: int
    incidents: tuple[Incident, ...] = ()

    @property
    def known(self) -> int:
        """Time of which we know how it stood."""
        return self.up + self.down

    @property
    def permille(self) -> int | None:
        """Up, of what is known, rounded down; None where nothing is."""
        return self.up * 1000 // self.known if self.known else None

    @property
    def known_permille(self) -> int:
        """Known, of what counts, rounded down."""
        return self.known * 1000 // self.counted if self.counted else 0


def measure(
    days: Iterable[ProbeDay],
    holds: Holds,
    wanted: int,
    begins: Moment,
    ends: Moment,
    excused: Sequence[Interval] = (),
) -> Uptime:
    """Uptime of the `wanted`-th GPU within `[begins, ends)` less the `excused` intervals.

    A probe speaks for its whole slot, cut to the window. A slot without a row, or without a probe, is unknown.
    """
    end = max(begins, ends)
    counting = _without(begins, end, excused)
    up, downs = 0, []
    for start, stop, standing, cause in _stretches(days, holds, wanted):
        for low, high in counting:
            first, last = max(start, low), min(stop, high)
            if first >= last:
                continue
            if standing is Standing.UP:
                up += last - first
            else:
                downs.append(Incident(Moment(first), Moment(last), (cause,)))
    return Uptime(
        begins=begins,
        ends=Moment(end),
        counted=sum(high - low for low, high in counting),
        up=up,
        down=sum(each.ends - each.begins for each in downs),
        incidents=tuple(_joined(downs)),
    )


def _stretches(days: Iterable[ProbeDay], holds: Holds, wanted: int) -> Iterator[tuple[int, int, Standing, str]]:
    """Known stretches in order: begin, end, up or down, cause. Only the first row of a day counts."""
    by_day: dict[int, ProbeDay] = {}
    for day in days:
        by_day.setdefault(day.day, day)
    for _, day in sorted(by_day.items()):
        place = 0
        for byte, group in groupby(day.slots):
            length = sum(1 for _ in group)
            state = day.state_of(byte)
            standing, cause = state.standing, state.cause
            if standing is Standing.UP and holds(state.capacity) < wanted:
                standing, cause = Standing.DOWN, TOO_FEW
            if standing is not Standing.UNKNOWN:
                begins, ends = day.span(place, place + length)
                yield begins, ends, standing, cause
            place += length


def _joined(downs: Sequence[Incident]) -> Iterator[Incident]:
    """Incidents that touch are one."""
    last: Incident | None = None
    for each in downs:
        if last is not None and last.ends == each.begins:
            last = Incident(last.begins, each.ends, tuple(dict.fromkeys((*last.causes, *each.causes))))
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last


def _without(begins: int, ends: int, excused: Sequence[Interval]) -> list[Interval]:
    """`[begins, ends)` less the intervals, as disjoint intervals in order."""
    left: list[Interval] = []
    place = begins
    for start, stop in sorted(excused):
        if stop <= place or start >= stop:
            continue
        if start >= ends:
            break
        if start > place:
            left.append((place, start))
        place = stop
    if place < ends:
        left.append((place, ends))
    return left


class Answer(StrEnum):
    """What follows from the uptime once the task is closed."""

    ENOUGH = "enough"
    TOO_LITTLE = "too_little"
    TOO_SHORT = "too_short"
    REVIEW = "review"


def answer(uptime: Uptime, uptime_permille: int, min_observed: int) -> Answer:
    """Whether the uptime is enough.

    From `at` to the close must be `min_observed`: everybody can tell that beforehand, so no excuse and no trouble of
    ours changes it. Where under 90 % of what counts is known, or nothing at all, a person looks.
    """
    if uptime.ends - uptime.begins < min_observed:
        return Answer.TOO_SHORT
    if not uptime.known or uptime.known * 1000 < LEAST_KNOWN_PERMILLE * uptime.counted:
        return Answer.REVIEW
    is_enough = uptime.up * 1000 >= uptime_permille * uptime.known
    return Answer.ENOUGH if is_enough else Answer.TOO_LITTLE
