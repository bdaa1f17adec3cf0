"""Benchmark runs of the demo: shipped results for fixed challenges, entered by people of the story."""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jobs.demo_run import Performance
from services import benchmarks, campaigns, claims
from services.clock import StoppedClock
from services.house import House
from tasks.moment import SECOND, Moment
from verifiers.benchmark.challenge import Challenge
from verifiers.evidence import ChainPoint

SHIPPED = Path(__file__).parent.parent / "devnet" / "scenarios" / "gpu_testnet_2023" / "benchmarks.json"
HOLDS = 7200 * SECOND


@dataclass(frozen=True)
class ShippedRun:
    """One run: who asks for a challenge at `asked` and enters its result at `entered` (heights), and what becomes
    of it (`expected`) and why."""

    participant: str
    provider: str
    asked: int
    entered: int
    expected: str
    why: str
    result: dict[str, Any]

    @property
    def challenge(self) -> str:
        """The id that the result was made for."""
        return str(self.result["challenge"])


@cache
def shipped_runs() -> tuple[ShippedRun, ...]:
    """The runs that the demo ships; its first lines say how they were made."""
    return tuple(ShippedRun(**run) for run in json.loads(SHIPPED.read_text("utf-8"))["runs"])


def benchmark_performances(
    house: House, block: Callable[[int], ChainPoint], known: Container[str]
) -> list[Performance]:
    """Entering the shipped results, for those of their people whom the story has (`known`: addresses)."""
    return [
        Performance(run.entered, lambda run=run: _enter(house, block, run))  # type: ignore[misc]
        for run in shipped_runs()
        if run.participant in known
    ]


def _enter(house: House, block: Callable[[int], ChainPoint], run: ShippedRun) -> None:
    loaded, asked = campaigns.required(house), block(run.asked).time
    challenge = Challenge(run.challenge, loaded.slug, run.participant, run.provider, asked, Moment(asked + HOLDS))
    then = house.at(StoppedClock(block(run.entered).time))
    benchmarks.keep_shipped(then, challenge)
    task = benchmarks.benchmark_task(loaded, then.clock.now()).slug
    claims.submit(then, run.participant, task, {"challenge": run.challenge, "result": json.dumps(run.result)})
