"""Reviews: what reviewers decide about claims, and what participants answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ledger.claims import CheckRow, ClaimRow
from ledger.reviews import ReviewStepRow, ReviewTakeRow
from ledger.rows import replace_rows
from services import campaigns
from services.campaigns import Loaded
from services.errors import Conflict, NotAllowed, Refused
from services.house import House
from services.review_steps import (
    Deed,
    claim_in,
    keep_step,
    not_own,
    observations_of,
    person_of,
    staff_name,
    written,
)
from services.roles import Role
from services.verification import judge_params
from tasks.moment import SECOND, Duration, Moment, format_moment
from tasks.parts import Task
from verifiers.deciding import REVIEW, keeps_of, reviewers_of
from verifiers.entries import AskedField, asked_fields, checked_values
from verifiers.evidence import EntryRefused, Outcome
from verifiers.kinds import verifier_of
from verifiers.reviewing import VOTES, Act, Standing, Step, read_steps, standing_of

REVIEWERS = (Role.REVIEWER, Role.ORGANIZER)
TAKEN_FOR = Duration(30 * 60 * SECOND)


@dataclass(frozen=True, slots=True)
class Ballot:
    """What somebody decides: accept, needs_work or reject, why, and the fields that are theirs to fill in."""

    act: str
    reason: str
    decided: Mapping[str, str]


def take(house: House, actor: str, claim_id: str) -> Moment:
    """Say that one looks at a claim now, so that nobody else does for a while; returns until when.

    Raises NotAllowed for one's own claim, Conflict where somebody else looks at it.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    until = Moment(now + TAKEN_FOR)

    def store(session: Session) -> Moment:
        staff_name(session, loaded.slug, actor, REVIEWERS)
        claim = claim_in(session, loaded.slug, claim_id)
        not_own(session, claim, actor)
        person = person_of(session, actor)
        _free(session, claim_id, person, now)
        row = {"claim": claim_id, "person": person, "taken_ns": now, "until_ns": until}
        replace_rows(session, ReviewTakeRow, [row])
        return until

    return house.ledger.transact(store)


def release(house: House, actor: str, claim_id: str) -> None:
    """Let others look at a claim that one has taken."""

    def store(session: Session) -> None:
        mine = ReviewTakeRow.claim == claim_id, ReviewTakeRow.person == person_of(session, actor)
        session.execute(delete(ReviewTakeRow).where(*mine))

    house.ledger.transact(store)


def _free(session: Session, claim_id: str, person: str, now: Moment) -> None:
    taken = session.get(ReviewTakeRow, claim_id)
    if taken is not None and taken.person != person and taken.until_ns > now:
        until = format_moment(Moment(taken.until_ns))
        raise Conflict(f"Another reviewer looks at this claim until {until}. Take the next one.")


def decide(house: House, actor: str, claim_id: str, ballot: Ballot) -> Step:
    """Accept, ask for changes, or reject, with a written reason; the claim's result follows with the next look.

    Raises NotAllowed without the role or for one's own claim, Conflict where nothing is to be decided or somebody
    else looks at it, Refused with the field that is to be mended.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    if ballot.act not in VOTES:
        raise Refused(f"Choose one of {', '.join(VOTES)}.", "act")
    act, reason = Act(ballot.act), written(ballot.reason)

    def store(session: Session) -> Step:
        name = staff_name(session, loaded.slug, actor, REVIEWERS)
        claim = claim_in(session, loaded.slug, claim_id)
        not_own(session, claim, actor)
        _free(session, claim_id, person_of(session, actor), now)
        task = loaded.task(claim.task)
        _is_open(session, claim, standing_in(session, loaded, claim))
        decided = _decided(task, act, ballot.decided)
        session.execute(delete(ReviewTakeRow).where(ReviewTakeRow.claim == claim_id))
        return keep_step(session, claim, now, Deed(act, actor, name, reason, decided))

    return house.ledger.transact(store)


def is_done(house: House, claim_id: str, act: Act, at: Moment) -> bool:
    """Whether this act about a claim, received at that moment, is kept already."""
    same = ReviewStepRow.claim == claim_id, ReviewStepRow.act == act, ReviewStepRow.at_ns == at
    with house.ledger.read() as session:
        return session.scalars(select(ReviewStepRow.number).where(*same)).first() is not None


def standing_in(session: Session, loaded: Loaded, claim: ClaimRow) -> Standing:
    """Where all acts so far leave a claim, those that no judge has read yet too."""
    params = judge_params(loaded, loaded.task(claim.task))
    steps = read_steps(claim.id, observations_of(session, [claim.id]).get(claim.id, ())).steps
    return standing_of(steps, reviewers_of(params), keeps_of(params))


def has_open_review(session: Session, claim: ClaimRow) -> bool:
    """Whether the newest result leaves something to people; what only people judge needs no result first."""
    if claim.verdict_id is None:
        return getattr(verifier_of(claim.kind), "COUNTS_FROM_RECEIPT", False)
    if claim.outcome not in (Outcome.PENDING, Outcome.UNKNOWN):
        return False
    statement = select(CheckRow.outcome).where(CheckRow.verdict == claim.verdict_id, CheckRow.name == REVIEW)
    return session.scalars(statement).first() == Outcome.PENDING


def _is_open(session: Session, claim: ClaimRow, standing: Standing) -> None:
    if standing.outcome != Outcome.PENDING:
        raise Conflict("This claim is decided already. Reopen it first, with a reason.")
    if not has_open_review(session, claim) and standing.opened is None:
        raise Conflict("Nothing of this claim is left to a reviewer now.")


def decided_fields(task: Task) -> tuple[AskedField, ...]:
    """The fields that a reviewer fills in; one that the amount depends on can't be left out."""
    drives = task.reward.amount.by if task.reward else None
    return tuple(
        AskedField(
            field.name, field.label, field.type, field.required or field.name == drives, field.hosts, field.choices
        )
        for field in asked_fields(task.params, decided=True)
    )


