"""SDLs that participants wrote for others: every version with its text, kept and shown for this kind only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ledger.base import Base
from ledger.claims import ClaimRow


class SubmittedSdlRow(Base):
    """One version of a submitted SDL, never changed; `number` counts those of a claim from 1.

    `digest`: SHA-256 of the text, hex. `pull_request`: its link, empty where none is asked. `observation`: its
    reduction, which judges read instead of the text.
    """

    __tablename__ = "submitted_sdls"
    __table_args__ = (Index(None, "campaign", "received_ns"),)

    claim: Mapped[str] = mapped_column(ForeignKey("claims.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    campaign: Mapped[str]
    received_ns: Mapped[int]
    digest: Mapped[str]
    text: Mapped[str]
    pull_request: Mapped[str]
    observation: Mapped[str] = mapped_column(ForeignKey("observations.id"))


def newest_version(session: Session, claim: str) -> SubmittedSdlRow | None:
    """The newest version of a claim."""
    versions = select(SubmittedSdlRow).where(SubmittedSdlRow.claim == claim)
    return session.scalars(versions.order_by(SubmittedSdlRow.number.desc()).limit(1)).first()


def versions_of(session: Session, claim: str) -> Sequence[SubmittedSdlRow]:
    """Every version of a claim, the oldest first."""
    versions = select(SubmittedSdlRow).where(SubmittedSdlRow.claim == claim)
    return session.scalars(versions.order_by(SubmittedSdlRow.number)).all()


def submitted_in(session: Session, campaign: str) -> Sequence[tuple[ClaimRow, int, int, str]]:
    """(claim, number, received, observation) of every version of a campaign, by receipt."""
    columns = SubmittedSdlRow.number, SubmittedSdlRow.received_ns, SubmittedSdlRow.observation
    statement = (
        select(ClaimRow, *columns)
        .join(SubmittedSdlRow, SubmittedSdlRow.claim == ClaimRow.id)
        .where(SubmittedSdlRow.campaign == campaign)
        .order_by(SubmittedSdlRow.received_ns, SubmittedSdlRow.claim, SubmittedSdlRow.number)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(statement)]
