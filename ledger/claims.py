"""Claims, the SDLs given for them, and every verdict with its checks."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base, Json, Uint64


class ClaimRow(Base):
    """One participant's entry for one task and subject, with what the newest verdict says of it.

    `outcome`, `at_ns` … `next_look_ns` repeat the verdict `verdict_id`; `outcome` is `pending` before the first one.
    `due_ns`: when it is looked at next, None when never. `taken_by`, `taken_until_ns`: who works on it now.
    `looked_ns`, `looked_height`: when and at which height it was looked at last, also where the verdict stayed
    the same. `settled`: no look can change it.
    """

    __tablename__ = "claims"
    __table_args__ = (
        UniqueConstraint("campaign", "participant", "task", "subject"),
        Index(None, "due_ns"),
        Index(None, "campaign", "task", "outcome"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str]
    participant: Mapped[str] = mapped_column(ForeignKey("participants.address"), index=True)
    task: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    fields: Mapped[dict[str, str]] = mapped_column(Json)
    received_ns: Mapped[int]
    found: Mapped[bool]
    due_ns: Mapped[int | None]
    taken_by: Mapped[str | None]
    taken_until_ns: Mapped[int | None]
    looked_ns: Mapped[int | None]
    looked_height: Mapped[int | None]
    verdict_id: Mapped[int | None]  # no foreign key: verdicts point here already
    outcome: Mapped[str]
    at_ns: Mapped[int | None]
    height: Mapped[int | None]
    tx_index: Mapped[int | None]
    attributes: Mapped[dict[str, str]] = mapped_column(Json)
    holds_place: Mapped[bool]
    next_look_ns: Mapped[int | None]
    settled: Mapped[bool]


class VerdictRow(Base):
    """What a judge said; a new row only where it differs from the one before.

    `revision`, `addresses`: what may have changed since of what the judge knew: the campaign's newest revision, and
    the participant's addresses in order. None where that was not noted.
    """

    __tablename__ = "verdicts"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    claim: Mapped[str] = mapped_column(ForeignKey("claims.id"), index=True)
    outcome: Mapped[str]
    judge: Mapped[str]
    version: Mapped[int]
    as_of_chain: Mapped[str]
    as_of_height: Mapped[int]
    as_of_time_ns: Mapped[int]
    decided_ns: Mapped[int]
    at_ns: Mapped[int | None]
    height: Mapped[int | None]
    tx_index: Mapped[int | None]
    attributes: Mapped[dict[str, str]] = mapped_column(Json)
    holds_place: Mapped[bool]
    next_look_ns: Mapped[int | None]
    missing: Mapped[list[str]] = mapped_column(Json)
    revision: Mapped[int | None]
    addresses: Mapped[list[str] | None] = mapped_column(Json)


class CheckRow(Base):
    """One line of a verdict."""

    __tablename__ = "checks"

    verdict: Mapped[int] = mapped_column(ForeignKey("verdicts.id"), primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    expected: Mapped[str]
    seen: Mapped[str]
    outcome: Mapped[str]
    height: Mapped[int | None]
    time_ns: Mapped[int | None]
    observations: Mapped[list[str]] = mapped_column(Json)


class VerdictObservationRow(Base):
    """An observation that a judge was given, in the order it was given."""

    __tablename__ = "verdict_observations"

    verdict: Mapped[int] = mapped_column(ForeignKey("verdicts.id"), primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    observation: Mapped[str] = mapped_column(ForeignKey("observations.id"), index=True)


class EnteredSdlRow(Base):
    """The reduced SDL that a participant gave for a deployment; the newest replaces the one before."""

    __tablename__ = "entered_sdls"
    __table_args__ = (Index(None, "campaign", "owner"),)

    campaign: Mapped[str] = mapped_column(primary_key=True)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.address"), primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    dseq: Mapped[int] = mapped_column(Uint64, primary_key=True, autoincrement=False)
    observation: Mapped[str] = mapped_column(ForeignKey("observations.id"))
    app: Mapped[str | None]
    received_ns: Mapped[int]
