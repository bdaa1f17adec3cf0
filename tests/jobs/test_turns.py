"""Turns of jobs that somebody takes ahead: they run nowhere else, and go on when they are given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.catalogue import Job, catalogue
from jobs.runner import run_due
from jobs.turns import give_turns_back, take_turns, turns_of
from services.house import House
from tests.houses import later, make_house

NAMES = ("spot_checks", "verify")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


def runs(house: House, name: str) -> bool:
    (job,) = [each for each in catalogue(house) if each.name == name]
    return run_due(house, Job(job.name, job.title, job.every_seconds, lambda _: "done"), "another").taken


def test_take_turns__jobs_named__run_nowhere_for_so_long(house: House) -> None:
    take_turns(house, NAMES, 120)
    assert [runs(later(house, seconds), name) for seconds in (0, 60, 119) for name in NAMES] == [False] * 6
    assert runs(house, "find")
    assert all(runs(later(house, 300), name) for name in NAMES)


def test_give_turns_back__before_their_time__run_again_from_the_next_on(house: House) -> None:
    take_turns(house, NAMES, 900)
    give_turns_back(house, ["spot_checks"])
    assert not runs(house, "spot_checks")
    assert runs(later(house, 60), "spot_checks")
    assert not runs(later(house, 60), "verify")


def test_turns_of__the_block_fails__gives_them_back(house: House) -> None:
    with pytest.raises(ZeroDivisionError), turns_of(house, NAMES, 900):
        _ = 1 / 0
    assert all(runs(later(house, 60), name) for name in NAMES)


def test_give_turns_back__of_others__stay_theirs(house: House) -> None:
    assert runs(later(house, 60), "verify")
    give_turns_back(house, NAMES)
    assert not runs(later(house, 60), "verify")
