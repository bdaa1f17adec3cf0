"""The reward ledger: it only grows; the sum of a claim's lines is its award now."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base, Json


class AwardLineRow(Base):
    """One signed difference in micro of the campaign's unit, with its working.

    `kind`: claim, pool, bonus or grant; `claim` for the first, `slug` for pools and bonuses. `key` names what is
    awarded (the claim's id, `pool/<slug>/<participant>`, `bonus/<slug>/<place>/<participant>`) and `step` counts its
    lines from 0: of two writers who add the same step one fails. `cause` says what led to the line, `corrects` names
    the line it puts right. `position` is the place in the sequence as worked.
    """

    __tablename__ = "award_lines"
    __table_args__ = (
        UniqueConstraint("campaign", "key", "step"),
        Index(None, "campaign", "participant"),
        Index(None, "campaign", "claim"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    campaign: Mapped[str]
    revision: Mapped[int]
    key: Mapped[str]
    step: Mapped[int]
    claim: Mapped[str | None]
    kind: Mapped[str]
    slug: Mapped[str | None]
    participant: Mapped[str]
    task: Mapped[str | None]
    amount_micro: Mapped[int]
    reason: Mapped[str]
    working: Mapped[dict[str, object]] = mapped_column(Json)
    cause: Mapped[str]
    corrects: Mapped[int | None] = mapped_column(ForeignKey("award_lines.id"))
    position: Mapped[int]
    computed_ns: Mapped[int]


class ProvisionalLineRow(Base):
    """What a claim that holds its place would get today: a projection, replaced with every computation."""

    __tablename__ = "provisional_lines"
    __table_args__ = (Index(None, "campaign", "participant"),)

    campaign: Mapped[str] = mapped_column(primary_key=True)
    claim: Mapped[str] = mapped_column(primary_key=True)
    participant: Mapped[str]
    task: Mapped[str]
    amount_micro: Mapped[int]
    reason: Mapped[str]
    working: Mapped[dict[str, object]] = mapped_column(Json)
    position: Mapped[int]


class RewardRunRow(Base):
    """What the newest computation of a campaign's awards was made from: nothing new, nothing to compute."""

    __tablename__ = "reward_runs"

    campaign: Mapped[str] = mapped_column(primary_key=True)
    inputs: Mapped[str]
    computed_ns: Mapped[int]
