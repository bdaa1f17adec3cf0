"""When our own work ran: one row per due run, so that none runs twice."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from ledger.base import Base
from ledger.rows import insert_once, replace_rows
from tasks.moment import Moment


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


def begin_slot(session: Session, job: str, slot: Moment, worker: str, now: Moment) -> bool:
    """Take a due run; False where another process has it."""
    row = {"job": job, "slot_ns": slot, "started_ns": now, "worker": worker}
    return insert_once(session, JobSlotRow, row)


def end_slot(
    session: Session, job: str, slot: Moment, now: Moment, duration_ns: int, detail: str, error: str | None
) -> None:
    """Note how a run ended, and what the job list shows of it."""
    session.execute(
        update(JobSlotRow)
        .where(JobSlotRow.job == job, JobSlotRow.slot_ns == slot)
        .values(finished_ns=now, duration_ns=duration_ns, error=error)
    )
    state: dict[str, object] = {"job": job, "last_run_ns": now, "last_error": error, "last_duration_ns": duration_ns}
    if error is None:
        state |= {"last_ok_ns": now, "last_detail": detail}
    replace_rows(session, JobStateRow, [state])


def job_states(session: Session) -> Sequence[JobStateRow]:
    """How each job has fared, by name."""
    return session.scalars(select(JobStateRow).order_by(JobStateRow.job)).all()


def forget_slots(session: Session, before: Moment) -> None:
    """Remove the rows of runs long past: a slot that lies behind is never due again."""
    session.execute(delete(JobSlotRow).where(JobSlotRow.slot_ns < before))


def release_slots(session: Session, jobs: Sequence[str], worker: str, after: Moment) -> None:
    """Give back the later runs that a worker has taken and not begun."""
    mine = JobSlotRow.worker == worker, JobSlotRow.job.in_(jobs), JobSlotRow.slot_ns > after
    session.execute(delete(JobSlotRow).where(*mine, JobSlotRow.finished_ns.is_(None)))
