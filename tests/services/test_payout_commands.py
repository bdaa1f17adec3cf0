"""The commands of the treasurer and the approvers, from the plan to a checked file, against a payout chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from app import main
from ledger.payouts import PayoutApprovalRow, PayoutBatchLineRow, PayoutBatchRow, PayoutRecipientRow, PayoutRow
from services.house import House
from services.payout_records import payout
from tasks.payout.sealing import Part
from tests.pay_nodes import PayChain, PayNode, of_export
from tests.payout_houses import APPROVER, CHAIN, PAYER, TREASURER, make_house, proof, signed_file
from tests.payout_lines import person
from verifiers.payout.facts import PayerFacts

Run = Callable[..., tuple[int, Any]]
OF_PAYOUTS = (PayoutApprovalRow, PayoutBatchLineRow, PayoutBatchRow, PayoutRecipientRow, PayoutRow)
PLAN = ("payout", "plan", "--all", "--rate", "0.5", "--rate-source", "the exchange at noon")
# The node of these tests numbers every account 7 and knows no keys.
FACTS = PayerFacts(PAYER, CHAIN, 7, 0)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


@pytest.fixture
def node() -> Iterator[PayNode]:
    with PayNode(PayChain(), CHAIN) as made:
        yield made


@pytest.fixture
def run(
    house: House, node: PayNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a command with --json: (exit code, what it printed)."""
    for name, value in {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'waymark.db'}", "PAYOUT_REST": node.url, "PAYOUT_RPC": node.url,
        "PAYOUT_CHAIN_ID": CHAIN, "PAYOUT_PAYER": PAYER,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"WAYMARK_{name}", value)

    def run(*words: str) -> tuple[int, Any]:
        code = main([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def signs(house: House, folder: Path, part: Part, holder: Any) -> str:
    path = folder / f"{part}.json"
    path.write_text(json.dumps(proof(payout(house, 1), part, holder)))
    return str(path)


def test_commands__plan_to_checked_file__each_answers_in_json(run: Run, house: House, tmp_path: Path) -> None:
    code, planned = run(*PLAN, "--as", TREASURER.address, "--to-sign", str(tmp_path / "sign.json"))
    assert (code, planned["payout"], planned["state"], planned["total_uakt"]) == (0, 1, "planned", "120000000")
    assert planned["warnings"] == []
    assert json.loads((tmp_path / "sign.json").read_text()) == planned["to_sign"]["planner"]["unsigned_tx"]
    assert run("payout", "approve", "1", "--proof", signs(house, tmp_path, Part.PLANNER, TREASURER))[0] == 0
    code, approved = run("payout", "approve", "1", "--proof", signs(house, tmp_path, Part.APPROVER, APPROVER))
    assert (code, approved["state"], approved["is_approved"], approved["to_sign"]) == (0, "approved", True, None)
    out = tmp_path / "out"
    code, exported = run("payout", "export", "1", "--out", str(out), "--timeout-blocks", "40")
    assert (code, exported["batches"][0]["exported"]["timeout_height"]) == (0, "140")
    assert sorted(path.name for path in out.iterdir()) == [
        "p1-0001.unsigned.json",
        "payout-1-commands.txt",
        "payout-1-people.csv",
        "payout-1.csv",
    ]
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    run("payout", "export", "1", "--out", str(out))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first
    (tmp_path / "signed.json").write_text(signed_file(house, "p1-0001", 0, facts=FACTS))
    code, checked = run("payout", "check-signed", "p1-0001", str(tmp_path / "signed.json"))
    assert (code, checked["ok"], checked["node"]["accepts"], checked["state"]) == (0, True, True, "signed")
    code, shown = run("payout", "show", "1")
    assert [each["hash"] for each in shown["batches"][0]["signed"]] == [checked["hash"]]
    assert {row["recipient"]: row["amount_uakt"] for row in shown["rows"]}[person(2)] == "60000000"
    code, balance = run("payout", "balance")
    assert (code, balance["balanced"], balance["total"]["open_micro"]) == (0, True, 60_000_000)
    assert {row["state"] for row in run("payout", "owed")[1]} == {"in payout"}


def test_check_signed__bad_file__exit_code_and_findings(run: Run, house: House, tmp_path: Path) -> None:
    run(*PLAN)
    approved_by_files(run, house, tmp_path)
    run("payout", "export", "1", "--out", str(tmp_path))
    code, answer = run("payout", "check-signed", "p1-0001", str(tmp_path / "p1-0001.unsigned.json"))
    assert (code, answer["ok"], answer["stored"]) == (1, False, False)
    assert answer["findings"][0]["name"] == "not_signed"


def test_plan__dry_run__stores_nothing(run: Run) -> None:
    code, shown = run(*PLAN, "--dry-run")
    assert (code, shown["stored"], shown["payees"], shown["total_uakt"]) == (0, False, 3, "120000000")
    code, answer = run("payout", "show", "1")
    assert (code, "None is planned yet" in answer["error"]) == (1, True)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param(("plan", "--rate", "1", "--rate-source", "x"), "--task SLUG, or --all", id="no scope"),
        pytest.param((*PLAN[1:], "--task", "deploy"), "--task SLUG, or --all", id="two scopes"),
        pytest.param((*PLAN[1:], "--minimum", "much"), "not an amount", id="minimum"),
        pytest.param((*PLAN[1:], "--rate-at", "noon"), "noon", id="time"),
        pytest.param((*PLAN[1:], "--payer", "akash1x"), "checksum", id="payer"),
        pytest.param((*PLAN[1:], "--to-sign", "x.json"), "--as ADDRESS", id="nobody signs"),
        pytest.param((*PLAN[1:], "--as", "akash1x"), "--as", id="signer is no address"),
        pytest.param(("approve", "1", "--proof", "/nowhere"), "cannot be read", id="no proof"),
        pytest.param(("export", "1", "--out", "/nowhere"), "None is planned yet", id="no payout"),
        pytest.param(("check-signed", "p1-0001", "/nowhere"), "cannot be read", id="no file"),
        pytest.param(("discard", "3"), "None is planned yet", id="nothing to discard"),
        pytest.param(("plan-again", "3"), "None is planned yet", id="nothing dead"),
    ],
)
def test_commands__what_cannot_be_done__exit_code_and_reason(run: Run, words: tuple[str, ...], text: str) -> None:
    code, answer = run("payout", *words)
    assert code == 1
    assert text in answer["error"]


