"""What reviewers see: claims that wait for people, and one claim with all that helps to decide it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from ledger.audit import AuditRow, Break, check_log
from ledger.benchmarks import earlier_with_output, run_of_claim
from ledger.claims import CheckRow, ClaimRow
from ledger.reviews import ReviewStepRow, ReviewTakeRow
from services import campaigns, profiles
from services.campaigns import Loaded
from services.house import House
from services.paging import Page
from services.profiles import SeenClaim
from services.review_steps import claim_in, person_of
from services.reviews import decided_fields, has_open_review, standing_in
from tasks.parts import Task
from verifiers.deciding import REVIEW, reviewers_of
from verifiers.entries import AskedField, asked_fields, loose_url
from verifiers.evidence import Outcome
from verifiers.reviewing import Act, Standing

MOST_COMPARED = 12
FOR_REVIEWERS, FOR_PARTICIPANTS = "reviewers", "participants"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A claim in the queue. `reasons`: why people have to look; `taken_until_ns`: somebody else looks at it now."""

    row: ClaimRow
    task_title: str
    reasons: str
    is_own: bool
    is_mine_now: bool
    taken_until_ns: int | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Compared:
    """Another claim that is worth a look beside this one, and why."""

    row: ClaimRow
    why: str


@dataclass(frozen=True, slots=True)
class Case:
    """One claim as its reviewers see it. `entered`: what stands now; `answers`: what came before, oldest first."""

    seen: SeenClaim
    unit: str
    task: Task
    standing: Standing
    reviewers: int
    asked: Sequence[AskedField]
    entered: Mapping[str, str]
    to_decide: Sequence[AskedField]
    compared: Sequence[Compared]
    take: ReviewTakeRow | None
    person: str
    is_own: bool
    is_open: bool
    can_reopen: bool


def queue(house: House, actor: str, page: int, per_page: int, waiting_for: str = FOR_REVIEWERS) -> Page[Waiting]:
    """Claims with an open review, the longest waiting first; those of `participants` wait for an answer of theirs."""
    loaded, now = campaigns.required(house), house.clock.now()
    with house.ledger.read() as session:
        statement = _open(loaded).where(_waits_for(waiting_for))
        total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
        ordered = statement.order_by(ClaimRow.received_ns, ClaimRow.id)
        rows = session.execute(ordered.limit(per_page).offset((page - 1) * per_page)).all()
        person = person_of(session, actor)
        takes = _takes(session, [claim.id for claim, _ in rows], now)
        titles = {task.slug: task.title for task in loaded.newest.tasks}
        items = [
            Waiting(
                row=claim,
                task_title=titles.get(claim.task, claim.task),
                reasons=reasons,
                is_own=claim.participant == person,
                is_mine_now=claim.id in takes and takes[claim.id].person == person,
                taken_until_ns=takes[claim.id].until_ns if claim.id in takes else None,
                standing=standing_in(session, loaded, claim),
            )
            for claim, reasons in rows
        ]
        return Page(items, page, per_page, total)


def _open(loaded: Loaded) -> Select[ClaimRow, str]:
    is_open = ClaimRow.outcome.in_((Outcome.PENDING, Outcome.UNKNOWN))
    return (
        select(ClaimRow, CheckRow.seen)
        .join(CheckRow, CheckRow.verdict == ClaimRow.verdict_id)
        .where(ClaimRow.campaign == loaded.slug, is_open)
        .where(CheckRow.name == REVIEW, CheckRow.outcome == Outcome.PENDING)
    )


def _waits_for(whom: str) -> ColumnElement[bool]:
    newest = (
        select(ReviewStepRow.act)
        .where(ReviewStepRow.claim == ClaimRow.id)
        .order_by(ReviewStepRow.number.desc())
        .limit(1)
        .correlate(ClaimRow)
        .scalar_subquery()
    )
    return newest == Act.NEEDS_WORK if whom == FOR_PARTICIPANTS else or_(newest.is_(None), newest != Act.NEEDS_WORK)


def _takes(session: Session, claims: Sequence[str], now: int) -> dict[str, ReviewTakeRow]:
    live = ReviewTakeRow.claim.in_(claims), ReviewTakeRow.until_ns > now
    return {row.claim: row for row in session.scalars(select(ReviewTakeRow).where(*live))}


