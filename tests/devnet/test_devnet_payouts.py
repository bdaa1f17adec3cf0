"""Every recorded payout is sent to devnet as it was sent to a real node: same phase, codespace, code and text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from devnet import acts
from devnet.network import Devnet, serve
from devnet.public_keys import MultisigKey, SingleKey
from tests.payouts import ALL, Judged
from tests.recordings import recordings
from verifiers.payout.files import read_signed
from verifiers.payout.findings import NodeJudgement, Phase
from verifiers.payout.signed import SignedTransaction
from verifiers.wallet.multisig import MultisigKey as CheckedMultisig

from .conftest import START, StillClock
from .payday_chain import ask, broadcast, next_block

PAYNET = json.loads((Path(__file__).parents[1] / "fixtures" / "payout" / "paynet" / "cases.json").read_text())
PLENTY = 44_000_000


@contextmanager
def chain_of(case: Judged, signed: SignedTransaction) -> Iterator[Devnet]:
    """A chain on which the payer's account is as it was before the case; recipients are known to it."""
    facts = case.facts
    key = signed.signers[0].key
    assert isinstance(key, CheckedMultisig)
    own = MultisigKey(key.threshold, tuple(SingleKey(member) for member in key.members))
    balance = (("uakt", facts.balance_uakt or PLENTY),)
    payer = acts.Person(
        "payer", facts.address, multisig=own, sequence=facts.sequence, number=facts.account_number, balances=balance
    )
    outputs = {str(output["address"]) for message in json.loads(case.unsigned)["body"]["messages"]
               for output in message["outputs"]} - facts.module_accounts  # fmt: skip
    if "new-account" in case.name:
        outputs = set()
    known = [acts.Person(address, address) for address in sorted(outputs) if address != "akash1notanaddress"]
    story = acts.Scenario(case.id, facts.chain_id, [], [payer, *known], seconds_per_block=1)
    with serve(story, start=START, clock=StillClock(START), generation=case.files) as devnet:
        devnet.settings.tip = facts.height
        yield devnet


def judged(devnet: Devnet, raw: bytes) -> tuple[NodeJudgement, dict[str, Any]]:
    """What devnet does with a transaction, and its last answer."""
    sent = broadcast(devnet, raw)
    if sent["code"]:
        return NodeJudgement(Phase.REFUSED, sent["codespace"], sent["code"]), sent
    path = f"/cosmos/tx/v1beta1/txs/{sent['txhash']}"
    assert ask(devnet, "GET", path) == (404, {"code": 5, "message": f"tx not found: {sent['txhash']}", "details": []})
    next_block(devnet)
    status, body = ask(devnet, "GET", path)
    assert status == 200, body
    became = body["tx_response"]
    return NodeJudgement(Phase.IN_BLOCK if became["code"] else None, became["codespace"], became["code"]), became


@pytest.mark.parametrize("case", ALL, ids=[case.id for case in ALL])
def test_recorded_payout__sent_to_devnet__judged_as_by_the_real_node(case: Judged) -> None:
    signed = read_signed(case.signed)
    with chain_of(case, signed) as devnet:
        found, answer = judged(devnet, signed.raw)
    assert found == case.by_node
    assert case.hash in {None, answer["txhash"]}


BROADCAST = [case for case in ALL if case.name.startswith("x-")]


@pytest.mark.parametrize("case", BROADCAST, ids=[case.id for case in BROADCAST])
def test_recorded_broadcast__sent_to_devnet__answers_are_equal(case: Judged) -> None:
    """The answer to the broadcast byte for byte; what became of it but for times, and with the gas to 60 units."""
    real = {
        line.name.partition(": ")[2]: json.loads(line.body)
        for line in recordings("akash-recorded/payout-broadcast")
        if f"x-{line.name.partition(': ')[0]}" == case.name
    }
    signed = read_signed(case.signed)
    with chain_of(case, signed) as devnet:
        sent = broadcast(devnet, signed.raw)
        if "broadcast again at once" in real:
            assert broadcast(devnet, signed.raw) == real["broadcast again at once"]["tx_response"]
        next_block(devnet)
        status, became = ask(devnet, "GET", f"/cosmos/tx/v1beta1/txs/{sent['txhash']}")
        again = broadcast(devnet, signed.raw)
    if "broadcast again after its block" in real:
        assert again == real["broadcast again after its block"]["tx_response"]
    assert sent == real["broadcast"]["tx_response"]
    if "by hash after its block" not in real:
        assert status == 404
        return
    _same_but_for_gas_and_time(became, real["by hash after its block"])


def _same_but_for_gas_and_time(mine: dict[str, Any], real: dict[str, Any]) -> None:
    for told in (mine, real):
        told["tx_response"].pop("timestamp")
        told["tx_response"].pop("height")
    used, recorded = (int(told["tx_response"].pop("gas_used")) for told in (mine, real))
    assert abs(used - recorded) <= max(60, recorded // 1_000)
    assert list(mine) == list(real)
    assert mine == real


@pytest.mark.parametrize("case", PAYNET, ids=[case["name"] for case in PAYNET])
def test_payout_of_paynet__sent_to_devnet__judged_as_by_the_real_chain(case: dict[str, Any]) -> None:
    """Single keys in both modes, MsgSends, other prefixes and denoms on a chain of SDK 0.53.5."""
    signed = read_signed(case["tx_bytes"])
    key = signed.signers[0].key
    multisig, single = None, b""
    if isinstance(key, CheckedMultisig):
        multisig = MultisigKey(key.threshold, tuple(SingleKey(member) for member in key.members))
    else:
        single = key or b""
    payer = acts.Person(
        "payer",
        case["payer"],
        public_key=single,
        multisig=multisig,
        sequence=case["sequence"],
        number=case["account_number"],
        balances=(("uakt", case["balance_uakt"]),),
    )
    story = acts.Scenario("paynet", "akash-paynet-1", [], [payer], seconds_per_block=1)
    # "at-timeout" was read at its timeout and sent a block later: a node takes what can still stand in the next block
    late = 1 if case["name"] == "at-timeout" else 0
    with serve(story, start=START, clock=StillClock(START)) as devnet:
        devnet.settings.tip = case["height"] + late
        found, answer = judged(devnet, signed.raw)
    phase, codespace, code = case["node"]
    assert found == NodeJudgement(Phase(phase) if phase else None, codespace, code)
    assert answer["txhash"] == case["hash"]
