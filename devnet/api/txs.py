"""Transactions: their JSON in REST and RPC, and finding them by hash, block or query."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from devnet import acts, wire
from devnet.api.blocks import format_time
from devnet.api.parties import TOLD_BY_ALL, Parties
from devnet.groups import compact
from devnet.sent.pool import SentTx
from devnet.sent.rendering import response_data, rest_document
from devnet.state.chain import AnyTx, Chain, Tx
from devnet.state.events import Coins, Plain, Typed, base64_text

_OPERATORS = "<= operator, >= operator, < operator, > operator, = operator, CONTAINS operator or EXISTS operator"
_TOKEN = re.compile(r"\s*(?:(<=|>=|<|>|=)|'((?:[^'\\]|\\.)*)'|([^\s<>=']+))")


class QueryError(ValueError):
    """A query that cannot be read; the message is CometBFT's."""


class Condition(NamedTuple):
    """One condition of a query: `tag operator value`."""

    tag: str
    operator: str
    value: str


class Txs:
    """Writes and finds transactions."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.parties = Parties(chain)

    def rest_tx(self, tx: AnyTx) -> str:
        """`tx` of REST: body, auth info, signatures."""
        if isinstance(tx, SentTx):
            return rest_document(tx.sent)
        message = compact(self.chain.message(tx)).decode()
        key = base64_text(self.chain.public_key(tx.act.signer))
        memo = json.dumps(tx.act.memo, ensure_ascii=False)
        return (
            f'{{"body":{{"messages":[{message}],"memo":{memo},"timeout_height":"0","unordered":false,'
            '"timeout_timestamp":null,"extension_options":[],"non_critical_extension_options":[]},'
            '"auth_info":{"signer_infos":[{"public_key":{"@type":"/cosmos.crypto.secp256k1.PubKey",'
            f'"key":"{key}"}},"mode_info":{{"single":{{"mode":"SIGN_MODE_DIRECT"}}}},"sequence":"{tx.sequence}"}}],'
            f'"fee":{{"amount":[{{"denom":"uakt","amount":"{tx.fee}"}}],"gas_limit":"{tx.gas_wanted}","payer":"",'
            f'"granter":""}},"tip":null}},"signatures":["{base64_text(self.chain.signature(tx))}"]}}'
        )

    def rest_response(self, tx: AnyTx) -> str:
        """`tx_response` of REST."""
        seconds = self.chain.time(tx.height) // 1_000_000_000 * 1_000_000_000
        inner = '{"@type":"/cosmos.tx.v1beta1.Tx",' + self.rest_tx(tx)[1:]
        return (
            f'{{"height":"{tx.height}","txhash":"{self.hash(tx)}","codespace":"{tx.codespace}","code":{tx.code},'
            f'"data":"{self._data(tx).hex().upper()}","raw_log":{json.dumps(tx.log)},"logs":[],"info":"",'
            f'"gas_wanted":"{tx.gas_wanted}","gas_used":"{tx.gas_used}","tx":{inner},'
            f'"timestamp":"{format_time(seconds)}","events":[{self.chain.events(tx)}]}}'
        )

    def rpc_result(self, tx: AnyTx) -> str:
        """`tx_result` of RPC, also the element of `txs_results`."""
        data = f'"{base64_text(self._data(tx))}"' if not tx.code else "null"
        log = json.dumps(tx.log).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        return (
            f'{{"code":{tx.code},"data":{data},"log":{log},"info":"","gas_wanted":"{tx.gas_wanted}",'
            f'"gas_used":"{tx.gas_used}","events":[{self.chain.events(tx)}],"codespace":"{tx.codespace}"}}'
        )

    def rpc_tx(self, tx: AnyTx) -> str:
        """A transaction as `tx` and `tx_search` of RPC write it."""
        return (
            f'{{"hash":"{self.hash(tx)}","height":"{tx.height}","index":{tx.index},"tx_result":{self.rpc_result(tx)},'
            f'"tx":"{base64_text(self.chain.tx_bytes(tx))}"}}'
        )

    def hash(self, tx: AnyTx) -> str:
        """The hash in upper-case hex."""
        return self.chain.tx_hash(tx).hex().upper()

    def search(self, query: str, tip: int) -> list[AnyTx]:
        """All transactions up to `tip` that a query finds, oldest first. Raises QueryError."""
        conditions = parse_query(query)
        return [tx for tx in self._candidates(conditions, tip) if all(self._meets(tx, each) for each in conditions)]

    @staticmethod
    def search_heights(query: str, tip: int) -> list[int]:
        """The heights up to `tip` that conditions on `block.height` find. Raises QueryError."""
        conditions = parse_query(query)
        if any(each.tag != "block.height" for each in conditions):
            return []
        return [height for height in range(1, tip + 1) if all(_compare(str(height), each) for each in conditions)]

    @staticmethod
    def _data(tx: AnyTx) -> bytes:
        if isinstance(tx, SentTx):
            return b"" if tx.code else response_data(tx.sent)
        return b"" if tx.code else wire.response_data(tx.act.MESSAGE)

    def _candidates(self, conditions: list[Condition], tip: int) -> Iterator[AnyTx]:
        for tag, operator, value in conditions:
            if tag == "tx.hash" and operator == "=":
                found = self.chain.find_tx(bytes.fromhex(value)) if len(value) == 64 else None
                if found is not None and found.height <= tip:
                    yield found
                return
            if tag == "tx.height" and operator == "=":
                if value.isdigit() and int(value) <= tip:
                    yield from self.chain.in_block(int(value))
                return
        indexed = self.parties.of(conditions)
        # what was sent to this node is not in the index of the scenario, and is little
        told = self.chain.heights() if indexed is None else {*indexed, *self.chain.sent}
        for height in sorted(told):
            if height <= tip:
                yield from self.chain.in_block(height)

    def _meets(self, tx: AnyTx, condition: Condition) -> bool:
        if condition.tag == "tx.hash":
            return self.hash(tx) == condition.value.upper()
        if condition.tag == "tx.height":
            return _compare(str(tx.height), condition)
        kind, _, key = condition.tag.rpartition(".")
        quick = self._quickly(tx, condition) if isinstance(tx, Tx) else _sent_by(tx, condition)
        if quick is not None:
            return quick
        if isinstance(tx, Tx) and kind not in TOLD_BY_ALL:
            own = {each.kind for each in tx.told if isinstance(each, Plain | Typed)}
            if kind not in own:
                return False
        return any(
            each["type"] == kind
            and any(pair["key"] == key and _compare(pair["value"], condition) for pair in each["attributes"])
            for each in self._events(tx)
        )

    def _quickly(self, tx: Tx, condition: Condition) -> bool | None:
        """The two commonest conditions without writing out the events; None: they have to be."""
        if condition.operator != "=":
            return None
        if condition.tag == "message.action":
            failed = bool(tx.code) or isinstance(tx.act, acts.Failed)
            return not failed and condition.value == tx.act.MESSAGE
        if condition.tag == "message.sender":
            payers = {event.payer for event in tx.told if isinstance(event, Coins)}
            return condition.value == tx.act.signer or condition.value in payers
        return None

    def _events(self, tx: AnyTx) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(f"[{self.chain.events(tx)}]")
        return found


def _sent_by(tx: SentTx, condition: Condition) -> bool | None:
    """Whether somebody sent it, without writing out its hundreds of events; None: these have to be read."""
    if condition.tag != "message.sender" or condition.operator != "=":
        return None
    return tx.is_charged and condition.value in {*tx.sent.senders, tx.sent.fee_payer}


def parse_query(text: str) -> list[Condition]:
    """The conditions of a CometBFT query, joined by AND. Raises QueryError with CometBFT's wording."""
    conditions: list[Condition] = []
    place = 0
    while True:
        tag, place = _word(text, place)
        operator, after = _operator(text, place)
        place = after
        value = ""
        if operator != "EXISTS":
            value, place = _value(text, place)
        conditions.append(Condition(tag, operator, value))
        if not text[place:].strip():
            return conditions
        word, place = _word(text, place)
        if word != "AND":
            raise QueryError(f"offset {place - len(word)}: got tag, wanted AND operator")


