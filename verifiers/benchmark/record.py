"""What the platform keeps of a run and its comparison with others, as the judge reads them (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.moment import Moment, parse_moment
from verifiers.benchmark.answers import Result
from verifiers.benchmark.plausible import Median
from verifiers.evidence import Observation, Source


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class IssuedFacts(_Part):
    """The challenge as it was issued; `genuine`: its id is the code of these facts under one of our keys.

    `shipped`: it came with a demo on loopback, together with a result that was made for it.
    `spot_check`: the id of the spot check that it was given for; empty for a run that its owner asked for.
    """

    id: str
    campaign: str
    participant: str
    provider: str
    issued_at: str
    expires_at: str
    genuine: bool
    shipped: bool = False
    sdl_hashes: list[str]
    spot_check: str = ""

    @property
    def expires(self) -> Moment:
        """Until when a result counts."""
        return parse_moment(self.expires_at)


class MeasuredFacts(_Part):
    """The interactive proof: what we gave, what we got, and when."""

    n: int
    seed: str
    started_at: str
    root: str
    committed_at: str
    draw: str

    @property
    def took_ns(self) -> int:
        """Between seed and commitment, by our clock."""
        return parse_moment(self.committed_at) - parse_moment(self.started_at)


class RunRecord(_Part):
    """All of one run. `delivered_by`: `owner` (entered, signed in), `lease` (fetched there for the owner) or `runner`
    (posted by it, then confirmed by the owner)."""

    challenge: IssuedFacts
    measured: MeasuredFacts | None
    received_at: str
    delivered_by: str
    result: Result

    @property
    def received(self) -> Moment:
        """When the result was received."""
        return parse_moment(self.received_at)


@dataclass(frozen=True, slots=True)
class Comparison:
    """This run beside others: medians by `Measurement.key` of the variant; who else has the same output."""

    variant: str
    medians: Mapping[str, Median]
    same_output: tuple[str, ...]


def record_request(challenge: str) -> str:
    """The request of a run's record."""
    return f"BENCHMARK {challenge}"


def comparison_request(challenge: str) -> str:
    """The request of a run's comparison."""
    return f"BENCHMARK COMPARISON {challenge}"


def find_record(observations: Sequence[Observation], challenge: str) -> tuple[RunRecord | None, tuple[str, ...]]:
    """The record among observations, with its id; None where it is not there or can't be read."""
    found = _find(observations, Source.ENTERED, record_request(challenge))
    if found is None:
        return None, ()
    try:
        return RunRecord.model_validate_json(found.body), (found.id,)
    except (ValidationError, ValueError):
        return None, (found.id,)


def find_comparison(observations: Sequence[Observation], challenge: str) -> tuple[Comparison | None, tuple[str, ...]]:
    """The comparison among observations, with its id."""
    found = _find(observations, Source.COMPARISON, comparison_request(challenge))
    if found is None:
        return None, ()
    try:
        value = json.loads(found.body)
        medians = {
            key: Median(int(each["milli_per_second"]), int(each["runs"])) for key, each in value["medians"].items()
        }
        return Comparison(str(value["variant"]), medians, tuple(map(str, value["same_output"]))), (found.id,)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, (found.id,)


def _find(observations: Sequence[Observation], source: Source, request: str) -> Observation | None:
    fitting = (each for each in observations if each.source == source and each.request == request)
    return next((each for each in fitting if each.trouble is None), None)


def body_of(value: Mapping[str, object]) -> bytes:
    """Canonical JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
