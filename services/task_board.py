"""The tasks as people see them now: open or not, places taken, held and left, what a completion is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow, ProvisionalLineRow
from ledger.claims import ClaimRow
from ledger.results import final_states
from services import campaigns
from services.house import House
from services.remembered import awards_state, remembered
from services.results import Results, results_in
from tasks.campaign import Campaign
from tasks.kinds import ClaimField, by_kind
from tasks.moment import Moment
from tasks.parts import Excused, Reward, Task
from tasks.revisions import Rules
from verifiers.evidence import Outcome

BEST_FIRST = (Outcome.PASSED, Outcome.PENDING, Outcome.UNKNOWN, Outcome.FAILED)
TAKES_PLACE = ("awarded", "partly_awarded")


class Phase(StrEnum):
    """Where a task stands; `NOT_BUILT`: nothing here can confirm its kind yet."""

    NOT_BUILT = "not_built"
    BEFORE = "before"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Places:
    """Places of a task; `total` and `left` None where their number is not limited."""

    taken: int
    held: int
    left: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class DecayNow:
    """The percent paid now and what it becomes next; `next_at` None where it stays."""

    percent: int
    next_at: Moment | None
    next_percent: int | None


@dataclass(frozen=True, slots=True)
class TaskNow:
    """One task of the campaign in force, as of now."""

    task: Task
    phase: Phase
    fields: Sequence[ClaimField]
    places: Places
    decay: DecayNow | None
    results: Results


def board(house: House) -> list[TaskNow]:
    """Every task in file order; empty without a campaign."""
    now = house.clock.now()
    with house.ledger.read() as session:
        loaded = campaigns.current_in(session, house.settings.campaign)
        if loaded is None:
            return []
        key = awards_state(session, loaded.slug)
        taken, held = remembered(
            house.ledger, "places", key, lambda: (_taken(session, loaded.slug), _held(session, loaded.slug))
        )
        results = results_in(session, loaded, now).tasks
    return [_now(loaded.rules, task, now, taken, held, results[task.slug]) for task in loaded.newest.tasks]


def one(house: House, slug: str) -> TaskNow:
    """One task. Raises NotFound that names the ones there are."""
    campaigns.required(house).task(slug)
    return next(entry for entry in board(house) if entry.task.slug == slug)


def own_outcomes(house: House, participant: str) -> dict[str, Outcome]:
    """By task what became of a participant's claims, the best of each; tasks without a claim are left out."""
    with house.ledger.read() as session:
        loaded = campaigns.current_in(session, house.settings.campaign)
        mine = ClaimRow.campaign == (loaded.slug if loaded else None), ClaimRow.participant == participant
        found: dict[str, set[str]] = {}
        for task, outcome in session.execute(select(ClaimRow.task, ClaimRow.outcome).where(*mine).distinct()):
            found.setdefault(task, set()).add(outcome)
    return {task: next(each for each in BEST_FIRST if each in outcomes) for task, outcomes in found.items()}


def _now(
    rules: Rules,
    task: Task,
    now: Moment,
    taken: Mapping[str, int],
    held: Mapping[str, int],
    results: Results,
) -> TaskNow:
    kind, campaign = by_kind(task.kind), rules.newest
    _, asked = rules.version_at(task.slug, now)
    return TaskNow(
        task=task,
        phase=_phase(task, now),
        fields=kind.claim_fields(asked.params) if kind else (),
        places=_places(campaign, task.reward, taken.get(task.slug, 0), held.get(task.slug, 0)),
        decay=decay_at(task, campaign.excused, now),
        results=results,
    )


def _phase(task: Task, now: Moment) -> Phase:
    if not campaigns.is_built(task):
        return Phase.NOT_BUILT
    if now < task.opens:
        return Phase.BEFORE
    return Phase.OPEN if now < task.closes else Phase.CLOSED


