"""From what a kind's judge says to the verdict, with what people decided: reviews and appeals (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tasks.judge_params import Asked, begun
from tasks.moment import SECOND, Duration, Moment, format_moment
from verifiers.evidence import ChainPoint, Check, ClaimFacts, Observation, Outcome, Verdict, Verifier, outcome_of
from verifiers.reviewing import Act, Standing, Step, Steps, read_steps, standing_of

REVIEW = "review"
APPEAL = "appeal"
NEEDS_WORK_KEEPS = Duration(72 * 3600 * SECOND)
SOON = 120 * SECOND
LONGEST_REASON = 300


def judge(
    verifier: Verifier,
    claim: ClaimFacts,
    observations: Sequence[Observation],
    params: Mapping[str, object],
    as_of: ChainPoint,
) -> Verdict:
    """The verdict of a claim: the kind's judge on what was gathered, then what people decided.

    A change here changes what every kind says, so it raises the `VERSION` of each. Pure: same facts, same verdict.
    """
    return decide(verifier.judge(claim, observations, params, as_of), claim, observations, params)


def judge_in_turn(
    verifier: Verifier,
    claim: ClaimFacts,
    observations: Sequence[Observation],
    asked: Sequence[Asked],
    as_of: ChainPoint,
) -> Verdict:
    """The verdict by what the task asked when the work was done; by what it asks at `as_of` where that is not known.

    `asked`: the oldest first. Pure: same facts, same verdict.
    """
    known = begun(asked, as_of.time)
    for each in known[:-1]:
        verdict = judge(verifier, claim, observations, each.params, as_of)
        if verdict.at is not None and each.holds(verdict.at):
            return verdict
    return judge(verifier, claim, observations, known[-1].params, as_of)


def decide(
    verdict: Verdict, claim: ClaimFacts, observations: Sequence[Observation], params: Mapping[str, object]
) -> Verdict:
    """The verdict with reviewers' decisions in its open check `review`, and with appeals that were won.

    A claim that a reviewer opened again gets such a check whatever its kind. An appeal won sets aside the checks
    that its ruling names, and says when the work was done where the judge could not.
    """
    steps = read_steps(claim.id, observations)
    if not steps.steps and steps.is_whole:
        return verdict
    standing = standing_of(steps.steps, reviewers_of(params), keeps_of(params))
    return _Decided(verdict, claim, steps, standing).verdict()


def reviewers_of(params: Mapping[str, object]) -> int:
    """How many reviewers must agree."""
    count = params.get("reviewers", 1)
    return count if isinstance(count, int) else 1


def keeps_of(params: Mapping[str, object]) -> Duration:
    """For how long a request for changes keeps the claim's place."""
    length = params.get("needs_work_keeps_ns", NEEDS_WORK_KEEPS)
    return Duration(length) if isinstance(length, int) else NEEDS_WORK_KEEPS


