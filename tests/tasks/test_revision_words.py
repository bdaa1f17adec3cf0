"""What a revision changes, in the words of the file."""

from __future__ import annotations

import pytest

from tasks.campaign import load
from tasks.revision_words import shown
from tasks.revisions import differences

OLD = """\
campaign: trial
revision: 1
opens: 2026-01-01T00:00:00Z
closes: 2026-01-11T00:00:00Z
chain_id: testnet-1
reward: {unit: USD, budget: 1000}
gpu_models: [{id: h100, class: dc}]
tasks:
  - slug: a
    kind: benchmark_run
    reward:
      amount: {by: gpu_model, table: {h100: 10.5}}
      decay: {every: 24h, percents: [100, 50], after: 50}
      slots: [{max: 3}]
  - {slug: b, kind: ai_deployment, params: {active: 10m, group_by: deployment},
     reward: {amount: 4, slots: [{max: 2}]}}
pools: [{slug: p, amount: 7, among: {tasks: [a]}, split: equal}]
ranking_bonuses: [{slug: r, rank_by: completions, amounts: [5, 2.5]}]
"""


def changed(old: str, new: str) -> list[tuple[str, object, object]]:
    text = OLD.replace("revision: 1", 'revision: 2\nchange: {reason: "because", reaches_back: true}').replace(
        old, new
    )
    return [(each.path, each.before, each.after) for each in shown(differences(load(OLD), load(text)))]


@pytest.mark.parametrize(
    ("old", "new", "path", "before", "after"),
    [
        ("h100: 10.5", "h100: 100.000001", "tasks.a.reward.amount.table.h100", "10.5", "100.000001"),
        ("amount: 4", "amount: 3", "tasks.b.reward.amount.single", "4", "3"),
        ("budget: 1000", "budget: 2000", "reward.budget", "1000", "2000"),
        ("every: 24h", "every: 36h", "tasks.a.reward.decay.every", "1d", "36h"),
        ("active: 10m", "active: 90s", "tasks.b.params.active_ns", "10m", "90s"),
        ("percents: [100, 50]", "percents: [100, 40]", "tasks.a.reward.decay.percents", "[100, 50]", "[100, 40]"),
        ("amount: 7", "amount: 8", "pools.p.amount", "7", "8"),
        ("[5, 2.5]", "[5]", "ranking_bonuses.r.amounts", '["5", "2.5"]', '["5"]'),
        ("2026-01-11T", "2026-01-12T", "closes", "2026-01-11T00:00:00Z", "2026-01-12T00:00:00Z"),
    ],
)
def test_shown__a_changed_value__reads_as_the_file_writes_it(
    old: str, new: str, path: str, before: str, after: str
) -> None:
    assert (path, before, after) in changed(old, new)


def test_shown__only_the_number_and_the_reason__is_nothing() -> None:
    assert changed("revision: 2", "revision: 2") == []


def test_shown__a_task_more__says_that_it_was_not_there() -> None:
    task = "  - {slug: c, kind: reviewed, reward: {amount: 2.5, slots: [{max: 1}]}}\npools:"
    path, before, after = next(each for each in changed("pools:", task) if each[0] == "tasks.c")
    assert (path, before) == ("tasks.c", "not there")
    assert '"single": "2.5"' in str(after)
    assert "None" not in str(after)
