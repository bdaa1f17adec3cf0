"""Signatures of browser wallets over our text."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.moment import Moment, parse_moment
from tests.wallets import FIXTURES, Keyholder
from verifiers.wallet.adr036 import is_text_signed_by, sign_bytes
from verifiers.wallet.signatures import ORDER, decode_base64, is_public_key, is_signature_of
from verifiers.wallet.text import SignInText, is_sign_in_text, sign_in_memo

ADA = Keyholder("Ada of the tests")
BOB = Keyholder("Bob of the tests")


def text_for(holder: Keyholder, **changes: object) -> str:
    given = {
        "domain": "waymark.example",
        "uri": "https://waymark.example/sign-in",
        "address": holder.address,
        "chain_id": "akashnet-2",
        "nonce": "00112233445566778899aabbccddeeff",
        "issued_at": Moment(parse_moment("2026-11-24T12:00:00Z") + 987_654_321),
        "expires_at": parse_moment("2026-11-24T12:05:00Z"),
        "request_id": "c1",
    }
    return str(SignInText(**(given | changes)))


def test_sign_in_text__all_parts__has_the_published_form():
    assert text_for(ADA).split("\n") == [
        "waymark.example wants you to sign in with your Akash account:",
        ADA.address,
        "",
        "Sign in to Waymark. This is free and sends no transaction.",
        "",
        "URI: https://waymark.example/sign-in",
        "Version: 1",
        "Chain ID: akashnet-2",
        "Nonce: 00112233445566778899aabbccddeeff",
        "Issued At: 2026-11-24T12:00:00Z",
        "Expiration Time: 2026-11-24T12:05:00Z",
        "Request ID: c1",
    ]


def test_sign_in_text__chain_id_unknown__leaves_the_line_out():
    assert "Chain ID" not in text_for(ADA, chain_id=None)


def test_sign_in_text__link__names_the_account_linked_to():
    assert f"to {BOB.address} in Waymark" in text_for(ADA, linked_to=BOB.address)
    memo = sign_in_memo("0" * 32, BOB.address)
    assert BOB.address in memo
    assert len(memo.encode()) <= 256


@pytest.mark.parametrize(
    "changes",
    [{"domain": "evil example"}, {"chain_id": "akash\nNonce: 1"}, {"uri": "https://ü.example"}, {"domain": "a\nb"}],
    ids=["blank in the domain", "newline in the chain id", "no ASCII", "newline in the domain"],
)
def test_sign_in_text__input_that_would_change_its_form__is_refused(changes):
    with pytest.raises(ValueError, match=r"ASCII|host"):
        text_for(ADA, **changes)


def test_sign_bytes__text__are_the_published_document():
    document = json.loads(sign_bytes(ADA.address, b"a<b>&"))
    assert document["msgs"][0]["value"] == {"data": base64.b64encode(b"a<b>&").decode(), "signer": ADA.address}
    assert sign_bytes("akash1x", b"").decode() == (
        '{"account_number":"0","chain_id":"","fee":{"amount":[],"gas":"0"},"memo":"","msgs":[{"type":'
        '"sign/MsgSignData","value":{"data":"","signer":"akash1x"}}],"sequence":"0"}'
    )


def test_is_text_signed_by__own_key__holds():
    text = text_for(ADA)
    assert is_text_signed_by(ADA.address, text, ADA.public_key, ADA.sign_text(text))


def test_is_text_signed_by__cosmpy_key__holds():
    from cosmpy.aerial.wallet import LocalWallet
    from cosmpy.crypto.keypairs import PrivateKey

    for _ in range(10):
        key = PrivateKey()
        address = str(LocalWallet(key, prefix="akash").address())
        text = text_for(ADA, address=address)
        signature = key.sign(sign_bytes(address, text.encode()), deterministic=True, canonicalise=True)
        assert is_text_signed_by(address, text, key.public_key.public_key_bytes, signature)


COSMJS = json.loads((FIXTURES / "adr036-cosmjs-0.33.1.json").read_text())


@pytest.mark.parametrize("signed", COSMJS, ids=[str(number) for number in range(len(COSMJS))])
def test_is_text_signed_by__signed_by_cosmjs__holds(signed):
    """Throw-away keys of cosmjs 0.33.1, which signs ADR-036 documents as Keplr does."""
    key, signature = decode_base64(signed["pub_key"]["value"]), decode_base64(signed["signature"])
    assert is_text_signed_by(signed["address"], signed["text"], key, signature)
    assert not is_text_signed_by(signed["address"], signed["text"] + " ", key, signature)


def changed(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))


@settings(max_examples=60)
@given(st.integers(0, 64 * 8 - 1))
def test_is_text_signed_by__bit_of_the_signature_flipped__is_refused(bit):
    text = text_for(ADA)
    assert not is_text_signed_by(ADA.address, text, ADA.public_key, changed(ADA.sign_text(text), bit))


@settings(max_examples=40)
@given(st.integers(0, 33 * 8 - 1))
def test_is_text_signed_by__bit_of_the_key_flipped__is_refused(bit):
    text = text_for(ADA)
    assert not is_text_signed_by(ADA.address, text, changed(ADA.public_key, bit), ADA.sign_text(text))


def high_twin(signature: bytes) -> bytes:
    return signature[:32] + (ORDER - int.from_bytes(signature[32:])).to_bytes(32)


@pytest.mark.parametrize(
    ("holder", "text", "key", "signature"),
    [
        pytest.param(BOB, text_for(ADA), ADA.public_key, ADA.sign_text(text_for(ADA)), id="another's address"),
        pytest.param(ADA, text_for(BOB), ADA.public_key, ADA.sign_text(text_for(ADA)), id="another text"),
        pytest.param(ADA, text_for(ADA), BOB.public_key, BOB.sign_text(text_for(ADA)), id="another's key"),
        pytest.param(ADA, text_for(ADA), ADA.public_key, high_twin(ADA.sign_text(text_for(ADA))), id="high-S twin"),
        pytest.param(ADA, text_for(ADA), ADA.public_key, ADA.sign_text(text_for(ADA)) + b"\0", id="65 bytes"),
        pytest.param(ADA, text_for(ADA), ADA.public_key, ADA.sign_text(text_for(ADA))[:-1], id="63 bytes"),
        pytest.param(ADA, text_for(ADA), ADA.public_key, bytes(64), id="r and s zero"),
        pytest.param(ADA, text_for(ADA), ADA.public_key, ORDER.to_bytes(32) + b"\1" * 32, id="r is n"),
        pytest.param(ADA, text_for(ADA), ADA.public_key + b"\0", ADA.sign_text(text_for(ADA)), id="34-byte key"),
        pytest.param(
            ADA, text_for(ADA), b"\4" + ADA.public_key[1:], ADA.sign_text(text_for(ADA)), id="key prefix 04"
        ),
        pytest.param(ADA, text_for(ADA), b"\2" + b"\xff" * 32, ADA.sign_text(text_for(ADA)), id="key off the curve"),
        pytest.param(ADA, "eyJh.eyJp", ADA.public_key, ADA.sign_text("eyJh.eyJp"), id="a provider token"),
        pytest.param(ADA, "eyJh\n.eyJp", ADA.public_key, ADA.sign_text("eyJh\n.eyJp"), id="a token on two lines"),
    ],
)
def test_is_text_signed_by__anything_wrong__is_refused(holder, text, key, signature):
    assert not is_text_signed_by(holder.address, text, key, signature)


def test_is_signature_of__high_twin__is_valid_mathematics_and_still_refused():
    from cosmpy.crypto.keypairs import PublicKey

    message = b"message"
    twin = high_twin(ADA.sign(message))
    assert PublicKey(ADA.public_key).verify(message, twin)
    assert not is_signature_of(message, ADA.public_key, twin)


def test_is_text_signed_by__upper_case_address__is_refused():
    text = text_for(ADA)
    assert not is_text_signed_by(ADA.address.upper(), text, ADA.public_key, ADA.sign_text(text))


@pytest.mark.parametrize(
    "text",
    ["", "waymark.example wants you to sign in with your Akash account:", "Hello\nyou", " wants you to sign in with"],
    ids=["empty", "one line", "another first line", "no domain"],
)
def test_is_sign_in_text__other_text__is_not(text):
    assert not is_sign_in_text(text)


@pytest.mark.parametrize(
    "text",
    ["a", "ab=", "YQ", "YQ==\n", "Y-Q=", "YQ==YQ==", "é==="],
    ids=["1", "3", "unpadded", "newline", "url", "twice", "é"],
)
def test_decode_base64__not_standard__is_refused(text):
    with pytest.raises(ValueError, match="base64"):
        decode_base64(text)


@given(st.binary(max_size=70))
def test_is_public_key__any_bytes__never_raises(data):
    assert is_public_key(data) in {True, False}
    assert not is_signature_of(b"", data, data)


@given(st.text(max_size=40))
def test_sign_bytes__any_text__reads_back(text):
    document = json.loads(sign_bytes("akash1x", text.encode("utf-8", "surrogatepass")))
    data = base64.b64decode(document["msgs"][0]["value"]["data"])
    assert data == text.encode("utf-8", "surrogatepass")
