"""What organizers decided on who may earn and be paid: entries only, the newest of a participant holds."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ledger.base import Base
from tasks.eligibility import Decision, Eligibility
from tasks.moment import Moment


class EligibilityRow(Base):
    """One entry, never changed. `number` counts a participant's entries from 1: of two at once one fails.

    `eligibility`: eligible, withheld or ineligible. `starts_ns` None: all their work, else that from then.
    `reason` is read by the participant and the staff; everybody else reads "not payable".
    """

    __tablename__ = "eligibility_entries"
    __table_args__ = (UniqueConstraint("campaign", "participant", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    campaign: Mapped[str]
    participant: Mapped[str] = mapped_column(ForeignKey("participants.address"))
    number: Mapped[int]
    eligibility: Mapped[str]
    reason: Mapped[str]
    starts_ns: Mapped[int | None]
    actor: Mapped[str]
    at_ns: Mapped[int]


def decision(row: EligibilityRow, reason: str | None = None) -> Decision:
    """An entry as the rules read it; `reason` in the place of its own."""
    starts = None if row.starts_ns is None else Moment(row.starts_ns)
    said = row.reason if reason is None else reason
    return Decision(row.participant, Eligibility(row.eligibility), said, starts)


def entries(session: Session, campaign: str, participants: Iterable[str] | None = None) -> list[EligibilityRow]:
    """The entries of a campaign, or of these participants (a few), the oldest first."""
    statement = select(EligibilityRow).where(EligibilityRow.campaign == campaign)
    if participants is not None:
        statement = statement.where(EligibilityRow.participant.in_(list(participants)))
    return list(session.scalars(statement.order_by(EligibilityRow.id)))
