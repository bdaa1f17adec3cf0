"""Campaign files: what is read, and the line, path and mend of what is not."""

# ruff: noqa: E501 - one case a line
from __future__ import annotations

import pytest

from tasks.campaign import CampaignErrors, check, load, preset, presets
from tasks.moment import parse_moment
from tasks.yaml_text import MOST_DEPTH

GOOD = """\
campaign: trial
opens: 2026-01-01T00:00:00Z
closes: 2026-01-11T00:00:00Z
chain_id: testnet-1
reward: {unit: USD, budget: 1000}
gpu_models: [{id: h100, class: dc, vram_gib: 80, aliases: ["NVIDIA H100"]}]
tasks:
  - slug: a
    kind: benchmark_run
    reward:
      amount: {by: gpu_model, table: {h100: 10.000001}}
      decay: {every: 24h, percents: [100, 50], after: 50}
      slots: [{max: 3}]
      overflow: {percent: 10, budget: 5}
  - {slug: b, kind: reviewed, requires: {any_of: [a]}}
  - {slug: c, kind: all_of, params: {tasks: [a, b]}}
"""

# id, text to replace in GOOD, what to write there, line, path, words of the message or mend
WRONG = [
    ("unknown-key", "chain_id:", "chainid:", 4, "chainid", "did you mean chain_id?"),
    ("unknown-key-deep", "after: 50", "aftr: 50", 12, "tasks[0].reward.decay.aftr", "did you mean after?"),
    ("missing-slug", "slug: a\n", "title: a\n", 8, "tasks[0].slug", "slug is missing"),
    ("missing-campaign", "campaign: trial\n", "", 1, "campaign", "campaign is missing"),
    ("missing-budget", ", budget: 1000", "", 5, "reward.budget", "budget is missing"),
    ("slug-with-space", "slug: a\n", "slug: a b\n", 8, "tasks[0].slug", "no slug"),
    ("slug-twice", "slug: b,", "slug: a,", 15, "tasks[1].slug", "stands twice"),
    ("window-backwards", "2026-01-11T", "2025-01-11T", 3, "closes", "ends before it begins"),
    ("task-window-backwards", "kind: benchmark_run", "kind: benchmark_run\n    closes: 2025-12-01T00:00:00Z", 10,
     "tasks[0].closes", "ends before it begins"),
    ("time-without-z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", 2, "opens", "not a UTC time"),
    ("time-with-offset", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00", 2, "opens", "not a UTC time"),
    ("seven-decimals", "10.000001", "10.0000001", 11, "tasks[0].reward.amount.table.h100", "more than six decimals"),
    ("exponent", "budget: 1000", "budget: 1e3", 5, "reward.budget", "not an amount"),
    ("negative", "budget: 1000", "budget: -5", 5, "reward.budget", "not an amount"),
    ("amount-underscore", "budget: 1000", "budget: 1_000", 5, "reward.budget", "not an amount"),
    ("rate-zero", "unit: USD", "unit: USD, rate: 0.0", 5, "reward.rate", "above zero"),
    ("percent-over-100", "percents: [100, 50]", "percents: [101, 50]", 12, "tasks[0].reward.decay.percents[0]",
     "whole percent"),
    ("percent-not-whole", "after: 50", "after: 50.5", 12, "tasks[0].reward.decay.after", "whole percent"),
    ("duration", "every: 24h", "every: 24 hours", 12, "tasks[0].reward.decay.every", "30s, 10m, 24h or 7d"),
    ("duration-zero", "every: 24h", "every: 0h", 12, "tasks[0].reward.decay.every", "longer than nothing"),
    ("overflow-without-budget", ", budget: 5}", "}", 14, "tasks[0].reward.overflow.budget", "budget is missing"),
    ("kind-unknown", "kind: reviewed", "kind: reviwed", 15, "tasks[1].kind", "did you mean reviewed?"),
    ("requires-unknown", "any_of: [a]", "any_of: [z]", 15, "tasks[1].requires.any_of[0]", "no task 'z'"),
    ("requires-both", "any_of: [a]", "any_of: [a], all_of: [a]", 15, "tasks[1].requires", "either any_of or all_of"),
    ("requires-itself", "any_of: [a]", "any_of: [b]", 15, "tasks[1]", "needs itself"),
    ("cycle", "any_of: [a]", "any_of: [c]", 15, "tasks[1].requires", "b → c → b"),
    ("parts-unknown", "tasks: [a, b]", "tasks: [a, q]", 16, "tasks[2].params.tasks[1]", "no task 'q'"),
    ("parts-missing", ", params: {tasks: [a, b]}", "", 16, "tasks[2].params.tasks", "tasks is missing"),
    ("param-unknown", "params: {tasks: [a, b]}", "params: {tasks: [a, b], task: x}", 16, "tasks[2].params.task",
     "did you mean tasks?"),
    ("table-without-a-listed-gpu", "table: {h100: 10.000001}", "table: {a100: 1}", 11,
     "tasks[0].reward.amount.table", "h100 is listed in gpu_models and missing"),
    ("attribute-of-no-such-kind", "slots: [{max: 3}]", "slots: [{max: 3, where: {gpu_clas: dc}}]", 13,
     "tasks[0].reward.slots[0].where", "no attribute 'gpu_clas'"),
    ("undecided-field-drives-money", "requires: {any_of: [a]}",
     "params: {fields: [{name: sev}]}, reward: {amount: {by: sev, table: {x: 1}}, budget: 1}", 15,
     "tasks[1].reward.amount.by", "decided: true"),
    ("budget-exceeded", "budget: 1000", "budget: 35", 5, "reward.budget", "the worst case is 35.000003 USD of 35 USD"),
    ("no-bound", "slots: [{max: 3}]", "slots: []", 10, "tasks[0].reward", "no bound"),
    ("bound-by-where-only", "slots: [{max: 3}]", "slots: [{max: 3, where: {gpu_class: dc}}]", 10, "tasks[0].reward",
     "no bound"),
    ("bound-per-another-attribute", "slots: [{max: 3}]", "slots: [{max: 3, per: provider}]", 10, "tasks[0].reward",
     "no bound"),
    ("change-in-revision-1", "campaign: trial", "campaign: trial\nchange: {reason: x, counts_from: 2026-01-02T00:00:00Z}",
     2, "change", "revision 1 changes nothing"),
    ("change-missing", "campaign: trial", "campaign: trial\nrevision: 2", 1, "change", "does not say what changed"),
    ("excused-backwards", "tasks:\n", "excused: [{from: 2026-01-02T00:00:00Z, to: 2026-01-02T00:00:00Z, reason: x}]\ntasks:\n",
     7, "excused[0].to", "ends before it begins"),
    ("pool-of-no-task", "tasks:\n", "pools: [{slug: p, amount: 1, among: {tasks: [z]}, split: equal}]\ntasks:\n", 7,
     "pools[0].among.tasks[0]", "no task 'z'"),
    ("pool-without-among", "tasks:\n", "pools: [{slug: p, amount: 1, split: equal}]\ntasks:\n", 7, "pools[0].among",
     "among is missing"),
    ("link-not-https", "tasks:\n", "links: {docs: 'javascript:x'}\ntasks:\n", 7, "links.docs", "no web address"),
    ("key-twice", "chain_id: testnet-1", "chain_id: testnet-1\nchain_id: testnet-2", 5, "chain_id", "stands twice"),
    ("no-value", "chain_id: testnet-1", "chain_id:", 4, "chain_id", "has no value"),
    ("list-instead-of-mapping", "reward: {unit: USD, budget: 1000}", "reward: [1]", 5, "reward", "must be a mapping"),
    ("tag", "chain_id: testnet-1", "chain_id: !!python/name:os.system x", 4, "", "the tag"),
    ("not-yaml", "chain_id: testnet-1", "chain_id: [", 6, "", "not YAML"),
    ("deep", "chain_id: testnet-1", "chain_id: " + "[" * (MOST_DEPTH + 1), 4, "", "nested deeper"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "words"), [each[1:] for each in WRONG], ids=[e[0] for e in WRONG]
)
def test_file__with_a_mistake__names_line_path_and_mend(old: str, new: str, line: int, path: str, words: str) -> None:
    assert old in GOOD
    mistakes = check(GOOD.replace(old, new, 1)).mistakes
    found = [(each.line, each.path, f"{each.message}; {each.mend}") for each in mistakes]
    assert any(where == line and at == path and words in said for where, at, said in found), found
    assert all(each.mend for each in mistakes)


def test_file__with_several_mistakes__names_them_all_in_order() -> None:
    text = GOOD.replace("chain_id", "chainid").replace("every: 24h", "every: x").replace("kind: reviewed", "kind: z")
    with pytest.raises(CampaignErrors) as refused:
        load(text)
    assert [each.line for each in refused.value] == [4, 12, 15]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("percents: [100, 50], after: 50", "percents: [101]", "tasks[0].reward.decay.percents[0]"),
        ("any_of: [a]", "any_of: [A B]", "tasks[1].requires.any_of[0]"),
        ("every: 24h, percents: [100, 50], after: 50", "every: 0s, percents: [100]", "tasks[0].reward.decay.every"),
    ],
    ids=["only a wrong percent", "only a wrong slug", "a length of nothing"],
)
def test_file__with_one_mistake__is_told_of_that_one_alone(old: str, new: str, path: str) -> None:
    """What stands in the place of a wrong value is nothing that somebody wrote: no word about it."""
    checked = check(GOOD.replace(old, new))
    assert [mistake.path for mistake in checked.mistakes] == [path]
    assert [warning.path for warning in checked.warnings if warning.path.startswith("tasks[0].reward")] == []


