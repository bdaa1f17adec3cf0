"""What the payout chain says about the paying account and its rules, read before a file is checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from tasks.payout.batches import DENOM
from verifiers.chain.answers import PublicKey
from verifiers.wallet.multisig import MultisigKey
from verifiers.wallet.signatures import decode_base64

_PRICE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([a-z][a-z0-9/]*)")


@dataclass(frozen=True, slots=True)
class PayerFacts:
    """The payer's account and the chain's rules, all of one moment. None is what could not be read.

    `key` is None before the account's first transaction. `sequence` is the next one the chain takes.
    `other_chain_ids`: chains whose id a signer may have given by mistake; only to say so. `gas_price` in uakt.
    """

    address: str
    chain_id: str
    account_number: int
    sequence: int
    key: bytes | MultisigKey | None = None
    height: int | None = None
    balance_uakt: int | None = None
    module_accounts: frozenset[str] = field(default_factory=frozenset)
    gas_price: Fraction | None = None
    memo_bytes: int = 256
    signature_limit: int = 7
    other_chain_ids: tuple[str, ...] = ()


def gas_price_of(text: str, denom: str = DENOM) -> Fraction | None:
    """The price of gas in `0.0025uakt,0.1uother` (REST `/cosmos/base/node/v1beta1/config`), None without one."""
    for part in text.split(","):
        match = _PRICE.fullmatch(part.strip())
        if match and match[2] == denom:
            return Fraction(match[1])
    return None


def key_of(key: PublicKey | None) -> bytes | MultisigKey | None:
    """An account's key from REST `accounts/{address}`; None where it has none yet or one that can't sign here."""
    if key is None:
        return None
    try:
        if not key.public_keys:
            return decode_base64(key.key) or None
        return MultisigKey(key.threshold, tuple(decode_base64(member.key) for member in key.public_keys))
    except ValueError:
        return None
