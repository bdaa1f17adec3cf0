"""A good file with anything altered is never good, and nothing in a file makes the check fall over."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.payouts import ALL
from tests.wallets import Keyholder, joined
from verifiers.payout.check import check_signed
from verifiers.payout.export import Export, Fee, export
from verifiers.payout.facts import PayerFacts
from verifiers.payout.files import LONGEST_FILE, read_export, read_signed
from verifiers.payout.findings import Phase
from verifiers.payout.keys import amino_bytes
from verifiers.payout.signed import BitArray, Mode, PaidFee, SignedTransaction, Signer
from verifiers.payout.transfers import Coin
from verifiers.wallet.addresses import Address, encode_address
from verifiers.wallet.multisig import MultisigKey

CASE = next(case for case in ALL if case.name == "x-good")
APPROVED = read_export(CASE.unsigned)
GOOD = read_signed(CASE.signed)
PEOPLE = [Keyholder(f"signer {number}") for number in range(5)]


def test_check__untouched__good() -> None:
    assert check_signed(APPROVED, CASE.signed, CASE.facts).is_good


@given(st.integers(0, len(CASE.signed) - 1), st.binary(min_size=1, max_size=1))
def test_check__one_byte_of_the_file_changed__good_only_if_it_says_the_same(place: int, octet: bytes) -> None:
    altered = CASE.signed[:place] + octet + CASE.signed[place + 1 :]
    checked = check_signed(APPROVED, altered, CASE.facts)
    assert not checked.is_good or checked.signed == GOOD


@given(st.integers(0, len(GOOD.raw) - 1), st.integers(0, 255))
def test_check__one_byte_of_the_transaction_changed__good_only_if_unchanged(place: int, octet: int) -> None:
    import base64

    altered = bytearray(GOOD.raw)
    altered[place] = octet
    checked = check_signed(APPROVED, base64.b64encode(altered), CASE.facts)
    assert not checked.is_good or bytes(altered) == GOOD.raw


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("{", "no JSON"),
        ("[" * 50, "neither"),
        ('{"a":' * 5000, "no JSON"),
        ("{}", "body"),
        ("AAAA", "no signed transaction"),
        ("%%%", "neither"),
        (b"\xff\xfe", "no text"),
        (b"x" * (LONGEST_FILE + 1), "too large"),
        (CASE.signed.replace(b"MsgMultiSend", b"MsgBurn"), "body.messages.0"),
        (CASE.signed.replace(b'"unordered":false', b'"unordered":true'), "body.unordered"),
        (CASE.signed.replace(b'"tip":null', b'"tip":{}'), "auth_info.tip"),
        (CASE.signed.replace(b"MODE_LEGACY_AMINO_JSON", b"MODE_TEXTUAL"), "mode"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else str(value)[:12],
)
def test_check__file_that_is_none__says_what_is_wrong(file: str | bytes, said: str) -> None:
    checked = check_signed(APPROVED, file, CASE.facts)
    assert [finding.name for finding in checked.findings] == ["unreadable"]
    assert said in checked.findings[0].text
    assert not checked.is_good


@given(st.text() | st.binary())
def test_check__any_upload__an_answer(file: str | bytes) -> None:
    assert not check_signed(APPROVED, file, CASE.facts).is_good


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2)
    )
)
def test_check__any_value_for_a_part__an_answer(value: object) -> None:
    read = json.loads(CASE.signed)
    for part in ("body", "auth_info", "signatures"):
        assert not check_signed(APPROVED, json.dumps(read | {part: value}), CASE.facts).is_good


def facts(address: Address) -> PayerFacts:
    return PayerFacts(address, "payout-1", account_number=3, sequence=8, height=10, balance_uakt=10**9)


def approved(payer: Address) -> Export:
    rows = [(encode_address(bytes([number]) * 20), 1_000 + number) for number in range(4)]
    return export(payer, rows, "waymark/1/falcon-7/p1-0001/0123456789abcdef", 90, Fee(1_000, 400_000))


def unsigned(made: Export, signer: Signer) -> SignedTransaction:
    fee = PaidFee((Coin("uakt", str(made.fee.amount_uakt)),), made.fee.gas_limit)
    return SignedTransaction(made.messages, made.memo, made.timeout_height, fee, (signer,), ())


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("has_key", [True, False], ids=["key-in-file", "key-on-chain"])
def test_check__single_key_in_each_mode__good(mode: Mode, has_key: bool) -> None:
    signer, known = PEOPLE[0], facts(PEOPLE[0].address)
    made = approved(signer.address)
    draft = unsigned(made, Signer(signer.public_key if has_key else None, (mode,), None, 8))
    message = (
        draft.direct_bytes("payout-1", 3) if mode is Mode.DIRECT else amino_bytes(draft, draft.signers[0], known)
    )
    signed = replace(draft, signatures=(signer.sign(message),))
    known = replace(known, key=signer.public_key)
    assert check_signed(made, signed.base64, known).findings == ()
    twin = replace(draft, signatures=(PEOPLE[1].sign(message),))
    assert [finding.name for finding in check_signed(made, twin.base64, known).findings] == ["signature_invalid"]


@pytest.mark.parametrize(
    ("threshold", "marked", "expected"),
    [
        (2, (0, 1), set()),
        (2, (1, 3), set()),
        (2, (0, 2, 4), set()),
        (5, (0, 1, 2, 3, 4), set()),
        (1, (4,), set()),
        (3, (0, 1), {"too_few_signatures"}),
        (2, (), {"too_few_signatures"}),
    ],
)
def test_check__k_of_five__good_with_enough(threshold: int, marked: tuple[int, ...], expected: set[str]) -> None:
    key = MultisigKey(threshold, tuple(person.public_key for person in PEOPLE))
    made, known = approved(key.address), facts(key.address)
    bits = bytes([sum(1 << (7 - place) for place in marked)])
    draft = unsigned(made, Signer(key, (Mode.AMINO,) * len(marked), BitArray(5, bits), 8))
    message = amino_bytes(draft, draft.signers[0], known)
    signed = replace(draft, signatures=(joined([PEOPLE[place].sign(message) for place in marked]),))
    assert {finding.name for finding in check_signed(made, signed.base64, known).findings} == expected
    if marked and not expected:
        wrong = replace(draft, signatures=(joined([PEOPLE[place].sign(b"else") for place in marked]),))
        assert {finding.name for finding in check_signed(made, wrong.base64, known).findings} == {"signature_invalid"}


@pytest.mark.parametrize(
    ("fee", "phase", "name"),
    [
        (PaidFee((Coin("uakt", "2000"),), 500_000), Phase.NOTE, "fee_changed"),
        (PaidFee((Coin("uakt", "10001"),), 400_000), Phase.NOT_APPROVED, "fee_too_high"),
        (PaidFee((Coin("uact", "1000"),), 400_000), Phase.NOT_APPROVED, "fee_denom"),
        (PaidFee((Coin("uakt", "1000"),), 400_000, granter=PEOPLE[3].address), Phase.NOT_APPROVED, "fee_payer"),
        (PaidFee((Coin("uakt", "1000"),), 30_000), Phase.REFUSED, "gas_too_small"),
        (PaidFee((Coin("uakt", "1000"),), 70_000), Phase.IN_BLOCK, "out_of_gas"),
    ],
    ids=["more-gas", "ten-times", "denom", "granter", "little-gas", "not-enough-gas"],
)
def test_check__fee_set_by_the_signer__judged(fee: PaidFee, phase: Phase, name: str) -> None:
    signer, known = PEOPLE[0], facts(PEOPLE[0].address)
    made = approved(signer.address)
    draft = replace(unsigned(made, Signer(signer.public_key, (Mode.DIRECT,), None, 8)), fee=fee)
    signed = replace(draft, signatures=(signer.sign(draft.direct_bytes("payout-1", 3)),))
    found = check_signed(made, signed.base64, known)
    assert (phase, name) in {(finding.phase, finding.name) for finding in found.findings}
    assert found.is_good == (phase is Phase.NOTE)
