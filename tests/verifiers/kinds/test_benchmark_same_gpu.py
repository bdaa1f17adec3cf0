"""Whether a run's GPU is the one of lease and provider: names in no table, inventories that can't be read."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests import benchmark_worlds as worlds
from tests.benchmark_worlds import PROVIDER, BenchmarkWorld, claim, gpu, params, record, result
from tests.provider_double import node
from verifiers.evidence import Outcome, Verdict
from verifiers.kinds import benchmark_run

PASSED, FAILED, PENDING, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.PENDING, Outcome.UNKNOWN


def judged(seen: BenchmarkWorld) -> Verdict:
    observations = benchmark_run.gather(claim(), params(), seen)
    return benchmark_run.judge(claim(), observations, params(), seen.point)


def outcomes(verdict: Verdict) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in verdict.checks}


@dataclass(frozen=True)
class Names:
    """What the result, the lease and the inventory call the card; `same_gpu` and what a reviewer is asked, if any."""

    driver: str
    leased: str
    inventory: str
    outcome: Outcome
    doubt: str = ""


SPELLINGS = {
    "ada-generation": Names("NVIDIA RTX 6000 Ada Generation", "rtx6000ada", "rtx6000ada", PASSED),
    "without-the-series": Names("NVIDIA GeForce RTX 4090", "rtx4090", "4090", PASSED),
    "unknown-in-the-inventory": Names(
        "NVIDIA A100-SXM4-80GB", "a100", "grid-x80", PASSED,
        "the provider's inventory has gridx80, the result names a100 (NVIDIA A100-SXM4-80GB)",
    ),
    "unknown-in-the-result": Names(
        "NVIDIA PG506-232", "a100", "a100", PASSED, "the lease has a100, the result names pg506232 (NVIDIA PG506-232)"
    ),
    "variant-of-another": Names("NVIDIA GeForce RTX 4080 SUPER", "rtx4080", "rtx4080", PASSED, "has rtx4080, the"),
    "both-known": Names("NVIDIA L40", "l4", "l4", FAILED),
    "one-of-the-campaign-one-of-ours": Names("NVIDIA A100-SXM4-80GB", "a10", "a10", FAILED),
}  # fmt: skip


@pytest.mark.parametrize("names", SPELLINGS.values(), ids=SPELLINGS)
def test_judge__names__fail_only_where_both_are_in_a_table(names: Names) -> None:
    kept = record(result(gpu=gpu(names.driver, 80, "")))
    made = worlds.BenchmarkWorld(kept=kept, inventory=[node(gpus=[(names.inventory, "80Gi")])])
    made.deploy(7, models=(names.leased,)).lease(7, PROVIDER, offered=(names.leased,))
    verdict = judged(made)
    assert outcomes(verdict)["same_gpu"] is names.outcome
    review = next((check.seen for check in verdict.checks if check.name == "review"), "")
    assert names.doubt in review
    assert ("in no table" in review) is bool(names.doubt)
