"""The demo's keys sign as the `akash` command line does: same files, and the checks before broadcasting like them."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import app
from devnet.addresses import made_up_address
from devnet.key_files import read_key, read_multisig, write_keys
from devnet.network import Devnet
from devnet.scenarios import payday
from devnet.signing import raw_of
from tests.payouts import ALL, FILES, Judged
from verifiers.payout.check import check_signed
from verifiers.payout.export import Fee, export
from verifiers.payout.facts import PayerFacts
from verifiers.payout.files import read_signed
from verifiers.payout.reconcile import ApprovedBatch, State, reconcile_one
from verifiers.payout.seen import seen_in_rest
from verifiers.wallet.addresses import Address
from verifiers.wallet.adr036 import sign_bytes
from verifiers.wallet.signatures import is_signature_of
from verifiers.wallet.transactions import SIGN_CHAIN_ID, is_signed_transaction_of, unsigned_transaction

from .payday_chain import KEYS, TREASURY, ask, broadcast, by_hash, next_block, payout_chain

ROWS = tuple((made_up_address(f"payee {n}"), 1_000 + n) for n in range(3))
FACTS = PayerFacts(TREASURY.address, payday.CHAIN_ID, 0, 0, height=100, balance_uakt=10**12)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A demo's folder with its keys."""
    write_keys(tmp_path / "keys")
    return tmp_path


@pytest.fixture
def chain(folder: Path) -> Iterator[Devnet]:
    """The payout chain that the folder names."""
    with payout_chain() as devnet:
        (folder / "ports.json").write_text(json.dumps({"payout_rest": devnet.rest_url}))
        yield devnet


def run(folder: Path, *words: str | Path) -> int:
    """One `devnet` command on the demo's folder."""
    return app.main(["devnet", *map(str, words), "--dir", str(folder)])


@pytest.mark.parametrize("case", ALL, ids=[case.id for case in ALL])
def test_recorded_signed_file__as_bytes__are_those_the_real_command_line_encodes(case: Judged) -> None:
    assert raw_of(json.loads(case.signed)) == read_signed(case.signed).raw


def test_paynet_signed_file__as_bytes__are_those_of_tx_encode() -> None:
    for case in json.loads((FILES / "paynet" / "cases.json").read_text()):
        signed = json.loads((FILES / "paynet" / f"{case['name']}.signed.json").read_text())
        assert raw_of(signed) == base64.b64decode(case["tx_bytes"]), case["name"]


@pytest.mark.parametrize("as_sends", [False, True], ids=["multi-send", "sends"])
def test_exported_batch__signed_by_two_of_three__checked_paid_and_reconciled(
    folder: Path, chain: Devnet, as_sends: bool
) -> None:
    memo = "waymark/1/x/p1-0001/0123456789abcdef"
    exported = export(TREASURY.address, ROWS, memo, 500, Fee(12_500, 500_000), as_sends=as_sends)
    unsigned, signed = folder / "p1-0001.unsigned.json", folder / "p1-0001.signed.json"
    unsigned.write_bytes(exported.file)
    for name in ("approver", "treasurer"):
        out = folder / f"{name}.sig.json"
        assert run(folder, "sign", unsigned, "--key", name, "--multisig", "treasury", "--output-document", out) == 0
    parts = [folder / "approver.sig.json", folder / "treasurer.sig.json"]
    assert run(folder, "multisign", unsigned, TREASURY.address, *parts, "--output-document", signed) == 0
    checked = check_signed(exported, signed.read_bytes(), FACTS)
    assert checked.is_good, checked.findings
    assert checked.signed is not None
    told = broadcast(chain, checked.signed.raw)
    assert (told["code"], told["txhash"]) == (0, checked.hash)
    next_block(chain)
    status, _ = ask(chain, "GET", f"/cosmos/tx/v1beta1/txs/{told['txhash']}")
    assert status == 200
    batch = ApprovedBatch(ROWS, memo, TREASURY.address, payday.CHAIN_ID, 100, 500, {told["txhash"]: 0})
    body = json.dumps(ask(chain, "GET", f"/cosmos/tx/v1beta1/txs/{told['txhash']}")[1]).encode()
    match = reconcile_one(batch, seen_in_rest(body))
    assert match is not None
    assert match.state is State.INCLUDED


@pytest.mark.parametrize("mode", ["direct", "amino-json"])
def test_single_signer__in_either_mode__is_taken(folder: Path, chain: Devnet, mode: str) -> None:
    payer = KEYS["keeper"].address
    unsigned, signed = folder / "u.json", folder / "s.json"
    unsigned.write_bytes(export(payer, ROWS, "memo", 500, Fee(12_500, 500_000)).file)
    words = ("sign", unsigned, "--key", "keeper", "--sign-mode", mode, "--output-document", signed)
    assert run(folder, *words) == 0
    told = broadcast(chain, raw_of(json.loads(signed.read_text())))
    next_block(chain)
    assert (by_hash(chain, told) or {})["code"] == 0


