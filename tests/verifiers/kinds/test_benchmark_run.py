"""A benchmark run: each of its checks passed, failed, pending and unknown; doubts lead to a review, never to a no."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tasks.moment import SECOND, Moment, format_moment
from tests import benchmark_worlds as worlds
from tests.benchmark_worlds import (
    CHALLENGE,
    DRAW,
    PROVIDER,
    RECEIVED,
    BenchmarkWorld,
    claim,
    full_size,
    gpu,
    measurements,
    params,
    record,
    result,
    world,
)
from tests.deployed_worlds import OWNER
from tests.provider_double import node
from verifiers.evidence import EntryRefused, Outcome, Verdict
from verifiers.kinds import benchmark_run, verifier_of

PASSED, FAILED, PENDING, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.PENDING, Outcome.UNKNOWN
ALL = ("challenge", "result", "proof", "proof_time", "source", "lease", "same_gpu", "plausible", "distinct")
IN_REVIEW = (*ALL[:7], "review")


def judged(seen: BenchmarkWorld, addresses: Sequence[str] = (OWNER,), **asked: Any) -> Verdict:
    """Gathered and judged; and judged again from what was gathered alone, which must say the same."""
    facts = claim(addresses=tuple(addresses))
    observations = benchmark_run.gather(facts, params(**asked), seen)
    verdict = benchmark_run.judge(facts, observations, params(**asked), seen.point)
    assert benchmark_run.judge(facts, list(reversed(observations)), params(**asked), seen.point) == verdict
    return verdict


def outcomes(verdict: Verdict) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in verdict.checks}


def measured(took_seconds: float = 2.5, **changes: Any) -> dict[str, Any]:
    """What the platform kept of an interactive proof."""
    started = Moment(RECEIVED - 60 * SECOND)
    proof = full_size()["interactive"]
    return {
        "n": 4096,
        "seed": proof["seed"],
        "started_at": format_moment(started),
        "root": proof["root"],
        "committed_at": format_moment(Moment(started + int(took_seconds * SECOND))),
        "draw": DRAW,
        **changes,
    }


def interactive(**changes: Any) -> dict[str, Any]:
    return record(result(proof=full_size()["interactive"]), measured=measured(), **changes)


def spoiled_proof(**changes: Any) -> dict[str, Any]:
    return record(result(proof=full_size()["alone"] | changes))


def test_verifier__of_the_kind__is_found_by_its_name() -> None:
    assert verifier_of("benchmark_run") is benchmark_run


def test_judge__honest_run__passes_with_receipt_and_attributes() -> None:
    verdict = judged(world(inventory=[node(gpus=[("a100", "80Gi")])]))
    assert outcomes(verdict) == dict.fromkeys(ALL, PASSED)
    assert verdict.outcome is PASSED
    assert (verdict.at, verdict.height, verdict.tx_index) == (RECEIVED, None, None)
    assert verdict.attributes == {"gpu_model": "a100", "provider": PROVIDER}
    assert verdict.next_look is None
    assert not verdict.holds_place


def test_judge__worked_alone__says_that_no_time_is_proven() -> None:
    seen = {check.name: check.seen for check in judged(world()).checks}
    assert seen["proof_time"] == "no time is proven: the container worked alone"


def test_judge__interactive__says_the_measured_time() -> None:
    verdict = judged(world(kept=interactive()))
    assert outcomes(verdict) == dict.fromkeys(ALL, PASSED)
    assert {check.name: check.seen for check in verdict.checks}["proof_time"] == "2.5 s by our clock"


def _ended(created: int = 110, closed: int = 250) -> BenchmarkWorld:
    made = worlds.BenchmarkWorld()
    made.deploy(7, models=("a100",)).lease(7, PROVIDER, created, closed, offered=("a100",))
    return made


def _elsewhere() -> BenchmarkWorld:
    made = worlds.BenchmarkWorld()
    made.deploy(7, models=("a100",)).lease(7, "akash1another", offered=("a100",))
    return made


def _without_gpu() -> BenchmarkWorld:
    made = worlds.BenchmarkWorld()
    made.deploy(7, units=0).lease(7, PROVIDER)
    return made


def _early(**changes: Any) -> BenchmarkWorld:
    """Seen at a block before the result came."""
    return world(height=290, **changes)


def _other_model(*offered: str) -> BenchmarkWorld:
    made = worlds.BenchmarkWorld(attributes=("h100",), inventory=None)
    made.deploy(7, models=("*",)).lease(7, PROVIDER, offered=offered)
    return made


CASES = {
    # challenge
    "challenge-not-ours": (world(kept=record(challenge={"genuine": False})), "challenge", FAILED),
    "challenge-of-somebody-else": (world(kept=record(challenge={"participant": "akash1x"})), "challenge", FAILED),
    "challenge-of-another-campaign": (world(kept=record(challenge={"campaign": "other"})), "challenge", FAILED),
    "challenge-another-one": (world(kept=record(challenge={"id": "ab" * 16})), "challenge", FAILED),
    "challenge-over": (
        world(kept=record(challenge={"expires_at": format_moment(Moment(RECEIVED - SECOND))})),
        "challenge",
        FAILED,
    ),
    "challenge-at-its-last-moment": (
        world(kept=record(challenge={"expires_at": format_moment(RECEIVED)})),
        "challenge",
        PASSED,
    ),
    # result
    "result-of-another-challenge": (world(kept=record(result(challenge="ab" * 16))), "result", FAILED),
    "result-of-another-suite": (world(kept=record(result(suite=2))), "result", FAILED),
    "result-without-gpu": (
        world(kept=record(result(gpu=None, device={"type": "cpu", "small": False, "processors": 2}))),
        "result",
        FAILED,
    ),
    "result-in-small-sizes": (
        world(kept=record(result(device={"type": "cuda", "small": True, "processors": 2}))),
        "result",
        FAILED,
    ),
    "result-without-a-test": (
        world(kept=record(result(measurements=measurements(resnet50_fp16=0)))),
        "result",
        FAILED,
    ),
    # proof
    "proof-of-another-seed": (world(kept=spoiled_proof(seed="12" * 32)), "proof", FAILED),
    "proof-with-another-root": (world(kept=spoiled_proof(root="12" * 32)), "proof", FAILED),
    "proof-with-another-draw": (world(kept=spoiled_proof(draw=DRAW)), "proof", FAILED),
    "proof-with-a-wrong-product": (world(kept=spoiled_proof(products=["12" * 32] * 2)), "proof", FAILED),
    "proof-with-other-rows": (
        world(kept=spoiled_proof(openings=list(reversed(full_size()["alone"]["openings"])))),
        "proof",
        FAILED,
    ),
    "proof-of-a-small-order": (world(kept=spoiled_proof(n=256)), "proof", FAILED),
    "proof-interactive-without-our-seed": (
        world(kept=record(result(proof=full_size()["interactive"]))),
        "proof",
        FAILED,
    ),
    "proof-interactive-with-another-commitment": (
        world(
            kept=record(result(proof=full_size()["interactive"]), measured=measured(root="12" * 32)),
        ),
        "proof",
        FAILED,
    ),
    "proof-replayed-as-interactive": (
        world(kept=record(result(proof=full_size()["alone"] | {"mode": "interactive"}), measured=measured())),
        "proof",
        FAILED,
    ),
    # source
    "source-posted-and-confirmed": (world(kept=record(delivered_by="runner")), "source", PASSED),
    "source-of-nobody": (world(kept=record(delivered_by="somebody")), "source", FAILED),
    # lease
    "lease-closed-before": (_ended(), "lease", FAILED),
    "lease-made-after": (_ended(301, 400), "lease", FAILED),
    "lease-closed-after": (_ended(110, 301), "lease", PASSED),
    "lease-elsewhere": (_elsewhere(), "lease", FAILED),
    "lease-without-gpu": (_without_gpu(), "lease", FAILED),
    "lease-none": (worlds.BenchmarkWorld(), "lease", FAILED),
    "lease-none-yet": (worlds.BenchmarkWorld(height=290), "lease", PENDING),
    "lease-open-so-far": (_early(), "lease", PENDING),
    "lease-list-not-readable": (world().trouble("/leases/list", "timeout"), "lease", UNKNOWN),
    "lease-deployments-not-readable": (world().trouble("/deployments/list", "rate_limited"), "lease", UNKNOWN),
    "lease-block-not-readable": (world().trouble("/blocks/110", "server_error"), "lease", UNKNOWN),
    "lease-block-forgotten": (world().trouble("/blocks/110", "pruned"), "lease", UNKNOWN),
    # gpu
    "gpu-as-inventory-and-lease": (world(inventory=[node(gpus=[("a100", "80Gi")])]), "same_gpu", PASSED),
    "gpu-inventory-not-to-be-had": (world(inventory=None), "same_gpu", UNKNOWN),
    "gpu-not-in-the-inventory": (world(inventory=[node(gpus=[("h100", "80Gi")])]), "same_gpu", FAILED),
    "gpu-inventory-without-gpus": (world(inventory=[node(gpus=[])]), "same_gpu", FAILED),
    "gpu-of-another-size-in-the-inventory": (world(inventory=[node(gpus=[("a100", "40Gi")])]), "same_gpu", FAILED),
    "gpu-both-sizes-in-the-inventory": (
        world(inventory=[node(gpus=[("a100", "40Gi"), ("a100", "80Gi")])]),
        "same_gpu",
        PASSED,
    ),
    "gpu-other-than-leased": (world(kept=record(result(gpu=gpu("NVIDIA H100 PCIe", 80, "")))), "same_gpu", FAILED),
    "gpu-other-than-offered": (_other_model("h100"), "same_gpu", FAILED),
    "gpu-other-than-the-attributes": (_other_model(), "same_gpu", FAILED),
    "gpu-none-in-the-result": (world(kept=record(result(gpu=None))), "same_gpu", FAILED),
    "gpu-bid-not-readable": (world().trouble("/bids/info", "timeout"), "same_gpu", UNKNOWN),
    "gpu-bid-forgotten": (world().trouble("/bids/info", "pruned"), "same_gpu", PASSED),
    "gpu-provider-not-readable": (world().trouble("/providers/", "timeout"), "same_gpu", UNKNOWN),
    "gpu-provider-not-on-the-chain": (world(attributes=None), "same_gpu", UNKNOWN),
    # plausible, distinct
    "plausible-near-the-median": (
        world(medians={"hf_Bert fp16 batch=32": (6_000_000, 3)}),
        "plausible",
        PASSED,
    ),
    "plausible-far-from-too-few": (world(medians={"hf_Bert fp16 batch=32": (60, 2)}), "plausible", PASSED),
    "plausible-not-compared": (world(compares=False), "plausible", UNKNOWN),
    "distinct-not-compared": (world(compares=False), "distinct", UNKNOWN),
}


@pytest.mark.parametrize(("seen", "name", "wanted"), CASES.values(), ids=CASES)
def test_judge__case__has_this_outcome(seen: BenchmarkWorld, name: str, wanted: Outcome) -> None:
    verdict = judged(seen)
    assert outcomes(verdict)[name] is wanted
    if wanted is not PASSED:
        assert verdict.outcome in {wanted, FAILED}
        assert verdict.missing or wanted is PENDING
    if verdict.outcome is FAILED:
        assert verdict.at is None
        assert not verdict.holds_place
    if verdict.outcome in {PENDING, UNKNOWN}:
        assert verdict.holds_place
        assert verdict.at == RECEIVED


DOUBTS = {
    "above-the-ceiling": (world(kept=record(result(measurements=measurements(gemm_fp32=10_000)))), "above what a"),
    "memory-above-the-ceiling": (
        world(kept=record(result(measurements=measurements(memory_copy_fp32=500_000)))),
        "above what a a100 can do",
    ),
    "large-faster-than-small": (
        world(kept=record(result(measurements=measurements(hf_Bert_large_fp16=5_000_000)))),
        "hf_Bert_large fp16 is faster than hf_Bert",
    ),
    "four-times-the-median": (world(medians={"hf_Bert fp16 batch=32": (1_300_000, 5)}), "times the median of 5 runs"),
    "a-fourth-of-the-median": (world(medians={"hf_Bert fp16 batch=32": (22_000_000, 5)}), "times the median"),
    "same-numbers-as-another": (world(same_output=["ab" * 16]), f"the same numbers as run {'ab' * 16}"),
    "proof-too-slow": (world(kept=interactive() | {"measured": measured(60)}), "the proof took 60.0 s"),
    "pci-id-of-another": (world(kept=record(result(gpu=gpu(pci_id="0x233010DE")))), "is that of a h100"),
}


@pytest.mark.parametrize(("seen", "words"), DOUBTS.values(), ids=DOUBTS)
def test_judge__doubt__is_for_a_reviewer(seen: BenchmarkWorld, words: str) -> None:
    verdict = judged(seen)
    assert outcomes(verdict) == dict.fromkeys(IN_REVIEW[:7], PASSED) | {"review": PENDING}
    assert verdict.outcome is PENDING
    assert verdict.holds_place
    assert words in verdict.checks[-1].seen


TROUBLES = (
    "timeout", "unreachable", "rate_limited", "server_error", "cut_body", "too_large", "wrong_content_type",
    "undecodable", "redirected", "denied", "pruned", "lagging", "syncing", "wrong_chain", "wrong_height", "disagree",
)  # fmt: skip
CALLS = ("/deployments/list", "/leases/list", "/blocks/110", "/bids/info", "/providers/")


@pytest.mark.parametrize("name", TROUBLES)
@pytest.mark.parametrize("call", CALLS)
def test_judge__trouble_of_every_call__never_fails_and_keeps_the_place(call: str, name: str) -> None:
    verdict = judged(world().trouble(call, name))
    assert Outcome.FAILED not in outcomes(verdict).values()
    forgotten = name == "pruned" and call == "/bids/info"
    assert verdict.outcome is (PASSED if forgotten else UNKNOWN)
    assert verdict.holds_place is (verdict.outcome is UNKNOWN)


def test_judge__nothing_but_the_result_names_the_gpu__is_for_a_reviewer() -> None:
    made = worlds.BenchmarkWorld(attributes=(), inventory=None, height=301 + 24 * 600)
    made.deploy(7, models=("*",)).lease(7, PROVIDER)
    verdict = judged(made)
    assert outcomes(verdict)["same_gpu"] is PASSED
    assert verdict.checks[-1].seen.startswith("nothing but the result names the GPU, the provider's inventory could")


def test_judge__machines_changed_a_day_later__is_for_a_reviewer() -> None:
    changed = [node(gpus=[("h100", "80Gi")])]
    soon = world(height=300 + 24 * 600, inventory=changed)
    assert outcomes(judged(soon))["same_gpu"] is FAILED
    late = judged(world(height=301 + 24 * 600, inventory=changed))
    assert outcomes(late)["same_gpu"] is PASSED
    assert late.checks[-1].seen.endswith("seen more than a day after the run")


def test_judge__lease_optional__asks_for_none() -> None:
    verdict = judged(worlds.BenchmarkWorld(), lease="optional")
    assert outcomes(verdict)["lease"] is PASSED
    assert verdict.outcome is PASSED


def test_judge__lease_of_a_linked_address__counts() -> None:
    made = worlds.BenchmarkWorld()
    made.deploy(7, models=("a100",), owner="akash1linked")
    made.lease(7, PROVIDER, offered=("a100",), owner="akash1linked")
    assert outcomes(judged(made, (OWNER, "akash1linked")))["lease"] is PASSED
    assert outcomes(judged(made))["lease"] is FAILED


def test_judge__issued_sdl__is_named() -> None:
    seen = {check.name: check.seen for check in judged(world()).checks}
    assert seen["lease"].endswith("running the SDL issued for this challenge")


def test_judge__model_outside_the_list__passes_under_its_own_name() -> None:
    machines = [node(gpus=[("l40s", "48Gi")])]
    kept = record(result(gpu=gpu("NVIDIA L40S", 48, "")))
    made = worlds.BenchmarkWorld(kept=kept, attributes=("l40s",), inventory=machines)
    made.deploy(7, models=("l40s",)).lease(7, PROVIDER, offered=("l40s",))
    verdict = judged(made)
    assert outcomes(verdict)["same_gpu"] is PASSED
    assert verdict.attributes["gpu_model"] == "l40s"


def test_judge__record_not_there__is_unknown_in_every_check() -> None:
    verdict = judged(world(kept=None))
    assert outcomes(verdict) == dict.fromkeys(ALL, UNKNOWN)
    assert verdict.outcome is UNKNOWN


def test_judge__record_not_readable__is_unknown() -> None:
    assert judged(world(kept={"challenge": 1})).outcome is UNKNOWN


def test_judge__pending_lease__is_looked_at_again_after_the_receipt() -> None:
    verdict = judged(_early())
    assert verdict.next_look is not None
    assert verdict.next_look > RECEIVED


def test_gather__claim_seen_twice__asks_the_same() -> None:
    seen = world()
    first = benchmark_run.gather(claim(), params(), seen)
    asked = list(seen.asked)
    assert benchmark_run.gather(claim(), params(), seen) == first
    assert seen.asked == asked * 2


# ---- entering ----


def test_enter__challenge_and_result__become_a_claim_about_the_challenge() -> None:
    text = json.dumps(result())
    entry = benchmark_run.enter({"challenge": f" {CHALLENGE.upper()} ", "result": text}, params(), [OWNER])
    assert entry.subject == CHALLENGE
    assert entry.fields == {"challenge": CHALLENGE}
    assert entry.run is not None
    assert entry.run.result == text


def test_enter__no_result__is_left_to_the_runner() -> None:
    entry = benchmark_run.enter({"challenge": CHALLENGE}, params(), [OWNER])
    assert entry.run is not None
    assert entry.run.result is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "challenge"),
        ({"challenge": "abc"}, "challenge"),
        ({"challenge": CHALLENGE + "0"}, "challenge"),
        ({"challenge": CHALLENGE, "result": "{}"}, "result"),
        ({"challenge": CHALLENGE, "result": "[]"}, "result"),
        ({"challenge": CHALLENGE, "result": "nothing"}, "result"),
        ({"challenge": CHALLENGE, "result": "[" * 60_000}, "result"),
        ({"challenge": CHALLENGE, "result": "{" + " " * 70_000 + "}"}, "result"),
    ],
)
def test_enter__something_wrong__names_the_field(fields: dict[str, str], field: str) -> None:
    with pytest.raises(EntryRefused) as refused:
        benchmark_run.enter(fields, params(), [OWNER])
    assert refused.value.field == field
