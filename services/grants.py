"""Grants by hand: outside all places, each with a reason and two names, bounded by the campaign's `grants.budget`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.awards import AwardLineRow
from ledger.claims import ClaimRow
from ledger.people import AddressRow, RegistrationRow
from services import campaigns
from services.award_lines import GRANT
from services.campaigns import Loaded
from services.errors import Conflict, NotFound, Refused
from services.house import House
from tasks.rewards.money import format_micro

LONGEST_REASON = 4000
Written = TypeVar("Written")


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
class Whom:
    """Whom a grant is for, as checked: the participant, the task of the claim if it is for one, the reason."""

    participant: str
    task: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Given:
    """A grant with the line that took it back, None where it stands."""

    row: AwardLineRow
    undone: AwardLineRow | None


@dataclass(frozen=True)
class Grants:
    """All grants of a campaign; amounts in micro of `unit`, `left_micro` of `budget_micro`."""

    unit: str
    budget_micro: int
    left_micro: int
    given: Sequence[Given]


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
    return written_grant(house, lambda session: grant_in(session, house, given))


def grant_in(session: Session, house: House, given: Grant) -> Granted:
    """The same inside a writing transaction."""
    names = _two(given.names)
    loaded = campaigns.required_in(session, house.settings.campaign)
    whom = whom_in(session, loaded, given)
    left = left_micro(session, loaded)
    number = (session.scalar(_grants(loaded.slug, func.count()).where(AwardLineRow.step == 0)) or 0) + 1
    line = _Line(
        whom.participant, given.amount_micro, f"grant/{number}/{whom.participant}", claim=given.claim, task=whom.task,
        working={"reason": whom.reason, "names": names},
    )  # fmt: skip
    _add(session, house, loaded.slug, loaded.newest.revision, line, "grant")
    return Granted(line.key, whom.participant, given.amount_micro, left - given.amount_micro)


def take_back(house: House, key: str, reason: str, names: Sequence[str]) -> Granted:
    """Undo a grant by a new line. Raises NotFound, Conflict where it is undone already, Refused with the field."""
    return written_grant(house, lambda session: take_back_in(session, house, key, reason, names))


def take_back_in(session: Session, house: House, key: str, reason: str, names: Sequence[str]) -> Granted:
    """The same inside a writing transaction."""
    why, two = _reason(reason), _two(names)
    loaded = campaigns.required_in(session, house.settings.campaign)
    kept = standing_grant(session, loaded.slug, key)
    first = kept[0]
    line = _Line(
        first.participant, -first.amount_micro, key, len(kept), first.claim, first.task, kept[-1].id,
        {"reason": why, "names": two},
    )  # fmt: skip
    _add(session, house, loaded.slug, loaded.newest.revision, line, "grant.take_back")
    return Granted(key, first.participant, -first.amount_micro, left_micro(session, loaded))


def whom_in(session: Session, loaded: Loaded, given: Grant) -> Whom:
    """Check a grant. Raises Refused with the field, NotFound, Conflict where the budget is too small."""
    reason = _reason(given.reason)
    if given.amount_micro <= 0:
        raise Refused("A grant is more than nothing.", "amount")
    participant = _participant(session, loaded.slug, given.address)
    task = _task_of(session, loaded.slug, participant, given.claim)
    left = left_micro(session, loaded)
    if given.amount_micro > left:
        unit = loaded.newest.reward.unit
        raise Conflict(f"{format_micro(max(0, left))} {unit} are left of the budget for grants.", "amount")
    return Whom(participant, task, reason)


def standing_grant(session: Session, campaign: str, key: str) -> list[AwardLineRow]:
    """The lines of a grant that stands. Raises NotFound, Conflict where it is taken back already."""
    mine = _grants(campaign, AwardLineRow).where(AwardLineRow.key == key).order_by(AwardLineRow.step)
    kept = list(session.scalars(mine))
    if not kept:
        raise NotFound(f"There is no grant {key!r}.")
    if sum(row.amount_micro for row in kept) == 0:
        raise Conflict("This grant is taken back already.")
    return kept


def all_grants(house: House) -> Grants:
    """Every grant of the campaign, the newest first, and what is left of its budget. Raises NotFound."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        rows = list(session.scalars(_grants(loaded.slug, AwardLineRow).order_by(AwardLineRow.id)))
        left = left_micro(session, loaded)
    undone = {row.key: row for row in rows if row.step}
    kept = [Given(row, undone.get(row.key)) for row in reversed(rows) if not row.step]
    return Grants(loaded.newest.reward.unit, loaded.newest.grants.budget, left, kept)


def left_micro(session: Session, loaded: Loaded) -> int:
    """What is left of the budget for grants."""
    return loaded.newest.grants.budget - granted_micro(session, loaded.slug)


def written_grant(house: House, store: Callable[[Session], Written]) -> Written:
    """Run a writing transaction about grants. Raises Conflict where somebody else wrote one at the same time."""
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
