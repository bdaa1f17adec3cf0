"""Answers to those who send transactions: broadcast, simulate and decode of REST, the same of RPC."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from devnet.api.answer import INTERNAL, INVALID, UNKNOWN, Request, RestError
from devnet.api.node import Node
from devnet.sent.pool import READING_GAS, Taken
from devnet.sent.protobuf import ReadingError
from devnet.sent.rendering import ante_events, message_events, response_data, rest_document
from devnet.sent.transaction import read_transaction
from devnet.state.events import base64_text
from devnet.state.objects import ChainError

SYNC, ASYNC = {"BROADCAST_MODE_SYNC", 2}, {"BROADCAST_MODE_ASYNC", 3}
_MODES = {"BROADCAST_MODE_UNSPECIFIED", "BROADCAST_MODE_BLOCK", 0, 1, *SYNC, *ASYNC}
_LITERALS = {"t": "true", "f": "false", "n": "null"}


class Sending:
    """Takes transactions for the node's chain."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def broadcast(self, request: Request) -> str:
        """`POST txs`: always 200 where the bytes were looked at; the code says whether they were taken."""
        asked = _read(request.body)
        raw = _tx_bytes(asked)
        mode = asked.get("mode", 0)
        if mode not in _MODES:
            raise RestError(
                INVALID, f'unknown value "{mode}" for enum cosmos.tx.v1beta1.BroadcastMode', with_height=False
            )
        if not raw:
            raise RestError(INVALID, "invalid empty tx", with_height=False)
        if mode not in SYNC | ASYNC:
            text = "unsupported return type unspecified; supported types: sync, async"
            raise RestError(UNKNOWN, text, with_height=False)
        taken = self.take(raw)
        if mode in ASYNC and not taken.is_cached:
            taken = Taken(taken.hash)
        return (
            f'{{"tx_response":{{"height":"0","txhash":"{taken.hash.hex().upper()}","codespace":"{taken.codespace}",'
            f'"code":{taken.code},"data":"","raw_log":{_text(taken.log)},"logs":[],"info":"","gas_wanted":"0",'
            '"gas_used":"0","tx":null,"timestamp":"","events":[]}}'
        )

    def take(self, raw: bytes) -> Taken:
        """Take a transaction as this node is told to. Raises RestError where it can't be kept."""
        settings = self._node.settings
        try:
            return self._node.chain.take(raw, is_lost=settings.loses_txs, held=settings.holds_txs_blocks)
        except OSError as error:
            raise RestError(INTERNAL, f"the transaction was not taken, it can't be kept: {error}") from error

    def simulate(self, request: Request) -> str:
        """`POST simulate`: what a transaction would use of gas, its signatures not looked at."""
        raw = _tx_bytes(_read(request.body))
        if not raw:
            raise RestError(INVALID, "empty txBytes is not allowed")
        chain = self._node.chain
        try:
            sent = read_transaction(raw)
        except ReadingError as error:
            log = f"{error}: tx parse error: tx parse error [cosmossdk.io/errors@v1.0.2/errors.go:151]"
            raise RestError(UNKNOWN, f"{log} with gas used: '{READING_GAS}'") from None
        try:
            meter, told = chain.pool.simulate(sent, chain.height, chain.time(chain.height))
        except ChainError as error:
            text = f"{error.log} [cosmos-sdk/baseapp/baseapp.go] with gas used: '0'"
            raise RestError(UNKNOWN, text) from None
        events = f"{ante_events(sent)},{message_events(told)}"
        responses = ",".join(f'{{"@type":"{message["@type"]}Response"}}' for message in sent.messages)
        return (
            f'{{"gas_info":{{"gas_wanted":"{sent.fee.gas_limit}","gas_used":"{meter.used}"}},'
            f'"result":{{"data":"{base64_text(response_data(sent))}","log":"","events":[{events}],'
            f'"msg_responses":[{responses}]}}}}'
        )

    def decode(self, request: Request) -> str:
        """`POST decode`: a transaction's bytes as JSON."""
        raw = _tx_bytes(_read(request.body))
        if not raw:
            raise RestError(INVALID, "invalid empty tx bytes")
        try:
            return f'{{"tx":{rest_document(read_transaction(raw))}}}'
        except ReadingError as error:
            raise RestError(UNKNOWN, f"codespace sdk code 2: tx parse error: {error}") from None

    def rpc_broadcast(self, raw: bytes, *, waits_for_check: bool) -> str | None:
        """`broadcast_tx_sync` and `_async` of RPC; None where the node has the transaction already."""
        taken = self.take(raw)
        if taken.is_cached:
            return None
        shown = taken if waits_for_check else Taken(taken.hash)
        return (
            f'{{"code":{shown.code},"data":"","log":{_text(shown.log)},"codespace":"{shown.codespace}",'
            f'"hash":"{shown.hash.hex().upper()}"}}'
        )

    def rpc_check(self, raw: bytes) -> str:
        """`check_tx` of RPC: the check alone, nothing is kept."""
        chain = self._node.chain
        taken = chain.pool.check(raw, chain.height, chain.time(chain.height))
        events = ante_events(taken.sent) if taken.sent and not taken.code else ""
        return (
            f'{{"code":{taken.code},"data":null,"log":{_text(taken.log)},"info":"","gas_wanted":"{taken.gas_wanted}",'
            f'"gas_used":"{taken.gas_used}","events":[{events}],"codespace":"{taken.codespace}"}}'
        )


def _read(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; none is an empty one. Raises RestError in Go's words, where they are simple."""
    text = body.decode("utf-8", "replace").strip()
    if not text:
        return {}
    try:
        read, _ = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        raise RestError(INVALID, _go_error(text, error), with_height=False) from None
    if not isinstance(read, dict):
        raise RestError(
            INVALID, "json: cannot unmarshal into Go value of type map[string]json.RawMessage", with_height=False
        )
    return read


def _go_error(text: str, error: json.JSONDecodeError) -> str:
    literal = _LITERALS.get(text[error.pos : error.pos + 1])
    for place, wanted in enumerate(literal or ""):
        found = text[error.pos + place : error.pos + place + 1]
        if found and found != wanted:
            return f"invalid character '{found}' in literal {literal} (expecting '{wanted}')"
    found = text[error.pos : error.pos + 1]
    return f"invalid character '{found}' looking for beginning of value" if found else "unexpected EOF"


def _tx_bytes(asked: dict[str, Any]) -> bytes:
    told = asked.get("tx_bytes", asked.get("txBytes")) or ""
    if not isinstance(told, str):
        raise RestError(INVALID, "json: cannot unmarshal into Go value of type []byte", with_height=False)
    cleaned = told.replace("-", "+").replace("_", "/")
    for place, letter in enumerate(cleaned.rstrip("=")):
        if not (letter.isascii() and (letter.isalnum() or letter in "+/")):
            raise RestError(INVALID, f"illegal base64 data at input byte {place}", with_height=False)
    try:
        return base64.b64decode(cleaned, validate=True)
    except binascii.Error:
        text = f"illegal base64 data at input byte {max(len(cleaned) - 1, 0)}"
        raise RestError(INVALID, text, with_height=False) from None


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
