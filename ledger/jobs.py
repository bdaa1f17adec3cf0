"""When our own work ran: one row per due run, so that none runs twice."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base


class JobSlotRow(Base):
    """One due run of a job; whoever inserts the row runs it."""

    __tablename__ = "job_slots"

    job: Mapped[str] = mapped_column(primary_key=True)
    slot_ns: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    started_ns: Mapped[int]
    finished_ns: Mapped[int | None]
    error: Mapped[str | None]
    worker: Mapped[str]
    duration_ns: Mapped[int | None]


class JobStateRow(Base):
    """How a job has fared of late."""

    __tablename__ = "job_states"

    job: Mapped[str] = mapped_column(primary_key=True)
    last_run_ns: Mapped[int]
    last_ok_ns: Mapped[int | None]
    last_error: Mapped[str | None]
    last_detail: Mapped[str | None]
    last_duration_ns: Mapped[int | None]
    next_run_ns: Mapped[int | None]
