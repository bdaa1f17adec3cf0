"""A slot runs once, whoever comes; what went wrong is kept for the job list."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.catalogue import Job
from jobs.runner import run_due
from ledger.jobs import job_states
from services.errors import Unavailable
from services.house import House
from tests.houses import later, make_house


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


def test_run_due__eight_workers_one_slot__runs_once(house: House) -> None:
    ran: list[str] = []

    def work(_house: House) -> str:
        ran.append("ran")
        return "done"

    job = Job("count", "Count", 60, work)
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda number: run_due(house, job, f"worker {number}"), range(8)))
    assert len(ran) == 1
    assert sum(run.taken for run in runs) == 1


def test_run_due__next_slot__runs_again(house: House) -> None:
    ran: list[str] = []
    job = Job("count", "Count", 60, lambda _house: ran.append("ran") or "done")  # type: ignore[func-returns-value]
    run_due(house, job, "w")
    run_due(later(house, 30), job, "w")
    run_due(later(house, 60), job, "w")
    assert len(ran) == 2


@pytest.mark.parametrize(
    ("error", "shown"),
    [(Unavailable("The node is asleep."), "The node is asleep."), (KeyError("x"), "KeyError: 'x'")],
    ids=["refused", "broken"],
)
def test_run_due__job_fails__kept_with_its_reason_and_the_last_good_run(
    house: House, error: Exception, shown: str
) -> None:
    def work(_house: House) -> str:
        raise error

    run_due(house, Job("look", "Look", 60, lambda _house: "fine"), "w")
    assert run_due(later(house, 60), Job("look", "Look", 60, work), "w").error == shown
    with house.ledger.read() as session:
        (state,) = job_states(session)
    assert (state.last_error, state.last_detail, state.last_ok_ns) == (shown, "fine", house.clock.now())
