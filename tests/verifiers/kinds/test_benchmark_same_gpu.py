"""Whether a run's GPU is the one of lease and provider: names in no table, inventories that can't be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tasks.moment import SECOND
from tests import benchmark_worlds as worlds
from tests.benchmark_worlds import PROVIDER, RECEIVED, BenchmarkWorld, claim, gpu, params, record, result
from tests.provider_double import node
from verifiers.benchmark.checks import SILENT
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


# ---- inventories that can't be read ----

DAY = 24 * 600
"""Blocks of a day; the result came at block 300."""


def silent(height: int, *ram: str, models: tuple[str, ...] = ("a100",), **changes: Any) -> BenchmarkWorld:
    """A provider whose inventory can't be had, at a height; the lease names the models, with their memory or not."""
    names = tuple(f"{model}{f'/ram/{size}' if size else ''}" for model in models for size in ram or ("",))
    made = worlds.BenchmarkWorld(height=height, **{"inventory": None, **changes})
    made.deploy(7, models=names).lease(7, PROVIDER, offered=names)
    return made


def h100() -> dict[str, Any]:
    return record(result(gpu=gpu("NVIDIA H100 PCIe", 80, "")))


@pytest.mark.parametrize("height", [400, 300 + DAY])
@pytest.mark.parametrize("ram", [(), ("80Gi",)])
def test_judge__silent_while_the_machines_stay__is_unknown_and_looked_at_again(
    height: int, ram: tuple[str, ...]
) -> None:
    seen = silent(height, *ram)
    verdict = judged(seen)
    assert [name for name, outcome in outcomes(verdict).items() if outcome is not PASSED] == ["same_gpu"]
    assert (outcomes(verdict)["same_gpu"], verdict.outcome) == (UNKNOWN, UNKNOWN)
    assert (verdict.at, verdict.holds_place) == (RECEIVED, True)
    assert verdict.next_look is not None
    assert seen.point.time < verdict.next_look <= RECEIVED + 24 * 3600 * SECOND + SECOND
    assert verdict.missing == (SILENT,)


ONLY = "only the result says 80 GB"
AFTER = {
    "memory-in-the-lease": (silent(301 + DAY, "80Gi"), ""),
    "one-size-of-the-model": (silent(301 + DAY, models=("h100",), kept=h100(), attributes=("h100",)), ""),
    "no-memory-in-the-lease": (silent(301 + DAY), f"the lease does not say which memory: {ONLY}"),
    "both-sizes-in-the-lease": (silent(301 + DAY, "40Gi", "80Gi"), f"does not say which memory: {ONLY}"),
    "several-models-in-the-lease": (silent(301 + DAY, "80Gi", models=("a100", "h100")), "does not say which model"),
    "any-model-in-the-lease": (silent(301 + DAY, models=("*",)), f"does not say which model: {ONLY}"),
    "weeks-later": (silent(20_000), "could not be read within a day of the run"),
    "no-record-of-the-provider": (silent(301 + DAY, attributes=None), "could not be read within a day"),
}


@pytest.mark.parametrize(("seen", "reason"), AFTER.values(), ids=AFTER)
def test_judge__silent_for_a_day__passes_where_the_lease_says_it_else_asks_a_person(
    seen: BenchmarkWorld, reason: str
) -> None:
    verdict = judged(seen)
    assert outcomes(verdict)["same_gpu"] is PASSED
    assert "its inventory can't be compared: it " in verdict.checks[6].seen
    assert verdict.next_look is None
    assert verdict.outcome is (PENDING if reason else PASSED)
    assert outcomes(verdict).get("review") is (PENDING if reason else None)
    assert reason in verdict.checks[-1].seen


def test_judge__silent_provider__still_fails_what_lease_contradicts() -> None:
    assert outcomes(judged(silent(400, "40Gi")))["same_gpu"] is FAILED
    assert judged(silent(400, "40Gi")).next_look is None


MEMORY = {
    "no-memory": (worlds.world(inventory=[node(gpus=[("a100", "")])]), PENDING),
    "one-card-without": (worlds.world(inventory=[node(gpus=[("a100", "80Gi"), ("a100", "")])]), PENDING),
    "memory-in-the-lease": (silent(400, "80Gi", inventory=[node(gpus=[("a100", "")])]), PASSED),
}


@pytest.mark.parametrize(("seen", "outcome"), MEMORY.values(), ids=MEMORY)
def test_judge__inventory_without_memory__asks_a_person_unless_the_lease_says_it(
    seen: BenchmarkWorld, outcome: Outcome
) -> None:
    verdict = judged(seen)
    assert outcomes(verdict)["same_gpu"] is PASSED
    assert verdict.outcome is outcome
    assert ("the provider's inventory names no memory" in verdict.checks[-1].seen) is (outcome is PENDING)


def test_judge__answers_again_within_the_day__passes() -> None:
    assert judged(silent(400)).outcome is UNKNOWN
    assert judged(silent(500, inventory=[node(gpus=[("a100", "80Gi")])])).outcome is PASSED
    assert judged(silent(500, inventory=[node(gpus=[("a100", "40Gi")])])).outcome is FAILED
