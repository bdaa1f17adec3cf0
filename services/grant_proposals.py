"""Grants over the pages: one organizer proposes, another agrees; only then does the ledger have it.

The line of the ledger is public: it names the two by their random ids; who they are stands here and in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.grants import GrantProposalRow, GrantRulingRow
from ledger.rows import insert_once
from services import campaigns
from services.campaigns import Loaded
from services.errors import Conflict, NotAllowed, NotFound, Refused
from services.grants import Grant, Granted, grant_in, standing_grant, take_back_in, whom_in, written_grant
from services.house import House
from services.review_steps import person_of, random_name, written
from tasks.moment import Moment

AGREED, REFUSED, WITHDRAWN = "agreed", "refused", "withdrawn"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal with what became of it, None while it waits."""

    row: GrantProposalRow
    ruling: GrantRulingRow | None

    @property
    def outcome(self) -> str:
        """open, agreed, refused or withdrawn."""
        return self.ruling.outcome if self.ruling else "open"


@dataclass(frozen=True, slots=True)
class Proposed:
    """What an organizer proposes: micro of the campaign's unit; `claim`: what it is for, None: goodwill."""

    address: str
    amount_micro: int
    reason: str
    claim: str | None = None


def propose(house: House, actor: str, proposed: Proposed) -> Proposal:
    """Propose a grant; nothing is granted before another person agrees.

    Raises Refused with the field, NotFound for an unknown participant, NotAllowed for oneself, Conflict where the
    budget is too small.
    """
    reason = written(proposed.reason)

    def row_of(session: Session, loaded: Loaded, now: Moment) -> GrantProposalRow:
        given = Grant(proposed.address, proposed.amount_micro, reason, (), proposed.claim)
        whom = whom_in(session, loaded, given)
        return GrantProposalRow(
            campaign=loaded.slug, participant=whom.participant, amount_micro=proposed.amount_micro, reason=reason,
            claim=proposed.claim, takes_back=None, actor=actor, at_ns=now,
        )  # fmt: skip

    return _proposed(house, actor, row_of)


def propose_to_take_back(house: House, actor: str, key: str, reason: str) -> Proposal:
    """Propose to undo a grant. Raises NotFound, NotAllowed, Refused with the field, Conflict where it is undone."""
    why = written(reason)

    def row_of(session: Session, loaded: Loaded, now: Moment) -> GrantProposalRow:
        first = standing_grant(session, loaded.slug, key)[0]
        return GrantProposalRow(
            campaign=loaded.slug, participant=first.participant, amount_micro=first.amount_micro, reason=why,
            claim=first.claim, takes_back=key, actor=actor, at_ns=now,
        )  # fmt: skip

    return _proposed(house, actor, row_of)


def _proposed(house: House, actor: str, row_of: Callable[[Session, Loaded, Moment], GrantProposalRow]) -> Proposal:
    now = house.clock.now()

    def store(session: Session) -> Proposal:
        loaded = campaigns.required_in(session, house.settings.campaign)
        row = row_of(session, loaded, now)
        _not_for_oneself(session, row, actor)
        if _is_open_already(session, row):
            raise Conflict("The same is proposed already and waits for another organizer.")
        session.add(row)
        session.flush()
        detail = {"participant": row.participant, "amount_micro": row.amount_micro, "takes_back": row.takes_back}
        append_act(session, now, actor, "grant.propose", _subject(row), detail)
        return Proposal(row, None)

    return house.ledger.transact(store, durable=True)


def decide(house: House, actor: str, proposal: int, outcome: str, reason: str = "") -> Proposal:
    """Agree to a proposal of somebody else, refuse it, or withdraw one's own.

    Raises NotFound, NotAllowed for one's own and for one's own grant, Refused with the field, Conflict where it is
    decided or the budget has become too small.
    """
    if outcome not in (AGREED, REFUSED):
        raise Refused(f"Choose {AGREED} or {REFUSED}.", "outcome")
    why = written(reason) if outcome == REFUSED else ""
    now = house.clock.now()

    def store(session: Session) -> Granted | None:
        loaded = campaigns.required_in(session, house.settings.campaign)
        row = session.get(GrantProposalRow, proposal)
        if row is None or row.campaign != loaded.slug:
            raise NotFound("There is no such proposal.")
        _not_for_oneself(session, row, actor)
        is_own = person_of(session, row.actor) == person_of(session, actor)
        if is_own and outcome == AGREED:
            raise NotAllowed("You proposed this: another organizer must agree.")
        said = WITHDRAWN if is_own else outcome
        ruling = {"proposal": row.id, "outcome": said, "reason": why, "key": None, "actor": actor, "at_ns": now}
        if not insert_once(session, GrantRulingRow, ruling):
            raise Conflict("This proposal is decided already.")
        append_act(session, now, actor, f"grant.{said}", _subject(row), {"participant": row.participant})
        if said != AGREED:
            return None
        made = _carry_out(session, house, row, actor)
        session.get_one(GrantRulingRow, row.id).key = made.key
        return made

    written_grant(house, store)
    return one(house, proposal)


def _carry_out(session: Session, house: House, row: GrantProposalRow, actor: str) -> Granted:
    names = [random_name(session, row.campaign, who) for who in (row.actor, actor)]
    if row.takes_back is not None:
        return take_back_in(session, house, row.takes_back, row.reason, names)
    return grant_in(session, house, Grant(row.participant, row.amount_micro, row.reason, names, row.claim))


def one(house: House, proposal: int) -> Proposal:
    """One proposal. Raises NotFound."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        row = session.get(GrantProposalRow, proposal)
        if row is None or row.campaign != loaded.slug:
            raise NotFound("There is no such proposal.")
        return Proposal(row, session.get(GrantRulingRow, proposal))


def proposals(house: House) -> Sequence[Proposal]:
    """Every proposal of the campaign, the newest first. Raises NotFound without a campaign."""
    loaded = campaigns.required(house)
    statement = (
        select(GrantProposalRow, GrantRulingRow)
        .outerjoin(GrantRulingRow, GrantRulingRow.proposal == GrantProposalRow.id)
        .where(GrantProposalRow.campaign == loaded.slug)
        .order_by(GrantProposalRow.id.desc())
    )
    with house.ledger.read() as session:
        return [Proposal(row, ruling) for row, ruling in session.execute(statement)]


def _is_open_already(session: Session, row: GrantProposalRow) -> bool:
    """Whether the very same waits: a form sent twice proposes once."""
    same = (
        select(GrantProposalRow.id)
        .outerjoin(GrantRulingRow, GrantRulingRow.proposal == GrantProposalRow.id)
        .where(
            GrantProposalRow.campaign == row.campaign,
            GrantProposalRow.participant == row.participant,
            GrantProposalRow.amount_micro == row.amount_micro,
            GrantProposalRow.claim == row.claim,
            GrantProposalRow.takes_back == row.takes_back,
            GrantRulingRow.proposal.is_(None),
        )
    )
    return session.scalar(same.limit(1)) is not None


def _not_for_oneself(session: Session, row: GrantProposalRow, actor: str) -> None:
    if person_of(session, actor) == row.participant:
        raise NotAllowed("This is about you: somebody else proposes and decides it.")


def _subject(row: GrantProposalRow) -> str:
    return f"proposal/{row.id}"
