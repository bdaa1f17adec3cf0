"""What people decided about claims: every act in order, who looks at what now, and appeals with their rulings."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base, Json


class ReviewStepRow(Base):
    """One act about a claim, never changed; `observation` is what judges read of it.

    `act` as in `verifiers/reviewing.py`; `actor`: the address of who did it; `name`: the random id that the
    observation names, empty for the participant. `fields`: a participant's answer with its texts.
    """

    __tablename__ = "review_steps"
    __table_args__ = (Index(None, "actor"),)

    claim: Mapped[str] = mapped_column(ForeignKey("claims.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    act: Mapped[str]
    actor: Mapped[str]
    name: Mapped[str]
    at_ns: Mapped[int]
    reason: Mapped[str]
    decided: Mapped[dict[str, str]] = mapped_column(Json)
    fields: Mapped[dict[str, str]] = mapped_column(Json)
    observation: Mapped[str] = mapped_column(ForeignKey("observations.id"))


class ReviewerRow(Base):
    """The random id under which a person decides in a campaign; all linked addresses of one person share it."""

    __tablename__ = "reviewers"
    __table_args__ = (UniqueConstraint("campaign", "name"),)

    campaign: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class ReviewTakeRow(Base):
    """Who looks at a claim now, so that two people do not do the same work; over at `until_ns`."""

    __tablename__ = "review_takes"

    claim: Mapped[str] = mapped_column(ForeignKey("claims.id"), primary_key=True)
    person: Mapped[str]
    taken_ns: Mapped[int]
    until_ns: Mapped[int]


class AppealRow(Base):
    """A participant's appeal against a result (`verdict_id`) or an award (`line`); `about` names it once."""

    __tablename__ = "appeals"
    __table_args__ = (UniqueConstraint("claim", "about"), Index(None, "campaign", "made_ns"))

    id: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str]
    claim: Mapped[str] = mapped_column(ForeignKey("claims.id"))
    participant: Mapped[str] = mapped_column(ForeignKey("participants.address"), index=True)
    about: Mapped[str]
    verdict_id: Mapped[int | None] = mapped_column(ForeignKey("verdicts.id"))
    line: Mapped[int | None] = mapped_column(ForeignKey("award_lines.id"))
    text: Mapped[str]
    made_ns: Mapped[int]


class AppealRulingRow(Base):
    """What an organizer decided on an appeal, once and in public. `outcome`: won or lost."""

    __tablename__ = "appeal_rulings"

    appeal: Mapped[str] = mapped_column(ForeignKey("appeals.id"), primary_key=True)
    outcome: Mapped[str]
    actor: Mapped[str]
    name: Mapped[str]
    reason: Mapped[str]
    at_ns: Mapped[int]
    observation: Mapped[str] = mapped_column(ForeignKey("observations.id"))
