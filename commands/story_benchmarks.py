"""Benchmark runs of the demo: shipped results for fixed challenges, entered by people of the story."""

from __future__ import annotations

import json
from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from commands.story_container import ORDER, Product
from jobs.demo_run import Performance
from ledger.benchmarks import BenchmarkChallengeRow, BenchmarkRunRow
from services import benchmarks, campaigns, claims
from services.clock import StoppedClock
from services.house import House
from tasks.moment import SECOND, Moment
from verifiers.benchmark.challenge import Challenge
from verifiers.evidence import ChainPoint

SHIPPED = Path(__file__).parent.parent / "devnet" / "scenarios" / "gpu_testnet_2023" / "benchmarks.json"
HOLDS = 7200 * SECOND
PROVES_AFTER = 120 * SECOND
"""How long after its challenge was asked for a container asks for the seed of its proof."""


@dataclass(frozen=True)
class ShippedRun:
    """One run: who asks for a challenge at `asked` and enters its result at `entered` (heights), `seconds_later` than
    that block; what is `expected` of it at the tip, after what reviewers decided, and why.

    `proof_seconds`: the result has no proof; the container makes it for the seed that it is given, posts the result,
    and this is the time that it takes by our clock.
    """

    participant: str
    provider: str
    asked: int
    entered: int
    expected: str
    why: str
    result: dict[str, Any]
    seconds_later: int = 0
    proof_seconds: int | None = None

    @property
    def challenge(self) -> str:
        """The id that the result was made for."""
        return str(self.result["challenge"])


@cache
def shipped_runs() -> tuple[ShippedRun, ...]:
    """The runs that the demo ships; its first lines say how they were made."""
    told = json.loads(SHIPPED.read_text("utf-8"))["runs"]
    results = {run["result"]["challenge"]: run["result"] for run in told}
    return tuple(_run(run, results) for run in told)


def _run(told: dict[str, Any], results: dict[str, dict[str, Any]]) -> ShippedRun:
    values = {name: value for name, value in told.items() if name != "like"}
    if "like" in told:
        values["result"] = {**results[told["like"]], **told["result"]}
    return ShippedRun(**values)


def benchmark_performances(
    house: House, block: Callable[[int], ChainPoint], known: Container[str]
) -> list[Performance]:
    """Entering the shipped results, for those of their people whom the story has (`known`: addresses).

    What is entered after its block comes behind all that waits for looks: at that block nobody can look at it yet.
    """
    return [
        Performance(run.entered, partial(_enter, house, block, run), waits=run.seconds_later > 0)
        for run in shipped_runs()
        if run.participant in known
    ]


def _enter(house: House, block: Callable[[int], ChainPoint], run: ShippedRun) -> None:
    loaded, asked = campaigns.required(house), block(run.asked).time
    challenge = Challenge(run.challenge, loaded.slug, run.participant, run.provider, asked, Moment(asked + HOLDS))
    then = house.at(StoppedClock(Moment(block(run.entered).time + run.seconds_later * SECOND)))
    benchmarks.keep_shipped(then, challenge)
    fields = {"challenge": run.challenge}
    if run.proof_seconds is None:
        fields["result"] = json.dumps(run.result)
    else:
        _prove_and_post(then, Moment(asked + PROVES_AFTER), run)
    claims.submit(then, run.participant, benchmarks.benchmark_task(loaded, then.clock.now()).slug, fields)


def _prove_and_post(then: House, begins: Moment, run: ShippedRun) -> None:
    """What the runner does in its container, by the use cases behind the API; again: nothing changes."""
    token = benchmarks.issued(then, run.participant, run.challenge).token
    with then.ledger.read() as session:
        row = session.get_one(BenchmarkChallengeRow, run.challenge)
        seed, draw = row.seed, row.draw
        is_posted = session.get(BenchmarkRunRow, run.challenge) is not None
    if is_posted:
        return
    if draw is None or seed is None:
        seed = benchmarks.start(then.at(StoppedClock(begins)), run.challenge, token, ORDER)
        product = Product(seed)
        committed = Moment(begins + (run.proof_seconds or 0) * SECOND)
        draw = benchmarks.commit(then.at(StoppedClock(committed)), run.challenge, token, product.root)
    else:  # stopped between commitment and result: a real container would still have its product
        product = Product(seed)
    result = {**run.result, "proof": product.answer(draw)}
    benchmarks.deliver(then, run.challenge, token, json.dumps(result))
