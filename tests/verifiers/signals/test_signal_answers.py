"""What a node's answers say of payments and machines: recorded ones, and those composed after the SDK's own types."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from devnet import wire
from tests.recordings import recorded
from verifiers.chain.answers import decode_certificates, decode_deployment
from verifiers.signals import machines, payments

MULTISIG = "akash1jwfktla8rqvp59n0yxjtdwdpl7hzhurejryva9"
T3 = "akash1af3dk5pzw3xklmhqysp62az22d3jz5fs32tze9"
ANN, BOB, ESCROW = "akash1ann", "akash1bob", "akash1escrow"


def event(kind: str, **told: str) -> dict[str, object]:
    return {"type": kind, "attributes": [{"key": key, "value": value, "index": True} for key, value in told.items()]}


def tx(
    *events: dict[str, object], code: int = 0, messages: list[dict[str, object]] | None = None
) -> dict[str, object]:
    raw = wire.transaction(messages or [], "", b"", b"") if messages else b""
    return {
        "hash": "AB" * 32, "height": "41", "index": 0, "tx": base64.b64encode(raw).decode(),
        "tx_result": {"code": code, "codespace": "", "log": "", "gas_wanted": "1", "gas_used": "1", "events": events},
    }  # fmt: skip


def page(*txs: dict[str, object]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": -1, "result": {"txs": txs, "total_count": str(len(txs))}}).encode()


def transfer(sender: str, recipient: str, **more: str) -> dict[str, object]:
    told = {"recipient": recipient, "sender": sender, "amount": "5uakt"} | more
    return event("transfer", **{key: value for key, value in told.items() if value})


# ---------------------------------------------------------------- first funds


def test_first_funds__a_recorded_search__names_who_paid_how_much_and_where() -> None:
    body = recorded("akash-recorded/rpc", "tx_search: transfers to").body
    funds = payments.first_funds(body, T3)
    assert funds is not None
    assert (funds.payer, funds.address, funds.height) == (MULTISIG, T3, 1596)
    assert funds.tx == "05042553915587B926E6BD1249B6A273D31F11481D3561085310A734A503CD6D"
    assert "uakt" in funds.said


FUNDS = [
    ("nothing", page(), None),
    ("a_failed_one_before", page(tx(transfer(ANN, BOB), code=5), tx(transfer(ESCROW, BOB))), ESCROW),
    ("others_in_the_same", page(tx(transfer(BOB, "akash1fees"), transfer(ANN, BOB))), ANN),
    ("without_a_sender", page(tx(event("coin_spent", spender=ANN), transfer("", BOB))), ANN),
    ("without_anybody", page(tx(transfer("", BOB))), None),
]


@pytest.mark.parametrize(("body", "payer"), [case[1:] for case in FUNDS], ids=[case[0] for case in FUNDS])
def test_first_funds__of_a_search__are_of_whoever_paid(body: bytes, payer: str | None) -> None:
    funds = payments.first_funds(body, BOB)
    assert (funds.payer if funds else None) == payer


# ---------------------------------------------------------------- deposits


def deposit(owner: str, signer: str) -> dict[str, object]:
    amount = {"amount": {"denom": "uact", "amount": "5"}, "sources": ["balance"]}
    named = {"scope": "deployment", "xid": f"{owner}/7"}
    return {"@type": "/akash.escrow.v1.MsgAccountDeposit", "signer": signer, "id": named, "deposit": amount}


DEPOSITS = [
    ("for_another", tx(transfer(ANN, ESCROW, msg_index="0"), messages=[deposit(BOB, ANN)]), [f"{BOB}/7"]),
    ("for_oneself", tx(transfer(ANN, ESCROW, msg_index="0"), messages=[deposit(ANN, ANN)]), []),
    ("by_a_grant", tx(transfer(ANN, ESCROW, msg_index="0"), messages=[deposit(BOB, BOB)]), [f"{BOB}/7"]),
    ("of_another", tx(transfer(BOB, ESCROW, msg_index="0"), messages=[deposit(BOB, BOB)]), []),
    ("a_fee_only", tx(transfer(ANN, "akash1fees"), messages=[deposit(BOB, BOB)]), []),
    ("failed", tx(transfer(ANN, ESCROW, msg_index="0"), code=5, messages=[deposit(BOB, ANN)]), []),
    (
        "of_the_other_message",
        tx(transfer(ANN, ESCROW, msg_index="1"), messages=[deposit(BOB, BOB), deposit("akash1cid", ANN)]),
        ["akash1cid/7"],
    ),
    ("no_transaction", tx(transfer(ANN, ESCROW, msg_index="0")) | {"tx": base64.b64encode(b"\xff\x01").decode()}, []),
]


@pytest.mark.parametrize(("found", "keys"), [case[1:] for case in DEPOSITS], ids=[case[0] for case in DEPOSITS])
def test_deposits__in_a_transaction__are_those_that_this_address_paid(
    found: dict[str, object], keys: list[str]
) -> None:
    seen = payments.deposits_paid(page(found), ANN)
    assert [each.key for each in seen] == keys
    assert all((each.payer, each.height) == (ANN, 41) for each in seen)


@pytest.mark.parametrize("folder", ["akash-recorded", "akash-recorded-v2"])
def test_foreign_deposits__of_a_recorded_deployment__are_none_until_somebody_else_pays(folder: str) -> None:
    info = decode_deployment(recorded(f"{folder}/rest-deployments", "info 02-llm-h100.yaml").body)
    assert info.escrow_account.state.deposits
    assert payments.foreign_deposits(info, 41) == []
    state = info.escrow_account.state
    others = replace(state, deposits=(*state.deposits, replace(state.deposits[0], owner=ANN)))
    (found,) = payments.foreign_deposits(replace(info, escrow_account=replace(info.escrow_account, state=others)), 41)
    assert (found.payer, found.address, found.key) == (ANN, info.id.owner, f"{info.id.owner}/{info.id.dseq}")


# ---------------------------------------------------------------- grants


def used(granter: str, grantee: str) -> dict[str, object]:
    return tx(event("use_feegrant", granter=granter, grantee=grantee))


FEES = [
    ("another_paid", page(used(ANN, BOB), used(ANN, BOB)), [ANN, ANN]),
    ("a_failed_one_pays_too", page(used(ANN, BOB) | {"height": "7"}), [ANN]),
    ("of_somebody_else", page(used(ANN, "akash1cid")), []),
    ("none", page(tx(event("tx", fee="5uakt", fee_payer=BOB))), []),
]


@pytest.mark.parametrize(("body", "granters"), [case[1:] for case in FEES], ids=[case[0] for case in FEES])
def test_fee_grants__used__name_who_paid(body: bytes, granters: list[str]) -> None:
    assert [each.payer for each in payments.fee_grants_used(body, BOB)] == granters


def signed(payer: str, *signers: str) -> dict[str, object]:
    return tx(event("tx", fee="5uakt", fee_payer=payer), *(event("tx", acc_seq=f"{name}/3") for name in signers))


@pytest.mark.parametrize(
    ("found", "payers"),
    [
        (signed(BOB, BOB), []),
        (signed(ANN, BOB), [ANN]),
        (signed(ANN, ANN, BOB), [ANN]),
        (signed(ANN, ANN), []),
        (tx(transfer(ANN, ESCROW)), []),
    ],
    ids=["oneself", "a_granter", "another_signer", "a_transaction_of_another", "no_fee"],
)
def test_fees__of_what_an_address_signed__name_who_paid_them(found: dict[str, object], payers: list[str]) -> None:
    assert [each.payer for each in payments.fees_paid(page(found), BOB)] == payers


@pytest.mark.parametrize("folder", ["akash-recorded", "akash-recorded-v2"])
def test_fees__of_recorded_transactions__were_paid_by_those_who_signed(folder: str) -> None:
    recording = recorded(f"{folder}/rpc", "tx_search: by sender")
    signer = recording.path.partition("%27")[2].partition("%27")[0]
    assert b"fee_payer" in recording.body
    assert payments.fees_paid(recording.body, signer) == []


BASIC = {"@type": "/cosmos.feegrant.v1beta1.BasicAllowance", "spend_limit": [], "expiration": None}
DEPOSITING = {"@type": "/akash.escrow.v1.DepositAuthorization", "spend_limits": [], "scopes": ["deployment"]}
VOTING = {"@type": "/cosmos.authz.v1beta1.GenericAuthorization", "msg": "/cosmos.gov.v1.MsgVote"}


def test_allowances__of_an_address__name_those_who_give_them() -> None:
    rows = [
        {"granter": ANN, "grantee": BOB, "allowance": BASIC},
        {"granter": BOB, "grantee": ANN, "allowance": BASIC},
    ]
    body = json.dumps({"allowances": rows, "pagination": {"next_key": None, "total": "0"}}).encode()
    assert [(each.payer, each.key) for each in payments.fee_allowances(body, BOB)] == [(ANN, f"{ANN}/{BOB}")]


@pytest.mark.parametrize(
    ("authorization", "payers"),
    [(DEPOSITING, [ANN]), (VOTING, []), (None, [])],
    ids=["deposits", "something_else", "nothing"],
)
def test_grants__for_deposits_only__are_payments(authorization: dict[str, object] | None, payers: list[str]) -> None:
    rows = [{"granter": ANN, "grantee": BOB, "authorization": authorization, "expiration": None}]
    body = json.dumps({"grants": rows, "pagination": {"next_key": None, "total": "0"}}).encode()
    assert [each.payer for each in payments.deposit_grants(body, BOB)] == payers


# ---------------------------------------------------------------- machines


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("https://Provider.Example.:8443", "provider.example"),
        ("https://provider.example:9443", "provider.example"),
        ("https://203.0.113.9:8443", "203.0.113.9:8443"),
        ("https://8.8.8.8:8443", "8.8.8.8"),
        ("https://[2606:4700::1111]:8443", "2606:4700::1111"),
        ("https://127.0.0.1:8443", "127.0.0.1:8443"),
        ("https://10.0.0.7:8443", "10.0.0.7:8443"),
        ("https://localhost:8443", "localhost:8443"),
        ("http://provider.example", ""),
        ("nonsense", ""),
    ],
)
def test_hosts__of_providers__are_compared_without_port_where_they_are_public(uri: str, host: str) -> None:
    assert machines.host_of(uri) == host


@pytest.mark.parametrize("folder", ["akash-recorded", "akash-recorded-v2"])
def test_certificates__recorded__have_a_key_and_a_serial_number_each(folder: str) -> None:
    body = recorded(f"{folder}/rest-providers", "certificates").body
    count = len(decode_certificates(body).rows)
    values = machines.certificate_values(body)
    assert sum(value.startswith("serial ") for value in values) == count
    keys = [value for value in values if value.startswith("key ")]
    assert 0 < len(keys) <= count
    assert all(len(value) == len("key ") + 64 for value in keys)


def test_certificates__with_a_serial_chosen_by_hand__are_compared_by_key_only() -> None:
    document = json.loads(recorded("akash-recorded-v2/rest-providers", "certificates").body)
    row = document["certificates"][0]
    values = machines.certificate_values(json.dumps({"certificates": [row | {"serial": "7"}]}).encode())
    assert [value.partition(" ")[0] for value in values] == ["key"]
    garbled = row | {"certificate": row["certificate"] | {"cert": "bm90IGEgY2VydA=="}}
    values = machines.certificate_values(json.dumps({"certificates": [garbled]}).encode())
    assert [value.partition(" ")[0] for value in values] == ["serial"]
