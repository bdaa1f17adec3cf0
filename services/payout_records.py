"""Reading payouts from the tables: lists, one payout, one batch, the approved rows of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from ledger.payouts import (
    PayoutApprovalRow,
    PayoutBatchLineRow,
    PayoutBatchRow,
    PayoutRecipientRow,
    PayoutRow,
    PayoutSignedRow,
)
from ledger.rows import in_parts
from services import campaigns
from services.errors import NotFound
from services.house import House
from services.paging import PER_PAGE, Page
from services.payout_views import Approval, BatchView, Found, Frozen, PayoutView, SignedFile, terms_of
from tasks.moment import Moment
from tasks.payout.batches import Batch
from tasks.payout.lifecycle import ON_THE_WAY, BatchState
from tasks.payout.lines import NotPaid
from tasks.payout.plan import Plan, PlanRow, Unpaid
from tasks.payout.sealing import Part, Paying
from verifiers.payout.reconcile import ApprovedBatch, State

OPEN = ON_THE_WAY | {BatchState.QUESTION}
"""States in which a look at the chain may find something new."""


@dataclass(frozen=True, slots=True)
class RowView:
    """One row of a plan, with the batch that pays it (the newest attempt)."""

    place: int
    batch: str
    participant: str
    recipient: str
    amount_micro: int
    amount_uakt: int

    def document(self) -> dict[str, object]:
        """The row as JSON."""
        return {
            "batch": self.batch,
            "participant": self.participant,
            "recipient": self.recipient,
            "amount_micro": self.amount_micro,
            "amount_uakt": str(self.amount_uakt),
        }


@dataclass(frozen=True, slots=True)
class Payment:
    """Where an award line is in a payout that holds it: `payout` is its number, `tx_*` once the chain shows it."""

    payout: int
    batch: str
    state: BatchState
    tx_hash: str | None
    tx_height: int | None
    tx_time: Moment | None

    @property
    def is_paid(self) -> bool:
        """Whether the chain paid it."""
        return self.state in {BatchState.PAID, BatchState.PARTLY_PAID}


def payouts(house: House, page: int = 1, per_page: int = PER_PAGE) -> Page[PayoutView]:
    """The campaign's payouts, the newest first. Raises NotFound without a campaign."""
    slug = campaigns.required(house).slug
    with house.ledger.read() as session:
        mine = select(PayoutRow).where(PayoutRow.campaign == slug)
        total = session.scalar(select(func.count()).select_from(mine.subquery())) or 0
        newest = mine.order_by(PayoutRow.number.desc()).limit(per_page).offset((page - 1) * per_page)
        return Page(_views(session, session.scalars(newest).all()), page, per_page, total)


def every_payout(session: Session, campaign: str) -> list[PayoutView]:
    """All payouts of a campaign, the oldest first."""
    rows = session.scalars(select(PayoutRow).where(PayoutRow.campaign == campaign).order_by(PayoutRow.number))
    return _views(session, rows.all())


def payout(house: House, number: int) -> PayoutView:
    """One payout of the campaign. Raises NotFound that says which there are."""
    slug = campaigns.required(house).slug
    with house.ledger.read() as session:
        return payout_in(session, slug, number)


def payout_in(session: Session, campaign: str, number: int) -> PayoutView:
    """The same inside a transaction."""
    mine = select(PayoutRow).where(PayoutRow.campaign == campaign, PayoutRow.number == number)
    row = session.scalars(mine).one_or_none()
    if row is None:
        newest = session.scalar(select(func.max(PayoutRow.number)).where(PayoutRow.campaign == campaign))
        known = f"There are 1 to {newest}." if newest else "None is planned yet: python app.py payout plan --help"
        raise NotFound(f"There is no payout {number}. {known}")
    return _views(session, [row])[0]


def batch(house: House, name: str) -> BatchView:
    """One batch of the campaign by its name, such as `p1-0001`. Raises NotFound."""
    slug = campaigns.required(house).slug
    with house.ledger.read() as session:
        return batch_in(session, slug, name)


