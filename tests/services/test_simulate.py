"""`rewards simulate`: what is read from files, what is answered, and how a mistake is named."""

# ruff: noqa: E501 - one case a line

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest

from services.simulate import Simulation, simulate
from tasks.campaign import load

CAMPAIGN = """\
campaign: trial
opens: 2026-01-01T00:00:00Z
closes: 2026-01-11T00:00:00Z
reward: {unit: USD, rate: "0.85", budget: 1000}
tasks:
  - {slug: a, kind: benchmark_run, reward: {amount: 10, slots: [{max: 1}]}}
  - {slug: b, kind: reviewed}
  - {slug: s, kind: all_of, params: {tasks: [b]}}
pools: [{slug: p, amount: 1, among: {tasks: [b]}, split: {by: weight}}]
ranking_bonuses: [{slug: top, rank_by: awards, amounts: [2]}]
"""
HEAD = "claim,participant,task,at,height,tx_index,subject"


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    """A campaign file."""
    path = tmp_path / "campaign.yaml"
    path.write_text(CAMPAIGN, encoding="utf-8")
    return path


def _simulate(campaign: Path, table: str | bytes, *earlier: Path) -> Simulation:
    path = campaign.with_name("completions.csv")
    path.write_bytes(table.encode() if isinstance(table, str) else table)
    return simulate(campaign, path, earlier)


def test_simulate__of_good_files__answers_with_exactly_the_specified_keys(campaign: Path) -> None:
    table = (
        f"{HEAD},gpu_model,weight,eligible,ineligible_reason,registered_at\n"
        "c1,ann,a,2026-01-02T00:00:00.000000001Z,7,1,s1,h100,,true,,2026-01-01T00:00:00Z\n"
        "c2,bob,a,2026-01-02T00:00:00Z,7,0,s2,,,,,\n"
        "c3,bob,b,2026-01-03T00:00:00Z,,,,,2.5,,,\n"
        "c4,cy,b,2026-01-03T00:00:00Z,,,u,,,false,mined,\n"
    )
    answer = _simulate(campaign, table)
    assert answer.is_done
    document = answer.document
    assert list(document) == [
        "campaign", "revision", "digest", "unit", "lines", "pools", "bonuses", "totals", "uakt", "budget_left_micro",
    ]  # fmt: skip
    assert document["digest"] == load(CAMPAIGN).digest
    lines = document["lines"]
    assert isinstance(lines, list)
    assert [(line["claim"], line["amount_micro"], line["reason"]) for line in lines] == [
        ("c2", 10_000_000, "awarded"),
        ("c1", 0, "slots_full"),
        ("c3", 0, "no_reward"),
        ("c4", 0, "ineligible"),
        ("s/bob", 0, "no_reward"),
    ]
    assert all(list(line) == ["claim", "participant", "task", "amount_micro", "reason", "working"] for line in lines)
    slot = lines[1]["working"]["slot"]
    assert (slot["line"], slot["max"], slot["taken"], slot["last_claim"]) == (1, 1, 1, "c2")
    assert slot["last_place"] == {"at": "2026-01-02T00:00:00Z", "height": 7, "tx_index": 0}
    assert document["pools"] == [{"slug": "p", "participant": "bob", "amount_micro": 1_000_000}]
    assert document["bonuses"] == [{"slug": "top", "place": 1, "participant": "bob", "amount_micro": 2_000_000}]
    assert document["totals"] == {"ann": 0, "bob": 13_000_000, "cy": 0}
    assert document["uakt"] == {"bob": 15_294_117}
    assert document["budget_left_micro"] == 987_000_000


def test_simulate__written_in_pieces__is_the_same_document(campaign: Path) -> None:
    answer = _simulate(campaign, f"{HEAD}\nc1,ann,a,2026-01-02T00:00:00Z,,,s1\nc2,bob,a,2026-01-02T00:00:00Z,,,ü\n")
    written = StringIO()
    answer.write_json(written)
    assert json.loads(written.getvalue()) == json.loads(json.dumps(answer.document))


def test_simulate__without_rows__answers_with_nothing_paid(campaign: Path) -> None:
    document = _simulate(campaign, HEAD + "\n").document
    assert (document["lines"], document["totals"], document["uakt"]) == ([], {}, {})
    assert document["budget_left_micro"] == 1_000_000_000


def test_simulate__without_a_rate__has_no_uakt(campaign: Path) -> None:
    campaign.write_text(CAMPAIGN.replace('rate: "0.85", ', ""), encoding="utf-8")
    assert _simulate(campaign, f"{HEAD}\nc1,ann,a,2026-01-02T00:00:00Z,,,s1\n").document["uakt"] is None


