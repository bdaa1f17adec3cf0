"""The one place where a batch changes its state, and where award lines are set free."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.payouts import PayoutBatchLineRow, PayoutBatchRow, PayoutRow
from services.errors import Conflict, NotFound
from tasks.moment import Moment
from tasks.payout.lifecycle import HOLDING, Act, BatchState, WrongState, after

HOLDING_TEXTS = tuple(sorted(HOLDING))


def move(
    session: Session,
    at: Moment,
    batch: int,
    act: Act,
    actor: str,
    detail: Mapping[str, object] | None = None,
    *,
    values: Mapping[str, Any] | None = None,
    is_news: bool = True,
) -> BatchState:
    """Do `act` with a batch inside the caller's transaction: a conditional update, and an entry in the audit log.

    `values`: further columns of the batch that change with it. A batch that dies or is discarded sets its lines
    free. `is_news` False writes no entry: something found again. Raises NotFound, and Conflict where the batch's
    state does not allow the act (somebody else was first).
    """
    row = session.get(PayoutBatchRow, batch, populate_existing=True)
    if row is None:
        raise NotFound("There is no such batch.")
    before, name = BatchState(row.state), row.name
    try:
        state = after(before, act)
    except WrongState as error:
        raise Conflict(f"{name}: {error}.") from error
    changed = {**(values or {}), "state": str(state)}
    if state is not before:
        changed["changed_ns"] = at
    statement = update(PayoutBatchRow).where(PayoutBatchRow.id == batch, PayoutBatchRow.state == str(before))
    if cast("CursorResult[Any]", session.execute(statement.values(changed))).rowcount != 1:
        raise Conflict(f"{name} was changed by somebody else just now: look at it again.")
    if state not in HOLDING and before in HOLDING:
        free_lines(session, batch, at)
    if is_news:
        said = {"batch": name, "before": str(before), "after": str(state), **(detail or {})}
        append_act(session, at, actor, f"payout.{act.replace(' ', '_')}", subject(session, row.payout), said)
    return state


def free_lines(session: Session, batch: int, at: Moment, places: Collection[int] | None = None) -> int:
    """Set the lines of a batch free, all of them or those of the plan's rows at `places`; how many they were.

    `places` are those of `payout_rows` (the batch's first is its `first_place`).
    """
    statement = update(PayoutBatchLineRow).where(
        PayoutBatchLineRow.batch == batch, PayoutBatchLineRow.freed_ns.is_(None)
    )
    if places is not None:
        statement = statement.where(PayoutBatchLineRow.place.in_(sorted(places)))
    return cast("CursorResult[Any]", session.execute(statement.values(freed_ns=at))).rowcount


def subject(session: Session, payout: int) -> str:
    """How the audit log calls a payout."""
    campaign, number = session.execute(
        select(PayoutRow.campaign, PayoutRow.number).where(PayoutRow.id == payout)
    ).one()
    return subject_of(campaign, number)


def subject_of(campaign: str, number: int) -> str:
    """The same from its campaign and number: `payout <campaign>/<number>`."""
    return f"payout {campaign}/{number}"
