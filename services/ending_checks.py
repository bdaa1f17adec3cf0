"""What keeps results from being published or made final: claims that are not decided, appeals that are open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow
from ledger.claims import ClaimRow
from ledger.results import FINAL, PROVISIONAL, SHARES, ResultStateRow, result_states
from ledger.reviews import AppealRow, AppealRulingRow
from services import campaigns
from services.campaigns import Loaded
from services.errors import Conflict
from services.house import House
from services.results import parts_of
from tasks.moment import Moment, format_moment
from tasks.parts import Task
from verifiers.evidence import Outcome

SHOWN = 20
DECIDED = (Outcome.PASSED, Outcome.FAILED)


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """A claim that is neither passed nor failed; `words`: its outcome, or that nobody has looked yet."""

    claim: str
    task: str
    participant: str
    words: str
    holds_place: bool


@dataclass(frozen=True, slots=True)
class OpenAppeal:
    """An appeal that waits for its ruling."""

    appeal: str
    claim: str
    task: str
    participant: str
    made: Moment


@dataclass(frozen=True)
class Before:
    """What an act on results would do and what keeps it from being done.

    `tasks`: those that it would reach. `refused`: why none can be reached now, "" where some can. `sums`: what the
    ledger holds for each task, in micro. `left_open`: claims that were published as open, which don't block any more.
    """

    tasks: Sequence[Task]
    refused: str
    claims: Sequence[OpenClaim]
    appeals: Sequence[OpenAppeal]
    left_open: Sequence[OpenClaim]
    sums: Mapping[str, int]


def before(house: House, state: str, task: str | None = None) -> Before:
    """Look ahead at publishing (PROVISIONAL) or finalizing (FINAL) a task, or all. Raises NotFound."""
    loaded, now = campaigns.required(house), house.clock.now()
    with house.ledger.read() as session:
        states = result_states(session, loaded.slug)
        refused, chosen = "", []
        try:
            chosen = (
                to_publish(session, loaded, task, now)
                if state == PROVISIONAL
                else to_finalize(states, loaded, task, now)
            )
        except Conflict as conflict:
            refused = conflict.message
        asked = chosen or [each for each in loaded.newest.tasks if task in (None, each.slug)]
        claims = undecided(session, loaded, asked)
        excepted = left_open(states, asked) if state == FINAL else set()
        return Before(
            chosen,
            refused,
            [each for each in claims if each.claim not in excepted],
            open_appeals(session, loaded, asked),
            [each for each in claims if each.claim in excepted],
            _sums(session, loaded.slug),
        )


def _sums(session: Session, campaign: str) -> dict[str, int]:
    statement = (
        select(AwardLineRow.task, func.sum(AwardLineRow.amount_micro))
        .where(AwardLineRow.campaign == campaign, AwardLineRow.kind == "claim")
        .group_by(AwardLineRow.task)
    )
    return {task: int(micro) for task, micro in session.execute(statement) if task is not None}


def left_open(states: Mapping[tuple[str, str], ResultStateRow], chosen: Iterable[Task]) -> set[str]:
    """Claims of these tasks that were named as open when their results were published."""
    published = (states.get((each.slug, PROVISIONAL)) for each in chosen)
    return {claim for row in published if row is not None for claim in row.excepted}


def to_publish(session: Session, loaded: Loaded, task: str | None, now: Moment) -> list[Task]:
    """The tasks that may be published now. Raises Conflict with what is to be waited for, NotFound."""
    states = result_states(session, loaded.slug)
    if task is not None:
        chosen = [loaded.task(task)]
        if (task, PROVISIONAL) in states:
            at = format_moment(Moment(states[task, PROVISIONAL].at_ns))
            raise Conflict(f"The results of {task} were published at {at}.")
    else:
        chosen = [each for each in loaded.newest.tasks if (each.slug, PROVISIONAL) not in states]
        if not chosen and (SHARES, PROVISIONAL) in states:
            raise Conflict("The results of every task are published already.")
        if now < loaded.newest.closes:
            raise Conflict(
                f"The campaign closes at {format_moment(loaded.newest.closes)}; name a task that closed with --task."
            )
    for each in chosen:
        if now < each.closes:
            raise Conflict(f"{each.slug} is open until {format_moment(each.closes)}: results follow its close.")
    return chosen


def to_finalize(
    states: Mapping[tuple[str, str], ResultStateRow], loaded: Loaded, task: str | None, now: Moment
) -> list[Task]:
    """The tasks whose results may become final now. Raises Conflict with what is to be waited for, NotFound."""
    chosen = [loaded.task(task)] if task is not None else [
        each for each in loaded.newest.tasks if (each.slug, FINAL) not in states
    ]  # fmt: skip
    if not chosen and (SHARES, FINAL) in states:
        raise Conflict("The results of every task are final already.")
    for each in chosen:
        published = states.get((each.slug, PROVISIONAL))
        if (each.slug, FINAL) in states:
            raise Conflict(f"The results of {each.slug} are final already.")
        if published is None:
            raise Conflict(f"The results of {each.slug} are not published: run `campaign publish-results` first.")
        if published.until_ns is not None and now < published.until_ns:
            raise Conflict(f"Appeals on {each.slug} are taken until {format_moment(Moment(published.until_ns))}.")
    return chosen


def _tasks_of(loaded: Loaded, chosen: Sequence[Task]) -> list[str]:
    return sorted({slug for each in chosen for slug in parts_of(loaded, each)})


def undecided(session: Session, loaded: Loaded, chosen: Sequence[Task]) -> list[OpenClaim]:
    """Claims of these tasks and their parts that are neither passed nor failed, by task and receipt."""
    statement = (
        select(ClaimRow)
        .where(
            ClaimRow.campaign == loaded.slug,
            ClaimRow.task.in_(_tasks_of(loaded, chosen)),
            ClaimRow.outcome.not_in(DECIDED),
        )
        .order_by(ClaimRow.task, ClaimRow.received_ns, ClaimRow.id)
    )
    return [
        OpenClaim(
            row.id,
            row.task,
            row.participant,
            row.outcome if row.verdict_id is not None else "nobody has looked yet",
            row.holds_place,
        )
        for row in session.scalars(statement)
    ]


def refuse_open(open_claims: Sequence[OpenClaim]) -> None:
    """Raises Conflict that names the claims, where there are any."""
    if not open_claims:
        return
    shown = "\n".join(f"  {each.claim}  {each.task}: {each.words}" for each in open_claims[:SHOWN])
    more = f"\n  … and {len(open_claims) - SHOWN} more" if len(open_claims) > SHOWN else ""
    count = "1 claim is" if len(open_claims) == 1 else f"{len(open_claims)} claims are"
    raise Conflict(
        f"{count} not decided. Decide them, or publish without them by naming each with "
        f"--except CLAIM=REASON (they keep their place):\n{shown}{more}"
    )


def open_appeals(session: Session, loaded: Loaded, chosen: Sequence[Task]) -> list[OpenAppeal]:
    """Appeals on claims of these tasks and their parts that wait for a ruling, the oldest first."""
    statement = (
        select(AppealRow.id, ClaimRow.id, ClaimRow.task, AppealRow.participant, AppealRow.made_ns)
        .join(ClaimRow, ClaimRow.id == AppealRow.claim)
        .outerjoin(AppealRulingRow, AppealRulingRow.appeal == AppealRow.id)
        .where(
            AppealRow.campaign == loaded.slug,
            AppealRulingRow.appeal.is_(None),
            ClaimRow.task.in_(_tasks_of(loaded, chosen)),
        )
        .order_by(AppealRow.made_ns, AppealRow.id)
    )
    return [
        OpenAppeal(appeal, claim, task, who, Moment(made))
        for appeal, claim, task, who, made in session.execute(statement)
    ]


def refuse_appeals(found: Sequence[OpenAppeal]) -> None:
    """Raises Conflict that names the appeals, where there are any."""
    if found:
        shown = "\n".join(f"  appeal {each.appeal} about claim {each.claim} ({each.task})" for each in found[:SHOWN])
        count = "1 appeal is" if len(found) == 1 else f"{len(found)} appeals are"
        raise Conflict(f"{count} open. Decide first:\n{shown}")
