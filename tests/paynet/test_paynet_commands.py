"""`payout broadcast`, `payout reconcile` and `payout settle` on a real chain, as an operator types them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import main
from services.payout_records import exported_file
from tests.nodes import BIRTH, StandingClock
from tests.paying import exported, owe, paying_house, people
from tests.paynets import CHAIN_ID, Paynet
from verifiers.chain.client import Chain

pytestmark = pytest.mark.timeout(900)

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def payer(paynet: Paynet, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The key of an account whose payout is exported as `p1-0001.unsigned.json` in the test's folder."""
    chain = Chain([paynet.rest], [paynet.rpc], StandingClock(BIRTH), chain_id=CHAIN_ID)
    key = f"commands-{tmp_path.name}"
    house = paying_house(tmp_path, chain, CHAIN_ID)
    address = paynet.key(key, 500_000_000)
    owe(house, people(3))
    view = exported(house, address)
    with house.ledger.read() as session:
        (tmp_path / "p1-0001.unsigned.json").write_bytes(exported_file(session, view.batches[0].id) or b"")
    yield key
    chain.close()


@pytest.fixture
def run(paynet: Paynet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; its exit code, and the document or text that it printed."""
    for name, value in {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'waymark.db'}", "PAYOUT_REST": paynet.rest, "PAYOUT_RPC": paynet.rpc,
        "PAYOUT_CHAIN_ID": CHAIN_ID,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"WAYMARK_{name}", value)

    def run(*words: str) -> tuple[int, Any]:
        code = main(["payout", *words])
        out = capsys.readouterr().out
        return code, json.loads(out) if "--json" in words and out else out

    return run


def test_broadcast__good_file__stored_sent_and_found_in_its_block(
    run: Run, paynet: Paynet, payer: str, tmp_path: Path
) -> None:
    paynet.sign(tmp_path / "p1-0001.unsigned.json", payer)
    signed = str(tmp_path / "p1-0001.unsigned.signed")
    code, answer = run("broadcast", "p1-0001", signed, "--json")
    assert (code, answer["sent"]["code"], answer["sent"]["is_taken"]) == (0, 0, True)
    assert (answer["reconciled"]["found"], answer["reconciled"]["state"]) == ("included", "paid")
    assert answer["reconciled"]["tx_hash"] == answer["sent"]["hash"]
    assert run("reconcile")[1].startswith("p1-0001: included (paid)\n")
    code, answer = run("reconcile", "p1-0001", "--json")
    assert [each["found"] for each in answer["batches"]] == ["included"]
    # a batch that is paid is not sent again
    assert run("broadcast", "p1-0001", signed, "--json")[0] == 1


def test_broadcast__changed_file__findings_and_nothing_sent(
    run: Run, paynet: Paynet, payer: str, tmp_path: Path
) -> None:
    unsigned = tmp_path / "p1-0001.unsigned.json"
    unsigned.write_text(unsigned.read_text().replace('"amount":"1000"', '"amount":"1001"', 1))
    paynet.sign(unsigned, payer)
    code, answer = run("broadcast", "p1-0001", str(tmp_path / "p1-0001.unsigned.signed"), "--json")
    assert (code, answer["ok"]) == (1, False)
    assert "body_differs" in {each["name"] for each in answer["findings"]}
    assert run("reconcile", "--json")[1]["batches"][0]["found"] == "waiting"


def test_reconcile_and_settle__payment_without_its_memo__named_then_settled_by_a_person(
    run: Run, paynet: Paynet, payer: str, tmp_path: Path
) -> None:
    unsigned = tmp_path / "p1-0001.unsigned.json"
    read = json.loads(unsigned.read_text())
    read["body"]["memo"] = ""
    unsigned.write_text(json.dumps(read))
    paynet.sign(unsigned, payer)
    name = paynet.send(tmp_path / "p1-0001.unsigned.signed")
    code, answer = run("reconcile", "1", "--tx", name, "--json")
    assert (code, answer["batches"][0]["found"]) == (0, "looks paid without its memo")
    assert run("reconcile", "--tx", name)[0] == 1
    assert run("reconcile", "1", "--tx", "AB" * 32)[0] == 1
    assert run("settle", "p1-0001", "unpaid", "--reason", "it was rent")[0] == 1
    code, answer = run("settle", "p1-0001", "paid", "--reason", "the memo was forgotten", "--json")
    assert (code, answer["state"]) == (0, "paid")
    assert run("balance", "--json")[1]["balanced"] is True
