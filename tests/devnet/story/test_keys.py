"""Keys of made-up people."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from devnet.keys import Key, adr036_bytes, bech32, key_of

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.mark.parametrize(
    "secret", [1, 2, 63, 64, 65, 2**128, ORDER - 1, *(key_of(7, str(n)).secret for n in range(20))]
)
def test_public_key__any_secret__is_what_cryptography_derives(secret: int) -> None:
    public = ec.derive_private_key(secret, ec.SECP256K1()).public_key()
    expected = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    assert Key("anyone", secret).public_key == expected


def test_address__of_a_known_key__is_the_chains() -> None:
    # hash160 of the generator's compressed point is a constant of the field's literature (BIP-173's example)
    assert Key("one", 1).address == bech32("akash", bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6"))


def test_bech32__vectors_of_the_specification__match() -> None:
    assert bech32("a", b"") == "a12uel5l"


def test_key_of__same_seed_and_name__same_key_and_others_differ() -> None:
    assert key_of(1, "otter") == key_of(1, "otter")
    assert len({key_of(seed, name).address for seed in (1, 2) for name in ("otter", "vole", "finch")}) == 6


def test_sign__a_text__is_valid_low_s_and_repeatable() -> None:
    key = key_of(1, "otter")
    signature = key.sign("a text\nwith lines & signs <>")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    assert len(signature) == 64
    assert 0 < s <= ORDER // 2
    assert key.sign("a text\nwith lines & signs <>") == signature
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key.public_key)
    signed = adr036_bytes(key.address, "a text\nwith lines & signs <>")
    public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        public.verify(encode_dss_signature(r, s), signed + b" ", ec.ECDSA(hashes.SHA256()))


def test_adr036_bytes__of_a_text__are_the_wallets() -> None:
    assert (
        hashlib.sha256(adr036_bytes("akash1signer", "hello")).hexdigest()
        == hashlib.sha256(
            b'{"account_number":"0","chain_id":"","fee":{"amount":[],"gas":"0"},"memo":"","msgs":[{"type":"sign/MsgSignData",'
            b'"value":{"data":"aGVsbG8=","signer":"akash1signer"}}],"sequence":"0"}'
        ).hexdigest()
    )
