"""Texts signed by a browser wallet with `signArbitrary` (ADR-036; wallet-and-payouts.md 1.1 and 1.2)."""

from __future__ import annotations

import base64

from verifiers.wallet import amino
from verifiers.wallet.addresses import Address, address_of_key, is_address
from verifiers.wallet.signatures import is_public_key, is_signature_of
from verifiers.wallet.text import is_sign_in_text


def sign_bytes(signer: str, data: bytes) -> bytes:
    """What the wallet signs for `data` in the name of `signer`: an amino document without chain, fee or memo."""
    message = {"type": "sign/MsgSignData", "value": {"data": base64.b64encode(data).decode(), "signer": signer}}
    return amino.sign_bytes(
        chain_id="",
        account_number=0,
        sequence=0,
        fee={"amount": [], "gas": "0"},
        messages=[message],
        memo="",
    )


def is_text_signed_by(address: Address, text: str, public_key: bytes, signature: bytes) -> bool:
    """Whether the key of `address` signed `text`, which is the stored one, never one that was sent back.

    A text that does not begin as ours is refused whatever its signature: the same wallet call signs the tokens
    that providers accept (wallet-and-payouts.md 1.4, "Cross-protocol danger").
    """
    if not is_sign_in_text(text) or not is_address(address) or not is_public_key(public_key):
        return False
    if address_of_key(public_key) != address:
        return False
    return is_signature_of(sign_bytes(address, text.encode()), public_key, signature)
