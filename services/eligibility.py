"""Who may earn and be paid: an organizer's entries with reasons, each undone by a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.eligibility import EligibilityRow, decision, entries
from ledger.people import AddressRow, RegistrationRow
from services import campaigns
from services.campaigns import Loaded
from services.errors import Conflict, NotAllowed, NotFound, Refused
from services.house import House
from services.review_steps import person_of
from tasks.eligibility import Decision, Eligibility, Standing, standing
from tasks.moment import Moment, format_moment

LONGEST_REASON = 4000
END = Moment(2**63 - 1)
"""Later than any work: what holds for the whole participant."""

PAYABLE = Standing(eligible=True, payable=True, reason="")
"""What holds where nobody decided anything."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What somebody decides: `starts` None for all of the participant's work, else for that from then."""

    address: str
    eligibility: str
    reason: str
    starts: Moment | None = None


def set_eligibility(
    house: House, actor: str, entered: Entered, after: int | None = None
) -> tuple[EligibilityRow, bool]:
    """Write one entry; whether it is new: the same as what holds already changes nothing.

    `after`: the number of the participant's newest entry that the actor saw (0: none); None: whatever it is.
    Raises NotFound without a campaign or for an unknown address, NotAllowed for oneself, Refused with the field,
    Conflict where somebody else decided in between.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    try:
        return house.ledger.transact(lambda session: enter(session, loaded, actor, now, entered, after), durable=True)
    except IntegrityError as error:
        raise Conflict("Somebody else decided on this participant just now: look again first.") from error


@dataclass(frozen=True, slots=True)
class Weighed:
    """What an entry would do: for whom, what held `before` (None: nothing was decided), whether it says more."""

    participant: str
    reason: str
    before: EligibilityRow | None
    is_new: bool


def enter(
    session: Session, loaded: Loaded, actor: str, now: Moment, entered: Entered, after: int | None = None
) -> tuple[EligibilityRow, bool]:
    """The same inside a writing transaction."""
    weighed = weigh(session, loaded, actor, entered, after)
    before = weighed.before
    if before is not None and not weighed.is_new:
        return before, False
    row = EligibilityRow(
        campaign=loaded.slug,
        participant=weighed.participant,
        number=(before.number if before else 0) + 1,
        eligibility=entered.eligibility,
        reason=weighed.reason,
        starts_ns=entered.starts,
        actor=actor,
        at_ns=now,
    )
    session.add(row)
    session.flush()
    detail = {"entry": row.id, "eligibility": row.eligibility, "starts_ns": row.starts_ns}
    append_act(session, now, actor, "eligibility.set", weighed.participant, detail)
    return row, True


def weigh(session: Session, loaded: Loaded, actor: str, entered: Entered, after: int | None = None) -> Weighed:
    """Check an entry and hold it against what is decided; nothing is written. Raises like `set_eligibility`."""
    reason = _checked(entered)
    known = session.get(AddressRow, entered.address)
    if known is None or session.get(RegistrationRow, (loaded.slug, known.participant)) is None:
        raise NotFound(f"Nobody has registered {entered.address} for this campaign.")
    if person_of(session, actor) == known.participant:
        raise NotAllowed("This is you: somebody else decides it.")
    before = newest(session, loaded.slug, known.participant)
    if after is not None and after != (before.number if before else 0):
        raise Conflict("Somebody else decided on this participant in between: look again first.")
    wanted = (entered.eligibility, reason, entered.starts)
    is_new = before is None or (before.eligibility, before.reason, before.starts_ns) != wanted
    if before is None and entered.eligibility == Eligibility.ELIGIBLE:
        raise Refused("Everybody is eligible until an entry says otherwise: there is none to undo.", "eligibility")
    return Weighed(known.participant, reason, before, is_new)


def _checked(entered: Entered) -> str:
    if entered.eligibility not in set(Eligibility):
        raise Refused(f"Choose one of {', '.join(Eligibility)}.", "eligibility")
    reason = " ".join(entered.reason.split())
    if not reason:
        raise Refused("Write a reason: the participant and the staff read it.", "reason")
    if len(reason) > LONGEST_REASON:
        raise Refused(f"Write at most {LONGEST_REASON:,} characters.", "reason")
    return reason


def newest(session: Session, campaign: str, participant: str) -> EligibilityRow | None:
    """The entry that holds for a participant, None where there is none."""
    mine = EligibilityRow.campaign == campaign, EligibilityRow.participant == participant
    return session.scalars(select(EligibilityRow).where(*mine).order_by(EligibilityRow.number.desc())).first()


def newest_id(session: Session) -> int:
    """The id of the newest entry of all, 0 without any: it changes with each."""
    return session.scalar(select(func.max(EligibilityRow.id))) or 0


class Eligibilities:
    """All decisions of a campaign, to be asked for one piece of work at a time.

    The reason that award lines carry names the entry and not its text, which is for the participant and the staff.
    """

    def __init__(self, rows: Iterable[EligibilityRow]) -> None:
        self._decisions: dict[str, list[Decision]] = {}
        self._written: dict[str, list[Decision]] = {}
        for row in rows:
            self._decisions.setdefault(row.participant, []).append(decision(row, f"decision {row.id}"))
            self._written.setdefault(row.participant, []).append(decision(row))

    def of(self, participant: str, at: Moment = END) -> Standing:
        """What holds for work done at `at`; by default for the participant as a whole. The reason names the entry."""
        return standing(self._decisions.get(participant, ()), at)

    def in_words(self, participant: str, at: Moment = END) -> Standing:
        """The same with the written reason, for the participant and the staff only."""
        return standing(self._written.get(participant, ()), at)

    @property
    def participants(self) -> Iterable[str]:
        """Whoever has an entry."""
        return self._decisions.keys()


def eligibilities(
    session: Session, campaign: str, participants: Iterable[str] | None = None, *, up_to: int | None = None
) -> Eligibilities:
    """Every decision of the campaign, or of a few participants; `up_to`: as when this entry was the newest."""
    rows = entries(session, campaign, participants)
    return Eligibilities(row for row in rows if up_to is None or row.id <= up_to)


def excluded(session: Session, campaign: str, now: Moment) -> frozenset[str]:
    """Participants who are ineligible for work done now: providers need not take their deployments."""
    kept = eligibilities(session, campaign)
    return frozenset(each for each in kept.participants if not kept.of(each, now).eligible)


def history(house: House, address: str | None = None) -> list[EligibilityRow]:
    """Every entry, or those of one participant by any of their addresses, the oldest first. Raises NotFound."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        if address is None:
            return entries(session, loaded.slug)
        known = session.get(AddressRow, address)
        if known is None:
            raise NotFound(f"Nobody has registered {address}.")
        return entries(session, loaded.slug, [known.participant])


def seen_number(house: House, address: str) -> int:
    """The number of a participant's newest entry as somebody sees it now, 0 without one or for nobody."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        known = session.get(AddressRow, address)
        row = newest(session, loaded.slug, known.participant) if known else None
    return row.number if row else 0


def document(row: EligibilityRow) -> Mapping[str, object]:
    """An entry as the commands print it, for staff."""
    return {
        "entry": row.id,
        "participant": row.participant,
        "number": row.number,
        "eligibility": row.eligibility,
        "reason": row.reason,
        "starts": None if row.starts_ns is None else format_moment(Moment(row.starts_ns)),
        "by": row.actor,
        "at": format_moment(Moment(row.at_ns)),
    }
