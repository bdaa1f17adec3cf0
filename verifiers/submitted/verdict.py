"""From the checks of a submitted SDL to its verdict: outcome, time of the work, place, next look (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasks.moment import SECOND, Moment
from verifiers.deployed.facts import ChainFacts
from verifiers.evidence import ChainPoint, ClaimFacts, Observation, Outcome, Verdict, outcome_of
from verifiers.submitted.finding import OURS, Finding, Findings
from verifiers.submitted.novelty import Compared, novelty_findings, read_comparison
from verifiers.submitted.params import SubmissionParams
from verifiers.submitted.pull import PullChecks, facts_of, path_of
from verifiers.submitted.record import Submission, newest_submission
from verifiers.submitted.run import Run, best_run
from verifiers.submitted.text import asked_model, text_findings

SOON = 120 * SECOND
OFTEN = 600 * SECOND
SELDOM = 21_600 * SECOND
"""After the close only other people's acts change a claim that is still open."""
REVIEW = "review"


def verdict_of(
    claim: ClaimFacts,
    observations: Sequence[Observation],
    params: SubmissionParams,
    as_of: ChainPoint,
    judge: tuple[str, int],
) -> Verdict:
    """Judge the newest version of a claim; `judge`: name and version. Same facts, same verdict, byte for byte.

    The time of the work is the receipt of that version: an earlier one was replaced by its author or refused.
    """
    make = Findings(as_of)
    submission = newest_submission(claim.id, observations)
    if submission is None:
        lost = make.made("sdl", "the SDL as it was submitted", "it could not be read", Outcome.UNKNOWN)
        return _verdict((lost,), claim, None, {}, as_of, judge)
    compared = read_comparison(claim.id, submission.number, observations)
    run = _run(claim, submission, params, observations, make) if params.asks_own_run else None
    findings = (
        *text_findings(submission, params, make),
        *(run.findings if run is not None else ()),
        *_pull(claim, submission, params, observations, make),
        *novelty_findings(compared, make),
    )
    attributes = _attributes(submission, params, run, compared)
    return _verdict(findings, claim, submission.received_at, attributes, as_of, judge)


def _run(
    claim: ClaimFacts,
    submission: Submission,
    params: SubmissionParams,
    observations: Sequence[Observation],
    make: Findings,
) -> Run:
    facts = ChainFacts(make.point)
    facts.add(observations)
    return best_run(claim, submission, params, facts, make)


def _pull(
    claim: ClaimFacts,
    submission: Submission,
    params: SubmissionParams,
    observations: Sequence[Observation],
    make: Findings,
) -> tuple[Finding, ...]:
    if not params.asks_pull_request:
        return ()
    if submission.pull is None:
        missing = "Send the claim again, with the link of your pull request."
        expected = "a pull request to a repository of the task"
        return (make.made("pull_request", expected, "none was given", Outcome.FAILED, (), missing),)
    facts = facts_of(submission, submission.pull, path_of(claim.subject))
    facts.add(observations)
    is_over = make.point.time >= claim.closes
    return PullChecks(facts, submission, params, make, is_over).findings()


def _attributes(
    submission: Submission, params: SubmissionParams, run: Run | None, compared: Compared | None
) -> Mapping[str, str]:
    found: dict[str, str] = {}
    app = compared.app if compared is not None else None
    model = asked_model(submission) or (run.gpu_model if run is not None else None)
    if app is not None:
        found["app"] = app
    if model is not None:
        found["gpu_model"] = params.models.shown(model)
    return found


def _verdict(
    findings: Sequence[Finding],
    claim: ClaimFacts,
    received_at: Moment | None,
    attributes: Mapping[str, str],
    as_of: ChainPoint,
    judge: tuple[str, int],
) -> Verdict:
    outcome = outcome_of([finding.check for finding in findings])
    still_open = [each for each in findings if each.outcome in (Outcome.PENDING, Outcome.UNKNOWN)]
    holds = (
        outcome in (Outcome.PENDING, Outcome.UNKNOWN)
        and received_at is not None
        and all(each.keeps_place for each in still_open)
    )
    name, version = judge
    return Verdict(
        outcome=outcome,
        checks=tuple(finding.check for finding in findings),
        judge=name,
        version=version,
        as_of=as_of,
        at=received_at if holds or outcome == Outcome.PASSED else None,
        attributes=attributes,
        holds_place=holds,
        next_look=_next_look(still_open, claim, received_at, as_of, outcome),
        missing=_missing(findings, outcome, is_over=as_of.time >= claim.closes),
    )


def _next_look(
    still_open: Sequence[Finding],
    claim: ClaimFacts,
    received_at: Moment | None,
    as_of: ChainPoint,
    outcome: Outcome,
) -> Moment | None:
    if outcome in (Outcome.PASSED, Outcome.FAILED):
        return None
    now = as_of.time
    if outcome == Outcome.UNKNOWN:
        return Moment(now + SOON)
    waiting = [each for each in still_open if each.check.name != REVIEW]
    if not waiting:
        return None  # a reviewer's act lets it be looked at
    ready = [each.ready for each in waiting if each.ready is not None]
    if ready:
        return Moment(max(min(ready), now + SECOND))
    if now >= claim.closes:
        return Moment(now + SELDOM)
    # code hosts count questions: what has waited for long is asked for less often
    age = now - (received_at if received_at is not None else claim.received_at)
    wait = min(max(OFTEN, age // 6), SELDOM)
    return Moment(min(now + wait, claim.closes))


def _missing(findings: Sequence[Finding], outcome: Outcome, *, is_over: bool) -> tuple[str, ...]:
    """What to do, none twice; only the failures where one failed. After the close nothing can be sent any more."""
    shown = (Outcome.FAILED,) if outcome == Outcome.FAILED else (Outcome.PENDING, Outcome.UNKNOWN)
    sentences = list(dict.fromkeys(each.missing for each in findings if each.outcome in shown and each.missing))
    if is_over and outcome == Outcome.FAILED:
        return tuple(f"Before the close this was still to be done: {sentence}" for sentence in sentences)
    return tuple(sentence for sentence in sentences if sentence != OURS or len(sentences) == 1)
