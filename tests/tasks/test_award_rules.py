"""The tables in `cases/`: each sentence of CAMPAIGN_FORMAT "How awards follow" as a case with an id."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tasks.rewards.awards import Awards
from tasks.rewards.money import format_micro

CASES = [
    case
    for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def _written(awards: Awards) -> list[str]:
    """Everything a season pays, one thing a line: lines, then pools, then bonuses."""
    written = [f"{line.claim} {format_micro(line.amount_micro)} {line.reason}" for line in awards.lines]
    written += [f"pool {each.slug} {each.participant} {format_micro(each.amount_micro)}" for each in awards.pools]
    written += [
        f"bonus {each.slug} {each.place} {each.participant} {format_micro(each.amount_micro)}"
        for each in awards.bonuses
    ]
    return written


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_awards__of_a_case__are_the_lines_in_the_order_worked(
    case: dict[str, str | list[str]], season: Callable[..., Awards]
) -> None:
    revisions = case["tasks"] if isinstance(case["tasks"], list) else [case["tasks"]]
    awards = season(case["rows"], *revisions, budget=case.get("budget", "1000"))
    assert _written(awards) == str(case["expected"]).split("\n")[:-1]
    assert sum(awards.totals.values()) + awards.budget_left_micro == awards.rules.newest.budget_for_rules


def test_case_ids__are_unique() -> None:
    assert len({case["id"] for case in CASES}) == len(CASES)
