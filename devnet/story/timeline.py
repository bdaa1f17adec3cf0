"""How many GPUs are in use at each height: a step function that can be asked for its highest step."""

from __future__ import annotations

from bisect import bisect_left, bisect_right


class Timeline:
    """Units in use over heights, from 0 up. Intervals are `[first, end)`: what ends at a height makes room there."""

    def __init__(self) -> None:
        self._heights = [0]
        self._units = [0]

    def highest(self, first: int, end: int) -> int:
        """The most units in use at any height of `[first, end)`."""
        start = bisect_right(self._heights, first) - 1
        return max(self._units[start : max(bisect_left(self._heights, end), start + 1)])

    def at(self, height: int) -> int:
        """The units in use at a height."""
        return self._units[bisect_right(self._heights, height) - 1]

    def add(self, first: int, end: int, units: int) -> None:
        """Use `units` more in `[first, end)`; a negative number takes them back."""
        start, stop = self._cut(first), self._cut(end)
        self._units[start:stop] = [now + units for now in self._units[start:stop]]

    def _cut(self, height: int) -> int:
        place = bisect_left(self._heights, height)
        if place == len(self._heights) or self._heights[place] != height:
            self._heights.insert(place, height)
            self._units.insert(place, self._units[place - 1])
        return place