def test_file__with_a_day_that_is_none__names_it() -> None:
    checked = check(GOOD.replace("2026-01-01T", "2026-02-30T"))
    assert "'2026-02-30T00:00:00Z' is no time: day is out of range" in str(checked.mistakes[0])


def test_file__that_is_good__gives_exact_values() -> None:
    campaign = load(GOOD)
    task = campaign.task("a")
    assert task is not None
    assert task.reward is not None
    assert task.reward.amount.table == {"h100": 10_000_001}
    assert task.reward.decay is not None
    assert task.reward.decay.every == 86_400 * 10**9
    assert task.opens == parse_moment("2026-01-01T00:00:00Z")
    assert task.reward.once_per == ("subject",)
    assert campaign.payout_chain_id == "testnet-1"
    assert task.params == {
        "suite": 1, "expires_ns": 7200 * 10**9, "within_permille_of_median": 3000, "lease": "required"
    }  # fmt: skip


def test_attribute__of_another_kind__is_a_warning_unless_the_participant_enters_it() -> None:
    reward = "reward: {amount: 1, slots: [{max: 1}], once_per: [gpu_model]}"
    by_verifiers = check(GOOD.replace("requires: {any_of: [a]}", reward))
    assert (by_verifiers.mistakes, [each.path for each in by_verifiers.warnings]) == (
        (),
        ["tasks[1].reward.once_per[0]"],
    )
    entered = f"params: {{fields: [{{name: gpu_model}}]}}, {reward}"
    assert [each.path for each in check(GOOD.replace("requires: {any_of: [a]}", entered)).mistakes] == [
        "tasks[1].reward.once_per[0]"
    ]


