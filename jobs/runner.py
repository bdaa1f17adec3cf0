"""Runs one due run of a job, once: the row of its slot is the guard, whoever comes second goes away."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass

import structlog

from jobs.catalogue import Job
from ledger import jobs as slots
from services.errors import UseCaseError
from services.house import House

log = structlog.get_logger()


def worker_name() -> str:
    """Names this process in the rows of runs."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Run:
    """How one due run ended; `taken` is false where another process had it."""

    job: str
    taken: bool
    detail: str = ""
    error: str = ""


def run_due(house: House, job: Job, worker: str) -> Run:
    """Run `job` for the slot that now is, unless someone has."""
    clock = house.machine_clock or house.clock
    slot = job.slot(clock.now())
    taken = house.ledger.transact(lambda session: slots.begin_slot(session, job.name, slot, worker, clock.now()))
    if not taken:
        return Run(job.name, taken=False)
    started = time.monotonic()
    detail, error = _attempt(house, job)
    duration_ns = int((time.monotonic() - started) * 1e9)
    house.ledger.transact(
        lambda session: slots.end_slot(session, job.name, slot, clock.now(), duration_ns, detail, error or None)
    )
    return Run(job.name, taken=True, detail=detail, error=error)


def _attempt(house: House, job: Job) -> tuple[str, str]:
    """(detail, error): the job's edge, where any exception becomes a logged line and the next run tries again."""
    try:
        return job.run(house), ""
    except UseCaseError as error:
        log.warning("job_refused", job=job.name, reason=error.message)
        return "", error.message
    except Exception as error:
        log.exception("job_failed", job=job.name)
        return "", f"{type(error).__name__}: {error}"
