"""What everybody may read of payouts: terms, totals, amount per address, transactions, and what is not payable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Exists, func, select
from sqlalchemy.orm import Session

from ledger.payouts import PayoutBatchLineRow, PayoutBatchRow, PayoutRecipientRow, PayoutRow
from services import campaigns
from services.errors import NotFound
from services.house import House
from services.paging import Page
from services.payments import PAID
from tasks.payout.lifecycle import LIVE, BatchState
from tasks.payout.lines import NotPaid

NOT_PUBLIC = frozenset({str(BatchState.PLANNED), str(BatchState.DISCARDED)})
"""A payout whose batches are all in one of these is a draft of the staff's."""

NOT_PAYABLE = "not payable"


@dataclass(frozen=True, slots=True)
class Summary:
    """A payout in one line. Sums in uakt of what is paid and of what is still on the way; the rest is owed again."""

    number: int
    task: str | None
    unit: str
    rate: str
    total_micro: int
    total_uakt: int
    paid_uakt: int
    waiting_uakt: int
    people: int
    planned_ns: int


@dataclass(frozen=True, slots=True)
class ReportBatch:
    """A batch and its transaction, whose fields are None until it paid."""

    name: str
    state: BatchState
    people: int
    total_uakt: int
    memo: str
    first_place: int
    tx_hash: str | None
    tx_height: int | None
    tx_time_ns: int | None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What one address gets by which batch. `state` None: it was not paid by this payout and is owed again."""

    place: int
    participant: str
    recipient: str
    amount_micro: int
    amount_uakt: int
    batch: str
    state: BatchState | None
    tx_hash: str | None
    tx_height: int | None
    tx_time_ns: int | None


@dataclass(frozen=True, slots=True)
class NotPaidRow:
    """What one participant did not get; the organizers' own reasons are not in it."""

    participant: str
    amount_micro: int
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """A payout for everybody; its rows are asked for apart. `batches`: the newest for each part of the plan."""

    summary: Summary
    campaign: str
    rate_source: str
    rate_at_ns: int
    minimum_micro: int
    payer: str
    chain_id: str
    digest: str
    batches: Sequence[ReportBatch]
    not_paid: Sequence[NotPaidRow]

    @property
    def not_paid_micro(self) -> int:
        """What stays owed of this payout's scope; what was overpaid counts below zero."""
        return sum(row.amount_micro for row in self.not_paid)


def reports(house: House, page: int, per_page: int) -> Page[Summary]:
    """The payouts that were approved, the newest first; none without a campaign."""
    with house.ledger.read() as session:
        loaded = campaigns.current_in(session, house.settings.campaign)
        if loaded is None:
            return Page([], page, per_page, 0)
        wanted = select(PayoutRow).where(PayoutRow.campaign == loaded.slug, _is_public())
        total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
        newest = wanted.order_by(PayoutRow.number.desc()).limit(per_page).offset((page - 1) * per_page)
        found = [_summary(session, row, _batches(session, row.id)) for row in session.scalars(newest)]
    return Page(found, page, per_page, total)


def report(house: House, number: int) -> Report:
    """One payout. Raises NotFound for one that is not there, or still a draft of the staff's."""
    with house.ledger.read() as session:
        row = _row(house, session, number)
        batches = _batches(session, row.id)
        return Report(
            summary=_summary(session, row, batches),
            campaign=row.campaign,
            rate_source=row.rate_source,
            rate_at_ns=row.rate_at_ns,
            minimum_micro=row.minimum_micro,
            payer=row.payer,
            chain_id=row.chain_id,
            digest=row.digest,
            batches=[_report_batch(batch) for batch in batches],
            not_paid=[_not_paid(each) for each in row.unpaid],
        )


def rows(house: House, number: int, page: int | None = None, per_page: int = 50) -> Page[ReportRow]:
    """A payout's rows by recipient, one page of them or (`page` None) all. Raises NotFound like `report`."""
    with house.ledger.read() as session:
        payout = _row(house, session, number)
        statement = (
            select(PayoutRecipientRow)
            .where(PayoutRecipientRow.payout == payout.id)
            .order_by(PayoutRecipientRow.place)
        )
        total = _people(session, payout.id)
        if page is not None:
            statement = statement.limit(per_page).offset((page - 1) * per_page)
        made = _with_batches(session, session.scalars(statement).all(), _batches(session, payout.id))
    return Page(made, page or 1, per_page if page is not None else max(1, total), total)


def newest_of_each_part(batches: Iterable[PayoutBatchRow]) -> list[PayoutBatchRow]:
    """Without the dead ones that a later attempt with the same rows replaced; by their place in the plan."""
    newest = {batch.number: batch for batch in sorted(batches, key=lambda batch: batch.attempt)}
    return [newest[number] for number in sorted(newest)]


