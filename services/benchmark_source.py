"""Benchmark runs as `gather` sees them, read from the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.benchmarks import BenchmarkRunRow, earlier_of_variant, earlier_with_output
from ledger.observations import load_observations
from services.house import House
from verifiers.benchmark.answers import Result
from verifiers.benchmark.plausible import LEAST_RUNS, median_low
from verifiers.benchmark.record import body_of, comparison_request
from verifiers.evidence import Observation, Source


class NoBenchmarks:
    """For a pass that judges no benchmark run."""

    def record(self, challenge: str) -> Observation | None:  # noqa: ARG002 - the shape of the protocol
        """Nothing is kept."""
        return None

    def comparison(self, challenge: str) -> Observation | None:  # noqa: ARG002
        """Nothing to compare with."""
        return None


@dataclass(frozen=True)
class KeptBenchmarks:
    """Implements `evidence.BenchmarkSource`."""

    house: House

    def record(self, challenge: str) -> Observation | None:
        """The run's record, kept when its owner entered it."""
        with self.house.ledger.read() as session:
            run = session.get(BenchmarkRunRow, challenge)
            if run is None or run.observation is None:
                return None
            return load_observations(session, [run.observation]).get(run.observation)

    def comparison(self, challenge: str) -> Observation | None:
        """Medians of its tests among earlier accepted runs of its variant; whose earlier run has its numbers."""
        with self.house.ledger.read() as session:
            run = session.get(BenchmarkRunRow, challenge)
            if run is None:
                return None
            others = earlier_of_variant(session, run)
            same = list(earlier_with_output(session, run))
        mine = Result.model_validate(run.result).measured()
        rates: dict[str, list[int]] = {}
        for other in others:
            for key, each in Result.model_validate(other.result).measured().items():
                if key in mine:
                    rates.setdefault(key, []).append(each.milli_per_second)
        medians = {
            key: {"milli_per_second": median_low(values), "runs": len(values)}
            for key, values in rates.items()
            if len(values) >= LEAST_RUNS
        }
        body = body_of({"variant": run.variant, "medians": medians, "same_output": same})
        return Observation(
            Source.COMPARISON, comparison_request(challenge), body, "comparison", self.house.clock.now()
        )
