"""The sentence and the table of a line: each reason, the cut-off, and every line of a season."""

# ruff: noqa: E501, ISC004 - one case a line

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.rewards.awards import Awards
from tasks.rewards.explain import Told, explain
from tasks.rewards.lines import AwardLine, Reason
from tasks.rewards.refusals import Place, ordinal

BLOCK = Place("2026-01-02T00:00:00Z", 1_204_377, 3)
SLOT = {"line": 1, "max": 50, "taken": 50, "last_claim": "a" * 32}
LAST = {"at": "2026-01-01T00:00:00Z", "height": 1_204_331, "tx_index": 0}


def told(reason: str, before: int | None = None, amount: int = 0, **working: object) -> Told:
    return Told(reason, amount, working, "USD", BLOCK, waiting_before=before)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            told("slots_full", 0, slot=SLOT | {"last_place": LAST}),
            "51st of 50: the last place went to a completion at block 1,204,331; yours is at block 1,204,377.",
        ),
        (
            told("slots_full", slot=SLOT | {"last_place": LAST | {"height": None}}),
            "No place left of 50: the last place went to a completion at 2026-01-01T00:00:00Z; "
            "yours is at 2026-01-02T00:00:00Z.",
        ),
        (
            told("slots_full", 2, slot=SLOT | {"last_place": LAST | {"height": 1_204_377}}),
            "53rd of 50: the last place went to a completion at block 1,204,377, transaction 0; "
            "yours is at block 1,204,377, transaction 3.",
        ),
        (
            told("slots_full", slot=SLOT | {"where": {"gpu_class": "consumer"}, "per": {"attribute": "gpu_model", "value": ""}}),
            "No place left of 50 for gpu class consumer and no gpu model.",
        ),
        (told("slots_full"), "All places were taken by earlier work."),
        (told("ineligible", ineligible_reason="decision 4"), "Not payable: decision 4."),
        (
            told("ineligible", ineligible_reason="decision 4", final_micro=5),
            "Not payable: decision 4. The results were final when this was found out: nobody else moves up, and what "
            "was paid is set against later awards.",
        ),
        (
            told("duplicate", held_by={"claim": "b" * 32, **LAST}),
            "The same thing was already awarded to this participant: claim bbbbbbbbbbbb holds it, done at block 1,204,331.",
        ),
        (
            told("requires", requires={"any_of": ["deploy"]}),
            "It needs deploy to be done first. Once that is, this counts from then.",
        ),
        (
            told("not_listed", amount_by={"attribute": "language", "value": "klingon"}),
            "The rules list no amount for this (language klingon).",
        ),
        (
            told("not_listed", amount_by={"attribute": "gpu_model", "value": ""}),
            "The amount goes by the gpu model, which nobody has decided or seen.",
        ),
        (told("not_listed"), "The rules list no amount for this."),
        (told("decayed", step=4), "By the time it was done the amount had fallen to nothing in step 5."),
        (told("participant_limit", participant_limit={"max": 1, "taken": 1}),
         "One participant can have 1 award of this task, and this participant has it."),
        (told("budget_spent", task_left_micro=0), "The task's budget was spent by earlier work."),
        (told("budget_spent", budget_left_micro=0), "The campaign's budget was spent by earlier work."),
        (
            told("awarded", amount=20_000_000, base_micro=40_000_000, percent=50, slot=SLOT | {"taken": 11}),
            "20 USD: 50 % of 40 USD at that time. It took place 12 of 50.",
        ),
        (
            told("partly_awarded", amount=7_000_000, base_micro=40_000_000, percent=100, task_left_micro=7_000_000),
            "7 USD: a part of the amount, which was all that was left of the task's budget.",
        ),
        (
            told("overflow", amount=4_000_000, overflow_percent=10, slot=SLOT),
            "No place left of 50. Work without a place gets 10 % of its amount here: 4 USD.",
        ),
        (told("withdrawn"), "Taken back: the claim does not count any more. Its checks say why."),
        (told("something_new"), "Something new."),
    ],
    ids=lambda value: value.reason if isinstance(value, Told) else "",
)  # fmt: skip
def test_sentence__each_reason__names_what_decided(given: Told, sentence: str) -> None:
    assert explain(given).sentence == sentence


@pytest.mark.parametrize("reason", [*Reason, "withdrawn", "after_final", "grant", "pool", "bonus"])
def test_sentence__each_reason_without_particulars__is_still_one(reason: str) -> None:
    sentence = explain(told(str(reason))).sentence
    assert sentence.endswith(".")
    assert sentence != f"{str(reason).replace('_', ' ').capitalize()}."


SEASON = """
gpu_models: [{id: h100, class: dc}, {id: rtx, class: home}]
tasks:
  - slug: a
    kind: benchmark_run
    reward:
      amount: {by: gpu_model, table: {h100: 40, rtx: 8}}
      decay: {every: 24h, percents: [100, 50], after: 0}
      slots: [{max: 2}]
      budget: 60
  - slug: b
    kind: reviewed
    requires: {all_of: [a]}
    reward: {amount: 5, budget: 50}
"""
ROWS = (
    "c1 ann a 01T07:00@5.1 s1 gpu_model=h100",
    "c2 bob a 02T07:00@6.1 s2 gpu_model=h100",
    "c3 cid a 02T08:00@7.1 s3 gpu_model=h100",
    "c4 dot a 04T08:00@8.1 s4 gpu_model=h100",
    "c5 eve a 01T08:00@5.2 s5 gpu_model=t4",
    "c6 bob b 01T08:00 s6",
    "c7 eve b 03T08:00 s7",
)


def of_line(line: AwardLine) -> Told:
    done = line.completion
    place = Place.at_moment(done.at, done.height, done.tx_index)
    return Told(str(line.reason), line.amount_micro, line.working, "USD", place, line.facts.plan.task, 0)


def test_rows__of_a_season__end_where_the_rules_ended(season: Callable[..., Awards]) -> None:
    awards = season("\n".join(ROWS), SEASON)
    found = {line.claim: explain(of_line(line)) for line in awards.lines}
    last = {claim: (each.rows[-1].rule, each.rows[-1].outcome) for claim, each in found.items()}
    assert last == {
        "c1": (9, "passed"),
        "c2": (9, "passed"),
        "c3": (8, "passed"),
        "c4": (7, "failed"),
        "c5": (5, "failed"),
        "c6": (9, "passed"),
        "c7": (9, "passed"),
    }
    failed = {claim: [row.rule for row in each.rows if row.outcome == "failed"] for claim, each in found.items()}
    assert failed == {"c1": [], "c2": [], "c3": [8, 8], "c4": [7], "c5": [5], "c6": [], "c7": []}
    assert [row.found for row in found["c6"].rows if row.rule == 4] == ["done with claim c2; it counts from then"]
    assert found["c3"].sentence == ("3rd of 2: the last place went to a completion at block 6; yours is at block 7.")


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (12, "12th"), (101, "101st"), (1112, "1,112th")],
)
def test_ordinal__each_ending__is_english(number: int, words: str) -> None:
    assert ordinal(number) == words
