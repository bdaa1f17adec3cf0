"""One situation of a deployment task in a table, and what the judge must say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tasks.moment import Moment
from tests.deployed_worlds import BLOCK_NS, OWNER, PROVIDERS, START, World, claim, params
from verifiers.evidence import ClaimFacts, Verdict
from verifiers.kinds import ai_deployment

P1, P2, P3, P4, _ = PROVIDERS
CLOSED = claim(closes=Moment(START + 900 * BLOCK_NS))
BY_DSEQ = {"group_by": "deployment", "apps": ()}
ONE = claim(f"{OWNER}/1")
ONE_CLOSED = claim(f"{OWNER}/1", closes=Moment(START + 900 * BLOCK_NS))


def judged(world: World, facts: ClaimFacts | None = None, **changes: object) -> Verdict:
    facts = facts or claim()
    task = params(**changes)
    observations = ai_deployment.gather(facts, task, world)
    return ai_deployment.judge(facts, observations, task, world.point)


def outcomes(verdict: Verdict) -> dict[str, str]:
    return {check.name: str(check.outcome) for check in verdict.checks}


def seen(verdict: Verdict, name: str) -> str:
    return next(check.seen for check in verdict.checks if check.name == name)


def deployed(height: int = 1000, **changes: object) -> World:
    return World(height=height).deploy(1, **changes).sdl(1)


def three(height: int = 1000, **changes: object) -> World:
    world = deployed(height, groups=3, **changes)
    for gseq, provider in enumerate((P1, P2, P3), start=1):
        world.lease(1, provider, 110 + gseq, gseq=gseq)
    return world


@dataclass(frozen=True)
class Case:
    world: Callable[[], World]
    outcome: str
    check: str
    check_outcome: str
    facts: ClaimFacts
    task: tuple[tuple[str, object], ...]


def case(name: str, world: Callable[[], World], outcome: str, check: str, check_outcome: str,
         facts: ClaimFacts | None = None, **task: object) -> object:  # fmt: skip
    return pytest.param(
        Case(world, outcome, check, check_outcome, facts or claim(), tuple(task.items())), id=f"{check}-{name}"
    )


def hold(row: Case) -> None:
    """Judge a case and compare."""
    task = dict(row.task)
    verdict = judged(row.world(), row.facts, **task)
    assert outcomes(verdict)[row.check] == row.check_outcome, verdict.checks
    assert str(verdict.outcome) == row.outcome, verdict.checks
    assert [check.name for check in verdict.checks] == [
        "deployment", "gpu", "providers", "own_provider", "app", "active", "paid",
    ]  # fmt: skip
    assert (verdict.next_look is None) == (row.outcome in ("passed", "failed"))
    assert bool(verdict.missing) == (row.outcome != "passed")
    assert all(check.height == 1000 or check.height == row.world().height for check in verdict.checks)
