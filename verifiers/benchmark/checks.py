"""The checks of a benchmark run, each with what was expected and what was seen (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tasks.moment import SECOND, Moment
from verifiers.benchmark.answers import Result
from verifiers.benchmark.ceilings import proof_limit_ns
from verifiers.benchmark.hardware import (
    Hardware,
    Told,
    hardware,
    of_attributes,
    of_inventory,
    of_lease,
    unsaid,
)
from verifiers.benchmark.leases import Found, Leases
from verifiers.benchmark.params import BenchmarkParams
from verifiers.benchmark.plausible import SUITE_1, Median, doubts, missing_tests
from verifiers.benchmark.proofs import mistake_of
from verifiers.benchmark.record import Comparison, RunRecord
from verifiers.chain.answers import Provider
from verifiers.deployed import wording
from verifiers.deployed.facts import FORGOTTEN
from verifiers.evidence import Check, ClaimFacts, Outcome
from verifiers.provider.facts import Answer, ProviderSeen
from verifiers.provider.trouble import told as how

LEAST_ORDER = 4096
"""The order of the proof's matrices on a GPU."""

MACHINES_STAY = 24 * 3600 * SECOND
"""For how long after a run the provider's machines must still be those of the run."""

NAMES = ("challenge", "result", "proof", "proof_time", "source", "lease", "same_gpu", "plausible", "distinct")
REVIEW = "review"
SILENT = "The provider's inventory could not be read: we ask again until a day after the run, then a person looks."
NEW_RUN = "Ask for a new challenge and run again."


@dataclass(frozen=True, slots=True)
class Seen:
    """All facts of one look: the record, the leases, the provider and its record on the chain, the comparison."""

    record: RunRecord
    record_ids: tuple[str, ...]
    leases: Leases
    on_chain: Answer[Provider]
    provider: ProviderSeen
    comparison: Comparison | None
    comparison_ids: tuple[str, ...]


