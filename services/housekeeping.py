"""Removing what has expired: challenges, sessions, rows of runs long past."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from ledger.jobs import forget_slots
from ledger.people import ChallengeRow, SessionRow
from services.house import House
from tasks.moment import SECOND, Moment

KEEP_SLOTS = 2 * 86400 * SECOND


def clean(house: House) -> str:
    """A job: nothing here changes what anybody sees."""
    now = house.clock.now()

    def remove(session: Session) -> None:
        session.execute(delete(ChallengeRow).where(ChallengeRow.expires_ns < now))
        session.execute(delete(SessionRow).where(SessionRow.expires_ns < now))
        forget_slots(session, Moment((house.machine_clock or house.clock).now() - KEEP_SLOTS))

    house.ledger.transact(remove)
    return "expired challenges, sessions and run rows removed"
