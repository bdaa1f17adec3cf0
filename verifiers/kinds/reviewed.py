"""Work that people look at: what was entered, when it came, and that reviewers accepted it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasks.moment import format_moment
from verifiers.deciding import REVIEW, keeps_of, reviewers_of
from verifiers.entries import asked_fields, checked_values, first_url
from verifiers.evidence import (
    ChainPoint,
    Check,
    ClaimFacts,
    Entry,
    EntryRefused,
    Observation,
    Outcome,
    Sources,
    Verdict,
    outcome_of,
)
from verifiers.reviewing import Standing, read_steps, standing_of

KIND = "reviewed"
VERSION = 1
COUNTS_FROM_RECEIPT = True


def enter(fields: Mapping[str, str], params: Mapping[str, object], addresses: Sequence[str]) -> Entry:
    """Check the campaign's fields; those that a reviewer decides can't be entered. Raises EntryRefused.

    The subject is the first address entered, else the participant's address with the number of the claim.
    """
    for field in asked_fields(params, decided=True):
        if fields.get(field.name):
            raise EntryRefused(field.name, f"{field.label} is decided by the reviewer: leave it out.")
    asked = asked_fields(params, decided=False)
    values = checked_values(asked, fields)
    url = first_url(asked, values)
    return Entry(url or addresses[0], values, is_numbered=url is None)


def gather(
    claim: ClaimFacts,  # noqa: ARG001 - one signature for all kinds
    params: Mapping[str, object],  # noqa: ARG001
    sources: Sources,  # noqa: ARG001
) -> Sequence[Observation]:
    """Nothing: what people decided and answered is added for every kind alike."""
    return ()


def judge(
    claim: ClaimFacts,
    observations: Sequence[Observation],
    params: Mapping[str, object],
    as_of: ChainPoint,
) -> Verdict:
    """The entry, its time, and a review that is open: `verifiers.deciding` puts in what reviewers said. Pure."""
    steps = read_steps(claim.id, observations).steps
    standing = standing_of(steps, reviewers_of(params), keeps_of(params))
    entered, received = _entered(claim, params), _received(claim, standing, as_of)
    is_dropped = Outcome.FAILED in (entered.outcome, received.outcome)
    checks = (entered, received, _review(params, is_dropped=is_dropped))
    outcome = outcome_of(checks)
    at = standing.moved_to or claim.received_at
    holds = outcome == Outcome.PENDING and received.outcome == Outcome.PASSED
    return Verdict(
        outcome=outcome,
        checks=checks,
        judge=KIND,
        version=VERSION,
        as_of=as_of,
        at=at if holds else None,
        holds_place=holds,
        missing=_missing(entered, received, claim),
    )


def _entered(claim: ClaimFacts, params: Mapping[str, object]) -> Check:
    asked = asked_fields(params, decided=False)
    expected = ", ".join(field.label for field in asked if field.required) or "nothing but the claim"
    try:
        values = checked_values(asked, claim.fields)
    except EntryRefused as refusal:
        return Check("entered", expected, refusal.message, Outcome.FAILED, time=claim.received_at)
    seen = ", ".join(field.label for field in asked if field.name in values) or "the claim"
    return Check("entered", expected, seen, Outcome.PASSED, time=claim.received_at)


def _received(claim: ClaimFacts, standing: Standing, as_of: ChainPoint) -> Check:
    expected = f"received from {format_moment(claim.opens)} and before {format_moment(claim.closes)}"
    if standing.has_lapsed(as_of.time):
        seen = "changes were asked for and no answer came in time: it will count from the answer"
        return Check("received", expected, seen, Outcome.PENDING)
    at = standing.moved_to or claim.received_at
    seen = f"received at {format_moment(at)}"
    if standing.moved_to is not None:
        seen = f"answered late at {format_moment(at)}, which counts"
    is_inside = claim.opens <= at < claim.closes
    return Check("received", expected, seen, Outcome.PASSED if is_inside else Outcome.FAILED, time=at)


def _review(params: Mapping[str, object], *, is_dropped: bool) -> Check:
    count = reviewers_of(params)
    expected = "accepted by a reviewer" if count == 1 else f"accepted by {count} reviewers"
    seen = "nobody needs to look at it" if is_dropped else "waits for a reviewer"
    return Check(REVIEW, expected, seen, Outcome.PENDING)


def _missing(entered: Check, received: Check, claim: ClaimFacts) -> tuple[str, ...]:
    if entered.outcome == Outcome.FAILED:
        return (f"{entered.seen} Enter it again with what is asked.",)
    if received.outcome == Outcome.FAILED:
        return (f"It would have counted if received before {format_moment(claim.closes)}.",)
    return ("Nothing for you to do: a reviewer looks at it.",)