@dataclass(frozen=True)
class Checker:
    """Says of each rule of `benchmark_run` how a claim stands; what only a person can decide goes to `reasons`."""

    claim: ClaimFacts
    seen: Seen
    params: BenchmarkParams

    def checks(self) -> tuple[Check, ...]:
        """The nine of `NAMES`; where there are doubts, `plausible` and `distinct` give way to one open review."""
        first = (self._challenge(), self._result(), self._proof(), self._time(), self._source(), self._lease())
        last = (self._plausible(), self._distinct()) if not self.reasons else (self._review(),)
        return (*first, self._gpu(), *last)

    def missing(self, checks: Iterable[Check]) -> tuple[str, ...]:
        """What the participant can do about checks that are not passed."""
        found = [_MENDS[check.name] for check in checks if check.outcome == Outcome.FAILED and check.name in _MENDS]
        unknown = {check.name for check in checks if check.outcome == Outcome.UNKNOWN}
        if not found and unknown:
            is_theirs = unknown == {"same_gpu"} and self.is_silent and self._chain_trouble is None
            found = [SILENT if is_theirs else "We could not look: our side, we try again."]
        return tuple(dict.fromkeys(found))

    @property
    def attributes(self) -> dict[str, str]:
        """`gpu_model` and `provider` of the completion."""
        model = {"gpu_model": self._hardware.model} if self._hardware else {}
        return {**model, "provider": self.seen.record.challenge.provider}

    @property
    def _run(self) -> Result:
        return self.seen.record.result

    def _check(self, name: str, expected: str, seen: str, outcome: Outcome, ids: Iterable[str] = ()) -> Check:
        ids = tuple(dict.fromkeys([*self.seen.record_ids, *ids]))
        point = self.seen.leases.facts.point
        return Check(name, expected, seen, outcome, ids, point.height, point.time)

    def _challenge(self) -> Check:
        issued, received = self.seen.record.challenge, self.seen.record.received_at
        expected = f"a challenge of ours for you and this campaign, its result before {issued.expires_at}"
        ours = (issued.genuine or issued.shipped) and issued.id == self.claim.subject
        yours = (issued.participant, issued.campaign) == (self.claim.participant, self.claim.campaign)
        is_timely = self.seen.record.received <= issued.expires
        origin = "shipped with the demo, given" if issued.shipped else "issued"
        seen = f"{origin} {issued.issued_at}, result received {received}"
        if not ours:
            seen = "not a challenge of ours"
        elif not yours:
            seen = "given to somebody else or for another campaign"
        return self._check("challenge", expected, seen, _passed(ours and yours and is_timely))

    def _result(self) -> Check:
        run, params = self._run, self.params
        expected = f"suite {params.suite} whole, in full size, on a GPU, for this challenge"
        if run.challenge != self.claim.subject:
            seen = f"for challenge {run.challenge}"
        elif run.suite != params.suite:
            seen = f"suite {run.suite}"
        elif run.device.type != "cuda" or run.gpu is None:
            seen = "run on a processor, without a GPU"
        elif run.device.small:
            seen = "run in small sizes"
        elif missing := missing_tests(run):
            seen = f"without {', '.join(missing)}"
        else:
            seen = f"{len(run.measurements)} measurements of {len(SUITE_1)} tests, PyTorch {run.runner.torch}"
            return self._check("result", expected, seen, Outcome.PASSED)
        return self._check("result", expected, seen, Outcome.FAILED)

    def _proof(self) -> Check:
        expected = f"a product of two {LEAST_ORDER} x {LEAST_ORDER} matrices of this challenge, really computed"
        mistake = mistake_of(self.claim.subject, self._run, self.seen.record.measured, LEAST_ORDER)
        seen = mistake or "the drawn vectors and rows agree with the commitment"
        return self._check("proof", expected, seen, _passed(mistake is None))

    @property
    def _took_too_long(self) -> str:
        measured = self.seen.record.measured
        if self._run.proof.mode != "interactive" or measured is None or self._hardware is None:
            return ""
        limit = proof_limit_ns(self._hardware.model, measured.n)
        took, most = measured.took_ns / 10**9, limit / 10**9
        too_long = measured.took_ns > limit
        return f"the proof took {took:.1f} s, more than {most:.1f} s for a {self._hardware.model}" if too_long else ""

    def _time(self) -> Check:
        measured = self.seen.record.measured
        if self._run.proof.mode == "alone" or measured is None:
            expected = "the time between seed and commitment, where the container can reach us"
            return self._check(
                "proof_time", expected, "no time is proven: the container worked alone", Outcome.PASSED
            )
        model = self._hardware.model if self._hardware else ""
        expected = f"commitment within {proof_limit_ns(model, measured.n) / 10**9:.1f} s of the seed"
        seen = f"{measured.took_ns / 10**9:.1f} s by our clock{'; a person looks' if self._took_too_long else ''}"
        return self._check("proof_time", expected, seen, Outcome.PASSED)

    def _source(self) -> Check:
        by = self.seen.record.delivered_by
        expected = "fetched from the lease, entered by the owner, or posted by the runner and confirmed by the owner"
        words = {
            "lease": "fetched from the lease's address on this provider, for the owner",
            "owner": "entered by the owner",
            "runner": "posted by the runner, confirmed by the owner",
        }
        return self._check("source", expected, words.get(by, by), _passed(by in words))

    @cached_property
    def _found(self) -> Found:
        return self.seen.leases.at(self.seen.record.received)

    def _lease(self) -> Check:
        received, found = self.seen.record.received_at, self._found
        provider = wording.short(self.seen.record.challenge.provider)
        expected = f"a GPU lease of yours on {provider}, active when the result came, {received}"
        if found.lease is not None:
            name = found.lease.lease.id
            seen = f"lease {name.dseq}/{name.gseq}/{name.oseq} of {wording.short(name.owner)}"
            hashes = self.seen.record.challenge.sdl_hashes
            runs_ours = found.deployment is not None and found.deployment.deployment.hash in hashes
            seen += ", running the SDL issued for this challenge" if runs_ours else ", running another SDL"
            outcome = Outcome.PENDING if found.is_open else Outcome.PASSED
            return self._check("lease", expected, seen, outcome, found.observations)
        if found.trouble is not None and found.trouble not in FORGOTTEN:
            seen = wording.could_not_look(found.trouble)
            return self._check("lease", expected, seen, Outcome.UNKNOWN, found.observations)
        return self._no_lease(expected)

    def _no_lease(self, expected: str) -> Check:
        found = self._found
        if not self.params.needs_lease:
            return self._check("lease", expected, "none, and none is asked", Outcome.PASSED, found.observations)
        if found.trouble is not None:
            seen = "the chain's nodes have forgotten when the lease was made or closed"
            return self._check("lease", expected, seen, Outcome.UNKNOWN, found.observations)
        if self.seen.leases.facts.point.time < self.seen.record.received:
            seen = "none up to the block that we see so far"
            return self._check("lease", expected, seen, Outcome.PENDING, found.observations)
        ended = [f"{lease.lease.id.dseq}" for lease in found.ended]
        seen = f"not active then: {wording.listed(ended)}" if ended else "there is none"
        return self._check("lease", expected, seen, Outcome.FAILED, found.observations)

    @cached_property
    def _hardware(self) -> Hardware | None:
        facts = self._run.gpu
        return hardware(facts, self._told, self.params) if facts is not None else None

    @cached_property
    def _told(self) -> Sequence[Told]:
        told: list[Told] = []
        found, facts = self._found, self._run.gpu
        if found.lease is not None and found.group is not None:
            bid = self.seen.leases.bid(found.lease)
            told.append(of_lease(bid.gpu_models_offered if bid else (), found.group, self.params))
        inventory = self.seen.provider.known_inventory
        if inventory is not None and facts is not None:
            model = hardware(facts, (), self.params).model
            told.append(replace(of_inventory(inventory, model, self.params), is_late=self._is_late))
        record = self.seen.on_chain.value
        if record is not None and not any(each.models for each in told):
            told.append(replace(of_attributes(record, self.params), is_late=self._is_late))
        return told

    @property
    def _is_late(self) -> bool:
        return self.seen.leases.facts.point.time > self.machines_stay_until

    def _gpu(self) -> Check:
        expected = "the GPU of the result is the one of the lease and of the provider"
        ids = (*self._bid_ids, *self.seen.on_chain.observations, *self.seen.provider.inventory.observations)
        found = self._hardware
        if found is None:
            return self._check("same_gpu", expected, "the result names no GPU", Outcome.FAILED, ids)
        if found.mismatch:
            return self._check("same_gpu", expected, found.mismatch, Outcome.FAILED, ids)
        if self._found.lease is None and self._found.trouble is not None:
            return self._check(
                "same_gpu", expected, wording.could_not_look(self._found.trouble), Outcome.UNKNOWN, ids
            )
        if trouble := self._chain_trouble:
            return self._check("same_gpu", expected, wording.could_not_look(trouble), Outcome.UNKNOWN, ids)
        seen = found.seen
        if self.seen.provider.known_inventory is None:
            seen += f"; its inventory can't be compared: it {how(self.seen.provider.first_trouble or 'unasked')}"
        outcome = Outcome.UNKNOWN if self.is_silent else Outcome.PASSED
        return self._check("same_gpu", expected, seen, outcome, ids)

    @property
    def is_silent(self) -> bool:
        """Whether the provider does not show its machines while they must still be those of the run: we ask again."""
        return self._hardware is not None and self.seen.provider.known_inventory is None and not self._is_late

    @property
    def machines_stay_until(self) -> Moment:
        """The last moment at which the machines must still be those of the run."""
        return Moment(self.seen.record.received + MACHINES_STAY)

    @property
    def _bid_ids(self) -> tuple[str, ...]:
        lease = self._found.lease
        return self.seen.leases.facts.bid(lease.lease.id).observations if lease else ()

    @property
    def _chain_trouble(self) -> str | None:
        """Why lease and provider could not be read whole; what is forgotten for good is passed over."""
        lease = self._found.lease
        bid = self.seen.leases.facts.bid(lease.lease.id).trouble if lease else None
        troubles = (bid, self.seen.on_chain.trouble)
        return next((each for each in troubles if each is not None and each not in FORGOTTEN), None)

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """What only a person can decide, as phrases."""
        if self._hardware is None:
            return ()
        alone = "" if self.is_silent else unsaid(self._hardware, self.params)
        found = [*self._hardware.doubts, *(each for each in (alone, self._took_too_long) if each)]
        found += doubts(self._run, self._hardware.model, self._medians, self.params.within_permille)
        same = self.seen.comparison.same_output if self.seen.comparison else ()
        if same:
            found.append(f"the same numbers as run {wording.listed(same, 3)} of somebody else")
        return tuple(found)

    @property
    def _medians(self) -> Mapping[str, Median]:
        return self.seen.comparison.medians if self.seen.comparison else {}

    def _plausible(self) -> Check:
        times = self.params.within_permille / 1000
        expected = f"values within what the GPU can do, and within {times:g} times the median of its kind"
        if self.seen.comparison is None:
            return self._check("plausible", expected, "could not compare", Outcome.UNKNOWN, self.seen.comparison_ids)
        compared = len(self._medians)
        seen = f"{compared} values near the medians of {self.seen.comparison.variant}"
        if not compared:
            seen = f"within the limits; too few runs of {self.seen.comparison.variant} for a median yet"
        return self._check("plausible", expected, seen, Outcome.PASSED, self.seen.comparison_ids)

    def _distinct(self) -> Check:
        expected = "numbers that nobody else has entered"
        if self.seen.comparison is None:
            return self._check("distinct", expected, "could not compare", Outcome.UNKNOWN, self.seen.comparison_ids)
        return self._check("distinct", expected, "nobody else has them", Outcome.PASSED, self.seen.comparison_ids)

    def _review(self) -> Check:
        expected = "values that can be true, or a reviewer who accepts them"
        seen = wording.listed(self.reasons, 6)
        return self._check(REVIEW, expected, seen, Outcome.PENDING, self.seen.comparison_ids)


_MENDS = {
    "challenge": NEW_RUN,
    "result": "Run the whole suite on the leased GPU, and enter the result.json of this challenge.",
    "proof": "Enter result.json exactly as the runner wrote it, or run again with a new challenge.",
    "source": "Enter the result yourself.",
    "lease": "Ask for a new challenge, and keep the lease open until the result is entered.",
    "same_gpu": "Lease the GPU that you benchmark: the models must agree. " + NEW_RUN,
}


def _passed(is_so: bool) -> Outcome:  # noqa: FBT001 - reads as "passed if"
    return Outcome.PASSED if is_so else Outcome.FAILED
