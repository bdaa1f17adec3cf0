"""What holds for every season, whatever the campaign and the completions (hypothesis)."""

from __future__ import annotations

import random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tasks.campaign import load
from tasks.moment import SECOND, Moment, parse_moment
from tasks.revisions import Rules
from tasks.rewards.awards import Awards
from tasks.rewards.completion import Completion
from tasks.rewards.engine import compute
from tasks.rewards.lines import PASSED_FOUR
from tasks.rewards.working import amount_from_working
from tests.tasks.naive_engine import NaiveSeason

OPENS = parse_moment("2026-01-01T00:00:00Z")
MODELS = ["h100", "rtx", "unlisted", ""]
AMOUNTS = ["0", "0.000001", "0.000037", "1", "10.5", "4000"]

_decay = st.fixed_dictionaries(
    {"every": st.sampled_from(["1h", "24h"]), "percents": st.lists(st.integers(0, 100), min_size=1, max_size=3)},
    optional={"after": st.integers(0, 100)},
)
_slot = st.one_of(
    st.fixed_dictionaries({"max": st.integers(0, 3)}),
    st.fixed_dictionaries({"max": st.integers(0, 3), "per": st.sampled_from(["gpu_model", "gpu_class"])}),
    st.fixed_dictionaries({"max": st.integers(0, 2), "where": st.just({"gpu_class": "dc"})}),
)
_amount = st.one_of(
    st.sampled_from(AMOUNTS),
    st.fixed_dictionaries(
        {
            "by": st.just("gpu_model"),
            "table": st.fixed_dictionaries({"h100": st.sampled_from(AMOUNTS), "rtx": st.sampled_from(AMOUNTS)}),
        }
    ),
)
_reward = st.fixed_dictionaries(
    {"amount": _amount, "budget": st.sampled_from(["0", "0.00005", "25", "9000"])},
    optional={
        "decay": _decay,
        "slots": st.lists(_slot, max_size=3),
        "once_per": st.sampled_from([["gpu_model"], ["subject"], ["gpu_class", "subject"]]),
        "per_participant": st.integers(1, 3),
        "overflow": st.fixed_dictionaries(
            {"percent": st.integers(0, 100), "budget": st.sampled_from(["0", "3", "7000"])}
        ),
    },
)


@st.composite
def campaigns(draw: st.DrawFn) -> dict[str, Any]:
    """A campaign with two plain tasks, one that requires them, a set, a pool and two rankings."""
    tasks: list[dict[str, Any]] = [
        {"slug": slug, "kind": "benchmark_run", **draw(st.fixed_dictionaries({}, optional={"reward": _reward}))}
        for slug in ("a", "b", "v")
    ]
    tasks[2]["requires"] = {draw(st.sampled_from(["any_of", "all_of"])): draw(st.sampled_from([["a"], ["a", "b"]]))}
    plain = {"amount": draw(st.sampled_from(AMOUNTS)), "slots": [{"max": draw(st.integers(0, 2))}]}
    tasks.append({"slug": "s", "kind": "all_of", "params": {"tasks": ["a", "v"]}, "reward": plain})
    return {
        "campaign": "trial",
        "opens": "2026-01-01T00:00:00Z",
        "closes": "2026-01-03T00:00:00Z",
        "reward": {
            "unit": "USD",
            "rate": draw(st.sampled_from(["0.85", "3", "0.000007"])),
            "budget": draw(st.sampled_from(["0.00002", "30", "100000"])),
            "overcommit": "true",
        },
        "grants": {"budget": "0.00001"},
        "excused": [{"from": "2026-01-01T02:00:00Z", "to": "2026-01-01T05:00:00Z", "reason": "halt"}],
        "gpu_models": [{"id": "h100", "class": "dc"}, {"id": "rtx", "class": "home"}],
        "tasks": draw(st.permutations(tasks)),
        "pools": [{"slug": "p", "amount": "7", "among": {"tasks": ["a", "v"]}, "split": {"by": "weight"}}],
        "ranking_bonuses": [
            {"slug": "r", "rank_by": draw(st.sampled_from(["awards", "completions"])), "amounts": ["5", "0.000003"]}
        ],
    }


_row = st.tuples(
    st.sampled_from(["ann", "bob", "cy"]),
    st.sampled_from(["a", "b", "v"]),
    st.integers(-1, 49),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(["", "s1", "s2", "s3", "s4"]),
    st.sampled_from(MODELS),
    st.sampled_from(["", "0", "1.5", "3"]),
    st.sampled_from([True, True, True, True, False]),
    st.sampled_from([None, -1, 5]),
)


def _completions(rows: list[Any]) -> list[Completion]:
    made = []
    for number, (who, task, hour, height, index, subject, model, weight, eligible, registered) in enumerate(rows):
        attributes = {"gpu_model": model, "weight": weight}
        at = Moment(OPENS + hour * 3600 * SECOND)
        since = None if registered is None else Moment(OPENS + registered * 3600 * SECOND)
        made.append(Completion(f"c{number}", who, task, at, height, index, subject, attributes, eligible, "", since))
    return made


