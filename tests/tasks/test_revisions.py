"""Revisions: which is in force, what keeps one from being loaded, what differs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.campaign import CampaignErrors, load
from tasks.moment import parse_moment
from tasks.revisions import Rules, differences, mistakes_at_load

FIRST = "tasks: [{slug: a, kind: reviewed, reward: {amount: 10, slots: [{max: 9}]}}]"
SECOND = (
    "change: {reason: more, counts_from: 2026-01-05T00:00:00Z%s}\n"
    "tasks: [{slug: a, kind: reviewed, title: A, reward: {amount: 20, slots: [{max: 9}]}}, {slug: b, kind: reviewed}]"
)


@pytest.mark.parametrize(
    ("at", "revision"),
    [("2026-01-04T23:59:59.999999999Z", 1), ("2026-01-05T00:00:00Z", 2), ("2027-01-01T00:00:00Z", 2)],
)
def test_in_force__at_a_moment__is_the_last_whose_counts_from_is_not_later(
    at: str, revision: int, make_rules: Callable[..., Rules]
) -> None:
    assert make_rules(FIRST, SECOND % "").in_force(parse_moment(at)).revision == revision


def test_in_force__where_it_reaches_back__is_the_newest_from_the_start(make_rules: Callable[..., Rules]) -> None:
    rules = make_rules(FIRST, SECOND % ", reaches_back: true")
    assert rules.in_force(parse_moment("2020-01-01T00:00:00Z")).revision == 2


def test_in_force__before_the_revisions_known__is_an_error(make_rules: Callable[..., Rules]) -> None:
    rules = Rules(make_rules(FIRST, SECOND % "").revisions[1:])
    with pytest.raises(LookupError, match="not known"):
        rules.in_force(parse_moment("2026-01-04T00:00:00Z"))


@pytest.mark.parametrize(
    ("change", "now", "refused"),
    [
        ("", "2026-01-05T00:00:00Z", False),
        ("", "2026-01-05T00:00:00.000000001Z", True),
        (", reaches_back: true", "2026-02-05T00:00:00Z", False),
    ],
    ids=["now", "past", "reaches-back"],
)
def test_counts_from__before_the_moment_of_loading__is_refused_unless_it_reaches_back(
    change: str, now: str, refused: bool, make_rules: Callable[..., Rules]
) -> None:
    mistakes = mistakes_at_load(make_rules(FIRST, SECOND % change), parse_moment(now))
    assert [each.path for each in mistakes] == (["change.counts_from"] if refused else [])


def test_rules__with_a_worst_case_of_all_revisions_above_the_budget__are_refused(
    make_rules: Callable[..., Rules],
) -> None:
    cheap = "reward: {amount: 1, slots: [{max: 9}]}"
    dear = "reward: {amount: 200, slots: [{max: 1}]}"
    parts = [f"{change}tasks: [{{slug: a, kind: reviewed, {reward}}}]" for change, reward in [
        ("", dear), ("change: {reason: x, counts_from: 2026-01-02T00:00:00Z}\n", cheap)]]  # fmt: skip
    assert make_rules(*parts).newest.reward.overcommit
    strict = [
        campaign.text.replace("overcommit: true", "overcommit: false") for campaign in make_rules(*parts).revisions
    ]
    with pytest.raises(CampaignErrors, match="1800 USD of 1000 USD"):
        Rules([load(text) for text in strict])


def test_differences__of_two_revisions__name_each_place(make_rules: Callable[..., Rules]) -> None:
    old, new = make_rules(FIRST, SECOND % "").revisions
    found = {each.path: (each.before, each.after) for each in differences(old, new)}
    assert found["tasks.a.reward.amount.single"] == (10_000_000, 20_000_000)
    assert found["tasks.a.title"] == ("a", "A")
    assert found["tasks.b"][0] is None
    assert set(found) == {"revision", "change", "tasks.a.reward.amount.single", "tasks.a.title", "tasks.b"}


def test_mistakes_at_load__counts_from_the_past__name_a_time_that_is_still_to_come() -> None:
    base = "campaign: trial\nopens: 2026-01-01T00:00:00Z\ncloses: 2026-02-01T00:00:00Z\n"
    base += "reward: {unit: USD, budget: 9}\ntasks: [{slug: a, kind: reviewed}]\n"
    late = "revision: 2\nchange: {reason: more, counts_from: 2026-01-02T00:00:00Z}\n"
    now = parse_moment("2026-01-05T12:34:56.789Z")
    (mistake,) = mistakes_at_load(Rules([load(base), load(base + late)]), now)
    assert "such as 2026-01-05T12:44:00Z" in mistake.mend
