"""Checks across a campaign's parts: names that must exist, cycles, tables, attributes, windows, the worst case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache

from tasks.exposure import exposure, first_worthless_step
from tasks.kinds import by_kind, kinds
from tasks.mistakes import Findings, Mistake
from tasks.moment import format_moment
from tasks.parts import Campaign, Reward, Task
from tasks.positions import cycle_through, needed_by, positions
from tasks.yaml_text import Node, locate


class _Places:
    """Notes findings at a path, with the line of the nearest node that is there."""

    def __init__(self, root: Node, findings: Findings) -> None:
        self._root, self._findings = root, findings

    def refuse(self, path: str, message: str, mend: str) -> None:
        self._findings.refuse(self._mistake(path, message, mend))

    def warn(self, path: str, message: str, mend: str) -> None:
        self._findings.warn(self._mistake(path, message, mend))

    def is_wrong(self, path: str) -> bool:
        """Whether something at or below a path is wrong, so that its value is a stand-in."""
        return any(f"{each.path}.".startswith(f"{path}.") for each in self._findings.mistakes)

    def _mistake(self, path: str, message: str, mend: str) -> Mistake:
        node = locate(self._root, path)
        return Mistake(node.line, node.column, path, message, mend)


def cross_check(campaign: Campaign, root: Node, findings: Findings) -> bool:
    """Note what is wrong between the parts. The worst case is reckoned only where all else is right: then True."""
    places = _Places(root, findings)
    _names_once(campaign, places)
    _known_tasks(campaign, places)
    _cycles(campaign, places)
    for index, task in enumerate(campaign.tasks):
        path = f"tasks[{index}]"
        _windows(campaign, task, path, places)
        if task.reward is not None:
            _attributes(task, task.reward, path, places)
            _table(campaign, task.reward, path, places)
    if findings.mistakes:
        return False
    worst_case([campaign], root, findings)
    return True


def _names_once(campaign: Campaign, places: _Places) -> None:
    groups: list[tuple[str, Iterable[str]]] = [
        ("tasks", [task.slug for task in campaign.tasks]),
        ("gpu_models", [model.id for model in campaign.gpu_models or ()]),
        ("pools", [pool.slug for pool in campaign.pools]),
        ("ranking_bonuses", [bonus.slug for bonus in campaign.ranking_bonuses]),
    ]
    for group, names in groups:
        seen: set[str] = set()
        for index, name in enumerate(names):
            if name and name in seen:
                key = "id" if group == "gpu_models" else "slug"
                places.refuse(f"{group}[{index}].{key}", f"{name!r} stands twice", "give each a name of its own")
            seen.add(name)
    aliases = Counter(alias for model in campaign.gpu_models or () for alias in {*_plain(model.aliases)})
    for alias, times in aliases.items():
        if times > 1:
            mend = "a name that fits several models is decided by memory size or by review"
            places.warn("gpu_models", f"the alias {alias!r} stands for {times} models", mend)


def _plain(aliases: tuple[str, ...]) -> set[str]:
    return {" ".join(alias.split()).lower() for alias in aliases}


def _known_tasks(campaign: Campaign, places: _Places) -> None:
    known = {task.slug for task in campaign.tasks}
    named: list[tuple[str, tuple[str, ...]]] = []
    for index, task in enumerate(campaign.tasks):
        if task.requires:
            named.append((f"tasks[{index}].requires.{task.requires.mode}", task.requires.tasks))
        named.append((f"tasks[{index}].params.tasks", task.parts))
    named += [(f"pools[{index}].among.tasks", pool.among) for index, pool in enumerate(campaign.pools)]
    named += [
        (f"ranking_bonuses[{index}].among.tasks", bonus.among or ())
        for index, bonus in enumerate(campaign.ranking_bonuses)
    ]
    listed = ", ".join(sorted(known - {""}))
    for path, slugs in named:
        for position, slug in enumerate(slugs):
            if slug not in known:
                places.refuse(f"{path}[{position}]", f"there is no task {slug!r}", f"name one of: {listed}")


def _cycles(campaign: Campaign, places: _Places) -> None:
    placed = positions(campaign.tasks)
    for index, task in enumerate(campaign.tasks):
        path = f"tasks[{index}]"
        if task.slug in needed_by(task):
            places.refuse(path, f"{task.slug} needs itself", "take it out of its own requires or parts")
        elif task.slug not in placed:
            way = cycle_through(campaign.tasks, task.slug)
            if way:
                places.refuse(f"{path}.requires", f"a cycle of prerequisites: {' → '.join(way)}", "break it")


def _windows(campaign: Campaign, task: Task, path: str, places: _Places) -> None:
    if task.opens < campaign.opens:
        places.warn(f"{path}.opens", f"{task.slug} opens before the campaign", "let it open with the campaign")
    if task.closes > campaign.closes:
        places.warn(f"{path}.closes", f"{task.slug} closes after the campaign", "let it close with the campaign")
    step = first_worthless_step(task, campaign.excused)
    if step is not None and not places.is_wrong(f"{path}.reward.decay"):
        closes = format_moment(task.closes)
        message = f"from step {step} on {task.slug} pays nothing, though it is open until {closes}"
        places.warn(f"{path}.reward.decay", message, "add percents or `after`, or close the task earlier")


def _attributes(task: Task, reward: Reward, path: str, places: _Places) -> None:
    kind = by_kind(task.kind)
    if kind is None:
        return
    allowed = set(kind.attributes(task.params))
    if "gpu_model" in allowed:
        allowed.add("gpu_class")  # looked up in gpu_models by the engine
    used = [(f"{path}.reward.amount.by", reward.amount.by)] if reward.amount.by else []
    for index, line in enumerate(reward.slots):
        used += [(f"{path}.reward.slots[{index}].where", name) for name, _ in line.where]
        used += [(f"{path}.reward.slots[{index}].per", line.per)] if line.per else []
    used += [
        (f"{path}.reward.once_per[{index}]", name) for index, name in enumerate(reward.once_per) if name != "subject"
    ]
    undecided = {field.name for field in kind.claim_fields(task.params)} if task.kind == "reviewed" else set()
    for where, name in used:
        if name in allowed:
            continue
        names = ", ".join(sorted(allowed)) or "none"
        mend = f"use one of: {names}" + ("; or a field with decided: true" if task.kind == "reviewed" else "")
        message = f"a completion of the kind {task.kind} has no attribute {name!r} that may drive money here"
        if name in _carried_by_some_kind() and name not in undecided:
            places.warn(where, message, mend)
        else:
            places.refuse(where, message, mend)


@cache
def _carried_by_some_kind() -> frozenset[str]:
    """Attributes that verifiers, never participants, state: on a kind that lacks one it is always absent."""
    found = {"gpu_class"}
    for name in kinds():
        kind = by_kind(name)
        found.update(kind.ATTRIBUTES if kind else ())
    return frozenset(found)


def _table(campaign: Campaign, reward: Reward, path: str, places: _Places) -> None:
    if campaign.gpu_models is None or reward.amount.by not in {"gpu_model", "gpu_class"}:
        return
    by_class = reward.amount.by == "gpu_class"
    listed = [model.gpu_class if by_class else model.id for model in campaign.gpu_models]
    where = f"{path}.reward.amount.table"
    for name in dict.fromkeys(listed):
        if name not in reward.amount.table:
            message = f"{name} is listed in gpu_models and missing in the table"
            note = places.warn if by_class else places.refuse
            note(where, message, f"add {name}: <amount> (0 if it earns nothing)")
    for name in reward.amount.table:
        if name not in listed:
            message = f"{name} is in the table and not listed in gpu_models, so it can never be paid"
            places.warn(f"{where}.{name}", message, "list it in gpu_models or take it out")


def worst_case(revisions: list[Campaign], root: Node, findings: Findings) -> None:
    """Note a task without a bound, and a worst case above the budget (a warning where `overcommit` is true)."""
    places = _Places(root, findings)
    newest = revisions[-1]
    table = exposure(revisions)
    for index, row in enumerate(table.rows[: len(newest.tasks)]):
        if row.worst_micro is None:
            message = f"{row.slug} has no bound: nothing limits how much it can pay"
            mend = "add a slot line without where (slots: [{max: 30}]) or a budget"
            places.refuse(f"tasks[{index}].reward", message, mend)
    if table.exceeds_budget and newest.reward.overcommit:
        places.warn(
            "reward.budget", table.sentence(), "first come, first served until it is spent (overcommit: true)"
        )
    elif table.exceeds_budget:
        mend = "raise the budget, lower amounts or places, or write overcommit: true"
        places.refuse("reward.budget", table.sentence(), mend)
