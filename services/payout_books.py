"""The books of all payouts, checked: per participant in the unit, per payout in uakt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow
from ledger.payouts import PayoutBatchLineRow, PayoutBatchRow
from services import campaigns
from services.house import House
from services.payout_records import batch_of, every_payout, plan_of
from services.payout_views import BatchView, PayoutView
from services.payouts import due_lines
from tasks.payout.batches import Batch
from tasks.payout.double_entry import Book, OutOfBalance, PayoutBook, books, payout_book, total
from tasks.payout.lifecycle import LIVE, BatchState
from tasks.payout.lines import LineState, OwedLine
from tasks.payout.plan import Plan, PlanRow
from tasks.payout.sealing import seal


@dataclass(frozen=True, slots=True)
class Balance:
    """The books; `troubles` names everything that does not agree. Nothing may be paid before it is understood.

    `books` by participant in micro of `unit` (empty where they don't balance), `payouts` by number in uakt.
    """

    unit: str
    books: dict[str, Book]
    payouts: dict[int, PayoutBook]
    troubles: tuple[str, ...]

    @property
    def total(self) -> Book:
        """The sum of all participants' books."""
        return total(self.books)

    @property
    def is_balanced(self) -> bool:
        """Whether everything agrees."""
        return not self.troubles

    def document(self) -> dict[str, object]:
        """The answer of `payout balance`."""
        return {
            "balanced": self.is_balanced,
            "unit": self.unit,
            "total": _book(self.total),
            "participants": {name: _book(book) for name, book in self.books.items()},
            "payouts": {
                str(number): {
                    "planned_uakt": str(book.planned),
                    "paid_uakt": str(book.paid),
                    "live_uakt": str(book.live),
                    "dead_uakt": str(book.dead),
                }
                for number, book in self.payouts.items()
            },
            "troubles": list(self.troubles),
        }


def balance(house: House) -> Balance:
    """Work out and check every book (tasks.payout.double_entry). Raises NotFound without a campaign."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        return balance_in(session, loaded.slug, loaded.newest.reward.unit)


def balance_in(session: Session, campaign: str, unit: str) -> Balance:
    """The same inside a transaction, of one state of the tables."""
    troubles: list[str] = []
    live: list[PlanRow] = []
    paid: list[PlanRow] = []
    payouts: dict[int, PayoutBook] = {}
    for view in every_payout(session, campaign):
        plan = plan_of(session, view)
        parts = _parts(session, view, plan)
        live += parts.live_rows
        paid += parts.paid_rows
        troubles += _altered(session, view, plan)
        try:
            payouts[view.number] = payout_book(plan, parts.paid, parts.live, parts.dead)
        except OutOfBalance as error:
            troubles.append(f"payout {view.number}: {error}")
    owed = [
        OwedLine(line.line, line.participant, line.task, line.amount_micro, LineState(line.state))
        for line in due_lines(session, campaign)
    ]
    made: dict[str, Book] = {}
    try:
        made = books(_earned(session, campaign), owed, live, paid)
    except OutOfBalance as error:
        troubles.append(str(error))
    return Balance(unit, made, payouts, tuple(troubles))


def _earned(session: Session, campaign: str) -> dict[str, int]:
    statement = (
        select(AwardLineRow.participant, func.sum(AwardLineRow.amount_micro))
        .where(AwardLineRow.campaign == campaign)
        .group_by(AwardLineRow.participant)
    )
    return {participant: int(amount) for participant, amount in session.execute(statement)}


@dataclass(slots=True)
class _Parts:
    """A payout's batches by what became of them; a partly paid one is cut into what was paid and what was not."""

    paid: list[Batch]
    live: list[Batch]
    dead: list[Batch]

    @property
    def live_rows(self) -> list[PlanRow]:
        return [row for batch in self.live for row in batch.rows]

    @property
    def paid_rows(self) -> list[PlanRow]:
        return [row for batch in self.paid for row in batch.rows]


def _parts(session: Session, view: PayoutView, plan: Plan) -> _Parts:
    parts = _Parts([], [], [])
    for each in view.current:
        batch = batch_of(plan, each)
        if each.state is BatchState.PARTLY_PAID:
            held = _held_places(session, each)
            rows = list(enumerate(batch.rows, start=each.first_place))
            parts.paid.append(Batch(batch.campaign, batch.name, tuple(row for place, row in rows if place in held)))
            left = tuple(row for place, row in rows if place not in held)
            parts.dead.append(Batch(batch.campaign, batch.name, left))
        elif each.state is BatchState.PAID:
            parts.paid.append(batch)
        else:
            (parts.live if each.state in LIVE else parts.dead).append(batch)
    return parts


def _held_places(session: Session, batch: BatchView) -> frozenset[int]:
    statement = select(PayoutBatchLineRow.place).where(
        PayoutBatchLineRow.batch == batch.id, PayoutBatchLineRow.freed_ns.is_(None)
    )
    return frozenset(session.scalars(statement))


def _altered(session: Session, view: PayoutView, plan: Plan) -> Iterable[str]:
    """What is not as it was signed, or does not hold what it says."""
    newest = [each.rows_hash for each in view.batches if each.attempt == view.paying.attempt]
    if seal(plan, newest, view.paying) != view.digest:
        yield f"payout {view.number}: its rows or terms are not those of its digest"
    sums: dict[int, int] = defaultdict(int)
    statement = (
        select(PayoutBatchLineRow.place, AwardLineRow.amount_micro)
        .join(PayoutBatchRow, PayoutBatchRow.id == PayoutBatchLineRow.batch)
        .join(AwardLineRow, AwardLineRow.id == PayoutBatchLineRow.line)
        .where(PayoutBatchRow.payout == view.id, PayoutBatchRow.attempt == 1)
    )
    for place, amount in session.execute(statement):
        sums[place] += amount
    for place, row in enumerate(plan.rows):
        if sums[place] != row.amount_micro:
            yield f"payout {view.number}: the row of {row.participant} is not the sum of its award lines"
    for each in view.batches:
        if batch_of(plan, each).rows_hash != each.rows_hash:
            yield f"payout {view.number}: the rows of {each.name} are not those of its hash"


def _book(book: Book) -> dict[str, int]:
    return {
        "earned_micro": book.earned,
        "paid_micro": book.paid,
        "open_micro": book.open,
        "withheld_micro": book.withheld,
        "overpaid_micro": book.overpaid,
    }
