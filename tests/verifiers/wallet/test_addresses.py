"""Reading addresses strictly and computing them from keys."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wallets import FIXTURES, Keyholder
from verifiers.wallet.addresses import (
    AddressError,
    address_of_key,
    address_of_multisig,
    encode_address,
    is_address,
    parse_address,
)

ACCOUNTS = json.loads((FIXTURES / "accounts.json").read_text())
GOOD = "akash1af3dk5pzw3xklmhqysp62az22d3jz5fs32tze9"
CONTRACT = encode_address(bytes(range(32)))


@pytest.mark.parametrize("account", ACCOUNTS, ids=[f"{row['chain']} {row['name']}" for row in ACCOUNTS])
def test_address_of_key__recorded_account__is_the_chains(account):
    key = account["pub_key"]
    if key["@type"].endswith("LegacyAminoPubKey"):
        members = [base64.b64decode(member["key"]) for member in key["public_keys"]]
        assert address_of_multisig(key["threshold"], members) == account["address"]
    else:
        assert address_of_key(base64.b64decode(key["key"])) == account["address"]


def test_address_of_key__cosmpy_key__equals_cosmpy():
    from cosmpy.aerial.wallet import LocalWallet
    from cosmpy.crypto.keypairs import PrivateKey

    for _ in range(20):
        wallet = LocalWallet(PrivateKey(), prefix="akash")
        assert address_of_key(wallet.public_key().public_key_bytes) == str(wallet.address())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param(GOOD.upper(), "lower case", id="upper case"),
        pytest.param("Akash" + GOOD[5:], "lower case", id="mixed case"),
        pytest.param("cosmos" + GOOD[5:], "akash1", id="another prefix"),
        pytest.param("akashvaloper1" + GOOD[6:], "akash1", id="a validator"),
        pytest.param(GOOD[:-1] + "8", "checksum", id="a wrong character"),
        pytest.param(GOOD[:-1], "checksum", id="one missing"),
        pytest.param(GOOD + "q", "checksum", id="one more"),
        pytest.param(GOOD[:20] + "b" + GOOD[21:], "'b'", id="a character outside the alphabet"),
        pytest.param(GOOD[:20] + "\u0430" + GOOD[21:], "cannot occur", id="a look-alike letter"),
        pytest.param(GOOD[:20] + " " + GOOD[21:], "' '", id="a blank inside"),
        pytest.param("akash1", "checksum", id="the prefix alone"),
        pytest.param("akash1" + "q" * 90, "too long", id="too long"),
        pytest.param(CONTRACT, "contract", id="a contract"),
    ],
)
def test_parse_address__bad_text__names_the_mistake(text, words):
    with pytest.raises(AddressError, match=words):
        parse_address(text)
    assert not is_address(text)


def test_parse_address__white_space_around__is_dropped():
    assert parse_address(f"  {GOOD}\n") == GOOD
    assert not is_address(f" {GOOD}")


def test_parse_address__contract_asked_for__is_taken():
    assert parse_address(CONTRACT, contracts=True) == CONTRACT


def test_parse_address__payload_of_another_length__is_refused():
    with pytest.raises(AddressError, match="19 bytes"):
        parse_address(_encoded(bytes(19)))


def _encoded(payload: bytes) -> str:
    from bech32 import bech32_encode, convertbits

    return bech32_encode("akash", convertbits(payload, 8, 5))


@given(st.binary(min_size=20, max_size=20) | st.binary(min_size=32, max_size=32))
def test_encode_address__any_payload__equals_the_reference_and_reads_back(payload):
    text = encode_address(payload)
    assert text == _encoded(payload)
    assert parse_address(text, contracts=True) == text


@given(st.binary(min_size=20, max_size=20), st.integers(6, 43), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_is_address__one_character_changed__is_refused(payload, place, character):
    text = encode_address(payload)
    changed = text[:place] + character + text[place + 1 :]
    assert is_address(changed) == (changed == text)


@given(st.text(max_size=60))
def test_parse_address__any_text__answers_with_an_address_or_its_own_error(text):
    with contextlib.suppress(AddressError):
        assert parse_address(text) == text.strip()


@pytest.mark.parametrize(("threshold", "count"), [(0, 2), (3, 2), (1, 0)], ids=["none", "more than keys", "no key"])
def test_address_of_multisig__impossible_threshold__is_refused(threshold, count):
    with pytest.raises(AddressError):
        address_of_multisig(threshold, [Keyholder(str(number)).public_key for number in range(count)])
