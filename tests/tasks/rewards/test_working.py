"""What the working of a line says, and the amount from it alone."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.revisions import Rules
from tasks.rewards.awards import Awards
from tasks.rewards.completion import Completion, CompletionErrors
from tasks.rewards.engine import compute
from tasks.rewards.money import NotWhole
from tasks.rewards.working import amount_from_working

GPU = """
gpu_models: [{id: h100, class: dc}, {id: rtx, class: home}]
excused: [{from: 2026-01-01T06:00:00Z, to: 2026-01-01T12:00:00Z, reason: halt}]
tasks:
  - slug: a
    kind: benchmark_run
    reward:
      amount: {by: gpu_model, table: {h100: 40, rtx: 8}}
      decay: {every: 24h, percents: [100, 50]}
      slots: [{max: 2}, {max: 1, where: {gpu_class: home}, per: provider}]
      overflow: {percent: 10, budget: 100}
      per_participant: 2
      budget: 60
"""


def test_working__of_an_award__has_every_number(season: Callable[..., Awards]) -> None:
    awards = season("c1 ann a 02T07:00@5.1 s1 gpu_model=rtx provider=p", GPU)
    assert awards.lines[0].working == {
        "revision": 1,
        "amount_by": {"attribute": "gpu_model", "value": "rtx"},
        "base_micro": 8_000_000,
        "percent": 50,
        "step": 1,
        "at": "2026-01-02T07:00:00Z",
        "opens": "2026-01-01T00:00:00Z",
        "excused_ns": 6 * 3600 * 10**9,
        "every_ns": 24 * 3600 * 10**9,
        "participant_limit": {"max": 2, "taken": 0, "last_claim": None},
        "slot": {
            "line": 2, "max": 1, "taken": 0, "last_claim": None, "per": {"attribute": "provider", "value": "p"},
            "where": {"gpu_class": "home"},
        },
        "slots": [
            {"line": 1, "max": 2, "taken": 0, "last_claim": None},
            {"line": 2, "max": 1, "taken": 0, "last_claim": None, "per": {"attribute": "provider", "value": "p"},
             "where": {"gpu_class": "home"}},
        ],
        "task_left_micro": 60_000_000,
        "budget_left_micro": 1_000_000_000,
    }  # fmt: skip


def test_working__of_an_overflow__names_the_slot_line_its_last_taker_and_that_takers_place(
    season: Callable[..., Awards],
) -> None:
    awards = season(
        "c1 ann a 01@5.1 s1 gpu_model=rtx\nc2 bob a 01@9.4 s2 gpu_model=rtx\nc3 bob a 02@9 s3 gpu_model=zx", GPU
    )
    working = awards.lines[1].working
    assert awards.lines[1].reason == "overflow"
    assert working["slot"] == {
        "line": 2, "max": 1, "taken": 1, "last_claim": "c1",
        "last_place": {"at": "2026-01-01T00:00:00Z", "height": 5, "tx_index": 1},
        "per": {"attribute": "provider", "value": ""}, "where": {"gpu_class": "home"},
    }  # fmt: skip
    assert (working["overflow_percent"], working["overflow_left_micro"]) == (10, 100_000_000)
    assert awards.lines[2].working == {"revision": 1}


PLAIN = "tasks: [{slug: a, kind: reviewed, reward: {amount: 10, slots: [{max: 9}]}}, {slug: v, kind: reviewed, requires: {any_of: [a]}}]"
SMALL = [
    ("ineligible", "c1 ann a 02 s not=mined", 0, {"revision": 1, "ineligible_reason": "mined"}),
    ("outside-window", "c1 ann a 12 s", 0, {
        "revision": 1, "at": "2026-01-12T00:00:00Z", "opens": "2026-01-01T00:00:00Z", "closes": "2026-01-11T00:00:00Z"}),
    ("before-registration", "c1 ann a 02 s reg=03", 0, {
        "revision": 1, "at": "2026-01-02T00:00:00Z", "registered_at": "2026-01-03T00:00:00Z"}),
    ("subject-taken", "c1 ann a 02@7 s\nc2 bob a 03 s", 1, {"revision": 1, "held_by": {
        "claim": "c1", "participant": "ann", "at": "2026-01-02T00:00:00Z", "height": 7, "tx_index": None}}),
    ("requires", "c1 ann v 02 s", 0, {"revision": 1, "requires": {"any_of": ["a"]}}),
    ("waited", "c1 ann v 02 s\nc2 ann a 03@7.1 s", 1, {
        "revision": 1, "waited_for": "c2", "at": "2026-01-03T00:00:00Z", "height": 7, "tx_index": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "line", "working"), [each[1:] for each in SMALL], ids=[each[0] for each in SMALL])
def test_working__of_a_line_that_pays_nothing__says_what_decided(
    rows: str, line: int, working: dict[str, object], season: Callable[..., Awards]
) -> None:
    assert season(rows, PLAIN).lines[line].working == working


def test_working__with_a_number_that_is_none__is_refused() -> None:
    with pytest.raises(ValueError, match="percent"):
        amount_from_working({"base_micro": 5, "percent": 50.0})


@pytest.mark.parametrize("field", ["at", "height", "tx_index"])
def test_completion__with_a_float__is_refused(field: str, make_rules: Callable[..., Rules]) -> None:
    numbers = {"at": 1_767_300_000_000_000_000, "height": 1, "tx_index": 1}
    good = Completion("c", "ann", "a", subject="s", **numbers)  # type: ignore[arg-type]
    with pytest.raises(NotWhole):
        compute(make_rules(PLAIN), [good._replace(**{field: 1.5})])  # type: ignore[arg-type]


def test_completions__with_mistakes__are_all_named_and_nothing_is_computed(
    make_rules: Callable[..., Rules], completions: Callable[[str], list[Completion]]
) -> None:
    rows = completions("c1 ann a 02 s\nc1 bob a 03 t\nc2 bob z 03 u")
    with pytest.raises(CompletionErrors) as refused:
        compute(make_rules(PLAIN), rows)
    assert [(each.row, each.column) for each in refused.value.mistakes] == [(1, "claim"), (2, "task")]
