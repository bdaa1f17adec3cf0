"""What a revision would change before anything changes: who gains or loses, and what it may not take away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.mistakes import Mistake
from tasks.parts import Campaign, Reward, Task
from tasks.revisions import Rules, mistake_at
from tasks.rewards.awards import Awards
from tasks.rewards.completion import Completion
from tasks.rewards.engine import compute
from tasks.rewards.lines import TAKES_SLOT, AwardLine, Reason
from tasks.rewards.money import format_micro
from tasks.rewards.plan import attribute


@dataclass(frozen=True, slots=True)
class Shift:
    """What one participant would have of one task (or pool, or bonus) before and after; reasons of the lines."""

    participant: str
    task: str
    before_micro: int
    after_micro: int
    before_reasons: tuple[str, ...]
    after_reasons: tuple[str, ...]

    @property
    def difference_micro(self) -> int:
        """Positive: gains."""
        return self.after_micro - self.before_micro

    def to_json(self) -> dict[str, object]:
        """The keys that `campaign preview --json` prints."""
        return {
            "participant": self.participant,
            "task": self.task,
            "before_micro": self.before_micro,
            "after_micro": self.after_micro,
            "difference_micro": self.difference_micro,
            "before_reasons": list(self.before_reasons),
            "after_reasons": list(self.after_reasons),
        }


@dataclass(frozen=True, slots=True)
class Cut:
    """An excused range that lies within a task's window, wholly or in part (nanoseconds)."""

    task: str
    reason: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Preview:
    """All shifts by participant and task, and the excused ranges with the windows they lie in."""

    before: Awards
    after: Awards
    shifts: tuple[Shift, ...]
    cuts: tuple[Cut, ...]


def preview(current: Rules, proposed: Rules, completions: Iterable[Completion]) -> Preview:
    """Work the same completions by both rules. Raises CompletionErrors like `compute`."""
    given = list(completions)
    before, after = compute(current, given), compute(proposed, given)
    had, would_have = _by_participant_and_task(before), _by_participant_and_task(after)
    shifts = []
    for key in sorted({*had, *would_have}):
        was, is_now = had.get(key, (0, ())), would_have.get(key, (0, ()))
        if was != is_now:
            shifts.append(Shift(*key, was[0], is_now[0], was[1], is_now[1]))
    return Preview(before, after, tuple(shifts), tuple(_cuts(proposed.newest)))


def _by_participant_and_task(awards: Awards) -> dict[tuple[str, str], tuple[int, tuple[str, ...]]]:
    sums: dict[tuple[str, str], tuple[int, tuple[str, ...]]] = {}
    for line in awards.lines:
        amount, reasons = sums.get((line.participant, line.task), (0, ()))
        sums[line.participant, line.task] = (amount + line.amount_micro, (*reasons, str(line.reason)))
    for share in awards.pools:
        sums[share.participant, share.slug] = (share.amount_micro, ("pool",))
    for bonus in awards.bonuses:
        sums[bonus.participant, bonus.slug] = (bonus.amount_micro, (f"place {bonus.place}",))
    return sums


def _cuts(newest: Campaign) -> Iterable[Cut]:
    for task in newest.tasks:
        for each in newest.excused:
            start, end = max(task.opens, each.start), min(task.closes, each.end)
            if start < end:
                yield Cut(task.slug, each.reason, start, end)


def maxima_below_awarded(awarded: Awards, proposed: Rules) -> tuple[Mistake, ...]:
    """Maxima of a proposed revision that fall below what is already awarded (CAMPAIGN_FORMAT, "Revisions").

    `awarded` is what the rules now in force give.
    """
    newest = proposed.newest
    found: list[Mistake] = []
    paid: Counter[str] = Counter()
    for line in awarded.lines:
        paid[line.task] += line.amount_micro
    for index, task in enumerate(newest.tasks):
        lines = [line for line in awarded.lines if line.task == task.slug]
        if task.reward is not None:
            found += _below(newest, task, task.reward, lines, f"tasks[{index}].reward")
    spent = sum(paid.values())
    if newest.budget_for_rules < spent:  # pools and bonuses come out of the rest, whatever it is
        message = f"{format_micro(spent)} {newest.reward.unit} are awarded already"
        found.append(mistake_at(newest, "reward.budget", message, "keep the budget above that"))
    return tuple(found)


def _below(newest: Campaign, task: Task, reward: Reward, lines: list[AwardLine], path: str) -> Iterable[Mistake]:
    taking = [line for line in lines if line.reason in TAKES_SLOT]
    classes = {model.id: model.gpu_class for model in newest.gpu_models or ()}
    limits: list[tuple[str, int, int]] = []
    for index, slot in enumerate(reward.slots):
        counts = Counter(
            attribute(line.completion.attributes, slot.per, classes) if slot.per else ""
            for line in taking
            if _applies(slot.where, line.completion.attributes, classes)
        )
        limits.append((f"slots[{index}].max", slot.most, max(counts.values(), default=0)))
    if reward.per_participant is not None:
        takers = Counter(line.participant for line in taking)
        limits.append(("per_participant", reward.per_participant, max(takers.values(), default=0)))
    for key, most, awards in limits:
        if most < awards:
            message = f"{awards} places of {task.slug} are awarded already"
            yield mistake_at(newest, f"{path}.{key}", message, f"keep it at {awards} or more")
    sums = [("budget", reward.budget, sum(line.amount_micro for line in taking))]
    if reward.overflow is not None:
        drawn = sum(line.amount_micro for line in lines if line.reason is Reason.OVERFLOW)
        sums.append(("overflow.budget", reward.overflow.budget, drawn))
    for key, budget, amount in sums:
        if budget is not None and budget < amount:
            message = f"{format_micro(amount)} {newest.reward.unit} of {task.slug} are awarded already"
            yield mistake_at(newest, f"{path}.{key}", message, f"keep it at {format_micro(amount)} or more")


def _applies(where: tuple[tuple[str, str], ...], attributes: Mapping[str, str], classes: Mapping[str, str]) -> bool:
    return all(attribute(attributes, name, classes) == value for name, value in where)
