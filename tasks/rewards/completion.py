"""What the reward rules are given: completions, and what makes one impossible to work."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tasks.moment import Moment, format_moment
from tasks.revisions import Rules
from tasks.rewards.money import NotWhole

NO_ATTRIBUTES: Mapping[str, str] = {}
MOST_LISTED = 100
_NUMBER = frozenset({int, type(None)})
_WEIGHT = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?")


class Completion(NamedTuple):
    """A claim that passed (or holds its place), as the rules see it.

    `at`: when the work was done, nanoseconds. `height`, `tx_index`: None where there is none. An attribute that is
    absent or empty is the same. `registered_at` None: registration is not asked.
    """

    claim: str
    participant: str
    task: str
    at: Moment
    height: int | None
    tx_index: int | None
    subject: str
    attributes: Mapping[str, str] = NO_ATTRIBUTES
    eligible: bool = True
    ineligible_reason: str = ""
    registered_at: Moment | None = None


class CompletionMistake(NamedTuple):
    """What is wrong with one completion; `row` is its place in the input, from 0, `column` the value's name."""

    row: int
    column: str
    message: str
    mend: str


class CompletionErrors(ValueError):
    """Completions that can't be worked: nothing was computed."""

    def __init__(self, mistakes: Iterable[CompletionMistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(f"{each.message} ({each.mend})" for each in self.mistakes[:10]))


def refuse_mistakes(rules: Rules, completions: Sequence[Completion]) -> None:
    """Raise CompletionErrors with (at most a hundred) mistakes of an input, or NotWhole where a number is none."""
    found: list[CompletionMistake] = []
    for mistake in _mistakes(rules, completions):
        found.append(mistake)
        if len(found) == MOST_LISTED:
            break
    if found:
        raise CompletionErrors(found)


def _mistakes(rules: Rules, completions: Sequence[Completion]) -> Iterator[CompletionMistake]:
    newest = rules.newest
    made = {task.slug for task in newest.tasks if task.kind == "all_of"}
    known = {task.slug for task in newest.tasks} - made
    weights = _weights_of(rules)
    first_given: dict[str, int] = {}
    several = len(rules.revisions) > 1 or rules.index_in_force(-(2**63)) is None
    for index, each in enumerate(completions):
        if not (type(each.at) is int and type(each.height) in _NUMBER and type(each.tx_index) in _NUMBER):
            raise NotWhole(f"the times and numbers of completion {each.claim!r} must be integers")
        if each.task not in known:
            yield _unknown_task(index, each.task, each.task in made, known)
        if not each.claim or not each.participant:
            column = "participant" if each.claim else "claim"
            yield CompletionMistake(index, column, f"the {column} is empty", "name it")
        first = first_given.setdefault(each.claim, index)
        if first != index:
            yield CompletionMistake(
                index, "claim", f"the claim id {each.claim!r} stands twice", "give each row its own"
            )
        if "/" in each.claim and each.claim.split("/", 1)[0] in made:
            message = f"the claim id {each.claim!r} is one that the engine makes itself"
            yield CompletionMistake(index, "claim", message, "use another id")
        if several and rules.index_in_force(each.at) is None:
            message = f"the revision in force at {format_moment(each.at)} is not given"
            yield CompletionMistake(index, "at", message, "give the earlier revisions too (--earlier)")
        for attribute in weights.get(each.task, ()):
            text = each.attributes.get(attribute, "")
            if text and _WEIGHT.fullmatch(text) is None:
                message = f"{text!r} is not a non-negative decimal, and a pool is split by {attribute}"
                yield CompletionMistake(
                    index, attribute, message, "write digits such as 120 or 0.5, or leave it empty"
                )


def _weights_of(rules: Rules) -> dict[str, tuple[str, ...]]:
    """Task → the attributes by which pools weigh its completions."""
    weights: dict[str, tuple[str, ...]] = {}
    for pool in rules.newest.pools:
        for slug in pool.among if pool.split_by else ():
            weights[slug] = (*weights.get(slug, ()), pool.split_by or "")
    return weights


def _unknown_task(index: int, task: str, is_made: bool, known: set[str]) -> CompletionMistake:  # noqa: FBT001
    if is_made:
        message = f"{task} is an all_of task: its completions are made by the engine"
        return CompletionMistake(index, "task", message, "give rows for its parts only")
    return CompletionMistake(index, "task", f"there is no task {task!r}", f"use one of: {', '.join(sorted(known))}")


def parse_weight(text: str) -> tuple[int, int]:
    """A non-negative decimal as (digits, decimals): `1.50` is (150, 2). An empty text is 0."""
    if not text:
        return 0, 0
    whole, _, decimals = text.partition(".")
    return int(whole + decimals), len(decimals)
