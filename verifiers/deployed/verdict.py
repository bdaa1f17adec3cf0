"""From seven checks to the verdict: outcome, time of the work, place, next look (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasks.moment import SECOND, Moment
from verifiers.deployed.checks import Checker, Finding
from verifiers.deployed.conclusion import Conclusion, conclude
from verifiers.deployed.gates import Gate
from verifiers.deployed.survey import Survey
from verifiers.evidence import Outcome, Verdict, outcome_of

SOON = 120 * SECOND
OFTEN = 600 * SECOND
SELDOM = 21_600 * SECOND
"""After the close nothing but an SDL or a deposit changes a claim that is still open."""


def verdict_of(survey: Survey, judge: str, version: int) -> Verdict:
    """Judge what a survey shows. Same survey, same verdict, byte for byte."""
    conclusion = conclude(survey)
    findings = Checker(survey, conclusion).findings()
    outcome = outcome_of([finding.check for finding in findings])
    holds_place = outcome in (Outcome.PENDING, Outcome.UNKNOWN) and conclusion.at is not None
    is_dated = outcome == Outcome.PASSED or holds_place
    return Verdict(
        outcome=outcome,
        checks=tuple(finding.check for finding in findings),
        judge=judge,
        version=version,
        as_of=survey.facts.point,
        at=conclusion.at if is_dated else None,
        height=conclusion.completing.info.lease.created_at if is_dated and conclusion.completing else None,
        tx_index=conclusion.tx_index.value if is_dated else None,
        attributes=_attributes(survey, conclusion),
        holds_place=holds_place,
        next_look=_next_look(survey, conclusion, outcome),
        missing=_missing(findings),
    )


def _attributes(survey: Survey, conclusion: Conclusion) -> Mapping[str, str]:
    completing = conclusion.completing
    found: dict[str, str] = {}
    if survey.params.groups_by_app:
        found["app"] = survey.wanted
    elif completing is not None and completing.app == Gate.YES and completing.finding.app is not None:
        found["app"] = completing.finding.app
    if conclusion.gpu_model is not None:
        found["gpu_model"] = conclusion.gpu_model
    return found


def _next_look(survey: Survey, conclusion: Conclusion, outcome: Outcome) -> Moment | None:
    now, closes = survey.facts.point.time, survey.claim.closes
    if outcome in (Outcome.PASSED, Outcome.FAILED):
        return None
    if outcome == Outcome.UNKNOWN:
        return Moment(now + SOON)
    if conclusion.ready is not None:
        return Moment(max(conclusion.ready, now + SECOND))
    if now >= closes:
        return Moment(now + SELDOM)
    return Moment(min(now + OFTEN, closes))


def _missing(findings: Sequence[Finding]) -> tuple[str, ...]:
    """What to do, one sentence for each check that is not passed, none twice; only the failures where one failed."""
    outcomes = {finding.check.outcome for finding in findings}
    shown = (Outcome.FAILED,) if Outcome.FAILED in outcomes else (Outcome.PENDING, Outcome.UNKNOWN)
    open_checks = [finding for finding in findings if finding.check.outcome in shown]
    names = {finding.check.name for finding in open_checks}
    # who keeps a lease running pays it
    sentences = (each.missing for each in open_checks if each.check.name != "paid" or "active" not in names)
    return tuple(dict.fromkeys(sentence for sentence in sentences if sentence))
