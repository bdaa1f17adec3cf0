"""What earlier looks at a claim found, so that the first one that passed is judged for ever (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.moment import Moment
from verifiers.evidence import ChainPoint, ClaimFacts, Observation, Outcome, Source
from verifiers.probes import canonical

INSTANT = (
    "provider", "certificate", "rest", "address", "grpc", "inventory", "gpu_listed", "attributes", "cpu", "ram",
    "one_model", "gpu_label", "audited",
)  # fmt: skip
"""The checks that must hold at one moment, by name."""

LEASE = "lease"


@dataclass(frozen=True, slots=True)
class Look:
    """One earlier look: when it was, what the checks of one moment said together, whether the lease was there."""

    height: int
    instant: Outcome
    has_lease: bool


@dataclass(frozen=True, slots=True)
class Looks:
    """Earlier looks, the oldest first, up to the first that passed all and saw the lease: `passing` is its block,
    `observations` are the ids of what it saw."""

    looks: tuple[Look, ...] = ()
    passing: ChainPoint | None = None
    observations: tuple[str, ...] = ()

    @property
    def has_passed(self) -> bool:
        """Whether an earlier look has passed."""
        return self.passing is not None


NO_LOOKS = Looks()


def looks_request(claim: str) -> str:
    """How the observation is named."""
    return f"LOOKS {claim}"


def instant_outcome(checks: Mapping[str, str]) -> Outcome:
    """What the checks of one moment say together. `checks`: outcome by name, of any look.

    One that clearly does not hold decides, whatever could not be looked at beside it: with a certificate of somebody
    else nobody is asked, and that look has looked.
    """
    seen = {checks[name] for name in INSTANT if name in checks}
    if seen & {Outcome.PENDING, Outcome.FAILED}:
        return Outcome.PENDING
    return Outcome.PASSED if seen == {Outcome.PASSED} else Outcome.UNKNOWN


def look_of(height: int, checks: Mapping[str, str]) -> Look:
    """A look from the outcomes of its checks by name."""
    return Look(height, instant_outcome(checks), checks.get(LEASE) == Outcome.PASSED)


def looks_body(looks: Sequence[Look], passing: ChainPoint | None, observations: Sequence[str]) -> bytes:
    """The observation's body: canonical JSON."""
    point = None
    if passing is not None:
        point = {"chain_id": passing.chain_id, "height": passing.height, "time_ns": passing.time}
    rows = [{"height": look.height, "instant": str(look.instant), "lease": look.has_lease} for look in looks]
    return canonical({"looks": rows, "passing": point, "observations": list(observations)})


def read_looks(claim: str, observations: Sequence[Observation]) -> Looks:
    """What is on record of earlier looks at this claim; nothing where there is no such observation."""
    for observation in observations:
        if observation.source == Source.RECORD and observation.request == looks_request(claim):
            return _read(json.loads(observation.body))
    return NO_LOOKS


def _read(document: Any) -> Looks:
    point = document["passing"]
    looks = tuple(Look(row["height"], Outcome(row["instant"]), row["lease"]) for row in document["looks"])
    if point is None:
        return Looks(looks)
    passing = ChainPoint(point["chain_id"], point["height"], Moment(point["time_ns"]))
    return Looks(looks, passing, tuple(document["observations"]))


class NothingKept:
    """For a pass that keeps no record: neither probes nor earlier looks."""

    def days(self, provider: str, begins: Moment, ends: Moment) -> Sequence[Observation]:  # noqa: ARG002
        """None."""
        return ()

    def looks(self, claim: str) -> Sequence[Observation]:  # noqa: ARG002 - the shape of the protocol
        """None."""
        return ()

    def spot_checks(self, claim: ClaimFacts) -> Sequence[Observation]:  # noqa: ARG002
        """None."""
        return ()

    def tenants(self, addresses: Sequence[str]) -> Observation:  # noqa: ARG002
        """Nobody can be looked up."""
        return Observation(Source.RECORD, "TENANTS", b"", "record", Moment(0), trouble="not_looked")

    def provider_created(self, provider: str) -> int | None:  # noqa: ARG002
        """Unknown."""
        return None
