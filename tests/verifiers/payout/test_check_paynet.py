"""Files of single signers, of many MsgSends and of odd messages, judged as a real SDK 0.53.5 chain judged them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.payouts import FILES, GAS_PRICE
from verifiers.payout.check import Checked, check_signed
from verifiers.payout.facts import PayerFacts
from verifiers.payout.files import read_export, read_signed
from verifiers.payout.findings import NodeJudgement, Phase

FOLDER = FILES / "paynet"
CASES: list[dict[str, Any]] = json.loads((FOLDER / "cases.json").read_text())


def checked(case: dict[str, Any], **changed: Any) -> Checked:
    given: dict[str, Any] = {
        "address": case["payer"],
        "chain_id": "akash-paynet-1",
        "account_number": case["account_number"],
        "sequence": case["sequence"],
        "height": case["height"],
        "balance_uakt": case["balance_uakt"],
        "module_accounts": frozenset(case["module_accounts"]),
        "gas_price": GAS_PRICE,
    }
    approved = read_export((FOLDER / f"{case['name']}.unsigned.json").read_bytes())
    return check_signed(
        approved, (FOLDER / f"{case['name']}.signed.json").read_bytes(), PayerFacts(**given | changed)
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_check__file_of_a_real_chain__judged_as_by_it(case: dict[str, Any]) -> None:
    phase, codespace, code = case["node"]
    found = checked(case)
    assert found.hash == case["hash"]
    assert found.signed is not None
    assert found.signed.base64 == case["tx_bytes"]
    assert read_signed(case["tx_bytes"]) == found.signed
    if case["name"] == "multi-unknown-denom":
        # What the account holds of another denom nobody asked for: it is refused all the same.
        assert not found.is_good
        return
    assert found.by_node == NodeJudgement(Phase(phase) if phase else None, codespace, code)
    assert not found.is_good or phase is None


@pytest.mark.parametrize("name", ["single-direct", "single-amino", "sends-direct", "sends-multisig"])
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, set()),
        ({"sequence": 99}, {"wrong_sequence"}),
        ({"account_number": 99}, {"signature_invalid"}),
        ({"chain_id": "akashnet-2"}, {"signature_invalid"}),
        ({"chain_id": "akashnet-2", "other_chain_ids": ("x-1", "akash-paynet-1")}, {"other_chain"}),
        ({"height": 10**9}, {"expired"}),
        ({"memo_bytes": 10}, {"memo_too_long"}),
        ({"gas_price": GAS_PRICE * 2}, {"fee_too_low"}),
        ({"balance_uakt": 10}, {"fee_not_covered"}),
        ({"balance_uakt": 1_001}, {"insufficient_funds"}),
        ({"address": "akash1jwfktla8rqvp59n0yxjtdwdpl7hzhurejryva9"}, {"other_key", "payer_differs"}),
    ],
    ids=lambda value: "-".join(sorted(value)) if isinstance(value, (dict, set)) else str(value),
)
def test_check__good_file_on_a_changed_account__exactly_that_finding(
    name: str, changed: dict[str, Any], expected: set[str]
) -> None:
    case = next(case for case in CASES if case["name"] == name)
    assert {finding.name for finding in checked(case, **changed).findings} == expected


def test_check__multisig_above_the_limit_of_keys__refused() -> None:
    case = next(case for case in CASES if case["name"] == "sends-multisig")
    assert {finding.name for finding in checked(case, signature_limit=2).findings} == {"too_many_keys"}
