"""People with keys, and what their wallet or their command line would answer."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from verifiers.wallet import adr036, amino
from verifiers.wallet.addresses import Address, address_of_key, address_of_multisig
from verifiers.wallet.signatures import ORDER
from verifiers.wallet.transactions import SIGN_CHAIN_ID

FIXTURES = Path(__file__).parent / "fixtures" / "wallet"


@dataclass(frozen=True)
class Keyholder:
    """One secp256k1 key, derived from a name so that runs repeat."""

    name: str

    @property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(
            int.from_bytes(hashlib.sha256(self.name.encode()).digest()) % ORDER, ec.SECP256K1()
        )

    @property
    def public_key(self) -> bytes:
        form = serialization.PublicFormat.CompressedPoint
        return self._key.public_key().public_bytes(serialization.Encoding.X962, form)

    @property
    def address(self) -> Address:
        return address_of_key(self.public_key)

    def sign(self, message: bytes) -> bytes:
        r, s = utils.decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + min(s, ORDER - s).to_bytes(32)

    def sign_text(self, text: str) -> bytes:
        return self.sign(adr036.sign_bytes(self.address, text.encode()))

    def key_json(self) -> dict[str, str]:
        return {"@type": "/cosmos.crypto.secp256k1.PubKey", "key": base64.b64encode(self.public_key).decode()}


def send_amino_bytes(address: str, memo: str, *, chain_id: str = SIGN_CHAIN_ID, sequence: int = 0) -> bytes:
    value = {"from_address": address, "to_address": address, "amount": [{"denom": "uakt", "amount": "1"}]}
    return amino.sign_bytes(
        chain_id=chain_id,
        account_number=0,
        sequence=sequence,
        fee={"amount": [], "gas": "0"},
        messages=[{"type": "cosmos-sdk/MsgSend", "value": value}],
        memo=memo,
    )


def signed_like_cli(unsigned: dict[str, object], signer: dict[str, object], signature: bytes) -> dict[str, object]:
    """The unsigned transaction as the command line of SDK 0.53 prints it after signing."""
    signed = json.loads(json.dumps(unsigned))
    signed["body"] |= {"unordered": False, "timeout_timestamp": None}
    signed["auth_info"]["signer_infos"] = [signer]
    signed["signatures"] = [base64.b64encode(signature).decode()]
    return signed


def amino_signer(holder: Keyholder) -> dict[str, object]:
    mode = {"single": {"mode": "SIGN_MODE_LEGACY_AMINO_JSON"}}
    return {"public_key": holder.key_json(), "mode_info": mode, "sequence": "0"}


def multisig_address(threshold: int, members: list[Keyholder]) -> Address:
    return address_of_multisig(threshold, [member.public_key for member in members])


def multisig_signer(threshold: int, members: list[Keyholder], marked: list[int]) -> dict[str, object]:
    bits = sum(1 << (7 - place) for place in marked)
    single = {"single": {"mode": "SIGN_MODE_LEGACY_AMINO_JSON"}}
    return {
        "public_key": {
            "@type": "/cosmos.crypto.multisig.LegacyAminoPubKey",
            "threshold": threshold,
            "public_keys": [member.key_json() for member in members],
        },
        "mode_info": {
            "multi": {
                "bitarray": {"extra_bits_stored": len(members), "elems": base64.b64encode(bytes([bits])).decode()},
                "mode_infos": [single for _ in marked],
            }
        },
        "sequence": "0",
    }


def joined(signatures: list[bytes]) -> bytes:
    """The protobuf MultiSignature, written by hand."""
    return b"".join(b"\x0a\x40" + signature for signature in signatures)
