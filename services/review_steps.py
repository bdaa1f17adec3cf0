"""Keeping what people do to claims: each act becomes an observation, and the claim is due at once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.claims import ClaimRow
from ledger.observations import load_observations, store_observations
from ledger.people import AddressRow, RoleRow
from ledger.reviews import ReviewerRow, ReviewStepRow
from ledger.rows import in_parts, insert_once
from ledger.verdicts import look_again
from services.errors import NotAllowed, NotFound, Refused
from services.house import House
from tasks.moment import Moment
from verifiers.evidence import Observation
from verifiers.reviewing import Act, Done, Step

VERIFIER = "review/1"
SHORTEST_REASON = 10
LONGEST_REASON = 4000


@dataclass(frozen=True)
class KeptSteps:
    """The steps of some claims, read once, as observations."""

    by_claim: Mapping[str, Sequence[Observation]] = field(default_factory=dict)

    def steps(self, claim: str) -> Sequence[Observation]:
        """Those of one claim, in order."""
        return self.by_claim.get(claim, ())


def kept_steps(house: House, claims: Sequence[str]) -> KeptSteps:
    """The steps of these claims."""
    with house.ledger.read() as session:
        return KeptSteps(observations_of(session, claims))


def observations_of(session: Session, claims: Sequence[str]) -> dict[str, list[Observation]]:
    """The observations of the steps of these claims; claims without any are left out."""
    found: dict[str, list[Observation]] = {}
    for part in in_parts(claims):
        statement = select(ReviewStepRow.claim, ReviewStepRow.observation).where(ReviewStepRow.claim.in_(part))
        pairs = session.execute(statement.order_by(ReviewStepRow.claim, ReviewStepRow.number)).all()
        seen = load_observations(session, [observation for _, observation in pairs])
        for claim, observation in pairs:
            found.setdefault(claim, []).append(seen[observation])
    return found


def rows_of(session: Session, claims: Sequence[str]) -> dict[str, list[ReviewStepRow]]:
    """The steps of these claims as rows, in order; claims without any are left out."""
    found: dict[str, list[ReviewStepRow]] = {}
    for part in in_parts(claims):
        statement = select(ReviewStepRow).where(ReviewStepRow.claim.in_(part))
        for row in session.scalars(statement.order_by(ReviewStepRow.claim, ReviewStepRow.number)):
            found.setdefault(row.claim, []).append(row)
    return found


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody does to a claim; `fields` are an answer's own words, `shown` what judges may read of them."""

    act: Act
    actor: str
    name: str = ""
    reason: str = ""
    decided: Mapping[str, str] = field(default_factory=dict)
    waives: tuple[str, ...] = ()
    done: Done | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)


def keep_step(session: Session, claim: ClaimRow, now: Moment, deed: Deed) -> Step:
    """Write one act behind the claim's last, note it in the log, and let the claim be looked at again."""
    number = len(session.scalars(select(ReviewStepRow.number).where(ReviewStepRow.claim == claim.id)).all()) + 1
    step = Step(
        claim=claim.id,
        number=number,
        act=deed.act,
        at=now,
        by=deed.name,
        reason=deed.reason,
        decided=deed.decided,
        waives=deed.waives,
        done=deed.done,
        fields=deed.shown,
    )
    seen = step.observed()
    store_observations(session, [seen], VERIFIER)
    session.add(
        ReviewStepRow(
            claim=claim.id,
            number=number,
            act=str(deed.act),
            actor=deed.actor,
            name=deed.name,
            at_ns=now,
            reason=deed.reason,
            decided=dict(deed.decided),
            fields=dict(deed.fields),
            observation=seen.id,
        )
    )
    detail = {"number": number, "observation": seen.id, "task": claim.task}
    append_act(session, now, deed.actor, f"claim.{deed.act}", claim.id, detail)
    look_again(session, now, ClaimRow.id == claim.id, settled_too=True)
    return step


def person_of(session: Session, address: str) -> str:
    """The person behind an address: the participant that it belongs to, else the address itself."""
    known = session.get(AddressRow, address)
    return known.participant if known else address


def staff_name(session: Session, campaign: str, address: str, roles: Sequence[str]) -> str:
    """The random id under which this member of staff decides. Raises NotAllowed without one of the roles."""
    held = session.scalars(select(RoleRow.role).where(RoleRow.address == address)).all()
    if not set(held) & set(roles):
        raise NotAllowed(f"This needs the role {' or '.join(roles)}.")
    return random_name(session, campaign, address)


def random_name(session: Session, campaign: str, address: str) -> str:
    """The random id that stands for a person wherever what they decided is public."""
    key = campaign, person_of(session, address)
    fresh = {"campaign": key[0], "person": key[1], "name": f"reviewer-{secrets.token_hex(6)}"}
    insert_once(session, ReviewerRow, fresh)
    return session.get_one(ReviewerRow, key).name


def claim_in(session: Session, campaign: str, claim_id: str) -> ClaimRow:
    """A claim of this campaign. Raises NotFound."""
    row = session.get(ClaimRow, claim_id)
    if row is None or row.campaign != campaign:
        raise NotFound("There is no such claim. The participant's page lists all of theirs.")
    return row


def not_own(session: Session, claim: ClaimRow, address: str) -> None:
    """Raises NotAllowed where the claim is this person's, whichever of their addresses they use."""
    if person_of(session, address) == claim.participant:
        raise NotAllowed("This claim is your own: somebody else decides it.")


def written(reason: str, field_name: str = "reason") -> str:
    """A written reason as it is kept. Raises Refused for one that says nothing."""
    text = "\n".join(line.rstrip() for line in reason.replace("\r\n", "\n").strip().split("\n"))
    if len(text) < SHORTEST_REASON:
        raise Refused(f"Write at least {SHORTEST_REASON} characters: everybody reads it with the result.", field_name)
    if len(text) > LONGEST_REASON:
        raise Refused(f"Write at most {LONGEST_REASON:,} characters.", field_name)
    return text
