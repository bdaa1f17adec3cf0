"""Worst-case exposure: the most that the rules could pay whatever people do, task by task and in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.moment import Moment
from tasks.parts import Campaign, Excused, Reward, Task
from tasks.rewards.money import Micro, format_micro, percent_of


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the exposure table. `places` None: no bound by places; `worst_micro` None: no bound at all.

    `what` is `task`, `pool`, `bonus` or `grants`; `each_micro` the most that one award can be.
    """

    slug: str
    what: str
    each_micro: Micro
    places: int | None
    budget_micro: Micro | None
    overflow_micro: Micro
    worst_micro: Micro | None

    def to_json(self) -> dict[str, object]:
        """The keys that `campaign check --json` prints."""
        return {
            "slug": self.slug,
            "what": self.what,
            "each_micro": self.each_micro,
            "places": self.places,
            "budget_micro": self.budget_micro,
            "overflow_micro": self.overflow_micro,
            "worst_micro": self.worst_micro,
        }


@dataclass(frozen=True, slots=True)
class Exposure:
    """The table and its sums; `total_micro` None where a task has no bound."""

    rows: tuple[Row, ...]
    total_micro: Micro | None
    budget_micro: Micro
    unit: str

    @property
    def exceeds_budget(self) -> bool:
        """Whether the worst case is more than the budget."""
        return self.total_micro is not None and self.total_micro > self.budget_micro

    def to_json(self) -> dict[str, object]:
        """The keys that `campaign check --json` prints."""
        return {
            "rows": [row.to_json() for row in self.rows],
            "total_micro": self.total_micro,
            "budget_micro": self.budget_micro,
            "unit": self.unit,
        }

    def sentence(self) -> str:
        """The sum in words, for messages."""
        worst = "without a bound" if self.total_micro is None else f"{format_micro(self.total_micro)} {self.unit}"
        return f"the worst case is {worst} of {format_micro(self.budget_micro)} {self.unit}"


def exposure(revisions: Sequence[Campaign]) -> Exposure:
    """The worst case of a campaign, given its revisions in order (CAMPAIGN_FORMAT, "Worst-case exposure").

    Amounts and percents are the greatest of all revisions, everything else is the newest's.
    """
    newest = revisions[-1]
    rows = [_task_row(task, revisions) for task in newest.tasks]
    rows += [_fixed(pool.slug, "pool", pool.amount, 1) for pool in newest.pools]
    for bonus in newest.ranking_bonuses:
        together = Micro(sum(bonus.amounts))
        rows.append(_fixed(bonus.slug, "bonus", together, len(bonus.amounts), max(bonus.amounts, default=Micro(0))))
    if newest.grants.budget:
        rows.append(_fixed("grants", "grants", newest.grants.budget, None))
    worst = [row.worst_micro for row in rows]
    total = None if None in worst else Micro(sum(each for each in worst if each is not None))
    return Exposure(tuple(rows), total, newest.reward.budget, newest.reward.unit)


def _fixed(slug: str, what: str, together: Micro, places: int | None, each: Micro | None = None) -> Row:
    return Row(slug, what, each if each is not None else together, places, None, Micro(0), together)


def _task_row(task: Task, revisions: Sequence[Campaign]) -> Row:
    versions = [each.reward for campaign in revisions for each in campaign.tasks if each.slug == task.slug]
    rewards = [reward for reward in versions if reward is not None]
    amount = max((reward.amount.greatest for reward in rewards), default=Micro(0))
    percent = max((reward.decay.highest if reward.decay else 100 for reward in rewards), default=0)
    each = percent_of(amount, percent)
    reward = task.reward
    places = _places(reward, revisions[-1]) if reward else None
    budget = reward.budget if reward else None
    overflow = reward.overflow.budget if reward and reward.overflow else Micro(0)
    bounds = [bound for bound in (each * places if places is not None else None, budget) if bound is not None]
    if each == 0:
        bounds.append(0)
    worst = Micro(min(bounds) + overflow) if bounds else None
    return Row(task.slug, "task", each, places, budget, overflow, worst)


def _places(reward: Reward, newest: Campaign) -> int | None:
    """The smallest `max` of the slot lines without `where`; a line per listed GPU counts once more for no model."""
    bounds = []
    for line in reward.slots:
        if line.where:
            continue
        if line.per is None:
            bounds.append(line.most)
        elif line.per == "gpu_model" and newest.gpu_models is not None:
            bounds.append(line.most * (len(newest.gpu_models) + 1))
    return min(bounds, default=None)


def first_worthless_step(task: Task, excused: Sequence[Excused]) -> int | None:
    """The first decay step inside the task's window whose percent is 0, or None."""
    decay = task.reward.decay if task.reward else None
    if decay is None or task.closes <= task.opens:
        return None
    lost = sum(max(0, min(each.end, task.closes) - max(each.start, task.opens)) for each in _union(excused))
    last = (task.closes - 1 - task.opens - lost) // decay.every
    reached = range(min(last, len(decay.percents)) + 1)
    return next((step for step in reached if decay.percent(step) == 0), None)


def _union(excused: Sequence[Excused]) -> list[Excused]:
    """The ranges joined where they overlap or touch."""
    joined: list[Excused] = []
    for each in sorted(excused, key=lambda one: (one.start, one.end)):
        if joined and each.start <= joined[-1].end:
            end = Moment(max(joined[-1].end, each.end))
            joined[-1] = Excused(joined[-1].start, end, joined[-1].reason)
        else:
            joined.append(each)
    return joined