def batch_in(session: Session, campaign: str, name: str) -> BatchView:
    """The same inside a transaction."""
    mine = select(PayoutBatchRow, PayoutRow.number).options(defer(PayoutBatchRow.file))
    mine = mine.join(PayoutRow, PayoutRow.id == PayoutBatchRow.payout)
    found = session.execute(
        mine.where(PayoutBatchRow.campaign == campaign, PayoutBatchRow.name == name)
    ).one_or_none()
    if found is None:
        raise NotFound(f"There is no batch {name!r}. `payout show ID` names a payout's batches, such as p1-0001.")
    row, number = found
    return _batch_view(row, number, _signed(session, [row.id])[row.id])


def exported_file(session: Session, batch_id: int) -> bytes | None:
    """The bytes of a batch's unsigned transaction; None before its export."""
    return session.scalar(select(PayoutBatchRow.file).where(PayoutBatchRow.id == batch_id))


def rows(house: House, number: int, page: int = 1, per_page: int = PER_PAGE) -> Page[RowView]:
    """One page of a payout's rows, in the plan's order. Raises NotFound."""
    slug = campaigns.required(house).slug
    with house.ledger.read() as session:
        view = payout_in(session, slug, number)
        mine = select(PayoutRecipientRow).where(PayoutRecipientRow.payout == view.id)
        total = session.scalar(select(func.count()).select_from(mine.subquery())) or 0
        start = (page - 1) * per_page
        kept = session.scalars(mine.order_by(PayoutRecipientRow.place).limit(per_page).offset(start)).all()
    return Page([_row_view(view, row) for row in kept], page, per_page, total)


def rows_of_batch(house: House, name: str) -> list[RowView]:
    """The rows that one batch pays, in the plan's order. Raises NotFound."""
    slug = campaigns.required(house).slug
    with house.ledger.read() as session:
        view = batch_in(session, slug, name)
        places = PayoutRecipientRow.place.between(view.first_place, view.first_place + view.size - 1)
        mine = (
            select(PayoutRecipientRow)
            .join(PayoutRow, PayoutRow.id == PayoutRecipientRow.payout)
            .where(PayoutRow.campaign == slug, PayoutRow.number == view.payout, places)
        )
        return [_row_of(row, view.name) for row in session.scalars(mine.order_by(PayoutRecipientRow.place))]


def all_rows(session: Session, view: PayoutView) -> list[RowView]:
    """Every row of a payout, in the plan's order."""
    mine = select(PayoutRecipientRow).where(PayoutRecipientRow.payout == view.id).order_by(PayoutRecipientRow.place)
    names = {place: each.name for each in view.current for place in _places(each)}
    return [_row_of(row, names[row.place]) for row in session.scalars(mine)]


def plan_of(session: Session, view: PayoutView) -> Plan:
    """The plan as it was made: its rows with their award lines."""
    lines: dict[int, list[int]] = defaultdict(list)
    held = (
        select(PayoutBatchLineRow.place, PayoutBatchLineRow.line)
        .join(PayoutBatchRow, PayoutBatchRow.id == PayoutBatchLineRow.batch)
        .where(PayoutBatchRow.payout == view.id, PayoutBatchRow.attempt == 1)
        .order_by(PayoutBatchLineRow.line)
    )
    for place, line in session.execute(held):
        lines[place].append(line)
    row = PayoutRecipientRow
    mine = select(row.place, row.participant, row.recipient, row.amount_micro, row.amount_uakt)
    kept = session.execute(mine.where(row.payout == view.id).order_by(row.place))
    made = tuple(
        PlanRow(participant, recipient, micro, uakt, tuple(lines[place]))
        for place, participant, recipient, micro, uakt in kept
    )
    return Plan(view.terms, made, view.unpaid)


def batch_of(plan: Plan, view: BatchView) -> Batch:
    """A batch with its rows, out of its plan."""
    return Batch(plan.terms.campaign, view.name, plan.rows[view.first_place : view.first_place + view.size])