def _word(text: str, place: int) -> tuple[str, int]:
    found = _TOKEN.match(text, place)
    if found is None:
        raise QueryError(f"offset {len(text)}: EOF")
    if found[3] is None:
        raise QueryError(f"offset {found.start()}: got {found[1] or 'string'} operator, wanted tag")
    return found[3], found.end()


def _operator(text: str, place: int) -> tuple[str, int]:
    found = _TOKEN.match(text, place)
    if found is None:
        raise QueryError(f"offset {len(text)}: EOF")
    if found[1] is None and found[3] not in {"CONTAINS", "EXISTS"}:
        start = found.end() - len(found[0].lstrip())
        raise QueryError(f"offset {start}: got tag, wanted {_OPERATORS}")
    return found[1] or found[3], found.end()


def _value(text: str, place: int) -> tuple[str, int]:
    found = _TOKEN.match(text, place)
    if found is None:
        raise QueryError(f"offset {len(text)}: EOF")
    if found[1] is not None:
        raise QueryError(f"offset {place}: got {found[1]} operator, wanted number, timestamp, datestamp or string")
    if found[2] is not None:
        return found[2], found.end()
    return found[3], found.end()


_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "<": int.__lt__,
    "<=": int.__le__,
    ">": int.__gt__,
    ">=": int.__ge__,
}


def _compare(have: str, condition: Condition) -> bool:
    if condition.operator == "=":
        return have == condition.value
    if condition.operator == "CONTAINS":
        return condition.value in have
    if condition.operator == "EXISTS":
        return True
    if not (have.isdigit() and condition.value.isdigit()):
        return False
    return _COMPARISONS[condition.operator](int(have), int(condition.value))
