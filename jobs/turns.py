"""Takes the turns of jobs ahead of them, so that whoever performs past moments does their work meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.orm import Session

from jobs.catalogue import Job, catalogue
from jobs.runner import worker_name
from ledger import jobs as slots
from services.house import House
from tasks.moment import SECOND, Moment


def take_turns(house: House, names: Sequence[str], seconds: int) -> None:
    """From now on, for so long at most, these jobs run nowhere; a run under way ends undisturbed."""
    now, worker = _now(house), worker_name()
    for job in _jobs(house, names):
        due = [Moment(job.slot(now) + number * job.every_seconds * SECOND) for number in range(_count(job, seconds))]

        def take(session: Session, job: Job = job, due: Sequence[Moment] = due) -> None:
            for slot in due:
                slots.begin_slot(session, job.name, slot, worker, now)

        house.ledger.transact(take)


def give_turns_back(house: House, names: Sequence[str]) -> None:
    """The jobs run again from their next turns on."""
    house.ledger.transact(lambda session: slots.release_slots(session, names, worker_name(), _now(house)))


@contextmanager
def turns_of(house: House, names: Sequence[str], seconds: int) -> Iterator[None]:
    """Have them while the block runs."""
    take_turns(house, names, seconds)
    try:
        yield
    finally:
        give_turns_back(house, names)


def _jobs(house: House, names: Sequence[str]) -> list[Job]:
    return [job for job in catalogue(house) if job.name in names]


def _count(job: Job, seconds: int) -> int:
    return -(-seconds // job.every_seconds) + 1


def _now(house: House) -> Moment:
    return (house.machine_clock or house.clock).now()