def _decided(task: Task, act: Act, entered: Mapping[str, str]) -> dict[str, str]:
    given = {name: value for name, value in entered.items() if value.strip()}
    if act != Act.ACCEPT:
        return {}
    try:
        return checked_values(decided_fields(task), given)
    except EntryRefused as refusal:
        raise Refused(refusal.message, refusal.field) from refusal


def reopen(house: House, actor: str, claim_id: str, reason: str) -> Step:
    """Open a decided claim again, with a written reason: reviewers decide anew.

    Raises Conflict for a claim that is open, or that failed on facts: only an appeal sets those aside.
    """
    loaded, now, text = campaigns.required(house), house.clock.now(), written(reason)

    def store(session: Session) -> Step:
        name = staff_name(session, loaded.slug, actor, REVIEWERS)
        claim = claim_in(session, loaded.slug, claim_id)
        not_own(session, claim, actor)
        standing = standing_in(session, loaded, claim)
        is_decided = claim.outcome == Outcome.PASSED and standing.opened is None
        if standing.outcome == Outcome.PENDING and not is_decided:
            raise Conflict(
                "This claim was not decided by a reviewer, or is open already. An appeal sets failed checks aside."
            )
        return keep_step(session, claim, now, Deed(Act.REOPEN, actor, name, text))

    return house.ledger.transact(store)


def answer(house: House, participant: str, claim_id: str, entered: Mapping[str, str]) -> Step:
    """What a participant sends when a reviewer asked for changes; `note` may say what was done.

    Raises NotAllowed for another's claim, Conflict where nothing is asked, Refused with the field to be mended.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    note = entered.get("note", "").strip()
    if len(note) > 4000:
        raise Refused("Write at most 4,000 characters.", "note")

    def store(session: Session) -> Step:
        claim = claim_in(session, loaded.slug, claim_id)
        if claim.participant != participant:
            raise NotAllowed("This is another participant's claim.")
        if standing_in(session, loaded, claim).waiting is None:
            raise Conflict("Nobody asks for changes to this claim now.")
        fields = asked_fields(loaded.task(claim.task).params, decided=False)
        values = _answered(fields, entered)
        own = values | ({"note": note} if note else {})
        shown = {field.name: _shown(field, values[field.name]) for field in fields if field.name in values}
        return keep_step(session, claim, now, Deed(Act.ANSWER, participant, fields=own, shown=shown))

    return house.ledger.transact(store)


def _answered(fields: tuple[AskedField, ...], entered: Mapping[str, str]) -> dict[str, str]:
    given = {name: value for name, value in entered.items() if name != "note"}
    try:
        return checked_values(fields, given)
    except EntryRefused as refusal:
        raise Refused(refusal.message, refusal.field) from refusal


def _shown(field: AskedField, value: str) -> str:
    """What the public evidence holds of a value: a text stays with us, its digest stands for it."""
    return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}" if field.type == "text" else value
