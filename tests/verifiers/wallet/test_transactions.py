"""The unsendable transaction, signed by one key or k of n, and the recorded work of a real command line."""

from __future__ import annotations

import base64
import copy
import json

import pytest

from tests.wallets import (
    FIXTURES,
    Keyholder,
    amino_signer,
    joined,
    multisig_address,
    multisig_signer,
    send_amino_bytes,
    signed_like_cli,
)
from verifiers.wallet import amino
from verifiers.wallet.multisig import MultisigKey, is_multisigned, members_marked
from verifiers.wallet.protobuf import direct_sign_bytes, signatures_inside
from verifiers.wallet.signatures import is_signature_of
from verifiers.wallet.transactions import SIGN_CHAIN_ID, is_signed_transaction_of, unsigned_transaction

MEMO = "waymark-login 00112233445566778899aabbccddeeff"
ADA = Keyholder("Ada of the tests")
BOB = Keyholder("Bob of the tests")
MEMBERS = [Keyholder(f"member {number}") for number in range(3)]


def direct_signed(holder: Keyholder, memo: str = MEMO, chain_id: str = SIGN_CHAIN_ID) -> dict[str, object]:
    signature = holder.sign(direct_sign_bytes(holder.address, memo, holder.public_key, chain_id=chain_id))
    signer = {
        "public_key": holder.key_json(),
        "mode_info": {"single": {"mode": "SIGN_MODE_DIRECT"}},
        "sequence": "0",
    }
    return signed_like_cli(unsigned_transaction(holder.address, memo), signer, signature)


def amino_signed(holder: Keyholder, memo: str = MEMO, **how: object) -> dict[str, object]:
    signature = holder.sign(send_amino_bytes(holder.address, memo, **how))
    return signed_like_cli(unsigned_transaction(holder.address, memo), amino_signer(holder), signature)


def multisigned(threshold: int, marked: list[int], signing: list[int] | None = None) -> dict[str, object]:
    address = multisig_address(threshold, MEMBERS)
    message = send_amino_bytes(address, MEMO)
    signatures = [MEMBERS[place].sign(message) for place in (marked if signing is None else signing)]
    signer = multisig_signer(threshold, MEMBERS, marked)
    return signed_like_cli(unsigned_transaction(address, MEMO), signer, joined(signatures))


@pytest.mark.parametrize("sign", [direct_signed, amino_signed], ids=["direct", "amino-json"])
@pytest.mark.parametrize("form", [lambda signed: signed, json.dumps], ids=["parsed", "text"])
def test_signed_transaction__single_key__holds(sign, form):
    assert is_signed_transaction_of(ADA.address, MEMO, form(sign(ADA)))


def test_signed_transaction__as_older_command_lines_print_it__holds():
    signed = direct_signed(ADA)
    for name in ("unordered", "timeout_timestamp"):
        del signed["body"][name]
    assert is_signed_transaction_of(ADA.address, MEMO, signed)


@pytest.mark.parametrize(
    ("threshold", "marked"), [(2, [0, 1]), (2, [0, 2]), (2, [0, 1, 2]), (1, [1]), (3, [0, 1, 2])]
)
def test_signed_transaction__enough_members__holds(threshold, marked):
    assert is_signed_transaction_of(multisig_address(threshold, MEMBERS), MEMO, multisigned(threshold, marked))


@pytest.mark.parametrize(
    ("threshold", "marked", "signing"),
    [
        (2, [0], None),
        (3, [0, 1], None),
        (2, [0, 1], [0]),
        (2, [0, 1], [1, 0]),
        (2, [0, 1], [0, 0]),
        (2, [0, 1], [0, 1, 2]),
    ],
    ids=["one of two", "two of three", "fewer than marked", "wrong order", "one twice", "more than marked"],
)
def test_signed_transaction__too_few_or_other_members__is_refused(threshold, marked, signing):
    signed = multisigned(threshold, marked, signing)
    assert not is_signed_transaction_of(multisig_address(threshold, MEMBERS), MEMO, signed)


