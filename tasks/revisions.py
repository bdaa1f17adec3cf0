"""A campaign's revisions in order: which one work counts by, what may change from one to the next, what did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from tasks.consistency import worst_case
from tasks.digests import canonical
from tasks.mistakes import Findings, Mistake
from tasks.moment import SECOND, Moment, format_moment
from tasks.parts import Campaign, Task
from tasks.positions import positions
from tasks.yaml_text import Mapping as MappingNode
from tasks.yaml_text import Node, locate, parse

_MINUTE = 60 * SECOND


class Rules:
    """All revisions of one campaign that are known, in order. Awards are computed by these (CAMPAIGN_FORMAT).

    What a completion is worked by is the revision in force at its own `at`; everything else is the newest's.
    Raises CampaignErrors where the revisions don't follow from each other.
    """

    def __init__(self, revisions: Iterable[Campaign]) -> None:
        self.revisions: tuple[Campaign, ...] = tuple(sorted(revisions, key=lambda each: each.revision))
        if not self.revisions:
            raise ValueError("a campaign has at least one revision")
        findings = Findings()
        _check_chain(self.revisions, findings)
        findings.raise_if_any()

    @property
    def newest(self) -> Campaign:
        """The revision with the highest number."""
        return self.revisions[-1]

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """The tasks' positions in the newest revision."""
        return positions(self.newest.tasks)

    @cached_property
    def _beginnings(self) -> tuple[int | None, ...]:
        """From when each revision counts; None: from the start."""
        return tuple(
            None if each.change is None or each.change.reaches_back else each.change.counts_from
            for each in self.revisions
        )

    def index_in_force(self, at: int) -> int | None:
        """Index of the last revision that counts at `at`; None where it is one before those that are known."""
        for index in range(len(self.revisions) - 1, -1, -1):
            beginning = self._beginnings[index]
            if beginning is None or beginning <= at:
                return index
        return None

    def turns(self) -> list[tuple[Moment | None, int]]:
        """From when which revision (its index) is in force, the oldest first; None: from the start."""
        times = sorted({beginning for beginning in self._beginnings if beginning is not None})
        first = self.index_in_force(-(2**63))
        turns: list[tuple[Moment | None, int]] = [(None, 0 if first is None else first)]
        turns += [(Moment(time), self.index_in_force(time) or 0) for time in times]
        return turns

    def in_force(self, at: int) -> Campaign:
        """The revision that work done at `at` is worked by. Raises LookupError where it is not known here."""
        index = self.index_in_force(at)
        if index is None:
            raise LookupError(f"the revision in force at {format_moment(Moment(at))} is not known here")
        return self.revisions[index]

    def version_at(self, slug: str, at: int) -> tuple[Campaign, Task]:
        """A task as the revision in force at `at` has it. Raises KeyError for an unknown one."""
        return self.version(slug, self.index_in_force(at) or 0)

    def version(self, slug: str, index: int) -> tuple[Campaign, Task]:
        """A task as revision number `index` of these has it, or the newest where it did not have it yet."""
        campaign = self.revisions[index]
        task = campaign.task(slug)
        if task is None:
            campaign = self.newest
            task = campaign.task(slug)
        if task is None:
            raise KeyError(slug)
        return campaign, task


class _Refuser:
    """Notes mistakes with the line of a path in a campaign's own text."""

    def __init__(self, campaign: Campaign, findings: Findings) -> None:
        self._findings = findings
        self.root: Node = parse(campaign.text, Findings()) if campaign.text else MappingNode(1, 1)

    def refuse(self, path: str, message: str, mend: str) -> None:
        node = locate(self.root, path)
        self._findings.refuse(Mistake(node.line, node.column, path, message, mend))


def mistake_at(campaign: Campaign, path: str, message: str, mend: str) -> Mistake:
    """A mistake with the line of a path in the campaign's own text."""
    findings = Findings()
    _Refuser(campaign, findings).refuse(path, message, mend)
    return findings.mistakes[0]


def _check_chain(revisions: tuple[Campaign, ...], findings: Findings) -> None:
    if len(revisions) == 1:
        return  # one file alone was checked whole when it was read
    newest = revisions[-1]
    refuser = _Refuser(newest, findings)
    for earlier, later in pairwise(revisions):
        if earlier.slug != later.slug:
            message = f"revision {earlier.revision} is of the campaign {earlier.slug}, not of {later.slug}"
            refuser.refuse("campaign", message, "give revisions of one campaign")
        if later.revision == earlier.revision:
            message = f"revision {later.revision} is given twice"
            refuser.refuse("revision", message, "count revisions up by one")
        elif later.revision != earlier.revision + 1:
            message = f"revision {earlier.revision + 1} is missing between {earlier.revision} and {later.revision}"
            refuser.refuse("revision", message, "give every revision between, or count up by one")
        _check_step(earlier, later, refuser)
    if not findings.mistakes:
        worst_case(list(revisions), refuser.root, findings)


def _check_step(earlier: Campaign, later: Campaign, refuser: _Refuser) -> None:
    for task in earlier.tasks:
        now = later.task(task.slug)
        if now is None:
            mend = "keep it; to end it, let it close earlier"
            refuser.refuse("tasks", f"{task.slug} was removed; a task may be closed, never removed", mend)
        elif now.kind != task.kind:
            index = later.tasks.index(now)
            message = f"{task.slug} was {task.kind}; its claims would mean something else as {now.kind}"
            refuser.refuse(f"tasks[{index}].kind", message, "add a task with another slug")
    if earlier.reward.unit != later.reward.unit:
        message = f"amounts were in {earlier.reward.unit}"
        refuser.refuse("reward.unit", message, f"keep unit: {earlier.reward.unit}")


def mistakes_at_load(rules: Rules, now: Moment) -> tuple[Mistake, ...]:
    """What keeps the newest revision from being loaded at `now`: `counts_from` in the past without reaching back."""
    change = rules.newest.change
    if change is None or change.reaches_back or change.counts_from is None or change.counts_from >= now:
        return ()
    message = f"this revision would count from {format_moment(change.counts_from)}, before it was loaded"
    soon = format_moment(Moment((now // _MINUTE + 10) * _MINUTE))
    mend = f"write a time that is still to come when it is loaded, such as {soon}, or reaches_back: true"
    return (mistake_at(rules.newest, "change.counts_from", message, mend),)


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two revisions differ; None: not there."""

    path: str
    before: object
    after: object


def differences(old: Campaign, new: Campaign) -> tuple[Difference, ...]:
    """Every place where the normalised contents differ, tasks and other named entries matched by name."""
    return tuple(_walk("", canonical(old), canonical(new)))


def _walk(path: str, old: object, new: object) -> Iterable[Difference]:
    old_parts, new_parts = _parts(old), _parts(new)
    if old_parts is None or new_parts is None:
        if old != new:
            yield Difference(path, old, new)
        return
    for key in dict.fromkeys([*old_parts, *new_parts]):
        step = f"{path}.{key}" if path else key
        yield from _walk(step, old_parts.get(key), new_parts.get(key))


def _parts(value: object) -> Mapping[str, object] | None:
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and value and all(isinstance(each, dict) and _name(each) for each in value):
        return {_name(each): each for each in value}
    return None


def _name(entry: Mapping[str, object]) -> str:
    return str(entry.get("slug") or entry.get("id") or entry.get("name") or "")
