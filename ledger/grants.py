"""Grants that one organizer proposes and another decides; what comes of them are award lines."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base


class GrantProposalRow(Base):
    """A grant that waits for a second person, or (`takes_back` names its key) the undoing of one. Never changed.

    `amount_micro`: what is to be granted, in micro of the campaign's unit. `claim`: what it is for, if it is for one.
    """

    __tablename__ = "grant_proposals"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    campaign: Mapped[str] = mapped_column(index=True)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.address"))
    amount_micro: Mapped[int]
    reason: Mapped[str]
    claim: Mapped[str | None] = mapped_column(ForeignKey("claims.id"))
    takes_back: Mapped[str | None]
    actor: Mapped[str]
    at_ns: Mapped[int]


class GrantRulingRow(Base):
    """What became of a proposal, once. `outcome`: agreed, refused or withdrawn; `key`: the grant that it made."""

    __tablename__ = "grant_rulings"

    proposal: Mapped[int] = mapped_column(ForeignKey("grant_proposals.id"), primary_key=True, autoincrement=False)
    outcome: Mapped[str]
    reason: Mapped[str]
    key: Mapped[str | None]
    actor: Mapped[str]
    at_ns: Mapped[int]