def _row(house: House, session: Session, number: int) -> PayoutRow:
    loaded = campaigns.current_in(session, house.settings.campaign)
    slug = loaded.slug if loaded else None
    wanted = select(PayoutRow).where(PayoutRow.campaign == slug, PayoutRow.number == number, _is_public())
    row = session.scalar(wanted)
    if row is None:
        raise NotFound("There is no such payout, or it is not approved yet. The list of payouts shows all that are.")
    return row


def _is_public() -> Exists:
    """Whether a batch of the payout, of any attempt, was approved."""
    mine = select(PayoutBatchRow.id).where(PayoutBatchRow.payout == PayoutRow.id)
    return mine.where(PayoutBatchRow.state.not_in(NOT_PUBLIC)).exists()


def _batches(session: Session, payout: int) -> list[PayoutBatchRow]:
    found = session.scalars(select(PayoutBatchRow).where(PayoutBatchRow.payout == payout))
    return newest_of_each_part(found)


def _people(session: Session, payout: int) -> int:
    statement = select(func.count()).where(PayoutRecipientRow.payout == payout)
    return session.scalar(statement) or 0


def _summary(session: Session, row: PayoutRow, batches: Sequence[PayoutBatchRow]) -> Summary:
    paid = sum(batch.total_uakt for batch in batches if batch.state == BatchState.PAID)
    partly = [batch.id for batch in batches if batch.state == BatchState.PARTLY_PAID]
    return Summary(
        number=row.number,
        task=row.task,
        unit=row.unit,
        rate=row.rate,
        total_micro=row.total_micro,
        total_uakt=row.total_uakt,
        paid_uakt=paid + _held_uakt(session, row.id, partly),
        waiting_uakt=sum(batch.total_uakt for batch in batches if batch.state in LIVE),
        people=_people(session, row.id),
        planned_ns=row.drafted_ns,
    )


def _held_uakt(session: Session, payout: int, batches: Sequence[int]) -> int:
    """The sum of the rows that partly paid batches still hold: those that were paid."""
    if not batches:
        return 0
    places = select(PayoutBatchLineRow.place).where(
        PayoutBatchLineRow.batch.in_(batches), PayoutBatchLineRow.freed_ns.is_(None)
    )
    statement = select(func.sum(PayoutRecipientRow.amount_uakt)).where(
        PayoutRecipientRow.payout == payout, PayoutRecipientRow.place.in_(places)
    )
    return int(session.scalar(statement) or 0)


def _report_batch(batch: PayoutBatchRow) -> ReportBatch:
    state = BatchState(batch.state)
    tx_hash, tx_height, tx_time_ns = _transaction(batch)
    return ReportBatch(
        name=batch.name,
        state=state,
        people=batch.size,
        total_uakt=batch.total_uakt,
        memo=batch.memo,
        first_place=batch.first_place,
        tx_hash=tx_hash,
        tx_height=tx_height,
        tx_time_ns=tx_time_ns,
    )


def _transaction(batch: PayoutBatchRow) -> tuple[str | None, int | None, int | None]:
    """The transaction that paid; one that people still look at proves nothing to the public."""
    is_paid = BatchState(batch.state) in PAID
    return (batch.tx_hash, batch.tx_height, batch.tx_time_ns) if is_paid else (None, None, None)


def _with_batches(
    session: Session, found: Sequence[PayoutRecipientRow], batches: Sequence[PayoutBatchRow]
) -> list[ReportRow]:
    held = _held_places(session, [batch.id for batch in batches if batch.state == BatchState.PARTLY_PAID])
    by_place = {place: each for each in batches for place in range(each.first_place, each.first_place + each.size)}
    made = []
    for row in found:
        batch = by_place[row.place]
        state: BatchState | None = BatchState(batch.state)
        if state in {BatchState.DEAD, BatchState.DISCARDED} or (
            state is BatchState.PARTLY_PAID and row.place not in held
        ):
            state = None
        transaction = _transaction(batch) if state is not None else (None, None, None)
        made.append(
            ReportRow(
                row.place, row.participant, row.recipient, row.amount_micro, row.amount_uakt, batch.name, state,
                *transaction,
            )
        )  # fmt: skip
    return made


def _held_places(session: Session, batches: Sequence[int]) -> set[int]:
    statement = select(PayoutBatchLineRow.place).where(
        PayoutBatchLineRow.batch.in_(batches), PayoutBatchLineRow.freed_ns.is_(None)
    )
    return set(session.scalars(statement)) if batches else set()


def _not_paid(each: Mapping[str, Any]) -> NotPaidRow:
    reason = NotPaid(cast("str", each["reason"]))
    words = NOT_PAYABLE if reason is NotPaid.WITHHELD else str(reason)
    return NotPaidRow(str(each["participant"]), int(each["amount_micro"]), words)
