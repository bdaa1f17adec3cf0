"""The end of a campaign, task by task: open, closed, provisional results, appeals, final results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy.orm import Session

from ledger.results import FINAL, PROVISIONAL, SHARES, ResultStateRow, result_states
from services import campaigns
from services.campaigns import Loaded
from services.house import House
from tasks.moment import Moment
from tasks.parts import Task


class Stage(StrEnum):
    """How far a task, or the campaign, is. `PAYABLE` is not among them: what is final may be paid."""

    BEFORE = "before"
    OPEN = "open"
    CLOSED = "closed"
    PROVISIONAL = "provisional"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Results:
    """How far the results of one task are (`task` SHARES: of the pools and bonuses; None: of the whole campaign).

    `appeals_until`: None before they are published, when one may appeal without end. `late_ns`: by how much they were
    published after the promised time, or how late they are by now; 0 where they are not.
    """

    task: str | None
    stage: Stage
    published: Moment | None
    appeals_until: Moment | None
    final: Moment | None
    promised: Moment | None
    late_ns: int
    excepted: Mapping[str, str] = field(default_factory=dict)

    @property
    def may_appeal(self) -> bool:
        """Whether anything can still change by an appeal, whatever the hour."""
        return self.stage is not Stage.FINAL

    def takes_appeals(self, now: Moment) -> bool:
        """Whether an appeal is taken at this moment."""
        return self.may_appeal and (self.appeals_until is None or now < self.appeals_until)


@dataclass(frozen=True)
class AllResults:
    """Those of every task, and of the campaign as a whole, which is as far as its slowest task."""

    whole: Results
    tasks: Mapping[str, Results]


def all_results(house: House) -> AllResults | None:
    """Every task of the campaign in force, None without one."""
    with house.ledger.read() as session:
        loaded = campaigns.current_in(session, house.settings.campaign)
        return None if loaded is None else results_in(session, loaded, house.clock.now())


def results_in(session: Session, loaded: Loaded, now: Moment) -> AllResults:
    """The same inside a transaction."""
    states = result_states(session, loaded.slug)
    newest = loaded.newest
    tasks = {
        task.slug: _of(states, task.slug, (task.opens, task.closes), newest.results_by, now) for task in newest.tasks
    }
    shares = _of(states, SHARES, (newest.opens, newest.closes), newest.results_by, now)
    has_shares = bool(newest.pools or newest.ranking_bonuses)
    parts = [*tasks.values(), *([shares] if has_shares else [])]
    return AllResults(_whole(parts, (newest.opens, newest.closes), newest.results_by, now), tasks)


def of_task(session: Session, loaded: Loaded, slug: str, now: Moment) -> Results:
    """Those of one task. Raises NotFound."""
    task = loaded.task(slug)
    states = result_states(session, loaded.slug)
    return _of(states, slug, (task.opens, task.closes), loaded.newest.results_by, now)


def parts_of(loaded: Loaded, task: Task) -> frozenset[str]:
    """The task and, of a set, all that it is made of."""
    found, ahead = {task.slug}, list(task.parts)
    while ahead:
        slug = ahead.pop()
        part = loaded.newest.task(slug)
        if slug not in found and part is not None:
            found.add(slug)
            ahead += part.parts
    return frozenset(found)


def _of(
    states: Mapping[tuple[str, str], ResultStateRow],
    task: str,
    window: tuple[Moment, Moment],
    promised: Moment | None,
    now: Moment,
) -> Results:
    published, final = states.get((task, PROVISIONAL)), states.get((task, FINAL))
    at = Moment(published.at_ns) if published else None
    stage = _stage(window, now)
    if published:
        stage = Stage.FINAL if final else Stage.PROVISIONAL
    return Results(
        task=task,
        stage=stage,
        published=at,
        appeals_until=Moment(published.until_ns) if published and published.until_ns is not None else None,
        final=Moment(final.at_ns) if final else None,
        promised=promised,
        late_ns=_late(promised, at or now),
        excepted=published.excepted if published else {},
    )


def _stage(window: tuple[Moment, Moment], now: Moment) -> Stage:
    opens, closes = window
    if now < opens:
        return Stage.BEFORE
    return Stage.OPEN if now < closes else Stage.CLOSED


def _late(promised: Moment | None, reached: Moment) -> int:
    return 0 if promised is None else max(0, reached - promised)


def _whole(parts: Sequence[Results], window: tuple[Moment, Moment], promised: Moment | None, now: Moment) -> Results:
    stage = _stage(window, now)
    if stage is Stage.CLOSED:
        stage = min((part.stage for part in parts), key=list(Stage).index, default=stage)
    published = _latest(part.published for part in parts)
    return Results(
        task=None,
        stage=stage,
        published=published,
        appeals_until=_latest(part.appeals_until for part in parts),
        final=_latest(part.final for part in parts),
        promised=promised,
        late_ns=_late(promised, published or now),
    )


def _latest(moments: Iterable[Moment | None]) -> Moment | None:
    """The latest, None where one is missing."""
    given = list(moments)
    known = [moment for moment in given if moment is not None]
    return max(known) if known and len(known) == len(given) else None
