"""The uptime of a claimed GPU as a check, from the sealed days of probes (pure)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.moment import Moment, format_moment
from verifiers.deployed.wording import duration
from verifiers.evidence import ChainPoint, Check, ClaimFacts, Observation, Outcome, Source
from verifiers.onboarding.entry import Gpu
from verifiers.onboarding.params import OnboardingParams
from verifiers.probes import DAY, ProbeDay, canonical, day_of, read_day
from verifiers.trouble import Undecodable
from verifiers.uptime import Answer, Uptime, answer, measure

NAME = "uptime"
PROBES = "PROBES "


@dataclass(frozen=True, slots=True)
class Days:
    """Days of probes as the ledger has them. `unsealed`: those that may still change."""

    days: tuple[ProbeDay, ...]
    unsealed: frozenset[int]
    observations: tuple[str, ...]


def days_request(provider: str, begins: Moment, ends: Moment) -> str:
    """How the observation is named: `PROBES akash1… day 19528 to 19557`."""
    return f"{PROBES}{provider} day {day_of(begins)} to {day_of(Moment(max(begins, ends - 1)))}"


def days_body(days: Sequence[ProbeDay], sealed: frozenset[int]) -> bytes:
    """The observation's body: canonical JSON, each day with its digest where it is sealed."""
    rows = [{**day.document(), "sealed": day.digest if day.day in sealed else None} for day in days]
    return canonical({"days": rows})


def days_in(observations: Sequence[Observation], provider: str) -> Days | None:
    """The days among the observations; None where there are none. A sealed day whose digest does not fit is
    left out, as one that was never seen."""
    for observation in observations:
        if observation.source == Source.PROBES and observation.request.startswith(f"{PROBES}{provider} "):
            return _read(observation, provider)
    return None


def _read(observation: Observation, provider: str) -> Days:
    days, unsealed = [], set()
    for row in json.loads(observation.body)["days"]:
        try:
            day = read_day(row)
        except Undecodable:
            continue
        if day.provider != provider or (row["sealed"] is not None and row["sealed"] != day.digest):
            continue
        days.append(day)
        if row["sealed"] is None:
            unsealed.add(day.day)
    return Days(tuple(days), frozenset(unsealed), (observation.id,))


@dataclass(frozen=True, slots=True)
class Measured:
    """The check, why a person has to look, and whether there is more to wait for than the close."""

    check: Check
    doubts: tuple[str, ...] = ()
    waits_for_seal: bool = False
    is_too_short: bool = False


def measured(
    claim: ClaimFacts,
    gpu: Gpu,
    params: OnboardingParams,
    observations: Sequence[Observation],
    at: Moment | None,
    as_of: ChainPoint,
) -> Measured:
    """The check `uptime`: pending up to the close, except where too little time is left between `at` and it."""
    percent = f"{params.uptime_permille // 10}.{params.uptime_permille % 10}".removesuffix(".0")
    expected = f"up for {percent} % of the probed time from then to the close, {format_moment(claim.closes)}"
    if at is None:
        return Measured(Check(NAME, expected, "it begins once all of the above holds", Outcome.PENDING))
    if claim.closes - at < params.min_observed:
        least = Moment(claim.closes - params.min_observed)
        seen = (
            f"begins at {format_moment(at)}: {duration(claim.closes - at)} are left to the close, at least "
            f"{duration(params.min_observed)} are needed, so it had to begin by {format_moment(least)}"
        )
        return Measured(Check(NAME, expected, seen, Outcome.FAILED), is_too_short=True)
    if as_of.time < claim.closes:
        return Measured(Check(NAME, expected, f"probed since {format_moment(at)}", Outcome.PENDING))
    days = days_in(observations, gpu.provider)
    last = (claim.closes - 1) // DAY
    if days is None or any(at // DAY <= day <= last for day in days.unsealed):
        ids = days.observations if days else ()
        seen = "the last day's probes are not closed off yet"
        return Measured(Check(NAME, expected, seen, Outcome.PENDING, ids), waits_for_seal=True)
    return _decided(claim, gpu, params, days, at, expected)


def _decided(
    claim: ClaimFacts, gpu: Gpu, params: OnboardingParams, days: Days, at: Moment, expected: str
) -> Measured:
    uptime = measure(
        days.days, lambda capacity: params.counted(capacity, gpu.model), gpu.number, at, claim.closes, params.excused
    )
    seen = uptime_in_words(uptime)
    outcome = Outcome.PASSED
    doubts: tuple[str, ...] = ()
    match answer(uptime, params.uptime_permille, params.min_observed):
        case Answer.TOO_LITTLE | Answer.TOO_SHORT:
            outcome = Outcome.FAILED
        case Answer.REVIEW:
            doubts = (f"too little of the time is known to decide the uptime by numbers alone ({seen})",)
            seen = f"{seen}: a reviewer decides"
    return Measured(Check(NAME, expected, seen, outcome, days.observations, time=claim.closes), doubts)


def uptime_in_words(uptime: Uptime) -> str:
    """`up 97.3 % of 21d 3h known, which is 99.8 % of the time that counts; 2 times down`."""
    if uptime.permille is None:
        return "nothing is known of it"
    count = len(uptime.incidents)
    times = "never down" if not count else f"down once, {duration(uptime.down)}"
    if count > 1:
        times = f"down {count} times, {duration(uptime.down)} in all"
    known = f"{duration(uptime.known)} known, {tenths(uptime.known_permille)} % of the time that counts"
    return f"up {tenths(uptime.permille)} % of {known}; {times}"


def tenths(permille: int) -> str:
    """973 → `97.3`."""
    return f"{permille // 10}.{permille % 10}"