FORMS = [
    ("line-feeds", "\n"),
    ("carriage-returns-and-line-feeds", "\r\n"),
]


@pytest.mark.parametrize("end", [each[1] for each in FORMS], ids=[each[0] for each in FORMS])
def test_simulate__of_a_table_in_another_form__reads_the_same(campaign: Path, end: str) -> None:
    rows = [HEAD, 'c1,ann,a,2026-01-02T00:00:00Z,,,"s,1"', ""]
    table = ("\ufeff" + end.join(rows)).encode()
    assert _simulate(campaign, table).document["totals"] == {"ann": 12_000_000}


ROW = "c1,ann,a,2026-01-02T00:00:00Z,7,1,s1"
# id, table, line, column, path, words of the message or mend
WRONG = [
    ("empty-file", "", 1, 1, "", "the file is empty"),
    ("header-order", "participant,claim,task,at,height,tx_index,subject\n", 1, 1, "participant", "begin the header with claim"),
    ("header-short", "claim,participant\n", 1, 1, "", "first seven columns"),
    ("header-twice", f"{HEAD},app,app\n", 1, 9, "app", "stands twice"),
    ("header-without-name", f"{HEAD},\n", 1, 8, "", "empty"),
    ("too-few-values", f"{HEAD}\n{ROW}\nc2,ann\n", 3, 2, "participant", "2 values under 7 columns"),
    ("too-many-values", f"{HEAD}\n{ROW},x\n", 2, 7, "subject", "8 values under 7 columns"),
    ("time", f"{HEAD}\n{ROW.replace('00:00:00Z', '00:00:00')}\n", 2, 4, "at", "2023-06-20T16:00:00Z"),
    ("time-empty", f"{HEAD}\nc1,ann,a,,7,1,s1\n", 2, 4, "at", "2023-06-20T16:00:00Z"),
    ("height", f"{HEAD}\nc1,ann,a,2026-01-02T00:00:00Z,7.0,1,s1\n", 2, 5, "height", "not a whole number"),
    ("height-negative", f"{HEAD}\nc1,ann,a,2026-01-02T00:00:00Z,-7,1,s1\n", 2, 5, "height", "not a whole number"),
    ("index", f"{HEAD}\nc1,ann,a,2026-01-02T00:00:00Z,7,x,s1\n", 2, 6, "tx_index", "not a whole number"),
    ("eligible", f"{HEAD},eligible\n{ROW},yes\n", 2, 8, "eligible", "true, false or nothing"),
    ("eligible-capital", f"{HEAD},eligible\n{ROW},True\n", 2, 8, "eligible", "true, false or nothing"),
    ("registered", f"{HEAD},registered_at\n{ROW},yesterday\n", 2, 8, "registered_at", "2023-06-20T16:00:00Z"),
    ("task-unknown", f"{HEAD}\n{ROW}\n\n{ROW.replace(',a,', ',z,').replace('c1', 'c2')}\n", 4, 3, "task", "use one of: a, b"),
    ("task-is-a-set", f"{HEAD}\n{ROW.replace(',a,', ',s,')}\n", 2, 3, "task", "made by the engine"),
    ("claim-twice", f"{HEAD}\n{ROW}\n{ROW}\n", 3, 1, "claim", "stands twice"),
    ("claim-like-a-set", f"{HEAD}\n{ROW.replace('c1', 's/zoe')}\n", 2, 1, "claim", "the engine makes itself"),
    ("claim-empty", f"{HEAD}\n{ROW.replace('c1', '')}\n", 2, 1, "claim", "empty"),
    ("participant-empty", f"{HEAD}\n{ROW.replace('ann', '')}\n", 2, 2, "participant", "empty"),
    ("weight", f"{HEAD},weight\n{ROW.replace(',a,', ',b,')},-1\n", 2, 8, "weight", "non-negative decimal"),
    ("weight-exponent", f"{HEAD},weight\n{ROW.replace(',a,', ',b,')},1e3\n", 2, 8, "weight", "non-negative decimal"),
    ("quote", f'{HEAD}\n{ROW}\nc2,"ann"x,a,2026-01-02T00:00:00Z,,,s\n', 3, 1, "", "not CSV"),
    ("quote-open", f'{HEAD}\nc2,"ann,a,2026-01-02T00:00:00Z,,,s\n', 2, 1, "", "not CSV"),
    ("line-after-a-quoted-line-feed", f'{HEAD}\nc2,ann,a,2026-01-02T00:00:00Z,,,"s\ns"\nc3,ann,a,x,,,\n', 4, 4, "at", "2023-06-20T16:00:00Z"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "line", "column", "path", "words"), [e[1:] for e in WRONG], ids=[e[0] for e in WRONG]
)
def test_simulate__of_a_row_that_cannot_be_read__stops_with_file_line_column_and_mend(
    campaign: Path, table: str, line: int, column: int, path: str, words: str
) -> None:
    answer = _simulate(campaign, table)
    assert not answer.is_done
    assert list(answer.document) == ["errors"]
    errors = [error.to_json() for error in answer.errors]
    found = [
        (each["line"], each["column"], each["path"])
        for each in errors
        if words in f"{each['message']}; {each['mend']}"
    ]
    assert found == [(line, column, path)], errors
    assert all(str(each["file"]).endswith("completions.csv") and each["mend"] for each in errors)


