"""The REST interface: which path is which answer, with the gateway's headers and errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from urllib.parse import unquote

from devnet.api.allowances import allowances, grants
from devnet.api.answer import (
    INTERNAL,
    INVALID,
    NOT_FOUND,
    STATUS_OF,
    UNIMPLEMENTED,
    UNKNOWN,
    Answer,
    Request,
    RestError,
    parse_query,
)
from devnet.api.bank import BankAnswers
from devnet.api.blocks import Blocks
from devnet.api.cosmos import NodeAnswers, parameters
from devnet.api.escrow import Escrow
from devnet.api.market import BIDS, DEPLOYMENTS, LEASES, ORDERS, Market
from devnet.api.node import Node
from devnet.api.registry import Registry
from devnet.api.sending import Sending
from devnet.api.txs import QueryError, Txs

Body = str | bytes | Sequence[bytes]
Handler = Callable[[Request], Body]

HEIGHT_HEADER = "x-cosmos-block-height"
_GRPC_CONTENT = ("Grpc-Metadata-Content-Type", "application/grpc+cosmos-sdk-grpc-codec")
_JSON_CONTENT = ("Content-Type", "application/json")
_ORDERS = {"", "ORDER_BY_UNSPECIFIED", "ORDER_BY_ASC", "ORDER_BY_DESC", "0", "1", "2"}
_WITHOUT_HEIGHT = "/akash/discovery/v1/info"
_BROADCAST = ("POST", "/cosmos/tx/v1beta1/txs")


class Rest:
    """Answers the gateway's GETs, and the POSTs that send transactions; all else is 501."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._blocks = Blocks(node.chain)
        self._txs = Txs(node.chain)
        self._exact: dict[str, Handler] = {}
        self._patterns: list[tuple[re.Pattern[str], Handler]] = []
        sending = Sending(node)
        self._posts: dict[str, Handler] = {
            _BROADCAST[1]: sending.broadcast,
            "/cosmos/tx/v1beta1/simulate": sending.simulate,
            "/cosmos/tx/v1beta1/decode": sending.decode,
        }
        self._add_akash()
        self._add_cosmos()
        for path, text in parameters(node.chain.generation).items():
            self._exact[path] = partial(_fixed, text)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """The answer to one request; `headers` by lower-case name."""
        path, _, query = target.partition("?")
        if "//" in path:
            location = re.sub("/{2,}", "/", path) + (f"?{query}" if query else "")
            return Answer(301, b"", (("Location", location),))
        with self._node.lock:
            tip = self._node.tip()
            try:
                handler, values = self._find(method, path)
                asked = headers.get(HEIGHT_HEADER) or headers.get(f"grpc-metadata-{HEIGHT_HEADER}")
                height = self._node.height_asked(asked, tip)
                request = Request(path, parse_query(query), height, values, tip, body)
                shown = handler(request)
            except RestError as error:
                told = height if error.with_height else None
                return _error(error, told)
        tells_height = path != _WITHOUT_HEIGHT and (method, path) != _BROADCAST
        return Answer(200, _bytes(shown), _headers(height if tells_height else None))

    def _find(self, method: str, path: str) -> tuple[Handler, tuple[str, ...]]:
        if method == "GET":
            handler = self._exact.get(path)
            if handler is not None:
                return handler, ()
            for pattern, each in self._patterns:
                found = pattern.fullmatch(path)
                if found is not None:
                    return each, tuple(unquote(part) for part in found.groups())
        elif method == "POST" and path in self._posts:
            return self._posts[path], ()
        raise RestError(UNIMPLEMENTED, "Not Implemented", with_height=False)

    def _add_akash(self) -> None:
        world = self._node.chain.world
        market, registry, escrow = Market(world), Registry(world), Escrow(world)
        for kind, base in (
            (DEPLOYMENTS, "/akash/deployment/v1beta4/deployments"),
            (ORDERS, "/akash/market/v1beta5/orders"),
            (BIDS, "/akash/market/v1beta5/bids"),
            (LEASES, "/akash/market/v1beta5/leases"),
        ):
            self._exact[f"{base}/list"] = partial(market.list, kind)
            self._exact[f"{base}/info"] = partial(market.info, kind)
        self._exact["/akash/deployment/v1beta4/groups/info"] = market.group
        self._exact["/akash/provider/v1beta4/providers"] = registry.providers
        self._exact["/akash/cert/v1/certificates/list"] = registry.certificates
        self._exact["/akash/audit/v1/audit/attributes/list"] = registry.all_audits
        self._exact["/akash/escrow/v1/types/accounts"] = escrow.accounts
        self._exact["/akash/escrow/v1/types/payments"] = escrow.payments
        self._pattern("/akash/provider/v1beta4/providers/{*}", registry.provider)
        self._pattern("/akash/provider/v1/auditor/{}/list", registry.all_audits)
        self._pattern("/akash/audit/v1/audit/attributes/{}/list", registry.audits_of)
        self._pattern("/akash/audit/v1/audit/attributes/{}/{}", registry.audits_of)

    def _add_cosmos(self) -> None:
        about = NodeAnswers(self._node, self._blocks, self._txs)
        bank = BankAnswers(self._node.chain)
        base = "/cosmos/base/tendermint/v1beta1"
        self._exact[f"{base}/node_info"] = about.node_info
        self._exact[f"{base}/syncing"] = about.syncing
        self._exact[f"{base}/blocks/latest"] = about.latest_block
        self._pattern(f"{base}/blocks/{{}}", about.block)
        self._pattern(f"{base}/validatorsets/{{}}", about.validator_set)
        self._exact["/cosmos/base/node/v1beta1/config"] = about.config
        self._exact["/cosmos/base/node/v1beta1/status"] = about.status
        if self._node.chain.generation.name == "v2":
            self._exact[_WITHOUT_HEIGHT] = about.discovery
            self._exact["/cosmos/epochs/v1beta1/epochs"] = about.epochs
        self._exact["/cosmos/bank/v1beta1/supply"] = bank.supply
        self._exact["/cosmos/bank/v1beta1/supply/by_denom"] = bank.supply_of
        self._pattern("/cosmos/bank/v1beta1/balances/{}", bank.balances)
        self._pattern("/cosmos/bank/v1beta1/spendable_balances/{}", bank.balances)
        self._pattern("/cosmos/bank/v1beta1/balances/{}/by_denom", bank.balance)
        self._exact["/cosmos/auth/v1beta1/accounts"] = bank.accounts
        self._pattern("/cosmos/auth/v1beta1/accounts/{}", bank.account)
        self._pattern("/cosmos/auth/v1beta1/account_info/{}", bank.account_info)
        self._exact["/cosmos/auth/v1beta1/module_accounts"] = bank.module_accounts
        self._pattern("/cosmos/auth/v1beta1/module_accounts/{}", bank.module_account)
        for side in ("issued", "allowances"):
            self._pattern(f"/cosmos/feegrant/v1beta1/{side}/{{}}", allowances)
        for side in ("granter", "grantee"):
            self._pattern(f"/cosmos/authz/v1beta1/grants/{side}/{{}}", grants)
        self._exact["/cosmos/tx/v1beta1/txs"] = self._tx_query
        self._pattern("/cosmos/tx/v1beta1/txs/block/{}", about.block_txs)
        self._pattern("/cosmos/tx/v1beta1/txs/{}", self._tx)

    def _pattern(self, path: str, handler: Handler) -> None:
        expression = re.escape(path).replace(r"\{\*\}", "([^/]*)").replace(r"\{\}", "([^/]+)")
        self._patterns.append((re.compile(expression), handler))

    def _tx(self, request: Request) -> str:
        """A transaction by hash; it needs the block for the time, so a pruned block fails it."""
        text = request.values[0]
        for letter in text:
            if letter not in "0123456789abcdefABCDEF":
                raise RestError(UNKNOWN, f"encoding/hex: invalid byte: U+{ord(letter):04X} '{letter}'")
        if len(text) % 2:
            raise RestError(UNKNOWN, "encoding/hex: odd length hex string")
        if not self._node.settings.indexes_txs:
            raise RestError(UNKNOWN, "transaction indexing is disabled")
        tx = self._node.chain.find_tx(bytes.fromhex(text))
        if tx is None or tx.height > self._node.indexed(request.tip):
            raise RestError(NOT_FOUND, f"tx not found: {text}")
        self._need_block(tx.height, request.tip, UNKNOWN)
        return f'{{"tx":{self._txs.rest_tx(tx)},"tx_response":{self._txs.rest_response(tx)}}}'

    def _tx_query(self, request: Request) -> str:
        """Transactions by query, page by page; a pruned hit fails the whole page."""
        query, order = request.text("query"), request.text("order_by")
        if order not in _ORDERS:
            raise RestError(INVALID, f"{order} is not a valid tx.OrderBy", with_height=False)
        page, limit = request.uint("page") or 1, request.uint("limit") or 100
        if not query:
            raise RestError(INTERNAL, "query cannot be empty")
        if not self._node.settings.indexes_txs:
            raise RestError(INTERNAL, "failed to search for txs: transaction indexing is disabled")
        try:
            found = self._txs.search(query, self._node.indexed(request.tip))
        except QueryError as error:
            raise RestError(INTERNAL, f"failed to search for txs: {error}") from None
        if order in {"ORDER_BY_DESC", "2"}:
            found.reverse()
        last = max(1, -(-len(found) // limit))
        if page > last:
            message = f"failed to search for txs: page should be within [1, {last}] range, given {page}"
            raise RestError(INTERNAL, message)
        shown = found[(page - 1) * limit : page * limit]
        for tx in shown:
            self._need_block(tx.height, request.tip, INTERNAL)
        txs = ",".join(self._txs.rest_tx(tx) for tx in shown)
        responses = ",".join(self._txs.rest_response(tx) for tx in shown)
        return f'{{"txs":[{txs}],"tx_responses":[{responses}],"pagination":null,"total":"{len(found)}"}}'

    def _need_block(self, height: int, tip: int, code: int) -> None:
        lowest = self._node.lowest_block(tip)
        if height < lowest:
            raise RestError(code, f"height {height} is not available, lowest height is {lowest}")


def _error(error: RestError, height: int | None) -> Answer:
    headers: tuple[tuple[str, str], ...] = (_JSON_CONTENT,)
    if height is not None:
        headers = (_JSON_CONTENT, _GRPC_CONTENT, ("Grpc-Metadata-X-Cosmos-Block-Height", str(height)))
    return Answer(STATUS_OF[error.code], error.body, headers)


def _headers(height: int | None) -> tuple[tuple[str, str], ...]:
    if height is None:
        return (_JSON_CONTENT,)
    told = str(height)
    return (
        _JSON_CONTENT,
        _GRPC_CONTENT,
        ("Grpc-Metadata-X-Cosmos-Block-Height", told),
        ("X-Cosmos-Block-Height", told),
    )


def _fixed(text: str, _: Request) -> str:
    return text


def _bytes(body: Body) -> bytes | Sequence[bytes]:
    return body.encode() if isinstance(body, str) else body
