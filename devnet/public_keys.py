"""Public keys of accounts: one secp256k1 key or k of n of them, as REST and protobuf write them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from Crypto.Hash import RIPEMD160

from devnet.keys import bech32
from devnet.wire import varint

SINGLE = "/cosmos.crypto.secp256k1.PubKey"
MULTISIG = "/cosmos.crypto.multisig.LegacyAminoPubKey"
_AMINO_SINGLE = bytes.fromhex("eb5ae98721")
_AMINO_MULTISIG = bytes.fromhex("22c1f7e2")


@dataclass(frozen=True)
class SingleKey:
    """A compressed secp256k1 key of 33 bytes."""

    value: bytes

    @property
    def members(self) -> int:
        """How many keys it counts as."""
        return 1

    @cached_property
    def address(self) -> str:
        """`akash1…` of 20 bytes."""
        return bech32("akash", RIPEMD160.new(hashlib.sha256(self.value).digest()).digest())

    def shown(self) -> dict[str, Any]:
        """Its JSON."""
        return {"@type": SINGLE, "key": base64.b64encode(self.value).decode()}


@dataclass(frozen=True)
class MultisigKey:
    """`threshold` of the keys; their order makes the address (cosmos-sdk crypto/keys/multisig)."""

    threshold: int
    keys: tuple[SingleKey, ...]

    @property
    def members(self) -> int:
        """How many keys it counts as."""
        return len(self.keys)

    @cached_property
    def address(self) -> str:
        """The first 20 bytes of SHA-256 of the key in amino."""
        amino = _AMINO_MULTISIG + b"\x08" + varint(self.threshold)
        for key in self.keys:
            amino += b"\x12" + varint(len(_AMINO_SINGLE) + len(key.value)) + _AMINO_SINGLE + key.value
        return bech32("akash", hashlib.sha256(amino).digest()[:20])

    def shown(self) -> dict[str, Any]:
        """Its JSON."""
        keys = [key.shown() for key in self.keys]
        return {"@type": MULTISIG, "threshold": self.threshold, "public_keys": keys}

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> MultisigKey:
        """The key of its JSON. Raises KeyError, TypeError or ValueError where it is none."""
        keys = tuple(SingleKey(base64.b64decode(each["key"], validate=True)) for each in shown["public_keys"])
        return cls(int(shown["threshold"]), keys)


PublicKey = SingleKey | MultisigKey