seasons = st.tuples(campaigns(), st.lists(_row, max_size=25).map(_completions))
quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _rules(campaign: dict[str, Any]) -> Rules:
    return Rules([load(yaml.safe_dump(campaign, sort_keys=False))])


def _work(campaign: dict[str, Any], completions: list[Completion]) -> Awards:
    return compute(_rules(campaign), completions)


def check_sums(season: tuple[dict[str, Any], list[Completion]]) -> None:
    campaign, completions = season
    awards = _work(campaign, completions)
    paid = [line.amount_micro for line in awards.lines]
    paid += [share.amount_micro for share in (*awards.pools, *awards.bonuses)]
    assert sum(paid) + awards.budget_left_micro == awards.rules.newest.budget_for_rules
    assert awards.budget_left_micro >= 0
    assert all(type(amount) is int and amount >= 0 for amount in paid)
    assert sum(awards.totals.values()) == sum(paid)
    assert awards.uakt is not None
    rate = awards.rules.newest.reward.rate
    assert rate is not None
    assert sum(awards.uakt.values()) == sum(paid) * rate.denominator // rate.numerator
    assert set(awards.uakt) == {who for who, amount in awards.totals.items() if amount > 0}


def check_workings(season: tuple[dict[str, Any], list[Completion]]) -> None:
    awards = _work(*season)
    made = [line for line in awards.lines if line.task == "s"]
    assert len(awards.lines) == len(season[1]) + len(made)
    for line in awards.lines:
        assert amount_from_working(line.working) == line.amount_micro, (line.reason, line.working)


def check_permutation(season: tuple[dict[str, Any], list[Completion]], seed: int) -> None:
    campaign, completions = season
    shuffled = completions.copy()
    random.Random(seed).shuffle(shuffled)
    assert _work(campaign, shuffled).to_json() == _work(campaign, completions).to_json()


def check_removal(season: tuple[dict[str, Any], list[Completion]], which: int) -> None:
    campaign, completions = season
    before = _work(campaign, completions)
    counts = campaign["ranking_bonuses"][0]["rank_by"] == "completions"
    removable = [
        line
        for line in before.lines
        if line.amount_micro == 0
        and line.task != "s"
        and line.reason not in {"no_reward", "awarded"}
        and (line.reason not in PASSED_FOUR or (line.task == "b" and not counts and not _requires_b(campaign)))
    ]
    assume(removable)
    gone = removable[which % len(removable)]
    after = _work(campaign, [each for each in completions if each.claim != gone.claim])
    expected = before.to_json()
    expected["lines"] = [line.to_json() for line in before.lines if line is not gone]
    if all(each.participant != gone.participant for each in completions if each.claim != gone.claim):
        expected["totals"] = {who: total for who, total in before.totals.items() if who != gone.participant}
    assert after.to_json() == expected


def check_naive(campaign: dict[str, Any], completions: list[Completion], later: dict[str, Any] | None) -> None:
    revisions = [load(yaml.safe_dump(campaign, sort_keys=False))]
    if later is not None:
        change = {"reason": "x", "counts_from": "2026-01-02T00:00:00Z"}
        grown = {**later, "revision": 2, "change": change}
        revisions.append(load(yaml.safe_dump(grown, sort_keys=False)))
        for task in grown["tasks"]:  # a reward that is dropped would leave its earlier awards without a bound
            dropped = next(each for each in campaign["tasks"] if each["slug"] == task["slug"])
            assume("reward" in task or "reward" not in dropped)
    rules = Rules(revisions)
    expected = [(line.completion.claim, line.amount, line.reason) for line in NaiveSeason(rules, completions).work()]
    assert [(line.claim, line.amount_micro, line.reason) for line in compute(rules, completions).lines] == expected


def _requires_b(campaign: dict[str, Any]) -> bool:
    return any("b" in named for task in campaign["tasks"] for named in task.get("requires", {}).values())


@quick
@given(seasons)
def test_sums__of_any_season__and_what_is_left_are_the_budget(season: Any) -> None:
    check_sums(season)


@quick
@given(seasons)
def test_working__of_any_line__gives_its_amount_alone(season: Any) -> None:
    check_workings(season)


@quick
@given(seasons, st.integers(0, 1000))
def test_order_of_the_input__changed__changes_nothing(season: Any, seed: int) -> None:
    check_permutation(season, seed)


@quick
@given(seasons, st.integers(0, 1000))
def test_completion_that_paid_nothing__removed__changes_no_other_line(season: Any, which: int) -> None:
    check_removal(season, which)


@quick
@given(seasons, st.one_of(st.none(), campaigns()))
def test_engine__and_the_rules_as_naively_as_they_read__agree(season: Any, later: dict[str, Any] | None) -> None:
    check_naive(*season, later)


@pytest.mark.long
@thorough
@given(seasons, st.integers(0, 1000), st.one_of(st.none(), campaigns()))
def test_all_properties__in_many_seasons__hold(season: Any, number: int, later: dict[str, Any] | None) -> None:
    check_naive(*season, later)
    check_sums(season)
    check_workings(season)
    check_permutation(season, number)
    check_removal(season, number)
