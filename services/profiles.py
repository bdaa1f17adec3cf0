"""What is known of one participant: their addresses and each claim with its checks and awards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow, ProvisionalLineRow
from ledger.claims import CheckRow, ClaimRow, VerdictRow
from ledger.people import AddressRow, RegistrationRow
from ledger.reviews import ReviewStepRow
from services import campaigns
from services.appeals import Appeal, of_claims
from services.campaigns import Loaded
from services.eligibility import END, PAYABLE, eligibilities
from services.errors import NotFound
from services.house import House
from services.payments import Payment, payments_of
from services.queues import waiting_before
from services.review_steps import rows_of
from services.standings import Place, place_of
from tasks.eligibility import Standing
from tasks.moment import Moment
from tasks.parts import Task


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the reward ledger, or what a claim that holds its place would get today (`provisional`).

    `payment`: the payout that holds it, None while it is owed.
    `waiting_before`: how many completions before it found the same places taken, None where that is not the reason.
    """

    kind: str
    slug: str | None
    task: str | None
    amount_micro: int
    reason: str
    working: Mapping[str, object]
    provisional: bool
    revision: int | None = None
    cause: str = ""
    computed_ns: int | None = None
    corrects: int | None = None
    waiting_before: int | None = None
    payment: Payment | None = None


@dataclass(frozen=True, slots=True)
class SeenClaim:
    """A claim with its newest verdict. `verdict` None: nobody has looked yet, `checks` is empty then.

    `steps`: what reviewers decided and the participant answered; `appeals` with their rulings; both oldest first.
    `standing`: whether it may be paid, with the organizers' reason, which is for the participant and the staff.
    """

    row: ClaimRow
    task_title: str
    verdict: VerdictRow | None
    checks: Sequence[CheckRow]
    lines: Sequence[Line]
    steps: Sequence[ReviewStepRow] = ()
    appeals: Sequence[Appeal] = ()
    task: Task | None = None
    standing: Standing = PAYABLE

    @property
    def missing(self) -> Sequence[str]:
        """What is not there yet, one sentence each."""
        return self.verdict.missing if self.verdict else ()

    @property
    def amount_micro(self) -> int:
        """What the ledger holds for it now, grants apart."""
        return sum(line.amount_micro for line in self.lines if not line.provisional and line.kind != "grant")

    @property
    def payments(self) -> list[Payment]:
        """The payments of its award, the oldest first."""
        return payments_in(self.lines)

    @property
    def provisional_micro(self) -> int:
        """What it would get today if what is open passes."""
        return sum(line.amount_micro for line in self.lines if line.provisional)


@dataclass(frozen=True, slots=True)
class Profile:
    """A participant. `place` None: not registered for the campaign in force.

    `standing`: whether all this may be paid; its reason is for the participant and the staff.
    """

    address: str
    name: str | None
    unit: str
    place: Place | None
    registration: RegistrationRow | None
    addresses: Sequence[AddressRow]
    claims: Sequence[SeenClaim]
    other_lines: Sequence[Line]
    standing: Standing = PAYABLE

    @property
    def payments(self) -> list[Payment]:
        """Every payment to the participant, the oldest first."""
        return payments_in([*(line for claim in self.claims for line in claim.lines), *self.other_lines])


def payments_in(lines: Iterable[Line]) -> list[Payment]:
    """The payments behind some lines, each once, by payout and place."""
    found = {line.payment for line in lines if line.payment is not None}
    return sorted(found, key=lambda payment: (payment.payout, payment.place, payment.batch))


def profile(house: House, address: str) -> Profile:
    """A participant by any of their addresses. Raises NotFound where no such address was ever proved here."""
    with house.ledger.read() as session:
        loaded = campaigns.current_in(session, house.settings.campaign)
        known = session.get(AddressRow, address)
        if loaded is None or known is None:
            raise NotFound(f"Nobody has registered {address}. A linked address shows the participant it belongs to.")
        participant = known.participant
        registration = session.get(RegistrationRow, (loaded.slug, participant))
        addresses = session.scalars(
            select(AddressRow)
            .where(AddressRow.participant == participant)
            .order_by(AddressRow.address != participant, AddressRow.linked_ns, AddressRow.address)
        ).all()
        place = place_of(house, session, loaded.slug, participant)
        claims = session.scalars(
            select(ClaimRow)
            .where(ClaimRow.campaign == loaded.slug, ClaimRow.participant == participant)
            .order_by(ClaimRow.received_ns.desc(), ClaimRow.id)
        ).all()
        lines = _lines(house, session, loaded.slug, [participant])
        return Profile(
            address=participant,
            name=place.name if place else None,
            unit=loaded.newest.reward.unit,
            place=place,
            registration=registration,
            addresses=addresses,
            claims=seen_claims(session, loaded, claims, lines),
            other_lines=_without_claim(lines, {row.id for row in claims}),
            standing=eligibilities(session, loaded.slug, [participant]).in_words(participant),
        )


