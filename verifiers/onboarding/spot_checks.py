"""The spot checks of a claimed GPU: a check for each that was opened, and one that says how many there are (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tasks.moment import SECOND, Moment, format_moment
from verifiers.deployed.facts import ChainFacts
from verifiers.deployed.wording import could_not_look, count_of, duration, short
from verifiers.evidence import ChainPoint, Check, ClaimFacts, Observation, Outcome, Source
from verifiers.onboarding.draws import OPEN_FOR, fitting, known_time, wanted_of
from verifiers.onboarding.entry import Gpu
from verifiers.onboarding.measured import Days, days_in
from verifiers.onboarding.params import OnboardingParams
from verifiers.onboarding.spot_record import Opened, SpotRecord, read_shared, read_spot_record
from verifiers.onboarding.spot_runs import Run, Together, doubts_of, runs_of, together

NAME = "spot_checks"
SPOT_CHECK = "spot_check_"
SOON = 120 * SECOND
OFTEN = 600 * SECOND
A_MOMENT = 30 * SECOND


def name_of(number: int) -> str:
    """The name of the check that says how the `number`-th spot check stands."""
    return f"{SPOT_CHECK}{number}"


@dataclass(frozen=True, slots=True)
class SpotChecked:
    """The checks, why a person has to look, when to look again, and what the participant can do."""

    checks: tuple[Check, ...] = ()
    doubts: tuple[str, ...] = ()
    next_look: Moment | None = None
    missing: tuple[str, ...] = ()
    is_too_late: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    """One spot check as it stands. `is_void`: we could not see enough of its time, so it counts for nothing."""

    check: Check
    opened: Opened
    doubts: tuple[str, ...] = ()
    next_look: Moment | None = None
    is_void: bool = False


@dataclass(frozen=True)
class SpotChecks:
    """All facts about the spot checks of one claim; `at`: when its time begins, None while that is open."""

    claim: ClaimFacts
    gpu: Gpu
    params: OnboardingParams
    observations: Sequence[Observation]
    at: Moment | None
    as_of: ChainPoint

    def checked(self) -> SpotChecked:
        """How they stand; nothing where the task asks for none."""
        if not self.params.spot_checks:
            return SpotChecked()
        count = count_of(self.params.spot_checks, "spot check")
        expected = f"{count} at moments drawn by the platform, as many as fit between the beginning and the close"
        if self.at is None:
            return SpotChecked((Check(NAME, expected, "they begin once all of the above holds", Outcome.PENDING),))
        held = [self._held(opened) for opened in self._covering]
        if not self._wanted and not held:
            return self._too_late(expected)
        summary, doubts = self._summary(expected, held)
        looks = [each.next_look for each in held if each.next_look is not None]
        return SpotChecked(
            checks=(summary, *(each.check for each in held)),
            doubts=(*doubts, *(doubt for each in held for doubt in each.doubts)),
            next_look=min(looks, default=None),
            missing=tuple(self._to_do(each.opened) for each in held if each.check.outcome == Outcome.PENDING),
        )

    @property
    def is_closed(self) -> bool:
        """Whether the task is closed."""
        return self.as_of.time >= self.claim.closes

    @property
    def _wanted(self) -> int:
        return wanted_of(self.at, self.claim.closes, self.params.spot_checks) if self.at is not None else 0

    @cached_property
    def _record(self) -> SpotRecord | None:
        return read_spot_record(self.claim.id, self.observations)

    @property
    def _covering(self) -> list[Opened]:
        """Those opened while this claim's time ran, for at least as many GPUs as its number."""
        at, opened = self.at, self._record.opened if self._record is not None else ()
        return [each for each in opened if at is not None and each.opens >= at and each.gpus >= self.gpu.number]

    @cached_property
    def _days(self) -> Days | None:
        return days_in(self.observations, self.gpu.provider)

    def _too_late(self, expected: str) -> SpotChecked:
        latest = format_moment(Moment(self.claim.closes - OPEN_FOR))
        began = format_moment(self.at or self.as_of.time)
        seen = f"begins at {began}: no spot check fits before the close, so it had to begin by {latest}"
        return SpotChecked((Check(NAME, expected, seen, Outcome.FAILED),), is_too_late=True)

    def _summary(self, expected: str, held: Sequence[_Held]) -> tuple[Check, tuple[str, ...]]:
        count, wanted = sum(not each.is_void for each in held), self._wanted
        ids = (self._record.observation,) if self._record is not None else ()
        last = max((each.opened.opens + OPEN_FOR for each in held), default=0)
        left = self.claim.closes - max(self.as_of.time, last)
        seen = f"{count} of {wanted} opened so far"
        if count >= wanted:
            return Check(NAME, expected, f"all {count} were opened", Outcome.PASSED, ids), ()
        if fitting(left, wanted - count):
            return Check(NAME, expected, f"{seen}; the next is told here when it opens", Outcome.PENDING, ids), ()
        if any(each.check.outcome == Outcome.PENDING for each in held):
            return Check(NAME, expected, f"{seen}; no more fits before the close", Outcome.PENDING, ids), ()
        if count:
            return Check(NAME, expected, f"{count} of {wanted}: as many as fitted", Outcome.PASSED, ids), ()
        seen = f"none of {wanted} could be held in the time that was left: a reviewer decides"
        return Check(NAME, expected, seen, Outcome.PASSED, ids), ("no spot check could be held",)

    def _held(self, opened: Opened) -> _Held:
        point, seen = self.as_of, self.observations
        if opened.passing is not None:
            kept = set(opened.observations)
            point, seen = opened.passing, [one for one in seen if one.id in kept]
        runs = runs_of(self.claim, self.gpu, self.params, opened, seen)
        counted = [run for run in runs if opened.passing is not None or self._is_timely(opened, run)]
        found = Together()
        if counted:
            facts = ChainFacts(point)
            facts.add(seen)
            found = together(self.claim, self.gpu, self.params, facts, counted)
        if found.count >= self.gpu.number and all(run.record.received <= point.time for run in found.runs):
            return self._passed(opened, found, point)
        if counted and found.trouble is not None:
            ids = (*self._ids(runs), *found.observations)
            check = self._check(opened, could_not_look(found.trouble), Outcome.UNKNOWN, ids)
            return _Held(check, opened, next_look=Moment(self.as_of.time + SOON))
        return self._open_or_over(opened, runs, counted, found)

    def _passed(self, opened: Opened, found: Together, point: ChainPoint) -> _Held:
        lease = found.lease.lease.id if found.lease is not None else None
        named = f"lease {lease.dseq}/{lease.gseq}/{lease.oseq} of {short(lease.owner)}" if lease is not None else ""
        seen = f"{named}: {count_of(found.count, 'GPU')} of the model answered together"
        ids = (*self._ids(found.runs), *found.observations)
        check = self._check(opened, seen, Outcome.PASSED, ids, point)
        return _Held(check, opened, (*doubts_of(found.runs, self.gpu, self.params), *self._shared(opened)))

    def _shared(self, opened: Opened) -> tuple[str, ...]:
        """Cards that answered before for a spot check of other GPUs: somebody may have lent them."""
        told = read_shared(self.claim.id, self.observations).get(opened.id, [])
        return tuple(
            f"the card {card[:44]} answered for spot check {other[:8]} of other GPUs before" for card, other in told
        )

    def _open_or_over(self, opened: Opened, runs: Sequence[Run], counted: Sequence[Run], found: Together) -> _Held:
        ids, so_far = (*self._ids(runs), *found.observations), self._so_far(runs, counted, found)
        planned = Moment(opened.opens + OPEN_FOR)
        if any(run.record.received > self.as_of.time for run in counted):
            check = self._check(opened, "a result is here; the chain's next block tells", Outcome.PENDING, ids)
            return _Held(check, opened, next_look=Moment(self.as_of.time + SOON))
        if self.as_of.time < planned:
            check = self._check(opened, f"open until {format_moment(planned)}; {so_far}", Outcome.PENDING, ids)
            return _Held(check, opened, next_look=Moment(planned + A_MOMENT))
        days = self._days
        if days is not None:
            ids = (*ids, *days.observations)
            known, is_final = self._known(opened, days, self._end)
            if known >= OPEN_FOR:
                seen = f"over since {format_moment(planned)}; {so_far}"
                return _Held(self._check(opened, seen, Outcome.FAILED, ids), opened)
            if self.is_closed and is_final:
                seen = f"set aside: our probes knew {duration(known)} of its 24h; that counts against nobody"
                return _Held(self._check(opened, seen, Outcome.PASSED, ids), opened, is_void=True)
        seen = f"its 24h count as far as our probes know them; decided once those are closed off; {so_far}"
        return _Held(self._check(opened, seen, Outcome.PENDING, ids), opened, next_look=self._later)

    @property
    def _end(self) -> Moment:
        return min(self.as_of.time, self.claim.closes)

    @property
    def _later(self) -> Moment:
        return Moment(self.as_of.time + OFTEN)

    def _known(self, opened: Opened, days: Days, end: Moment) -> tuple[int, bool]:
        """The known time by days that are closed off, and whether all of them are."""
        sealed = [day for day in days.days if day.day not in days.unsealed]
        return known_time(sealed, opened.opens, end, self.params.excused), not days.unsealed

    def _is_timely(self, opened: Opened, run: Run) -> bool:
        received = run.record.received
        if received <= opened.opens + OPEN_FOR:
            return True
        days = self._days.days if self._days is not None else ()
        return known_time(days, opened.opens, received, self.params.excused) <= OPEN_FOR

    def _so_far(self, runs: Sequence[Run], counted: Sequence[Run], found: Together) -> str:
        mistake = next((run.mistake for run in counted if run.mistake), "")
        if not counted:
            return "a result came after its time" if runs else "no result has come"
        if found.lease is not None and found.units < self.gpu.number:
            return f"the lease asks for {count_of(found.units, 'GPU')} only"
        if mistake:
            return mistake
        if found.lease is None or not found.runs:
            return f"no lease for GPUs of the model {self.gpu.model} was active when the result came"
        return f"{count_of(found.count, 'GPU')} answered together"

    def _check(
        self, opened: Opened, seen: str, outcome: Outcome, ids: Sequence[str], point: ChainPoint | None = None
    ) -> Check:
        least = count_of(self.gpu.number, "GPU")
        expected = (
            f"at least {least} of model {self.gpu.model} in one lease on this provider, each at work for a "
            f"challenge, within 24h of {format_moment(opened.opens)}"
        )
        record = (self._record.observation,) if self._record is not None else ()
        names = tuple(dict.fromkeys((*record, *self._drawn_from(opened), *ids)))
        height, time = (point.height, point.time) if point is not None else (None, None)
        return Check(name_of(opened.number), expected, seen, outcome, names, height, time)

    def _drawn_from(self, opened: Opened) -> tuple[str, ...]:
        """The block that the moment was drawn from."""
        end = f"/blocks/{opened.height}"
        return tuple(one.id for one in self.observations if one.source == Source.CHAIN and one.request.endswith(end))[
            :1
        ]

    def _ids(self, runs: Sequence[Run]) -> tuple[str, ...]:
        return tuple(name for run in runs for name in run.observations)

    def _to_do(self, opened: Opened) -> str:
        until = format_moment(Moment(opened.opens + OPEN_FOR))
        count = max(self._wanted, opened.number)
        gpus = f"all {opened.gpus} claimed GPUs" if opened.gpus > 1 else "the claimed GPU"
        return (
            f"Spot check {opened.number} of {count} is open until {until}: lease {gpus} of model {self.gpu.model} on "
            f"your provider{' at once' if opened.gpus > 1 else ''} with the SDL at /spot-checks/{opened.id}, and "
            f"enter there what {'they answer' if opened.gpus > 1 else 'it answers'}."
        )
