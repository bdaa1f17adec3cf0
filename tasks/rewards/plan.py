"""The rules made ready for working: each task with its position, its bits, and what each revision says of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.parts import Amount, Campaign, Decay, Excused, GpuModel, Overflow, SlotLine, Task
from tasks.revisions import Rules


@dataclass(frozen=True, slots=True)
class Version:
    """What the revision in force at a completion's own `at` decides: requires, amount, decay, the listed models.

    Tasks are bits: bit n is the task at position n of the newest revision.
    """

    revision: int
    requires: int
    needs_all: bool
    required: tuple[str, ...]
    amount: Amount | None
    decay: Decay | None
    models: frozenset[str] | None
    classes: Mapping[str, str]

    def is_met(self, passed: int) -> bool:
        """Whether a participant who completed the tasks in `passed` may go on to rule 5."""
        common = passed & self.requires
        return common == self.requires if self.needs_all else bool(common)


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """What the newest revision decides of a task, and its versions by the revision's index."""

    slug: str
    position: int
    task: Task
    parts: int
    versions: tuple[Version, ...]
    once_per: tuple[str, ...]
    once_per_subject: bool
    slots: tuple[SlotLine, ...]
    per_participant: int | None
    budget: int | None
    overflow: Overflow | None
    classes: Mapping[str, str]
    bit: int


class ExcusedTime:
    """The union of the excused intervals, ready to be measured."""

    def __init__(self, excused: Iterable[Excused]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._before: list[int] = []
        total = 0
        for start, end in sorted((each.start, each.end) for each in excused):
            if self._ends and start <= self._ends[-1]:
                total += max(0, end - self._ends[-1])
                self._ends[-1] = max(self._ends[-1], end)
                continue
            self._before.append(total)
            self._starts.append(start)
            self._ends.append(end)
            total += end - start

    def between(self, start: int, end: int) -> int:
        """Nanoseconds of excused time within `[start, end)`."""
        return self._until(end) - self._until(start) if self._starts else 0

    def _until(self, moment: int) -> int:
        index = bisect_right(self._starts, moment) - 1
        if index < 0:
            return 0
        return self._before[index] + min(moment, self._ends[index]) - self._starts[index]


def attribute(attributes: Mapping[str, str], name: str, classes: Mapping[str, str]) -> str:
    """The value of an attribute, empty where absent; `gpu_class` is looked up by the model where that is listed."""
    if name == "gpu_class":
        listed = classes.get(attributes.get("gpu_model", ""))
        if listed is not None:
            return listed
    return attributes.get(name, "")


def make_plans(rules: Rules) -> dict[str, TaskPlan]:
    """Slug → plan, for every task of the newest revision."""
    bits = {slug: 1 << position for slug, position in rules.positions.items()}
    classes = _classes(rules.newest.gpu_models)
    plans: dict[str, TaskPlan] = {}
    for task in rules.newest.tasks:
        reward = task.reward
        once_per = reward.once_per if reward else ("subject",)
        plans[task.slug] = TaskPlan(
            slug=task.slug,
            position=rules.positions[task.slug],
            task=task,
            parts=sum(bits[slug] for slug in task.parts),
            versions=tuple(_version(rules, task.slug, index, bits) for index in range(len(rules.revisions))),
            once_per=once_per,
            once_per_subject=once_per == ("subject",),
            slots=reward.slots if reward else (),
            per_participant=reward.per_participant if reward else None,
            budget=reward.budget if reward else None,
            overflow=reward.overflow if reward else None,
            classes=classes,
            bit=bits[task.slug],
        )
    return plans


def _classes(models: Iterable[GpuModel] | None) -> dict[str, str]:
    return {model.id: model.gpu_class for model in models or ()}


def _version(rules: Rules, slug: str, index: int, bits: Mapping[str, int]) -> Version:
    campaign: Campaign
    campaign, task = rules.version(slug, index)
    requires = task.requires
    reward = task.reward
    return Version(
        revision=campaign.revision,
        requires=sum(bits[each] for each in requires.tasks) if requires else 0,
        needs_all=requires is None or requires.mode == "all_of",
        required=requires.tasks if requires else (),
        amount=reward.amount if reward else None,
        decay=reward.decay if reward else None,
        models=None if campaign.gpu_models is None else frozenset(model.id for model in campaign.gpu_models),
        classes=_classes(campaign.gpu_models),
    )
