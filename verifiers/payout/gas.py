"""Gas: what a payout surely needs, what to give it, and how many rows fit a block."""

from __future__ import annotations

from fractions import Fraction

from verifiers.chain.answers import BlockLimits
from verifiers.payout.signed import SignedTransaction
from verifiers.payout.transfers import outputs_of

ROWS = 200
LEDGER_ROWS = 40

# Measured: before its message ran, a 2-of-3 file of 700 bytes used 62,615 (akash 1.2.2) and a single key's of 373
# bytes 48,526 (SDK 0.53.5), 10 a byte and 1,000 a signature of it; outputs to existing accounts use 8,160 each.
# Everything here stays just below.
_BASE = 38_000
_PER_MEMBER = 4_800
_PER_BYTE = 10
_PER_SIGNATURE = 1_000
_PER_OUTPUT = 8_000

# wallet-and-payouts.md 2.3, new recipients included; a MsgSend also reads and writes the sender each time.
_GIVEN_BASE = 100_000
_GIVEN_PER_OUTPUT = 23_000
_GIVEN_PER_SEND = 40_000

# JSON to protobuf: an output has 57 to 77 bytes, a MsgSend about 150; keys and signatures come on top.
_BYTES_BASE = 1_024
_BYTES_PER_OUTPUT = 80
_BYTES_PER_SEND = 180
_BYTES_PER_MEMBER = 160


def gas_before_messages(signed: SignedTransaction) -> int:
    """The least that the checks before the messages use: with less gas the node refuses the file at once."""
    members = signatures = 0
    for signer in signed.signers:
        members += 1 if signer.key is None or isinstance(signer.key, bytes) else len(signer.key.members)
        signatures += len(signer.modes)
    return _BASE + _PER_MEMBER * members + _PER_SIGNATURE * signatures + _PER_BYTE * len(signed.raw)


def least_gas(signed: SignedTransaction) -> int:
    """The least that the whole transaction uses, every recipient being known to the chain."""
    return gas_before_messages(signed) + _PER_OUTPUT * len(outputs_of(signed.messages))


def gas_limit(rows: int, *, as_sends: bool = False) -> int:
    """The gas to give a batch of `rows`, enough where every recipient is new: 1.3 times (100,000 + 23,000 a row)."""
    each = _GIVEN_PER_SEND if as_sends else _GIVEN_PER_OUTPUT
    return (_GIVEN_BASE + each * rows) * 13 // 10


def fee_uakt(gas: int, price: Fraction) -> int:
    """The fee for a gas limit at a price in uakt, rounded up as a node does."""
    return -(-gas * price.numerator // price.denominator)


def bytes_of(rows: int, members: int = 1, *, as_sends: bool = False) -> int:
    """An upper bound for the size of a signed batch, a key of `members` members signing with all of them."""
    return _BYTES_BASE + _BYTES_PER_MEMBER * members + (_BYTES_PER_SEND if as_sends else _BYTES_PER_OUTPUT) * rows


def rows_that_fit(limits: BlockLimits, *, has_ledger: bool = False, members: int = 1, as_sends: bool = False) -> int:
    """How many rows one batch may have: at most 200 (40 with a Ledger), fewer where a block takes less; 0: none."""
    low, high = 0, LEDGER_ROWS if has_ledger else ROWS
    while low < high:
        middle = (low + high + 1) // 2
        fits = bytes_of(middle, members, as_sends=as_sends) <= limits.max_bytes or limits.max_bytes == -1
        if fits and (limits.max_gas == -1 or gas_limit(middle, as_sends=as_sends) <= limits.max_gas):
            low = middle
        else:
            high = middle - 1
    return low