def test_plan__payouts_not_connected__says_what_to_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYMARK_PAYOUT_REST")
    code, answer = run(*PLAN)
    assert (code, "WAYMARK_PAYOUT_REST" in answer["error"]) == (1, True)


def test_commands__for_people__say_what_comes_next(
    run: Run, house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(list(PLAN)) == 0
    assert "payout approve 1 --proof" in capsys.readouterr().out
    signs(house, tmp_path, Part.PLANNER, TREASURER)
    assert main(["payout", "approve", "1", "--proof", str(tmp_path / "planner.json")]) == 0
    assert "approval by 1 other" in capsys.readouterr().out
    assert main(["payout", "discard", "1"]) == 0
    assert "discarded" in capsys.readouterr().out
    assert main(["payout", "balance"]) == 0
    assert "The books balance." in capsys.readouterr().out


def approved_by_files(run: Run, house: House, folder: Path) -> None:
    for part, holder in ((Part.PLANNER, TREASURER), (Part.APPROVER, APPROVER)):
        run("payout", "approve", "1", "--proof", signs(house, folder, part, holder))


@pytest.mark.parametrize("rate", ["0.5", "0.7"])
def test_export__ledger_is_an_older_copy__what_was_paid_since_is_not_exported_again(
    run: Run, house: House, node: PayNode, tmp_path: Path, rate: str
) -> None:
    run(*PLAN)
    approved_by_files(run, house, tmp_path)
    run("payout", "export", "1", "--out", str(tmp_path))
    node.chain.put(of_export((tmp_path / "p1-0001.unsigned.json").read_bytes(), 0), 100)
    with house.ledger.write() as session:
        for table in OF_PAYOUTS:
            session.execute(delete(table))
    run(*PLAN, "--rate", rate)
    approved_by_files(run, house, tmp_path)
    code, answer = run("payout", "export", "1", "--out", str(tmp_path))
    assert code == 1
    assert "older copy" in answer["error"]


def test_export__no_node_lists_transactions__exported_all_the_same(
    run: Run, house: House, node: PayNode, tmp_path: Path
) -> None:
    run(*PLAN)
    approved_by_files(run, house, tmp_path)
    node.has_index = False
    assert run("payout", "export", "1", "--out", str(tmp_path))[0] == 0
