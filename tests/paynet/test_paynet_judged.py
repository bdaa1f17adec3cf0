"""Each way in which a payout can fail on a real chain: foretold before it is sent, and read back afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tasks.payout.batches import DENOM
from tests.nodes import BIRTH, StandingClock
from tests.paynets import CHAIN_ID, Paynet
from tests.payout_lines import person
from verifiers.chain import accounts, transactions
from verifiers.chain.client import Chain
from verifiers.payout.check import Checked, check_signed
from verifiers.payout.export import Export, Fee, export
from verifiers.payout.facts import PayerFacts, gas_price_of, key_of
from verifiers.payout.findings import NodeJudgement, Phase
from verifiers.payout.recipients import module_addresses

pytestmark = pytest.mark.timeout(900)

FAR = 10**6


@pytest.fixture(scope="module")
def chain(paynet: Paynet) -> Iterator[Chain]:
    made = Chain([paynet.rest], [paynet.rpc], StandingClock(BIRTH), chain_id=CHAIN_ID)
    yield made
    made.close()


@dataclass(frozen=True)
class Case:
    """A payout of two rows, changed in one way; what the chain does with it."""

    name: str
    phase: Phase | None
    codespace: str = ""
    code: int = 0
    change: Callable[[dict[str, Any], Paynet], None] = lambda _transaction, _net: None
    signers: tuple[str, ...] = ("alice", "bob")
    key: str = "treasury"
    ahead: int = 0
    number_off: int = 0


def _pay(address: str) -> Callable[[dict[str, Any], Paynet], None]:
    def change(transaction: dict[str, Any], net: Paynet) -> None:
        transaction["body"]["messages"][0]["outputs"][1]["address"] = address or _module(net)

    return change


def _module(net: Paynet) -> str:
    made = Chain([net.rest], [net.rpc], StandingClock(BIRTH))
    found = accounts.module_accounts(made).value
    made.close()
    return next(account.address for account in found if account.module == "fee_collector")


def _fee(amount: int, gas: int) -> Callable[[dict[str, Any], Paynet], None]:
    def change(transaction: dict[str, Any], _: Paynet) -> None:
        fee = transaction["auth_info"]["fee"]
        fee["gas_limit"], fee["amount"][0]["amount"] = str(gas), str(amount)

    return change


def _body(**values: str) -> Callable[[dict[str, Any], Paynet], None]:
    return lambda transaction, _: transaction["body"].update(values)


def _sums_differ(transaction: dict[str, Any], _: Paynet) -> None:
    transaction["body"]["messages"][0]["inputs"][0]["coins"][0]["amount"] = "5000"


def _too_much(transaction: dict[str, Any], _: Paynet) -> None:
    message = transaction["body"]["messages"][0]
    message["inputs"][0]["coins"][0]["amount"] = message["outputs"][0]["coins"][0]["amount"] = "30000"
    message["outputs"] = message["outputs"][:1]


GOOD = Case("good", None)
REFUSED, IN_BLOCK = Phase.REFUSED, Phase.IN_BLOCK
CASES = [
    GOOD,
    Case("expired", REFUSED, "sdk", 30, _body(timeout_height="1")),
    Case("sequence-too-high", REFUSED, "sdk", 32, ahead=1),
    Case("sequence-too-low", REFUSED, "sdk", 32, ahead=-1),
    Case("wrong-account-number", REFUSED, "sdk", 4, number_off=1),
    Case("one-of-two-signatures", REFUSED, "sdk", 4, signers=("alice",)),
    Case("fee-too-small", REFUSED, "sdk", 13, _fee(1, 400_000)),
    Case("gas-too-small", REFUSED, "sdk", 11, _fee(150, 60_000)),
    Case("memo-of-257-bytes", REFUSED, "sdk", 12, _body(memo="m" * 257)),
    Case("insufficient-funds", IN_BLOCK, "sdk", 5, _too_much, key="poor", signers=()),
    Case("sums-differ", IN_BLOCK, "bank", 4, _sums_differ),
    Case("recipient-is-a-module", IN_BLOCK, "sdk", 4, _pay("")),
    Case("recipient-of-another-chain", IN_BLOCK, "sdk", 7, _pay("cosmos1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqnrql8a")),
]


def facts(chain: Chain, payer: str) -> PayerFacts:
    account = accounts.account(chain, payer)
    assert account.value is not None
    return PayerFacts(
        address=payer,
        chain_id=CHAIN_ID,
        account_number=account.value.account_number,
        sequence=account.value.sequence,
        key=key_of(account.value.pub_key),
        height=account.height,
        balance_uakt=accounts.spendable(chain, payer, DENOM).value,
        module_accounts=module_addresses(accounts.module_accounts(chain).value),
        gas_price=gas_price_of(accounts.minimum_gas_price(chain).value or ""),
    )


def signed(net: Paynet, folder: Path, case: Case, payer: PayerFacts) -> tuple[Export, str]:
    """The approved export, and the file of the case as the chain's own command line signed it."""
    rows, memo = [(person(1), 1_000), (person(2), 2_000)], f"waymark/1/t/{case.name}/0"
    made = export(payer.address, rows, memo, FAR, Fee(1_000, 400_000))
    transaction = json.loads(made.file)
    case.change(transaction, net)
    (folder / "p.json").write_text(json.dumps(transaction))
    numbers = ["--offline", "--account-number", str(payer.account_number + case.number_off),
               "--sequence", str(payer.sequence + case.ahead)]  # fmt: skip
    common = [*numbers, "--chain-id", CHAIN_ID, "--keyring-backend", "test"]
    done = folder / "signed.json"
    if not case.signers:
        net.cli("tx", "sign", str(folder / "p.json"), "--from", case.key, *common, "--output-document", str(done))
        return made, done.read_text()
    parts = []
    for member in case.signers:
        parts.append(str(folder / f"{member}.json"))
        who = ["--from", member, "--multisig", payer.address]
        net.cli("tx", "sign", str(folder / "p.json"), *who, *common, "--output-document", parts[-1])
    words = ["tx", "multisign", str(folder / "p.json"), case.key, *parts]
    net.cli(*words, *common, "--output-document", str(done))
    return made, done.read_text()


