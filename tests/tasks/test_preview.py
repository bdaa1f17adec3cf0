"""What a revision would change, and the maxima that it may not lower."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.preview import maxima_below_awarded, preview
from tasks.revisions import Rules
from tasks.rewards.completion import Completion
from tasks.rewards.engine import compute

CHANGE = "change: {reason: x, counts_from: 2026-01-05T00:00:00Z, reaches_back: true}\n"
OLD = """
gpu_models: [{id: t4, class: dc}, {id: rtx, class: home}]
tasks:
  - slug: a
    kind: benchmark_run
    reward:
      amount: 10
      budget: 500
      slots: [{max: 9}, {max: 9, where: {gpu_class: home}, per: provider}]
      per_participant: 3
      overflow: {percent: 50, budget: 100}
  - {slug: b, kind: reviewed}
"""
ROWS = """
c1 ann a 02 s1 gpu_model=rtx provider=p
c2 ann a 03 s2 gpu_model=rtx provider=p
c3 bob a 04 s3 gpu_model=t4
c4 ann a 05 s4 gpu_model=t4
c5 ann a 06 s5 gpu_model=t4
c6 cat b 06 s6
"""


def test_preview__of_fewer_places__names_who_loses_and_gains_and_why(
    make_rules: Callable[..., Rules], completions: Callable[[str], list[Completion]]
) -> None:
    new = CHANGE + OLD.replace("per_participant: 3", "per_participant: 1").replace("slug: b, kind: reviewed", (
        "slug: b, kind: reviewed, reward: {amount: 2, slots: [{max: 1}]}"))  # fmt: skip
    rules = make_rules(OLD, new)
    seen = preview(Rules(rules.revisions[:1]), rules, completions(ROWS))
    assert [(each.participant, each.task, each.difference_micro) for each in seen.shifts] == [
        ("ann", "a", -10_000_000),
        ("cat", "b", 2_000_000),
    ]
    assert seen.shifts[0].before_reasons == ("awarded", "awarded", "awarded", "overflow")
    assert seen.shifts[0].after_reasons == ("awarded", "overflow", "overflow", "overflow")


def test_preview__of_an_excused_range__names_the_windows_it_lies_in(
    make_rules: Callable[..., Rules], completions: Callable[[str], list[Completion]]
) -> None:
    new = CHANGE + "excused: [{from: 2025-12-31T00:00:00Z, to: 2026-01-01T01:00:00Z, reason: halt}]\n" + OLD
    rules = make_rules(OLD, new)
    seen = preview(Rules(rules.revisions[:1]), rules, completions(ROWS))
    assert seen.shifts == ()
    assert [(each.task, each.reason, each.end - each.start) for each in seen.cuts] == [
        ("a", "halt", 3600 * 10**9),
        ("b", "halt", 3600 * 10**9),
    ]


LOWERED = [
    ("nothing", "", "", None),
    ("places", "{max: 9},", "{max: 3},", "tasks[0].reward.slots[0].max"),
    ("places-just-enough", "{max: 9},", "{max: 4},", None),
    ("places-per-value", "max: 9, where", "max: 1, where", "tasks[0].reward.slots[1].max"),
    ("personal-limit", "per_participant: 3", "per_participant: 2", "tasks[0].reward.per_participant"),
    ("budget", "budget: 500", "budget: 39.999999", "tasks[0].reward.budget"),
    ("budget-just-enough", "budget: 500", "budget: 40", None),
    ("overflow-budget", "budget: 100", "budget: 4.9", "tasks[0].reward.overflow.budget"),
]


@pytest.mark.parametrize(("old", "new", "path"), [each[1:] for each in LOWERED], ids=[each[0] for each in LOWERED])
def test_maxima__of_a_revision__may_not_fall_below_what_is_awarded(
    old: str,
    new: str,
    path: str | None,
    make_rules: Callable[..., Rules],
    completions: Callable[[str], list[Completion]],
) -> None:
    rules = make_rules(OLD, CHANGE + OLD.replace(old, new, 1))
    awarded = compute(Rules(rules.revisions[:1]), completions(ROWS))
    mistakes = maxima_below_awarded(awarded, rules)
    assert [each.path for each in mistakes] == ([path] if path else [])
    assert all(each.line > 1 and each.mend for each in mistakes)


def test_budget__of_a_revision__may_not_fall_below_what_is_awarded(
    make_rules: Callable[..., Rules], completions: Callable[[str], list[Completion]]
) -> None:
    awarded = compute(make_rules(OLD), completions(ROWS))
    proposed = make_rules(OLD, CHANGE + OLD, budget="44")
    assert [each.path for each in maxima_below_awarded(awarded, proposed)] == ["reward.budget"]