def case(house: House, actor: str, claim_id: str) -> Case:
    """Everything about one claim that a reviewer needs. Raises NotFound."""
    loaded, now = campaigns.required(house), house.clock.now()
    seen, unit = profiles.claim(house, claim_id)
    task = loaded.task(seen.row.task)
    with house.ledger.read() as session:
        claim = claim_in(session, loaded.slug, claim_id)
        standing = standing_in(session, loaded, claim)
        person = person_of(session, actor)
        entered = entered_now(claim, seen.steps)
        is_open = standing.outcome == Outcome.PENDING and (
            has_open_review(session, claim) or standing.opened is not None
        )
        return Case(
            seen=seen,
            unit=unit,
            task=task,
            standing=standing,
            reviewers=reviewers_of(task.params),
            asked=asked_fields(task.params, decided=False),
            entered=entered,
            to_decide=decided_fields(task),
            compared=_compared(session, loaded, claim, entered),
            take=_takes(session, [claim_id], now).get(claim_id),
            person=person,
            is_own=claim.participant == person,
            is_open=is_open,
            can_reopen=not is_open and (standing.outcome != Outcome.PENDING or claim.outcome == Outcome.PASSED),
        )


def entered_now(claim: ClaimRow, steps: Sequence[ReviewStepRow]) -> dict[str, str]:
    """What the participant says now: the newest answer, else what was entered first."""
    answers = [step.fields for step in steps if step.act == Act.ANSWER and set(step.fields) - {"note"}]
    newest = answers[-1] if answers else claim.fields
    return {name: value for name, value in newest.items() if name != "note"}


def _compared(session: Session, loaded: Loaded, claim: ClaimRow, entered: Mapping[str, str]) -> list[Compared]:
    """Claims of the same subject, of nearly the same address, with the same numbers, and the participant's own others
    of this task."""
    here = ClaimRow.campaign == loaded.slug, ClaimRow.id != claim.id
    same = select(ClaimRow).where(*here, ClaimRow.subject == claim.subject).order_by(ClaimRow.received_ns)
    found = {row.id: Compared(row, "the same subject") for row in session.scalars(same.limit(MOST_COMPARED))}
    keys = {loose_url(value) for value in (claim.subject, *entered.values()) if value.startswith("https://")}
    if keys:
        addresses = select(ClaimRow.id, ClaimRow.subject).where(*here, ClaimRow.subject.startswith("https://"))
        near = [name for name, subject in session.execute(addresses) if loose_url(subject) in keys]
        rows = session.scalars(select(ClaimRow).where(ClaimRow.id.in_(near[:MOST_COMPARED])))
        for row in sorted(rows, key=lambda each: each.received_ns):
            found.setdefault(row.id, Compared(row, "nearly the same address"))
    run = run_of_claim(session, claim.id)
    if run is not None:
        challenges = earlier_with_output(session, run)[:MOST_COMPARED]
        copied = select(ClaimRow).where(*here, ClaimRow.task == claim.task, ClaimRow.subject.in_(challenges))
        for row in session.scalars(copied.order_by(ClaimRow.received_ns)):
            found.setdefault(row.id, Compared(row, "a run of somebody else with the same numbers"))
    own = select(ClaimRow).where(*here, ClaimRow.participant == claim.participant, ClaimRow.task == claim.task)
    for row in session.scalars(own.order_by(ClaimRow.received_ns).limit(MOST_COMPARED)):
        found.setdefault(row.id, Compared(row, "another claim of this participant"))
    return list(found.values())[:MOST_COMPARED]


def acts(house: House, page: int, per_page: int) -> tuple[Page[AuditRow], list[Break]]:
    """The log of who did what, the newest first, and where it is broken, which is nowhere."""
    with house.ledger.read() as session:
        total = session.scalar(select(func.count()).select_from(AuditRow)) or 0
        newest = select(AuditRow).order_by(AuditRow.id.desc()).limit(per_page).offset((page - 1) * per_page)
        return Page(session.scalars(newest).all(), page, per_page, total), check_log(session)
