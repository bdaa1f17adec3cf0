"""Chance that is the same on every machine and Python: everything is made from `Random.random()` alone.

Of the standard generator only `random()` is promised to give the same numbers in later versions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")

Curve = Sequence[tuple[float, float]]
"""A distribution as (quantile from 0 to 1, value) points, both rising, straight lines between them."""


class Weights(Generic[T]):
    """Things with weights, prepared for many draws."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self._things = tuple(weights)
        self._sums = tuple(accumulate(weights.values()))

    def at(self, share: float) -> T:
        """The thing at a share from 0 to 1 of all the weight."""
        return self._things[bisect_right(self._sums, share * self._sums[-1])]


class Draw:
    """One stream of chance of a story; streams with other names do not disturb each other."""

    def __init__(self, seed: int, stream: str) -> None:
        self._next = Random(f"{seed}/{stream}").random  # noqa: S311  a story, not a secret

    def below(self, bound: int) -> int:
        """A whole number from 0 to bound - 1."""
        return int(self._next() * bound)

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._next() * (high - low + 1))

    def chance(self, percent: float) -> bool:
        """True in so many of a hundred draws."""
        return self._next() * 100 < percent

    def pick(self, things: Sequence[T]) -> T:
        """One of the things."""
        return things[self.below(len(things))]

    def weighted(self, weights: Weights[T]) -> T:
        """One of the things by their weights."""
        return weights.at(self._next())

    def along(self, curve: Curve) -> float:
        """A value by a distribution given as a curve."""
        quantile = self._next()
        (left, low), (right, high) = next((a, b) for a, b in pairwise(curve) if quantile <= b[0] or b is curve[-1])
        return low + (high - low) * (quantile - left) / (right - left)

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """The things in another order."""
        rest = list(things)
        for last in range(len(rest) - 1, 0, -1):
            other = self.below(last + 1)
            rest[last], rest[other] = rest[other], rest[last]
        return rest

    def some(self, things: Sequence[T], number: int) -> list[T]:
        """So many different ones of the things, in random order."""
        return self.shuffled(things)[:number]