def test_proof_of_a_key__unbroadcastable_transaction__signed_offline(folder: Path) -> None:
    address, memo = Address(KEYS["approver"].address), "approve payout 1"
    proof, signed = folder / "proof.json", folder / "proof.signed.json"
    proof.write_text(json.dumps(unsigned_transaction(address, memo)))
    numbers = ("--offline", "--account-number", "0", "--sequence", "0", "--chain-id", SIGN_CHAIN_ID)
    for mode, where in (("direct", numbers), ("amino-json", numbers), ("direct", ("--proof",))):
        words = ("sign", proof, "--key", "approver", "--sign-mode", mode, *where)
        assert run(folder, *words, "--output-document", signed) == 0
        assert is_signed_transaction_of(address, memo, signed.read_text())
        assert not is_signed_transaction_of(address, "approve payout 2", signed.read_text())


def test_proof_of_a_multisig__joined_of_two_members__holds(folder: Path) -> None:
    address, memo = Address(TREASURY.address), "approve payout 1"
    proof, signed = folder / "proof.json", folder / "proof.signed.json"
    proof.write_text(json.dumps(unsigned_transaction(address, memo)))
    parts = []
    for name in ("keeper", "approver"):
        parts.append(folder / f"{name}.sig.json")
        words = ("sign", proof, "--key", name, "--multisig", "treasury", "--proof")
        assert run(folder, *words, "--output-document", parts[-1]) == 0
    assert run(folder, "multisign", proof, "treasury", *parts, "--proof", "--output-document", signed) == 0
    assert is_signed_transaction_of(address, memo, signed.read_text())


def test_text__signed_as_by_a_wallet__holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "text").write_text("approve payout 1 – ø\n")
    assert run(folder, "sign-text", folder / "text", "--key", "approver") == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    key, signature = (base64.b64decode(each) for each in (answer["pub_key"]["value"], answer["signature"]))
    assert key == KEYS["approver"].public_key
    assert is_signature_of(sign_bytes(KEYS["approver"].address, "approve payout 1 – ø\n".encode()), key, signature)


WRONG = (
    (("sign", "u.json", "--key", "nobody"), "there is no key 'nobody'"),
    (("sign", "u.json", "--key", "treasury"), "treasury is a multisig"),
    (("sign", "u.json", "--key", "organizer", "--multisig", "treasury"), "organizer is no member"),
    (("sign", "u.json", "--key", "keeper", "--offline"), "--offline needs"),
    (("sign", "gone.json", "--key", "keeper"), "No such file"),
    (("sign", "text", "--key", "keeper"), "is no JSON"),
    (("sign", "keys/keeper.json", "--key", "keeper"), "is no transaction as JSON"),
    (("multisign", "u.json", "treasury", "keys/keeper.json"), "must hold its signature alone"),
    (("sign", "u.json", "--key", "keeper", "--node", "http://127.0.0.1:9"), "can't be asked"),
)


@pytest.mark.parametrize(("words", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_words__told_what_to_do(
    folder: Path, chain: Devnet, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "u.json").write_bytes(export(KEYS["keeper"].address, ROWS, "m", 500, Fee(12_500, 500_000)).file)
    (folder / "text").write_text("dear")
    told = [str(folder / word) if word.endswith((".json", "text")) else word for word in words]
    assert run(folder, *told) == 1
    assert message in capsys.readouterr().err


def test_member_signature__of_another_file__not_joined(
    folder: Path, chain: Devnet, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, memo in (("one", "1"), ("two", "2")):
        (folder / name).write_bytes(export(TREASURY.address, ROWS, memo, 500, Fee(12_500, 500_000)).file)
    out = folder / "sig"
    run(folder, "sign", folder / "one", "--key", "keeper", "--multisig", "treasury", "--output-document", out)
    assert run(folder, "multisign", folder / "two", "treasury", out) == 1
    assert "is not over this file" in capsys.readouterr().err


def test_keys__as_files__only_for_their_owner_and_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read_key(folder / "keys", "treasurer").address == KEYS["treasurer"].address
    assert read_multisig(folder / "keys", TREASURY.address) == TREASURY
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / "keys").iterdir()} == {0o600}
    assert run(folder, "keys", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert {each["name"] for each in listed} == {*payday.ROLES, "treasury"}
    assert not any("private_key" in each for each in listed)