def approved_batch(session: Session, batch_id: int) -> ApprovedBatch:
    """An exported batch as reconciling and checking want it. Raises NotFound before its export."""
    statement = select(PayoutBatchRow, PayoutRow.payer, PayoutRow.chain_id).join(
        PayoutRow, PayoutRow.id == PayoutBatchRow.payout
    )
    found = session.execute(statement.where(PayoutBatchRow.id == batch_id)).one_or_none()
    if found is None or found[0].timeout_height is None:
        raise NotFound("There is no such batch, or it was not exported yet.")
    row, payer, chain_id = found
    transfers = (
        select(PayoutRecipientRow.recipient, PayoutRecipientRow.amount_uakt)
        .where(
            PayoutRecipientRow.payout == row.payout,
            PayoutRecipientRow.place >= row.first_place,
            PayoutRecipientRow.place < row.first_place + row.size,
        )
        .order_by(PayoutRecipientRow.place)
    )
    signed = select(PayoutSignedRow.hash, PayoutSignedRow.sequence).where(PayoutSignedRow.batch == batch_id)
    return ApprovedBatch(
        rows=tuple((recipient, amount) for recipient, amount in session.execute(transfers)),
        memo=row.memo,
        payer=payer,
        chain_id=chain_id,
        exported_height=row.exported_height or 0,
        timeout_height=row.timeout_height or 0,
        signed={row.hash: row.sequence for row in session.execute(signed)},
    )


def open_batches(session: Session, campaign: str) -> list[int]:
    """The batches whose fate the chain may still decide, in order."""
    states = [str(state) for state in OPEN]
    mine = select(PayoutBatchRow.id).where(PayoutBatchRow.campaign == campaign, PayoutBatchRow.state.in_(states))
    return list(session.scalars(mine.order_by(PayoutBatchRow.id)))


def payments(session: Session, lines: Collection[int]) -> dict[int, Payment]:
    """The payment of each award line that a batch holds."""
    found: dict[int, Payment] = {}
    statement: Any = (
        select(
            PayoutBatchLineRow.line,
            PayoutRow.number,
            PayoutBatchRow.name,
            PayoutBatchRow.state,
            PayoutBatchRow.tx_hash,
            PayoutBatchRow.tx_height,
            PayoutBatchRow.tx_time_ns,
        )
        .join(PayoutBatchRow, PayoutBatchRow.id == PayoutBatchLineRow.batch)
        .join(PayoutRow, PayoutRow.id == PayoutBatchRow.payout)
        .where(PayoutBatchLineRow.freed_ns.is_(None))
    )
    for part in in_parts(sorted(lines)):
        for line, number, name, state, *seen in session.execute(statement.where(PayoutBatchLineRow.line.in_(part))):
            found[line] = Payment(number, name, BatchState(state), seen[0], seen[1], _moment(seen[2]))
    return found


def _views(session: Session, kept: Sequence[PayoutRow]) -> list[PayoutView]:
    by_payout: dict[int, list[PayoutBatchRow]] = defaultdict(list)
    numbers = {row.id: row.number for row in kept}
    batches = select(PayoutBatchRow).options(defer(PayoutBatchRow.file)).where(PayoutBatchRow.payout.in_(numbers))
    for each in session.scalars(batches.order_by(PayoutBatchRow.number, PayoutBatchRow.attempt)):
        by_payout[each.payout].append(each)
    signed = _signed(session, [each.id for some in by_payout.values() for each in some])
    approvals: dict[tuple[int, int], list[Approval]] = defaultdict(list)
    people = select(PayoutApprovalRow).where(PayoutApprovalRow.payout.in_(numbers))
    for one in session.scalars(people.order_by(PayoutApprovalRow.at_ns, PayoutApprovalRow.address)):
        approval = Approval(one.address, one.person, Part(one.part), one.proof, Moment(one.at_ns))
        approvals[one.payout, one.attempt].append(approval)
    return [
        _view(
            row,
            tuple(approvals[row.id, row.attempt]),
            tuple(_batch_view(each, row.number, signed[each.id]) for each in by_payout[row.id]),
        )
        for row in kept
    ]


