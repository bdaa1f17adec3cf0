"""Proof by the memo of a transaction that is on a chain (wallet-and-payouts.md 1.5 b)."""

from __future__ import annotations

import json
import re

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.moment import Moment, parse_moment
from verifiers.wallet.addresses import Address

_HASH = re.compile(r"[0-9A-Fa-f]{64}")
_SEND = "/cosmos.bank.v1beta1.MsgSend"


def is_transaction_hash(text: str) -> bool:
    """Whether `text` is 64 hex digits: other text must never become part of a request."""
    return _HASH.fullmatch(text) is not None


def is_memo_sent_by(
    address: Address, memo: str, transaction_hash: str, answer: bytes, *, not_before: Moment, not_after: Moment
) -> bool:
    """Whether `answer` (REST `/cosmos/tx/v1beta1/txs/{hash}`) shows a transfer of `address` with exactly `memo`.

    It must have gone through (code 0) in a block of the time `[not_before, not_after]`. Every message must be a
    MsgSend of `address`: then that account signed the memo, and nothing but it.
    """
    try:
        found = _Answer.model_validate(json.loads(answer))
        time = parse_moment(found.tx_response.timestamp)
    except (ValidationError, ValueError, RecursionError):
        return False
    messages = found.tx.body.messages
    return (
        found.tx_response.code == 0
        and found.tx_response.txhash.upper() == transaction_hash.upper()
        and found.tx.body.memo == memo
        and bool(messages)
        and all(message.type == _SEND and message.from_address == address for message in messages)
        and not_before <= time <= not_after
    )


class _Seen(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _Message(_Seen):
    type: str = Field(alias="@type")
    from_address: str | None = None


class _Body(_Seen):
    messages: list[_Message]
    memo: str


class _Transaction(_Seen):
    body: _Body


class _Response(_Seen):
    txhash: str
    code: int
    timestamp: str


class _Answer(_Seen):
    tx: _Transaction
    tx_response: _Response
