"""APScheduler as the clock: it only says when; `runner` sees to it that each slot runs once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from jobs.catalogue import Job, catalogue
from jobs.runner import run_due, worker_name
from services.house import House


def start_clock(house: House, jobs: Sequence[Job] | None = None) -> BackgroundScheduler:
    """Start the clock for all jobs; each is due at once, then every so often. Stop it with `.shutdown(wait=True)`."""
    listed = catalogue(house) if jobs is None else jobs
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(max(2, len(listed)))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )
    worker = worker_name()
    for job in listed:
        scheduler.add_job(
            run_due,
            "interval",
            seconds=job.every_seconds,
            args=(house, job, worker),
            id=job.name,
            next_run_time=datetime.now(UTC),
        )
    scheduler.start()
    return scheduler


def run_until(house: House, stop: threading.Event) -> None:
    """Keep the jobs running until `stop` is set; what runs then is finished first."""
    scheduler = start_clock(house)
    try:
        stop.wait()
    finally:
        scheduler.shutdown(wait=True)