def at(signed: dict[str, object], path: str, value: object) -> dict[str, object]:
    """The same transaction with one place changed."""
    changed = copy.deepcopy(signed)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    place = changed
    for step in steps:
        place = place[step]
    place[last] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("body/memo", MEMO.replace("0", "1")),
        ("body/messages/0/to_address", BOB.address),
        ("body/messages/0/from_address", BOB.address),
        ("body/messages/0/@type", "/cosmos.bank.v1beta1.MsgMultiSend"),
        ("body/messages/0/amount/0/amount", "2"),
        ("body/messages/0/amount/0/denom", "uact"),
        ("body/messages/0/amount", []),
        ("body/messages/0/more", "x"),
        ("body/messages", []),
        ("body/timeout_height", "5"),
        ("body/unordered", True),
        ("body/timeout_timestamp", "2026-11-24T12:00:00Z"),
        ("body/extension_options", [{}]),
        ("auth_info/fee/gas_limit", "1"),
        ("auth_info/fee/amount", [{"denom": "uakt", "amount": "1"}]),
        ("auth_info/fee/payer", BOB.address),
        ("auth_info/tip", {"amount": [], "tipper": ""}),
        ("auth_info/signer_infos", []),
        ("auth_info/signer_infos/0/sequence", "1"),
        ("auth_info/signer_infos/0/mode_info/single/mode", "SIGN_MODE_TEXTUAL"),
        (
            "auth_info/signer_infos/0/mode_info",
            {"multi": {"bitarray": {"extra_bits_stored": 1, "elems": "gA=="}, "mode_infos": []}},
        ),
        ("auth_info/signer_infos/0/public_key", BOB.key_json()),
        ("auth_info/signer_infos/0/public_key/@type", "/ethermint.crypto.v1.ethsecp256k1.PubKey"),
        ("auth_info/signer_infos/0/public_key/key", "not base64"),
        ("signatures", []),
        ("signatures/0", base64.b64encode(bytes(64)).decode()),
        ("signatures/0", "%"),
        ("more", 1),
    ],
)
@pytest.mark.parametrize("sign", [direct_signed, amino_signed], ids=["direct", "amino-json"])
def test_signed_transaction__one_place_changed__is_refused(sign, path, value):
    assert not is_signed_transaction_of(ADA.address, MEMO, at(sign(ADA), path, value))


@pytest.mark.parametrize(
    "signed",
    [
        direct_signed(ADA, chain_id="akashnet-2"),
        amino_signed(ADA, chain_id="akashnet-2"),
        amino_signed(ADA, sequence=1),
        amino_signed(ADA, memo="waymark-login another"),
        direct_signed(BOB),
        unsigned_transaction(ADA.address, MEMO),
    ],
    ids=["direct, real chain", "amino, real chain", "sequence 1", "another memo", "another's", "unsigned"],
)
def test_signed_transaction__signed_for_something_else__is_refused(signed):
    assert not is_signed_transaction_of(ADA.address, MEMO, signed)


def test_signed_transaction__mode_exchanged__is_refused():
    path = "auth_info/signer_infos/0/mode_info/single/mode"
    assert not is_signed_transaction_of(
        ADA.address, MEMO, at(direct_signed(ADA), path, "SIGN_MODE_LEGACY_AMINO_JSON")
    )
    assert not is_signed_transaction_of(ADA.address, MEMO, at(amino_signed(ADA), path, "SIGN_MODE_DIRECT"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("auth_info/signer_infos/0/public_key/threshold", 1),
        ("auth_info/signer_infos/0/public_key/threshold", 0),
        ("auth_info/signer_infos/0/public_key/threshold", True),
        ("auth_info/signer_infos/0/public_key/public_keys", []),
        ("auth_info/signer_infos/0/public_key/public_keys/2", BOB.key_json()),
        ("auth_info/signer_infos/0/mode_info/multi/bitarray/elems", ""),
        ("auth_info/signer_infos/0/mode_info/multi/bitarray/elems", "+A=="),
        ("auth_info/signer_infos/0/mode_info/multi/bitarray/extra_bits_stored", 9),
        ("auth_info/signer_infos/0/mode_info/multi/bitarray/extra_bits_stored", 0),
        ("auth_info/signer_infos/0/mode_info/multi/mode_infos/0/single/mode", "SIGN_MODE_DIRECT"),
        ("auth_info/signer_infos/0/mode_info/multi/mode_infos", []),
        ("auth_info/signer_infos/0/mode_info", {"single": {"mode": "SIGN_MODE_LEGACY_AMINO_JSON"}}),
        ("signatures/0", base64.b64encode(b"\xff\xff").decode()),
    ],
)
def test_signed_transaction__multisig_with_one_place_changed__is_refused(path, value):
    signed = multisigned(2, [0, 1])
    assert not is_signed_transaction_of(multisig_address(2, MEMBERS), MEMO, at(signed, path, value))


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", "[" * 60_000, '{"body":' * 5_000, "x" * 70_000, "NaN", '{"body":{}}'],
    ids=["empty", "null", "list", "cut", "deep list", "deep object", "long", "NaN", "bare"],
)
def test_signed_transaction__hostile_text__is_refused(text):
    assert not is_signed_transaction_of(ADA.address, MEMO, text)