@dataclass(frozen=True)
class _Decided:
    before: Verdict
    claim: ClaimFacts
    steps: Steps
    standing: Standing

    def verdict(self) -> Verdict:
        """The verdict as decided."""
        checks = self._checks()
        outcome = outcome_of(checks)
        done = self._done()
        holds = outcome in (Outcome.PENDING, Outcome.UNKNOWN) and done[0] is not None and self._may_hold(checks)
        is_dated = outcome == Outcome.PASSED or holds
        at, height, tx_index = done if is_dated else (None, None, None)
        accepted = self.standing.decided if outcome == Outcome.PASSED else {}
        return replace(
            self.before,
            outcome=outcome,
            checks=checks,
            at=at,
            height=height,
            tx_index=tx_index,
            attributes={**self.before.attributes, **accepted},
            holds_place=holds,
            next_look=self._next_look(outcome),
            missing=self._missing(checks, outcome),
        )

    def _checks(self) -> tuple[Check, ...]:
        rulings = self.standing.rulings
        waived = {name: ruling for ruling in rulings for name in ruling.waives}
        checks = [_set_aside(check, waived.get(check.name)) for check in self.before.checks]
        names = [check.name for check in checks]
        opened = self.standing.opened
        if REVIEW in names:
            place = names.index(REVIEW)
            checks[place] = self._reviewed(checks[place])
        elif (opened is not None and opened.act == Act.REOPEN) or not self.steps.is_whole:
            checks.append(self._reviewed(Check(REVIEW, "accepted by a reviewer", "", Outcome.PENDING)))
        checks += [_appeal(ruling) for ruling in rulings[-1:]]
        return tuple(checks)

    def _reviewed(self, check: Check) -> Check:
        ids = (*check.observations, *(step.observation for step in self.steps.steps), *self.steps.unreadable)
        outcome, seen = self.standing.outcome, self._words(check.seen)
        if not self.steps.is_whole:
            outcome, seen = Outcome.UNKNOWN, "a decision could not be read: our side, we try again"
        elif check.outcome == Outcome.FAILED:
            return check
        last = self.standing.last
        time = last.at if last is not None and outcome in (Outcome.PASSED, Outcome.FAILED) else None
        return replace(check, seen=seen, outcome=outcome, observations=tuple(dict.fromkeys(ids)), time=time)

    def _words(self, reasons: str) -> str:
        standing, last = self.standing, self.standing.last
        if last is None:
            return reasons
        if standing.outcome == Outcome.PASSED:
            return f"accepted on {format_moment(last.at)}: {_short(last.reason)}"
        if standing.outcome == Outcome.FAILED:
            return f"rejected on {format_moment(last.at)}: {_short(last.reason)}"
        words = [reasons] if reasons else []
        if standing.waiting is not None:
            words.append(f"changes asked for on {format_moment(standing.waiting.at)}")
        elif last.act == Act.ANSWER:
            words.append(f"answered on {format_moment(last.at)}")
        elif last.act in (Act.REOPEN, Act.APPEAL_WON):
            words.append(f"opened again on {format_moment(last.at)}: {_short(last.reason)}")
        if standing.accepted or standing.rejected:
            words.append(f"so far accepted by {standing.accepted}, rejected by {standing.rejected}")
        return "; ".join(words)

    def _done(self) -> tuple[Moment | None, int | None, int | None]:
        ruled = next((ruling.done for ruling in reversed(self.standing.rulings) if ruling.done is not None), None)
        if ruled is not None:
            return ruled.time, ruled.height, ruled.tx_index
        if self.before.at is None and any(ruling.waives for ruling in self.standing.rulings):
            return self.claim.received_at, None, None
        return self.before.at, self.before.height, self.before.tx_index

    def _may_hold(self, checks: Sequence[Check]) -> bool:
        """What the judge let hold its place does so still; what passed or was set aside does while in review."""
        still_open = {check.name for check in checks if check.outcome == Outcome.PENDING}
        kept = self.before.holds_place or self.before.outcome == Outcome.PASSED
        return kept or (bool(self.standing.rulings) and still_open <= {REVIEW})

    def _next_look(self, outcome: Outcome) -> Moment | None:
        if outcome in (Outcome.PASSED, Outcome.FAILED):
            return self.before.next_look if outcome == self.before.outcome else None
        now, looks = self.before.as_of.time, []
        if self.before.next_look is not None:
            looks.append(self.before.next_look)
        if outcome == Outcome.UNKNOWN:
            looks.append(Moment(now + SOON))
        until = self.standing.keeps_until
        if self.standing.waiting is not None and until is not None and now <= until:
            looks.append(Moment(max(until + SECOND, now + SOON)))
        return min(looks, default=None)

    def _missing(self, checks: Sequence[Check], outcome: Outcome) -> tuple[str, ...]:
        if outcome == Outcome.PASSED:
            return ()
        waiting, last = self.standing.waiting, self.standing.last
        review = next((check for check in checks if check.name == REVIEW), None)
        if review is not None and review.outcome == Outcome.FAILED and last is not None:
            return (f"A reviewer rejected it: {_sentence(last.reason)} You may appeal.",)
        if outcome == Outcome.FAILED:
            return self.before.missing
        if review is not None and review.outcome == Outcome.PENDING and waiting is not None:
            return (f"A reviewer asks for a change: {_sentence(waiting.reason)} {self._until()}",)
        if review is not None and review.outcome == Outcome.PENDING:
            return self.before.missing or ("Nothing for you to do: a reviewer looks at it.",)
        return self.before.missing

    def _until(self) -> str:
        until = self.standing.keeps_until
        if until is None or self.standing.has_lapsed(self.before.as_of.time):
            return "Your place is free again; it will count from the time of your answer."
        return f"Answer until {format_moment(until)} to keep your place."


def _set_aside(check: Check, ruling: Step | None) -> Check:
    if ruling is None or check.outcome == Outcome.PASSED or check.name == REVIEW:
        return check
    seen = f"{check.seen}; set aside by the appeal"
    return replace(check, seen=seen, outcome=Outcome.PASSED, observations=(*check.observations, ruling.observation))


def _appeal(ruling: Step) -> Check:
    seen = f"won on {format_moment(ruling.at)}: {_short(ruling.reason)}"
    return Check(
        APPEAL, "what the organizers decided on appeal", seen, Outcome.PASSED, (ruling.observation,), time=ruling.at
    )


def _short(reason: str) -> str:
    text = " ".join(reason.split())
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"


def _sentence(reason: str) -> str:
    text = _short(reason)
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
