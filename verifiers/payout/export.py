"""The unsigned transaction file: the small field set of SDK 0.47, which every later command line reads too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.payout.batches import DENOM, MEMO_BYTES
from verifiers.payout import wire
from verifiers.payout.transfers import Coin, Message, any_of, coin_bytes, json_of, multi_send, sends


class ExportError(ValueError):
    """A batch that can't be written as a transaction; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Fee:
    """What the transaction itself may cost: an amount of uakt for a gas limit."""

    amount_uakt: int
    gas_limit: int


@dataclass(frozen=True, slots=True)
class Export:
    """One batch as a transaction, ready to be signed. The same values make the same bytes for ever."""

    messages: tuple[Message, ...]
    memo: str
    timeout_height: int
    fee: Fee

    @property
    def body_bytes(self) -> bytes:
        """The TxBody as protobuf: what a signed file must hold byte for byte (wallet-and-payouts.md 2.4)."""
        return body_bytes(self.messages, self.memo, self.timeout_height)

    @property
    def file(self) -> bytes:
        """The file's bytes: compact JSON, keys in the SDK's order, ASCII, no end of line."""
        return json.dumps(self._json(), separators=(",", ":"), ensure_ascii=True).encode("ascii")

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the file."""
        return hashlib.sha256(self.file).hexdigest()

    def _json(self) -> dict[str, object]:
        amount = [{"denom": DENOM, "amount": str(self.fee.amount_uakt)}] if self.fee.amount_uakt else []
        return {
            "body": {
                "messages": [json_of(message) for message in self.messages],
                "memo": self.memo,
                "timeout_height": str(self.timeout_height),
                "extension_options": [],
                "non_critical_extension_options": [],
            },
            "auth_info": {
                "signer_infos": [],
                "fee": {"amount": amount, "gas_limit": str(self.fee.gas_limit), "payer": "", "granter": ""},
                "tip": None,
            },
            "signatures": [],
        }


def export(
    payer: str,
    rows: Sequence[tuple[str, int]],
    memo: str,
    timeout_height: int,
    fee: Fee,
    *,
    as_sends: bool = False,
) -> Export:
    """A batch's `rows` (address, uakt) in their order as one MsgMultiSend, or as one MsgSend each.

    Raises ExportError for no rows, an amount that is not above zero, a memo that a chain or a signer's tool would
    refuse, or no timeout: a batch without one could be sent at any time later, so it could never be planned again.
    """
    if not rows:
        raise ExportError("a batch without rows pays nobody")
    if any(type(amount) is not int or amount <= 0 for _, amount in rows):
        raise ExportError("every amount of a batch must be above zero: the chain fails the whole transaction else")
    if len(memo.encode()) > MEMO_BYTES or not memo.isascii() or not memo.isprintable() or set(memo) & set("<>&"):
        raise ExportError(f"a memo has at most {MEMO_BYTES} bytes of ASCII without < > &")
    if timeout_height <= 0 or fee.gas_limit <= 0 or fee.amount_uakt < 0:
        raise ExportError("a batch needs a timeout height and a gas limit above zero")
    messages: tuple[Message, ...] = sends(payer, rows, DENOM) if as_sends else (multi_send(payer, rows, DENOM),)
    return Export(messages, memo, timeout_height, fee)


def body_bytes(messages: Sequence[Message], memo: str, timeout_height: int, *, is_unordered: bool = False) -> bytes:
    """A TxBody as the SDK writes it: fields in order, defaults left out."""
    written = b"".join(wire.message(1, any_of(message)) for message in messages)
    return written + wire.text(2, memo) + wire.varint(3, timeout_height) + wire.varint(4, int(is_unordered))


def fee_bytes(amount: Sequence[Coin], gas_limit: int, payer: str = "", granter: str = "") -> bytes:
    """A Fee as protobuf."""
    written = b"".join(wire.message(1, coin_bytes(coin)) for coin in amount)
    return written + wire.varint(2, gas_limit) + wire.text(3, payer) + wire.text(4, granter)
