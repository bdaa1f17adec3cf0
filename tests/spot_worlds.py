"""A provider whose GPUs are claimed, with spot checks that were opened and runs for them, as `gather` sees them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from tasks.moment import SECOND, Moment, format_moment
from tests.benchmark_worlds import FOLDER, gpu, result
from tests.onboarding_worlds import PROVIDER, START, OnboardingWorld, gpu_claim
from tests.provider_certificates import NOW
from verifiers.benchmark.record import body_of, record_request
from verifiers.evidence import ChainPoint, ClaimFacts, Observation, Outcome, Source, Verdict
from verifiers.onboarding.draws import Group, check_id
from verifiers.onboarding.spot_checks import name_of
from verifiers.onboarding.spot_record import Opened, spot_body, spot_request

GROUP = Group("small-test", "onboard", PROVIDER, PROVIDER, "a100")
BLOCK = 6 * SECOND
OPENED, RECEIVED = 2000, 3000
OVER = OPENED + 14_400
"""Blocks: the first spot check opens, a result comes, 24 hours are over."""


@cache
def proofs(name: str) -> dict[str, Any]:
    """Full-size proofs for the challenges of GROUP's first spot check: `two` (GPUs in one container, attempt 1),
    `first` and `second` (one GPU in each of two containers, attempt 2). The runner made them on a processor."""
    found: dict[str, dict[str, Any]] = json.loads((FOLDER / "spot-proofs.json").read_text())
    return found[name]


def spot_result(name: str, cards: Sequence[str] = ("GPU-a", "GPU-b"), **changes: Any) -> dict[str, Any]:
    """A good result of the container `name`; `cards`: the ids of its GPUs."""
    made = proofs(name)
    first, *others = made["proofs"]
    facts = [{**gpu(), "uuid": card} for card in cards]
    further = [{"gpu": card, "proof": proof} for card, proof in zip(facts[1:], others, strict=False)]
    whole = result(challenge=made["challenge"], gpu=facts[0], proof=first, **changes)
    return {**whole, **({"others": further} if further else {})}


def run_record(
    name: str, received: int = RECEIVED, *, run: dict[str, Any] | None = None, **issued: Any
) -> dict[str, Any]:
    """The platform's record of a run that came in block `received`."""
    challenge = {
        "id": proofs(name)["challenge"],
        "campaign": "small-test",
        "participant": PROVIDER,
        "provider": PROVIDER,
        "issued_at": format_moment(Moment(START + OPENED * BLOCK)),
        "expires_at": format_moment(gpu_claim().closes),
        "genuine": True,
        "sdl_hashes": [],
        "spot_check": check_id(GROUP, 1),
        **issued,
    }
    return {
        "challenge": challenge,
        "measured": None,
        "received_at": format_moment(Moment(START + received * BLOCK)),
        "delivered_by": "owner",
        "result": run if run is not None else spot_result(name),
    }


def spot_claim(number: int = 2, **changes: Any) -> ClaimFacts:
    """The claim of GROUP's `number`-th GPU."""
    return replace(gpu_claim(number), campaign="small-test", **changes)


@dataclass
class SpotWorld(OnboardingWorld):
    """`opened`: number → (block, GPUs); `runs`: records of results, by container, all for the first spot check."""

    opened: dict[int, tuple[int, int]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def own_lease(self, units: int = 2, created_at: int = 2500, **changes: Any) -> SpotWorld:
        """The participant leases its own GPUs."""
        dseq = changes.pop("dseq", 70)
        owner, provider = changes.pop("owner", PROVIDER), changes.pop("provider", PROVIDER)
        models = changes.pop("models", ("a100",))
        self.deploy(dseq, created_at - 10, owner=owner, models=models, units=units)
        self.lease(dseq, provider, created_at, owner=owner, **changes)
        return self

    def spot_checks(self, claim: ClaimFacts) -> Sequence[Observation]:
        """As `services/onboarding_records.py` makes it from the ledger."""
        seen = {name: _entered(record) for name, record in self.runs.items()}
        rows, kept = [], {}
        for number, (block, gpus) in self.opened.items():
            passing, ids = None, ()
            for verdict, given in self.earlier:
                if (look := _passing(verdict, number)) is not None and passing is None:
                    by_id = {one.id: one for one in given}
                    passing, names = look
                    ids = tuple(name for name in names if by_id[name].source in {Source.CHAIN, Source.ENTERED})
                    kept.update((name, by_id[name]) for name in ids)
            challenges = tuple(proofs(name)["challenge"] for name in self.runs) if number == 1 else ()
            opens = Moment(START + block * BLOCK)
            name = check_id(GROUP, number)
            rows.append(Opened(name, number, opens, gpus, block, "AB" * 32, challenges, passing, ids))
        if not rows:
            return ()
        record = Observation(Source.RECORD, spot_request(claim.id), spot_body("c0" * 32, rows), "record", NOW)
        return [record, *seen.values(), *kept.values()]

    def pages(self, path: str, parameters: Mapping[str, str], rows: str) -> Sequence[Observation]:
        if "filters.owner" in parameters:
            return super(OnboardingWorld, self).pages(path, parameters, rows)
        return super().pages(path, parameters, rows)


def _entered(record: dict[str, Any]) -> Observation:
    request = record_request(record["challenge"]["id"])
    return Observation(Source.ENTERED, request, body_of(record), "entered", NOW)


def _passing(verdict: Verdict, number: int) -> tuple[ChainPoint, tuple[str, ...]] | None:
    for check in verdict.checks:
        if check.name == name_of(number) and check.outcome == Outcome.PASSED and check.height is not None:
            return ChainPoint(verdict.as_of.chain_id, check.height, check.time or Moment(0)), check.observations
    return None