def _view(row: PayoutRow, approvals: tuple[Approval, ...], batches: tuple[BatchView, ...]) -> PayoutView:
    return PayoutView(
        id=row.id,
        campaign=row.campaign,
        terms=terms_of(
            row.campaign, row.task, row.unit, row.rate, row.rate_source, row.rate_at_ns, row.minimum_micro
        ),
        paying=Paying(
            row.number, row.nonce, row.attempt, row.payer, row.chain_id, row.has_ledger, row.as_sends,
            row.third_above_uakt,
        ),
        digest=row.digest,
        total_micro=row.total_micro,
        total_uakt=row.total_uakt,
        unpaid=tuple(_unpaid(each) for each in row.unpaid),
        actor=row.actor,
        drafted_at=Moment(row.drafted_ns),
        approvals=approvals,
        batches=batches,
    )  # fmt: skip


def _unpaid(kept: dict[str, Any]) -> Unpaid:
    reason, lines = NotPaid(kept["reason"]), tuple(kept["lines"])
    return Unpaid(kept["participant"], kept["amount_micro"], reason, kept["detail"], lines)


def _signed(session: Session, ids: Iterable[int]) -> dict[int, tuple[SignedFile, ...]]:
    found: dict[int, tuple[SignedFile, ...]] = defaultdict(tuple)
    statement = select(PayoutSignedRow).options(defer(PayoutSignedRow.file))
    for part in in_parts(sorted(ids)):
        mine = statement.where(PayoutSignedRow.batch.in_(part))
        for row in session.scalars(mine.order_by(PayoutSignedRow.checked_ns, PayoutSignedRow.hash)):
            found[row.batch] += (
                SignedFile(
                    row.hash, row.sequence, row.sha256, row.actor, Moment(row.checked_ns),
                    _moment(row.broadcast_ns), row.answer,
                ),
            )  # fmt: skip
    return found


def _batch_view(row: PayoutBatchRow, payout_number: int, signed: tuple[SignedFile, ...]) -> BatchView:
    return BatchView(
        id=row.id,
        payout=payout_number,
        name=row.name,
        number=row.number,
        attempt=row.attempt,
        state=BatchState(row.state),
        first_place=row.first_place,
        size=row.size,
        total_micro=row.total_micro,
        total_uakt=row.total_uakt,
        rows_hash=row.rows_hash,
        memo=row.memo,
        changed_at=Moment(row.changed_ns),
        exported=_frozen(row),
        found=_found(row),
        signed=signed,
    )


def _frozen(row: PayoutBatchRow) -> Frozen | None:
    if row.exported_ns is None:
        return None
    return Frozen(
        at=Moment(row.exported_ns),
        height=row.exported_height or 0,
        timeout_height=row.timeout_height or 0,
        fee_uakt=row.fee_uakt or 0,
        gas_limit=row.gas_limit or 0,
        account_number=row.account_number or 0,
        sequence=row.sequence or 0,
        sha256=row.sha256 or "",
    )


def _found(row: PayoutBatchRow) -> Found | None:
    if row.found is None:
        return None
    return Found(
        state=State(row.found),
        detail=row.found_detail or "",
        is_over=row.is_over,
        looked_at=_moment(row.looked_ns),
        searched_to=row.searched_to,
        tx_hash=row.tx_hash,
        tx_height=row.tx_height,
        tx_time=_moment(row.tx_time_ns),
    )


def _places(view: BatchView) -> range:
    return range(view.first_place, view.first_place + view.size)


def _row_view(view: PayoutView, row: PayoutRecipientRow) -> RowView:
    name = next(each.name for each in view.current if row.place in _places(each))
    return _row_of(row, name)


def _row_of(row: PayoutRecipientRow, name: str) -> RowView:
    return RowView(row.place, name, row.participant, row.recipient, row.amount_micro, row.amount_uakt)


def _moment(value: int | None) -> Moment | None:
    return None if value is None else Moment(value)
