"""The order of the leaderboard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sums:
    """What one participant has: of completions that passed, and of claims that hold their place."""

    participant: str
    amount_micro: int
    provisional_micro: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """One row of the leaderboard; ranks count from 1, each given once."""

    rank: int
    participant: str
    amount_micro: int
    provisional_micro: int


def rank(rows: Iterable[Sums]) -> tuple[Standing, ...]:
    """By amount, then provisional amount, both descending, then address (DESIGN section 5, `leaderboard`)."""
    ordered = sorted(rows, key=lambda row: (-row.amount_micro, -row.provisional_micro, row.participant))
    return tuple(
        Standing(place, row.participant, row.amount_micro, row.provisional_micro)
        for place, row in enumerate(ordered, start=1)
    )