def _places(campaign: Campaign, reward: Reward | None, taken: int, held: int) -> Places:
    total = most_places(campaign, reward) if reward else None
    left = None if total is None else max(0, total - taken - held)
    return Places(taken, held, left, total)


def most_places(campaign: Campaign, reward: Reward) -> int | None:
    """The smallest bound of the slot lines that apply to everybody; None where nothing bounds them.

    A line per GPU model has that many places for each listed model and for the absent value
    (CAMPAIGN_FORMAT, "Worst-case exposure"); `per` on anything else bounds nothing.
    """
    bounds = []
    for line in reward.slots:
        if line.where:
            continue
        if line.per is None:
            bounds.append(line.most)
        elif line.per == "gpu_model" and campaign.gpu_models is not None:
            bounds.append(line.most * (len(campaign.gpu_models) + 1))
    return min(bounds, default=None)


def decay_at(task: Task, excused: Iterable[Excused], now: Moment) -> DecayNow | None:
    """What the percent of a completion at `now` is and when it changes (CAMPAIGN_FORMAT, rule 7).

    None where the reward does not decay. Before the opening the first step's percent holds.
    """
    decay = task.reward.decay if task.reward else None
    if decay is None:
        return None
    at = max(now, task.opens)
    counted = at - task.opens - sum(end - start for start, end in _union(excused, task.opens, at))
    step = counted // decay.every
    percent = decay.percent(step)
    changes = next(
        (later for later in range(step + 1, len(decay.percents) + 1) if decay.percent(later) != percent), None
    )
    if changes is None:
        return DecayNow(percent, None, None)
    next_at = _moment_counted(task.opens, changes * decay.every, excused)
    if next_at >= task.closes:
        return DecayNow(percent, None, None)
    return DecayNow(percent, next_at, decay.percent(changes))


def _union(excused: Iterable[Excused], start: int, end: int) -> list[tuple[int, int]]:
    """The excused time within `[start, end)` as disjoint intervals in order."""
    merged: list[tuple[int, int]] = []
    for each in sorted((max(each.start, start), min(each.end, end)) for each in excused):
        if each[0] >= each[1]:
            continue
        if merged and each[0] <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], each[1]))
        else:
            merged.append(each)
    return merged


def _moment_counted(opens: int, counted: int, excused: Iterable[Excused]) -> Moment:
    """The first moment by which `counted` nanoseconds that are not excused have passed since `opens`."""
    moment = opens + counted
    for start, end in _union(excused, opens, 2**63):
        if start < moment:
            moment += end - start
    return Moment(moment)


def _taken(session: Session, campaign: str) -> dict[str, int]:
    """By task: claims whose newest line took a place; where results are final, the newest by then: it stays taken."""
    found = _taken_by(session, campaign)
    for task, row in final_states(session, campaign).items():
        if task:
            by_then = AwardLineRow.task == task, AwardLineRow.id <= row.lines_to
            found |= {task: 0, **_taken_by(session, campaign, *by_then)}
    return found


def _taken_by(session: Session, campaign: str, *also: ColumnElement[bool]) -> dict[str, int]:
    newest = (
        select(func.max(AwardLineRow.id))
        .where(AwardLineRow.campaign == campaign, AwardLineRow.kind == "claim", *also)
        .group_by(AwardLineRow.claim)
    )
    statement = (
        select(AwardLineRow.task, func.count())
        .where(AwardLineRow.id.in_(newest), AwardLineRow.reason.in_(TAKES_PLACE))
        .group_by(AwardLineRow.task)
    )
    return {str(task): count for task, count in session.execute(statement)}


def _held(session: Session, campaign: str) -> dict[str, int]:
    """By task: claims that hold a place while something is still open."""
    statement = (
        select(ProvisionalLineRow.task, func.count())
        .where(ProvisionalLineRow.campaign == campaign, ProvisionalLineRow.reason.in_(TAKES_PLACE))
        .group_by(ProvisionalLineRow.task)
    )
    return {row[0]: row[1] for row in session.execute(statement)}
