"""The worst case, as CAMPAIGN_FORMAT says it is reckoned."""

# ruff: noqa: E501 - one case a line
from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.campaign import check, load, preset
from tasks.exposure import exposure
from tasks.revisions import Rules
from tasks.rewards.money import format_micro

MODELS = "gpu_models: [{id: h100, class: dc}, {id: t4, class: dc}]\n"

# id, header, reward, places, worst case in units
WORST = [
    ("amount-times-places", "", "amount: 10, slots: [{max: 3}]", 3, "30"),
    ("smallest-line-without-where", "", "amount: 10, slots: [{max: 9}, {max: 3}, {max: 1, where: {app: x}}]", 3, "30"),
    ("per-gpu-model-once-more-for-none", MODELS, "amount: 10, slots: [{max: 5, per: gpu_model}]", 15, "150"),
    ("per-gpu-model-and-a-smaller-line", MODELS, "amount: 10, slots: [{max: 5, per: gpu_model}, {max: 4}]", 4, "40"),
    ("per-another-bounds-nothing", "", "amount: 10, budget: 77, slots: [{max: 5, per: app}]", None, "77"),
    ("bounded-by-the-budget", "", "amount: 10, budget: 25, slots: [{max: 3}]", 3, "25"),
    ("overflow-on-top", "", "amount: 10, budget: 25, slots: [{max: 3}], overflow: {percent: 1, budget: 6}", 3, "31"),
    ("greatest-of-the-table", MODELS, "amount: {by: gpu_model, table: {h100: 9, t4: 4}}, slots: [{max: 2}]", 2, "18"),
    ("highest-percent-of-the-list", "", "amount: 10, slots: [{max: 1}], decay: {every: 1h, percents: [50, 80]}", 1, "8"),
    ("highest-percent-after", "", "amount: 10, slots: [{max: 1}], decay: {every: 1h, percents: [5], after: 70}", 1, "7"),
    ("rounded-down-before-the-places", "", "amount: 0.000003, slots: [{max: 4}], decay: {every: 1h, percents: [50]}",
     4, "0.000004"),
    ("per-participant-and-once-per-bound-nothing", "", "amount: 10, slots: [{max: 3}], per_participant: 1, once_per: [app]",
     3, "30"),
]  # fmt: skip


@pytest.mark.parametrize(("header", "reward", "places", "worst"), [e[1:] for e in WORST], ids=[e[0] for e in WORST])
def test_exposure__of_one_task__is_the_most_it_could_pay(
    header: str, reward: str, places: int | None, worst: str, make_rules: Callable[..., Rules]
) -> None:
    rules = make_rules(f"{header}tasks: [{{slug: a, kind: ai_deployment, reward: {{{reward}}}}}]")
    row = exposure(rules.revisions).rows[0]
    assert row.places == places
    assert format_micro(row.worst_micro or 0) == worst


def test_exposure__of_all_revisions__takes_the_greatest_amount_and_percent(make_rules: Callable[..., Rules]) -> None:
    rules = make_rules(
        "tasks: [{slug: a, kind: reviewed, reward: {amount: 10, slots: [{max: 9}], decay: {every: 1h, percents: [50]}}}]",
        "change: {reason: x, counts_from: 2026-01-02T00:00:00Z}\n"
        "tasks: [{slug: a, kind: reviewed, reward: {amount: 4, slots: [{max: 2}]}}]",
    )
    assert format_micro(exposure(rules.revisions).total_micro or 0) == "20"


@pytest.mark.parametrize(
    ("name", "total", "budget"),
    [
        ("gpu-testnet-2023", "100000", "100000"),
        ("bme-testnet-2026", "10000", "10000"),
        ("akashian-challenge-3", "550500", "500000"),
    ],
)
def test_exposure__of_a_preset__is_the_documented_sum(name: str, total: str, budget: str) -> None:
    table = exposure([load(preset(name))])
    assert format_micro(table.total_micro or 0) == total
    assert format_micro(table.budget_micro) == budget


def test_exposure__of_what_the_akashian_sources_state__is_520000() -> None:
    rows = exposure([load(preset("akashian-challenge-3"))]).rows
    content = {"guide", "blog-secure", "blog-defi", "blog-validator"}
    assert sum(row.worst_micro or 0 for row in rows if row.slug not in content) == 520_000 * 10**6


def test_overcommit__with_a_worst_case_above_the_budget__is_a_warning() -> None:
    warnings = check(preset("akashian-challenge-3")).warnings
    assert [each.path for each in warnings] == ["reward.budget"]


def test_check__with_a_worst_case_above_the_budget__still_shows_the_table() -> None:
    checked = check(preset("gpu-testnet-2023").replace("budget: 100000", "budget: 99999"))
    assert [each.path for each in checked.mistakes] == ["reward.budget"]
    assert checked.exposure is not None
    assert checked.exposure.exceeds_budget


DECAY = "campaign: t\nopens: 2026-01-01T00:00:00Z\ncloses: 2026-01-03T00:00:00Z\nreward: {unit: USD, budget: 9}\n"


@pytest.mark.parametrize(
    ("decay", "more", "warned"),
    [
        ("{every: 24h, percents: [100]}", "", True),
        ("{every: 24h, percents: [100, 50]}", "", False),
        ("{every: 24h, percents: [100], after: 1}", "", False),
        ("{every: 24h, percents: [100, 0, 50]}", "", True),
        ("{every: 47h, percents: [100]}", "excused: [{from: 2026-01-01T00:00:00Z, to: 2026-01-01T01:00:00Z, reason: x}]", False),
    ],
    ids=["after-the-list", "list-long-enough", "after-given", "zero-inside", "excused-time-delays-it"],
)  # fmt: skip
def test_decay__that_reaches_0_before_the_close__is_a_warning(decay: str, more: str, warned: bool) -> None:
    task = f"tasks: [{{slug: a, kind: reviewed, reward: {{amount: 1, slots: [{{max: 1}}], decay: {decay}}}}}]"
    checked = check(f"{DECAY}{more}\n{task}")
    assert checked.mistakes == ()
    assert bool(checked.warnings) is warned
