"""How many GPUs ran at once: one pass over the opening and closing heights of leases (pure)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """GPUs of one lease over the heights `[opened, closed)`; `closed` is None while it runs."""

    opened: int
    closed: int | None
    gpus: int


@dataclass(frozen=True, slots=True)
class Course:
    """The number of GPUs after each height at which it changed; closings come before openings of one height."""

    heights: tuple[int, ...]
    values: tuple[int, ...]

    def at(self, height: int) -> int:
        """GPUs at a height."""
        place = bisect_right(self.heights, height)
        return self.values[place - 1] if place else 0

    def peak(self, first: int, end: int) -> int:
        """The greatest number over the heights `[first, end)`; 0 where there is none."""
        if first >= end:
            return 0
        start, stop = bisect_right(self.heights, first), bisect_right(self.heights, end - 1)
        return max((self.at(first), *self.values[start:stop]))


def course(leases: Iterable[Held], last: int) -> Course:
    """The course up to height `last`; what happened later is not looked at."""
    changes: dict[int, int] = {}
    for lease in leases:
        if lease.opened > last or (lease.closed is not None and lease.closed <= lease.opened):
            continue
        changes[lease.opened] = changes.get(lease.opened, 0) + lease.gpus
        if lease.closed is not None and lease.closed <= last:
            changes[lease.closed] = changes.get(lease.closed, 0) - lease.gpus
    heights = tuple(sorted(changes))
    values: list[int] = []
    running = 0
    for height in heights:
        running += changes[height]
        values.append(running)
    return Course(heights, tuple(values))
