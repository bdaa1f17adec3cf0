"""The books: earned = paid + open + withheld - overpaid, in the unit for lines and in uakt for each payout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.payout.batches import Batch
from tasks.payout.lines import LineState, OwedLine
from tasks.payout.plan import Plan, PlanRow
from tasks.rewards.money import whole


class OutOfBalance(ArithmeticError):
    """Books that do not agree; the message names the sums. Nothing may be paid before it is understood."""


@dataclass(frozen=True, slots=True)
class Book:
    """One participant's book (or the sum of all), in micro of the unit; no part is below zero but `earned`.

    `open` is what still waits (in a live batch, payable or not final), `overpaid` what was paid and corrected since.
    """

    earned: int
    paid: int
    open: int
    withheld: int
    overpaid: int

    @property
    def is_balanced(self) -> bool:
        """Whether both sides are equal."""
        return self.earned == self.paid + self.open + self.withheld - self.overpaid

    def __add__(self, other: Book) -> Book:
        return Book(
            self.earned + other.earned,
            self.paid + other.paid,
            self.open + other.open,
            self.withheld + other.withheld,
            self.overpaid + other.overpaid,
        )


EMPTY = Book(0, 0, 0, 0, 0)


def books(
    earned: Mapping[str, int], owed: Iterable[OwedLine], live: Iterable[PlanRow], paid: Iterable[PlanRow]
) -> dict[str, Book]:
    """Every participant's book: `earned` is the sum of all its award lines, the rest is where each line is now.

    A negative sum of one state is set against what else is open, then against what is withheld; what remains is
    overpaid. Raises OutOfBalance naming the participant: a line was lost, or counted twice.
    """
    opened: dict[str, int] = defaultdict(int)
    withheld: dict[str, int] = defaultdict(int)
    settled: dict[str, int] = defaultdict(int)
    for line in owed:
        side = withheld if line.state is LineState.WITHHELD else opened
        side[line.participant] += whole(line.amount_micro)
    for row in live:
        opened[row.participant] += row.amount_micro
    for row in paid:
        settled[row.participant] += row.amount_micro
    made: dict[str, Book] = {}
    for participant in sorted({*earned, *opened, *withheld, *settled}):
        sides = opened[participant], withheld[participant]
        made[participant] = _book(earned.get(participant, 0), settled[participant], *sides)
        if not made[participant].is_balanced:
            raise OutOfBalance(f"the book of {participant} does not balance: {made[participant]}")
    return made


def _book(earned: int, paid: int, opened: int, withheld: int) -> Book:
    if opened < 0 < withheld:
        opened, withheld = min(opened + withheld, 0), max(opened + withheld, 0)
    elif withheld < 0 < opened:
        opened, withheld = max(opened + withheld, 0), min(opened + withheld, 0)
    overpaid = -min(opened, 0) - min(withheld, 0)
    return Book(earned, paid, max(opened, 0), max(withheld, 0), overpaid)


def total(made: Mapping[str, Book]) -> Book:
    """The sum of all books."""
    return sum(made.values(), EMPTY)


@dataclass(frozen=True, slots=True)
class PayoutBook:
    """One payout in uakt: what was planned is paid, live, or dead and planned again elsewhere."""

    planned: int
    paid: int
    live: int
    dead: int

    @property
    def is_balanced(self) -> bool:
        """Whether both sides are equal."""
        return self.planned == self.paid + self.live + self.dead


def payout_book(plan: Plan, paid: Iterable[Batch], live: Iterable[Batch], dead: Iterable[Batch]) -> PayoutBook:
    """A payout's book from its batches; `dead` are those that no later batch of the same payout replaces.

    Raises OutOfBalance where they do not sum to the plan.
    """
    sums = [sum(made.total_uakt for made in batches) for batches in (paid, live, dead)]
    book = PayoutBook(plan.total_uakt, *sums)
    if not book.is_balanced:
        raise OutOfBalance(f"the payout's batches are not its plan: {book}")
    return book