SAME = [
    ("comments-and-blank-lines", "opens:", "# a remark\n\nopens:"),
    ("number-in-quotes", "budget: 1000", 'budget: "1000.000000"'),
    ("defaults-written-out", "campaign: trial", "campaign: trial\nrevision: 1\nappeals: 7d\ncount_earlier_work: false"),
    ("order-of-keys", "chain_id: testnet-1\nreward: {unit: USD, budget: 1000}",
     "reward: {budget: 1000, unit: USD}\nchain_id: testnet-1"),
    ("time-with-zeros", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"),
    ("duration-in-another-unit", "every: 24h", "every: 1d"),
    ("alias", "[a, b]", "&parts [a, b]"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), [each[1:] for each in SAME], ids=[each[0] for each in SAME])
def test_digest__of_the_same_content_written_otherwise__is_the_same(old: str, new: str) -> None:
    assert load(GOOD.replace(old, new, 1)).digest == load(GOOD).digest


OTHER = [
    ("an-amount", "10.000001", "10.000002", True),
    ("a-title", "campaign: trial", "campaign: trial\ntitle: Another", False),
    ("a-link", "campaign: trial", "campaign: trial\nlinks: {docs: 'https://example.org'}", False),
    ("the-terms", "campaign: trial", "campaign: trial\nterms: Be kind.", True),
    ("a-window", "2026-01-11T", "2026-01-12T", True),
]


@pytest.mark.parametrize(("old", "new", "rules"), [each[1:] for each in OTHER], ids=[each[0] for each in OTHER])
def test_digests__of_other_content__differ_where_it_matters(old: str, new: str, rules: bool) -> None:
    before, after = load(GOOD), load(GOOD.replace(old, new, 1))
    assert before.digest != after.digest
    assert (before.rules_digest != after.rules_digest) is rules


def test_aliases__that_grow__are_refused_before_they_do() -> None:
    bomb = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"k{level}: &a [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n" for level in range(8)
    )
    assert any("50,000 values" in each.message for each in check(bomb).mistakes)


@pytest.mark.parametrize("name", presets())
def test_preset__as_shipped__passes_check(name: str) -> None:
    assert check(preset(name)).mistakes == ()
    assert load(preset(name)).slug == name


def test_preset__of_another_name__is_not_there() -> None:
    with pytest.raises(KeyError):
        preset("../parts")