CLI = sorted((FIXTURES / "cli-0.53.5").glob("*.signed.json"))


@pytest.mark.parametrize("path", CLI, ids=[path.name.removesuffix(".signed.json") for path in CLI])
def test_signed_transaction__written_by_a_real_command_line__is_told_right(path):
    """What the command line of SDK 0.53.5 wrote for our unsigned transaction, with throw-away keys."""
    text = path.read_text()
    address = json.loads(text)["body"]["messages"][0]["from_address"]
    holds = path.name.removesuffix(".signed.json") not in {"multisig-1-of-3", "real-chain"}
    assert is_signed_transaction_of(address, MEMO, text) == holds
    assert not is_signed_transaction_of(address, MEMO.replace("0", "1"), text)
    assert not is_signed_transaction_of(BOB.address, MEMO, text)


def recorded_amino_bytes(signed: dict[str, object], chain_id: str) -> bytes:
    """What the members of the recorded payouts signed: a MsgMultiSend of the multisig with account number 17."""
    body, fee = signed["body"], signed["auth_info"]["fee"]
    message = {name: value for name, value in body["messages"][0].items() if name != "@type"}
    return amino.sign_bytes(
        chain_id=chain_id,
        account_number=17,
        sequence=int(signed["auth_info"]["signer_infos"][0]["sequence"]),
        fee={"amount": fee["amount"], "gas": fee["gas_limit"]},
        messages=[{"type": "cosmos-sdk/MsgMultiSend", "value": message}],
        memo=body["memo"],
        timeout_height=int(body["timeout_height"]),
    )


def recorded_is_multisigned(signed: dict[str, object], chain_id: str) -> bool:
    signer = signed["auth_info"]["signer_infos"][0]
    key = MultisigKey(
        signer["public_key"]["threshold"],
        tuple(base64.b64decode(member["key"]) for member in signer["public_key"]["public_keys"]),
    )
    assert key.address == signed["body"]["messages"][0]["inputs"][0]["address"]
    array = signer["mode_info"]["multi"]["bitarray"]
    marked = members_marked(array["extra_bits_stored"], base64.b64decode(array["elems"]), len(key.members))
    signatures = signatures_inside(base64.b64decode(signed["signatures"][0]))
    return is_multisigned(recorded_amino_bytes(signed, chain_id), key, marked, signatures)


RECORDED = sorted(FIXTURES.glob("payout-v*/*.signed.json"))
NOT_SIGNED_SO = {"x-other-chain-id", "x-changed-after-signing", "x-memo-changed-after-signing", "x-one-of-three"}


@pytest.mark.parametrize("path", RECORDED, ids=[f"{path.parent.name} {path.name[:-12]}" for path in RECORDED])
def test_is_multisigned__recorded_payout__is_as_the_chain_said(path):
    signed = json.loads(path.read_text())
    chain_id = {"payout-v1": "local-1", "payout-v2": "local-v2"}[path.parent.name]
    assert recorded_is_multisigned(signed, chain_id) == (path.name.removesuffix(".signed.json") not in NOT_SIGNED_SO)
    assert not recorded_is_multisigned(signed, "akashnet-2")
    assert not is_signed_transaction_of(signed["body"]["messages"][0]["inputs"][0]["address"], MEMO, signed)


@pytest.mark.parametrize("chain_id", ["local-1", "local-v2"])
def test_direct_sign_bytes__recorded_transfer_to_itself__holds_the_command_lines_signature(chain_id):
    recorded = json.loads((FIXTURES / f"login-by-memo-{chain_id}.json").read_text())["tx"]
    send, signer = recorded["body"]["messages"][0], recorded["auth_info"]["signer_infos"][0]
    public_key = base64.b64decode(signer["public_key"]["key"])
    message = direct_sign_bytes(
        send["from_address"],
        recorded["body"]["memo"],
        public_key,
        chain_id=chain_id,
        account_number=3,
        sequence=int(signer["sequence"]),
        fee_uakt=int(recorded["auth_info"]["fee"]["amount"][0]["amount"]),
        gas=int(recorded["auth_info"]["fee"]["gas_limit"]),
    )
    assert is_signature_of(message, public_key, base64.b64decode(recorded["signatures"][0]))
