"""Claims verified whatever their turn: all at one block, or those that nobody has looked at yet."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session

from ledger.claims import ClaimRow
from ledger.verdicts import look_again
from services.campaigns import Loaded
from services.house import House
from services.verification import BATCH, judging_point, this_worker, verify_claims
from tasks.moment import Moment
from verifiers.evidence import ChainPoint, Outcome


def verify_everything(house: House, loaded: Loaded, point: ChainPoint, progress: Callable[[int], None]) -> int:
    """Verify every claim anew at exactly `point`; returns how many there are."""
    count, worker = 0, this_worker()
    while rows := house.ledger.transact(lambda session: _take_unlooked(session, loaded.slug, point, worker)):
        verify_claims(house, loaded, point, rows, worker)
        count += len(rows)
        progress(len(rows))
    return count


def waiting_claims(house: House, loaded: Loaded) -> int:
    """How many claims nobody has looked at since they were entered, found or decided about."""
    with house.ledger.read() as session:
        return session.scalar(select(func.count()).where(*_waiting(loaded, house.clock.now()))) or 0


def verify_waiting(house: House, loaded: Loaded) -> int:
    """Verify a batch of such claims whoever holds them: their worker may have been killed. Raises Unavailable."""
    point, worker, waiting = judging_point(house, loaded), this_worker(), _waiting(loaded, house.clock.now())
    if point is None:
        return 0
    chosen = select(ClaimRow.id).where(*waiting).order_by(ClaimRow.participant, ClaimRow.id).limit(BATCH)
    rows = house.ledger.transact(lambda session: _take(session, chosen, worker))
    verify_claims(house, loaded, point, rows, worker)
    return len(rows)


def _waiting(loaded: Loaded, now: Moment) -> tuple[ColumnElement[bool], ...]:
    is_due = ClaimRow.settled.is_(False) & (ClaimRow.due_ns <= now)
    return ClaimRow.campaign == loaded.slug, ClaimRow.verdict_id.is_(None) | is_due


def unknown_claims(house: House, loaded: Loaded) -> frozenset[str]:
    """The claims that could not be looked at."""
    with house.ledger.read() as session:
        return frozenset(session.scalars(select(ClaimRow.id).where(*_unknown(loaded))))


def look_again_at_unknown(house: House, loaded: Loaded) -> None:
    """Let every claim that could not be looked at be looked at again, also at the same block."""
    unknown, now = _unknown(loaded), house.clock.now()

    def store(session: Session) -> None:
        session.execute(update(ClaimRow).where(*unknown).values(looked_height=None))
        look_again(session, now, *unknown)

    house.ledger.transact(store)


def _unknown(loaded: Loaded) -> tuple[ColumnElement[bool], ...]:
    return ClaimRow.campaign == loaded.slug, ClaimRow.outcome == Outcome.UNKNOWN


def _take_unlooked(session: Session, slug: str, point: ChainPoint, worker: str) -> list[ClaimRow]:
    elsewhere = or_(ClaimRow.looked_height.is_(None), ClaimRow.looked_height != point.height)
    chosen = (
        select(ClaimRow.id)
        .where(ClaimRow.campaign == slug, elsewhere)
        .order_by(ClaimRow.participant, ClaimRow.id)
        .limit(BATCH)
    )
    return _take(session, chosen, worker)


def _take(session: Session, chosen: Select[str], worker: str) -> list[ClaimRow]:
    taking = update(ClaimRow).where(ClaimRow.id.in_(chosen.scalar_subquery())).values(taken_by=worker)
    options = {"synchronize_session": False}
    return list(session.scalars(taking.returning(ClaimRow), execution_options=options))
