"""Grants by hand: outside all places, each with a reason and two names, bounded by the campaign's `grants.budget`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.awards import AwardLineRow
from ledger.claims import ClaimRow
from ledger.people import AddressRow, RegistrationRow
from services import campaigns
from services.award_lines import GRANT
from services.errors import Conflict, NotFound, Refused
from services.house import House
from tasks.rewards.money import format_micro

LONGEST_REASON = 4000


@dataclass(frozen=True, slots=True)
class Grant:
    """What is to be granted: micro of the campaign's unit; `names`: the two people who decide it.

    `claim`: what it is for, e.g. one whose appeal was won after the results were final; None: goodwill.
    """

    address: str
    amount_micro: int
    reason: str
    names: Sequence[str]
    claim: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant as the ledger has it; `left_micro`: what is left of the budget for grants."""

    key: str
    participant: str
    amount_micro: int
    left_micro: int

    def document(self) -> dict[str, object]:
        """The answer of the commands."""
        return {
            "grant": self.key,
            "participant": self.participant,
            "amount_micro": self.amount_micro,
            "grants_left_micro": self.left_micro,
        }


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the ledger about a grant: its first, or the one that takes it back."""

    participant: str
    amount_micro: int
    key: str
    step: int = 0
    claim: str | None = None
    task: str | None = None
    corrects: int | None = None
    working: Mapping[str, object] = field(default_factory=dict)


def grant(house: House, given: Grant) -> Granted:
    """Add a grant to the ledger. Raises Refused with the field, NotFound, Conflict where the budget is too small."""
    reason, names = _reason(given.reason), _two(given.names)
    if given.amount_micro <= 0:
        raise Refused("A grant is more than nothing.", "amount")

    def store(session: Session) -> Granted:
        loaded = campaigns.required_in(session, house.settings.campaign)
        participant = _participant(session, loaded.slug, given.address)
        task = _task_of(session, loaded.slug, participant, given.claim)
        left = loaded.newest.grants.budget - granted_micro(session, loaded.slug)
        if given.amount_micro > left:
            unit = loaded.newest.reward.unit
            raise Conflict(f"{format_micro(max(0, left))} {unit} are left of the budget for grants.")
        number = (session.scalar(_grants(loaded.slug, func.count()).where(AwardLineRow.step == 0)) or 0) + 1
        line = _Line(
            participant, given.amount_micro, f"grant/{number}/{participant}", claim=given.claim, task=task,
            working={"reason": reason, "names": names},
        )  # fmt: skip
        _add(session, house, loaded.slug, loaded.newest.revision, line, "grant")
        return Granted(line.key, participant, given.amount_micro, left - given.amount_micro)

    return _written(house, store)


def take_back(house: House, key: str, reason: str, names: Sequence[str]) -> Granted:
    """Undo a grant by a new line. Raises NotFound, Conflict where it is undone already, Refused with the field."""
    why, two = _reason(reason), _two(names)

    def store(session: Session) -> Granted:
        loaded = campaigns.required_in(session, house.settings.campaign)
        mine = _grants(loaded.slug, AwardLineRow).where(AwardLineRow.key == key).order_by(AwardLineRow.step)
        kept = list(session.scalars(mine))
        if not kept:
            raise NotFound(f"There is no grant {key!r}.")
        if sum(row.amount_micro for row in kept) == 0:
            raise Conflict("This grant is taken back already.")
        first = kept[0]
        line = _Line(
            first.participant, -first.amount_micro, key, len(kept), first.claim, first.task, kept[-1].id,
            {"reason": why, "names": two},
        )  # fmt: skip
        _add(session, house, loaded.slug, loaded.newest.revision, line, "grant.take_back")
        left = loaded.newest.grants.budget - granted_micro(session, loaded.slug)
        return Granted(key, first.participant, -first.amount_micro, left)

    return _written(house, store)


def _written(house: House, store: Callable[[Session], Granted]) -> Granted:
    try:
        return house.ledger.transact(store, durable=True)
    except IntegrityError as error:
        raise Conflict("Somebody else wrote a grant just now: look again first.") from error


def granted_micro(session: Session, campaign: str) -> int:
    """The sum of all grants of a campaign in micro, less what was taken back."""
    return int(session.scalar(_grants(campaign, func.sum(AwardLineRow.amount_micro))) or 0)


def _grants(campaign: str, what: Any) -> Any:
    return select(what).where(AwardLineRow.campaign == campaign, AwardLineRow.kind == GRANT)


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise Refused(f"Write a reason of at most {LONGEST_REASON:,} characters.", "reason")
    return reason


def _two(names: Sequence[str]) -> list[str]:
    given = [" ".join(name.split()) for name in names]
    if len(given) != 2 or not all(given) or len({name.casefold() for name in given}) != 2:
        raise Refused("A grant needs two names of two different people: --by NAME --by NAME.", "names")
    return given


def _participant(session: Session, campaign: str, address: str) -> str:
    known = session.get(AddressRow, address)
    if known is None or session.get(RegistrationRow, (campaign, known.participant)) is None:
        raise NotFound(f"Nobody has registered {address} for this campaign.")
    return known.participant


def _task_of(session: Session, campaign: str, participant: str, claim: str | None) -> str | None:
    if claim is None:
        return None
    row = session.get(ClaimRow, claim)
    if row is None or row.campaign != campaign or row.participant != participant:
        raise Refused("This participant has no such claim.", "claim")
    return row.task


def _add(session: Session, house: House, campaign: str, revision: int, line: _Line, act: str) -> None:
    now = house.clock.now()
    session.add(
        AwardLineRow(
            campaign=campaign,
            revision=revision,
            key=line.key,
            step=line.step,
            claim=line.claim,
            kind=GRANT,
            slug=None,
            participant=line.participant,
            task=line.task,
            amount_micro=line.amount_micro,
            reason=GRANT,
            working=dict(line.working),
            cause=GRANT,
            corrects=line.corrects,
            position=0,
            computed_ns=now,
        )
    )
    session.flush()
    detail = {"amount_micro": line.amount_micro, "participant": line.participant, "claim": line.claim, **line.working}
    append_act(session, now, " and ".join(map(str, _names(line))), act, line.key, detail)


def _names(line: _Line) -> Sequence[object]:
    names = line.working["names"]
    return names if isinstance(names, list) else ()
