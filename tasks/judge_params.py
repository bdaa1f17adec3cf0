"""What a judge knows of the campaign: the params of its task, GPU models and excused time (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.moment import Moment
from tasks.parts import Campaign, Excused, Task
from tasks.revisions import Rules


@dataclass(frozen=True, slots=True)
class Asked:
    """What a task asks of work whose `at` lies in `[begins, ends)`; None: no bound."""

    begins: Moment | None
    ends: Moment | None
    params: Mapping[str, object]

    def holds(self, at: Moment) -> bool:
        """Whether work done at `at` is judged by this."""
        return (self.begins is None or self.begins <= at) and (self.ends is None or at < self.ends)


def begun(asked: Sequence[Asked], until: Moment) -> Sequence[Asked]:
    """Those that some work up to a moment may be judged by, the oldest first; at least the first."""
    return [each for each in asked if each.begins is None or each.begins <= until] or asked[:1]


def judge_params(campaign: Campaign, task: Task, excused: Sequence[Excused] | None = None) -> dict[str, object]:
    """The task's params with `listed` models written out, and of the campaign, which no judge sees, its list of GPU
    models and its excused time (`excused`: another one's) as intervals `[start, end)`.
    """
    params = dict(task.params)
    listed = campaign.gpu_models
    if params.get("gpu_models") == "listed":
        params["gpu_models"] = tuple(model.id for model in listed or ())
    if listed is not None:
        params["campaign_gpu_models"] = tuple(
            {"id": each.id, "gpu_class": each.gpu_class, "vram_gib": each.vram_gib, "aliases": each.aliases}
            for each in listed
        )
    times = campaign.excused if excused is None else excused
    params["excused"] = tuple((each.start, each.end) for each in times)
    return params


def asked_in_turn(rules: Rules, slug: str) -> tuple[Asked, ...]:
    """What a task asked over time, the oldest first: params are those of the revision in force at the work's own
    `at`, excused time is the newest's (CAMPAIGN_FORMAT, "Revisions"). Raises KeyError for an unknown task.
    """
    if len(rules.revisions) == 1:
        return (Asked(None, None, judge_params(*rules.version(slug, 0))),)
    begins: list[tuple[Moment | None, Mapping[str, object]]] = []
    for start, index in rules.turns():
        params = judge_params(*rules.version(slug, index), rules.newest.excused)
        if not begins or begins[-1][1] != params:
            begins.append((start, params))
    ends = [start for start, _ in begins[1:]] + [None]
    return tuple(Asked(start, end, params) for (start, params), end in zip(begins, ends, strict=True))