def test_simulate__of_a_table_that_is_not_utf8__names_the_place(campaign: Path) -> None:
    (error,) = _simulate(campaign, f"{HEAD}\nc1,".encode() + b"\xff").errors
    assert (error.mistake.line, error.mistake.column) == (2, 4)


def test_simulate__of_a_file_that_is_not_there__says_so(campaign: Path) -> None:
    (error,) = simulate(campaign, campaign.with_name("none.csv")).errors
    assert error.file.endswith("none.csv")
    assert "No such file" in str(error)


def test_simulate__of_a_campaign_with_mistakes__names_them_all(campaign: Path) -> None:
    campaign.write_text(CAMPAIGN.replace("closes:", "closs:").replace("kind: reviewed", "kind: z"), encoding="utf-8")
    answer = _simulate(campaign, HEAD)
    assert [error.mistake.path for error in answer.errors] == ["closes", "closs", "tasks[1].kind"]
    assert all(error.file == str(campaign) for error in answer.errors)


SECOND = (
    CAMPAIGN.replace(
        "campaign: trial\n", "campaign: trial\nrevision: 2\nchange: {reason: x, counts_from: 2026-01-05T00:00:00Z}\n"
    )
    .replace("amount: 10", "amount: 20")
    .replace("max: 1", "max: 9")
)


@pytest.fixture
def second(campaign: Path) -> Path:
    """The second revision's file, which pays 20 from 5 January on."""
    path = campaign.with_name("second.yaml")
    path.write_text(SECOND, encoding="utf-8")
    return path


def test_simulate__with_an_earlier_revision__works_each_by_its_own(campaign: Path, second: Path) -> None:
    table = f"{HEAD}\nc1,ann,a,2026-01-02T00:00:00Z,,,s1\nc2,bob,a,2026-01-06T00:00:00Z,,,s2\n"
    document = _simulate(second, table, campaign).document
    assert document["totals"] == {"ann": 12_000_000, "bob": 20_000_000}
    assert document["revision"] == 2


def test_simulate__with_a_needed_revision_missing__says_which_row_needs_it(second: Path) -> None:
    table = f"{HEAD}\nc2,bob,a,2026-01-06T00:00:00Z,,,s2\nc1,ann,a,2026-01-02T00:00:00Z,,,s1\n"
    (error,) = _simulate(second, table).errors
    assert (error.mistake.line, error.mistake.path) == (3, "at")
    assert "--earlier" in error.mistake.mend


CHAINS = [
    ("task-removed", SECOND.replace("  - {slug: b, kind: reviewed}\n", "").replace("[b]", "[a]"), "b was removed"),
    ("kind-changed", SECOND.replace("slug: b, kind: reviewed", "slug: b, kind: sdl_submission"), "was reviewed"),
    ("another-campaign", SECOND.replace("campaign: trial", "campaign: other"), "is of the campaign trial"),
    ("a-gap", SECOND.replace("revision: 2", "revision: 3"), "revision 2 is missing"),
    ("unit-changed", SECOND.replace("unit: USD", "unit: AKT"), "amounts were in USD"),
    ("not-newer", CAMPAIGN, "is given as earlier than"),
]


@pytest.mark.parametrize(("newest", "words"), [each[1:] for each in CHAINS], ids=[each[0] for each in CHAINS])
def test_simulate__of_revisions_that_do_not_follow__says_why(
    campaign: Path, second: Path, newest: str, words: str
) -> None:
    second.write_text(newest, encoding="utf-8")
    answer = _simulate(second, HEAD, campaign)
    assert any(words in str(error) for error in answer.errors), answer.errors