def sent(net: Paynet, chain: Chain, checked: Checked) -> NodeJudgement:
    """What the chain does with the file: at once, else in its block."""
    assert checked.signed is not None
    answer, _ = transactions.broadcast(chain, checked.signed.raw)
    assert answer.txhash == checked.hash
    if answer.code:
        return NodeJudgement(Phase.REFUSED, answer.codespace, answer.code)
    net.tx(answer.txhash)
    found = transactions.by_hash(chain, answer.txhash)
    assert found is not None
    assert found.seen.messages == checked.signed.messages
    return NodeJudgement(Phase.IN_BLOCK if found.seen.code else None, found.seen.codespace, found.seen.code)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_check_signed__way_to_fail__foretold_as_the_chain_does_it(
    paynet: Paynet, chain: Chain, tmp_path: Path, case: Case
) -> None:
    payer = facts(chain, paynet.address(case.key))
    if payer.sequence + case.ahead < 0:
        assert sent(paynet, chain, check_signed(*signed(paynet, tmp_path, GOOD, payer), payer)).is_accepted
        payer = facts(chain, payer.address)
    approved, file = signed(paynet, tmp_path, case, payer)
    checked = check_signed(approved, file, payer)
    expected = NodeJudgement(case.phase, case.codespace, case.code)
    assert checked.by_node == expected
    assert checked.is_good == (case is GOOD)
    assert sent(paynet, chain, checked) == expected
    after = facts(chain, payer.address)
    assert after.sequence == payer.sequence + (case.phase is not Phase.REFUSED)


def test_broadcast__the_same_file_again__code_19_and_nothing_more(
    paynet: Paynet, chain: Chain, tmp_path: Path
) -> None:
    payer = facts(chain, paynet.address("treasury"))
    approved, file = signed(paynet, tmp_path, GOOD, payer)
    checked = check_signed(approved, file, payer)
    assert checked.signed is not None
    assert sent(paynet, chain, checked).is_accepted
    answer, _ = transactions.broadcast(chain, checked.signed.raw)
    assert (answer.codespace, answer.code) == ("sdk", 19)
    assert facts(chain, payer.address).sequence == payer.sequence + 1


def test_broadcast__two_files_signed_ahead__both_included(paynet: Paynet, chain: Chain, tmp_path: Path) -> None:
    payer = facts(chain, paynet.address("treasury"))
    first = check_signed(*signed(paynet, tmp_path, GOOD, payer), payer)
    ahead = replace(payer, sequence=payer.sequence + 1)
    second = check_signed(*signed(paynet, tmp_path, GOOD, ahead), ahead)
    assert first.is_good
    assert second.is_good
    answers = [transactions.broadcast(chain, each.signed.raw)[0] for each in (first, second) if each.signed]
    assert [answer.code for answer in answers] == [0, 0]
    assert [paynet.tx(answer.txhash)["code"] for answer in answers] == [0, 0]


def test_by_hash__unknown__none_and_by_sender__every_one(paynet: Paynet, chain: Chain) -> None:
    assert transactions.by_hash(chain, "AB" * 32) is None
    payer = paynet.address("treasury")
    account = accounts.account(chain, payer).value
    assert account is not None
    found = [each for page in transactions.sent_by(chain, payer, limit=3) for each in page]
    assert sorted(each.seen.sequence for each in found) == list(range(account.sequence))
    assert [each.seen.height for each in found] == sorted((each.seen.height for each in found), reverse=True)
    one = found[0]
    same = [each for each in transactions.in_block(chain, one.seen.height) if each.seen.hash == one.seen.hash]
    # REST gives whole seconds only
    assert replace(same[0].seen, time=one.seen.time) == one.seen
