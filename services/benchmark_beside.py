"""The numbers of a benchmark run beside those of others: what a reviewer compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.benchmarks import BenchmarkRunRow, earlier_with_output, run_of_claim
from services.benchmark_source import KeptBenchmarks
from services.house import House
from verifiers.benchmark.answers import Measurement, Result
from verifiers.benchmark.ceilings import bytes_limit, flops_limit
from verifiers.benchmark.plausible import Median
from verifiers.benchmark.record import find_comparison

MOST_OTHERS = 3


@dataclass(frozen=True, slots=True)
class Numbers:
    """One test, rates in thousandths of a unit a second. `others`: in the order of the runs, None where not there.

    `most`: what the model can do, None where no limit is known.
    """

    measured: Measurement
    median: Median | None
    most: int | None
    others: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class NumbersBeside:
    """A run beside the medians of its variant and beside earlier runs of others with the same numbers."""

    run: BenchmarkRunRow
    result: Result
    others: Sequence[tuple[BenchmarkRunRow, Result]]
    rows: Sequence[Numbers]


def numbers_beside(house: House, claim: str) -> NumbersBeside | None:
    """The numbers of a claim's run beside others; None where the claim has no run."""
    with house.ledger.read() as session:
        run = run_of_claim(session, claim)
        if run is None:
            return None
        same = earlier_with_output(session, run)[:MOST_OTHERS]
        found = [session.get_one(BenchmarkRunRow, challenge) for challenge in same]
    result = Result.model_validate(run.result)
    others = [(each, Result.model_validate(each.result)) for each in found]
    kept = KeptBenchmarks(house).comparison(run.challenge)
    comparison, _ = find_comparison([kept] if kept else [], run.challenge)
    medians: Mapping[str, Median] = comparison.medians if comparison else {}
    measured = [other.measured() for _, other in others]
    rows = [
        Numbers(
            each,
            medians.get(key),
            _most(each, run.gpu_model),
            tuple(one[key].milli_per_second if key in one else None for one in measured),
        )
        for key, each in result.measured().items()
    ]
    return NumbersBeside(run, result, others, rows)


def _most(each: Measurement, model: str) -> int | None:
    limit = {"flop": flops_limit(model, each.precision), "byte": bytes_limit(model)}.get(each.unit)
    return None if limit is None else limit * 1000