def claim(house: House, claim_id: str) -> tuple[SeenClaim, str]:
    """One claim and the unit of its amounts. Raises NotFound."""
    with house.ledger.read() as session:
        loaded = campaigns.current_in(session, house.settings.campaign)
        row = session.get(ClaimRow, claim_id)
        if loaded is None or row is None or row.campaign != loaded.slug:
            raise NotFound("There is no such claim. The participant's page lists all of theirs.")
        lines = _lines(house, session, loaded.slug, [row.participant])
        return seen_claims(session, loaded, [row], lines)[0], loaded.newest.reward.unit


def seen_claims(
    session: Session, loaded: Loaded, claims: Sequence[ClaimRow], lines: Mapping[str | None, Sequence[Line]]
) -> list[SeenClaim]:
    """Claims with verdicts, checks, lines and what people decided, in a few queries whatever their number."""
    verdicts = {
        row.id: row
        for ids in _chunks([claim.verdict_id for claim in claims if claim.verdict_id is not None])
        for row in session.scalars(select(VerdictRow).where(VerdictRow.id.in_(ids)))
    }
    checks: dict[int, list[CheckRow]] = defaultdict(list)
    for ids in _chunks(list(verdicts)):
        statement = select(CheckRow).where(CheckRow.verdict.in_(ids)).order_by(CheckRow.verdict, CheckRow.position)
        for check in session.scalars(statement):
            checks[check.verdict].append(check)
    titles = {task.slug: task.title for task in loaded.newest.tasks}
    names = [claim.id for claim in claims]
    steps, appeals = rows_of(session, names), of_claims(session, names)
    decided = eligibilities(session, loaded.slug, {claim.participant for claim in claims})
    return [
        SeenClaim(
            row=row,
            task_title=titles.get(row.task, row.task),
            verdict=verdicts.get(row.verdict_id) if row.verdict_id is not None else None,
            checks=checks.get(row.verdict_id, []) if row.verdict_id is not None else [],
            lines=lines.get(row.id, ()),
            steps=steps.get(row.id, ()),
            appeals=appeals.get(row.id, ()),
            task=loaded.newest.task(row.task),
            standing=decided.in_words(row.participant, END if row.at_ns is None else Moment(row.at_ns)),
        )
        for row in claims
    ]


def _lines(
    house: House, session: Session, campaign: str, participants: Sequence[str]
) -> dict[str | None, list[Line]]:
    """Every line of the named people by claim; those of pools, bonuses and grants under None."""
    found: dict[str | None, list[Line]] = defaultdict(list)
    queues = waiting_before(house, session, campaign)
    payments = payments_of(session, campaign, participants)
    awarded = select(AwardLineRow).where(
        AwardLineRow.campaign == campaign, AwardLineRow.participant.in_(participants)
    )
    for row in session.scalars(awarded.order_by(AwardLineRow.id)):
        found[row.claim].append(
            Line(
                kind=row.kind,
                slug=row.slug,
                task=row.task,
                amount_micro=row.amount_micro,
                reason=row.reason,
                working=row.working,
                provisional=False,
                revision=row.revision,
                cause=row.cause,
                computed_ns=row.computed_ns,
                corrects=row.corrects,
                waiting_before=queues.get(row.claim or ""),
                payment=payments.get(row.id),
            )
        )
    held = select(ProvisionalLineRow).where(
        ProvisionalLineRow.campaign == campaign, ProvisionalLineRow.participant.in_(participants)
    )
    for held_row in session.scalars(held):
        found[held_row.claim].append(
            Line(
                kind="claim",
                slug=None,
                task=held_row.task,
                amount_micro=held_row.amount_micro,
                reason=held_row.reason,
                working=held_row.working,
                provisional=True,
                waiting_before=queues.get(held_row.claim),
            )
        )
    return found


def _without_claim(lines: Mapping[str | None, Sequence[Line]], claims: set[str]) -> list[Line]:
    """Lines of pools, bonuses and grants, and those of sets, whose completion the rules make without a claim."""
    return [line for name, of_one in lines.items() if name not in claims for line in of_one]


def _chunks(ids: Sequence[int], size: int = 500) -> Iterable[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
