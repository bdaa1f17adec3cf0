"""Writing plans and batches to the tables, many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.payouts import PayoutBatchLineRow, PayoutBatchRow, PayoutRecipientRow, PayoutRow
from services.errors import Conflict
from services.house import House
from services.payout_moves import subject_of
from services.payout_records import payout_in
from services.payout_views import PayoutView, unpaid_document
from tasks.moment import Moment
from tasks.payout.batches import Batch
from tasks.payout.lifecycle import BatchState
from tasks.payout.plan import Plan
from tasks.payout.sealing import Paying, seal

Result = TypeVar("Result")


def written(house: House, store: Callable[[Session], Result]) -> Result:
    """Run one durable transaction. Raises Conflict where somebody else wrote the same at the same moment."""
    try:
        return house.ledger.transact(store, durable=True)
    except IntegrityError as error:
        raise Conflict("Somebody else changed payouts just now: look again first.") from error


def store_plan(
    session: Session, at: Moment, actor: str, plan: Plan, batches: Sequence[Batch], paying: Paying
) -> PayoutView:
    """Store a plan's first attempt with its batches, which hold its lines from now on."""
    terms, number = plan.terms, paying.number
    row = PayoutRow(
        campaign=terms.campaign, number=number, task=terms.task, unit=terms.unit, rate=terms.rate.text,
        rate_source=terms.rate_source, rate_at_ns=terms.rate_at, minimum_micro=terms.minimum_micro,
        payer=paying.payer, chain_id=paying.chain_id, has_ledger=paying.has_ledger, as_sends=paying.as_sends,
        third_above_uakt=paying.third_above_uakt, nonce=paying.nonce, attempt=1,
        digest=seal(plan, [each.rows_hash for each in batches], paying),
        total_micro=plan.total_micro, total_uakt=plan.total_uakt,
        unpaid=[unpaid_document(each) for each in plan.unpaid], actor=actor, drafted_ns=at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _insert(
        session,
        PayoutRecipientRow,
        [
            {
                "payout": row.id, "place": place, "participant": each.participant, "recipient": each.recipient,
                "amount_micro": each.amount_micro, "amount_uakt": each.amount_uakt,
            }
            for place, each in enumerate(plan.rows)
        ],
    )  # fmt: skip
    starts, first = [], 0
    for count, each in enumerate(batches, start=1):
        starts.append((count, first, each))
        first += len(each.rows)
    store_batches(session, row.id, 1, starts, at)
    detail = {
        "digest": row.digest, "task": terms.task, "rate": terms.rate.text, "rate_source": terms.rate_source,
        "payees": len(plan.rows), "total_micro": row.total_micro, "total_uakt": row.total_uakt,
        "payer": paying.payer, "batches": len(batches),
    }  # fmt: skip
    append_act(session, at, actor, "payout.plan", subject_of(terms.campaign, number), detail)
    return payout_in(session, terms.campaign, number)


def store_batches(
    session: Session, payout: int, attempt: int, numbered: Sequence[tuple[int, int, Batch]], at: Moment
) -> None:
    """Store batches (number, first place, batch) with the lines that they hold from now on."""
    kept = [
        PayoutBatchRow(
            payout=payout, campaign=each.campaign, name=each.name, number=number, attempt=attempt,
            first_place=first, size=len(each.rows), total_micro=sum(row.amount_micro for row in each.rows),
            total_uakt=each.total_uakt, rows_hash=each.rows_hash, memo=each.memo, state=str(BatchState.PLANNED),
            changed_ns=at, is_over=False,
        )
        for number, first, each in numbered
    ]  # fmt: skip
    session.add_all(kept)
    session.flush()
    lines = [
        {"batch": row.id, "line": line, "place": place, "freed_ns": None}
        for row, (_, first, each) in zip(kept, numbered, strict=True)
        for place, paid in enumerate(each.rows, start=first)
        for line in paid.lines
    ]
    _insert(session, PayoutBatchLineRow, lines)


def _insert(session: Session, table: type[Any], rows: Sequence[Mapping[str, object]]) -> None:
    # The table itself, past the unit of work: thousands of rows in one go.
    session.execute(insert(table.__table__), list(rows))
