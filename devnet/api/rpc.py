"""The RPC interface of CometBFT: GET with parameters, JSON-RPC by POST, batches."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from devnet.api.answer import Answer, RestError, parse_query
from devnet.api.blocks import Blocks, format_time
from devnet.api.cosmos import COMETBFT, NodeAnswers, discovery
from devnet.api.node import Node
from devnet.api.sending import Sending
from devnet.api.txs import QueryError, Txs
from devnet.state.events import base64_text

Params = Mapping[str, Any]
Method = Callable[[Params], str]

MAXIMUM_BATCH = 10
MAXIMUM_PER_PAGE = 100
_JSON = ("Content-Type", "application/json")
_CACHED = ("Cache-Control", "public, max-age=86400")


class RpcError(Exception):
    """An error of JSON-RPC."""

    def __init__(self, code: int, message: str, data: str = "") -> None:
        super().__init__(data)
        self.code = code
        self.message = message
        self.data = data

    @property
    def shown(self) -> str:
        """The error object, with Go's escapes."""
        data = f',"data":{_text(self.data)}' if self.data else ""
        return f'{{"code":{self.code},"message":"{self.message}"{data}}}'


def internal(data: str) -> RpcError:
    """An error of the method itself."""
    return RpcError(-32603, "Internal error", data)


def invalid(data: str) -> RpcError:
    """Parameters that cannot be read."""
    return RpcError(-32602, "Invalid params", data)


class Rpc:
    """Answers the routes that a follower uses, and those beside them."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._chain = node.chain
        self._blocks = Blocks(node.chain)
        self._txs = Txs(node.chain)
        self._about = NodeAnswers(node, self._blocks, self._txs)
        self._sending = Sending(node)
        self._methods: dict[str, tuple[Method, Mapping[str, str]]] = {
            "status": (self._status, {}),
            "health": (lambda _: "{}", {}),
            "net_info": (lambda _: '{"listening":true,"listeners":["Listener(@)"],"n_peers":"0","peers":[]}', {}),
            "abci_info": (self._abci_info, {}),
            "block": (self._block, {"height": "int"}),
            "block_by_hash": (self._block_by_hash, {"hash": "bytes"}),
            "block_results": (self._block_results, {"height": "int"}),
            "header": (self._header, {"height": "int"}),
            "commit": (self._commit, {"height": "int"}),
            "validators": (self._validators, {"height": "int", "page": "int", "per_page": "int"}),
            "consensus_params": (self._consensus_params, {"height": "int"}),
            "blockchain": (self._blockchain, {"minHeight": "int", "maxHeight": "int"}),
            "tx": (self._tx, {"hash": "bytes", "prove": "bool"}),
            "tx_search": (self._tx_search, _SEARCH),
            "block_search": (self._block_search, _SEARCH),
            "broadcast_tx_sync": (partial(self._broadcast, waits_for_check=True), {"tx": "bytes"}),
            "broadcast_tx_async": (partial(self._broadcast, waits_for_check=False), {"tx": "bytes"}),
            "check_tx": (lambda params: self._sending.rpc_check(bytes(params.get("tx", b""))), {"tx": "bytes"}),
            "akash": (self._akash, {}),
            "num_unconfirmed_txs": (lambda _: '{"n_txs":"0","total":"0","total_bytes":"0","txs":null}', {}),
        }

    def get(self, target: str) -> Answer:
        """The answer to a GET: an error is HTTP 500, an unknown route a plain 404."""
        path, _, query = target.partition("?")
        name = path.strip("/")
        if not name:
            return Answer(200, self._routes(), (("Content-Type", "text/html"),))
        if name not in self._methods or path != f"/{name}":
            plain = ("Content-Type", "text/plain; charset=utf-8")
            return Answer(404, b"404 page not found\n", (plain, ("X-Content-Type-Options", "nosniff")))
        kinds = self._methods[name][1]
        try:
            given = {key: values[-1] for key, values in parse_query(query).items()}
            params = {key: _from_url(given[key], kind) for key, kind in kinds.items() if given.get(key)}
            result = self._call(name, params)
        except RpcError as error:
            return Answer(500, f'{{"jsonrpc":"2.0","id":-1,"error":{error.shown}}}'.encode(), (_JSON,))
        except RestError as error:
            shown = invalid(f"error converting http params to arguments: {error.message}").shown
            return Answer(500, f'{{"jsonrpc":"2.0","id":-1,"error":{shown}}}'.encode(), (_JSON,))
        headers = (_CACHED, _JSON) if _is_cached(name, params) else (_JSON,)
        return Answer(200, f'{{"jsonrpc":"2.0","id":-1,"result":{result}}}'.encode(), headers)

    def post(self, body: bytes) -> Answer:
        """The answer to a JSON-RPC request or a batch: errors are HTTP 200, no JSON is 500."""
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        if not isinstance(asked, dict | list):
            shown = '{"code":-32700,"message":"Parse error. Invalid JSON","data":"error unmarshaling request: '
            shown += 'unexpected end of JSON input"}'
            return Answer(500, f'{{"jsonrpc":"2.0","error":{shown}}}'.encode(), (_JSON,))
        single = isinstance(asked, dict)
        requests = [asked] if single else asked
        if len(requests) > MAXIMUM_BATCH:
            data = f"batch request exceeds maximum ({MAXIMUM_BATCH}) allowed number of requests"
            shown = RpcError(-32600, "Invalid Request", data).shown
            return Answer(200, f'{{"jsonrpc":"2.0","error":{shown}}}'.encode(), (_JSON,), tells_time=False)
        answers, cached = [], True
        for request in requests:
            text, one_cached = self._answer_one(request)
            answers.append(text)
            cached = cached and one_cached
        joined = answers[0] if single else f"[{','.join(answers)}]"
        return Answer(200, joined.encode(), (_CACHED, _JSON) if cached else (_JSON,))

    def _answer_one(self, request: object) -> tuple[str, bool]:
        if not isinstance(request, dict):
            return f'{{"jsonrpc":"2.0","error":{RpcError(-32600, "Invalid Request").shown}}}', False
        number = json.dumps(request.get("id"))
        name = str(request.get("method", ""))
        try:
            if name not in self._methods:
                raise RpcError(-32601, "Method not found")
            kinds = self._methods[name][1]
            given = request.get("params") or {}
            if isinstance(given, list):
                given = dict(zip(kinds, given, strict=False))
            params = {key: _from_json(given[key], kind) for key, kind in kinds.items() if given.get(key) is not None}
            result = self._call(name, params)
        except RpcError as error:
            return f'{{"jsonrpc":"2.0","id":{number},"error":{error.shown}}}', name in _CACHED_WITH_HEIGHT
        cached = name in _CACHED_WITH_HEIGHT and "height" in params
        return f'{{"jsonrpc":"2.0","id":{number},"result":{result}}}', cached

    def _call(self, name: str, params: Params) -> str:
        with self._node.lock:
            return self._methods[name][0](params)

    def _status(self, _: Params) -> str:
        tip = self._node.tip()
        first = self._node.lowest_block(tip)
        index = "on" if self._node.settings.indexes_txs else "off"
        key = base64_text(self._blocks.validator_key)
        return (
            '{"node_info":{"protocol_version":{"p2p":"8","block":"11","app":"0"},'
            f'"id":"{self._about.node_id}","listen_addr":"tcp://127.0.0.1:26656","network":"{self._chain.chain_id}",'
            f'"version":"{COMETBFT}","channels":"40202122233038606100","moniker":"{self._node.settings.moniker}",'
            f'"other":{{"tx_index":"{index}","rpc_address":"tcp://127.0.0.1:26657"}}}},"sync_info":{{'
            f'{self._point("latest", tip)},{self._point("earliest", first)},"catching_up":false}},'
            f'"validator_info":{{"address":"{self._blocks.validator.hex().upper()}",'
            f'"pub_key":{{"type":"tendermint/PubKeyEd25519","value":"{key}"}},"voting_power":"5000000"}}}}'
        )

    def _point(self, name: str, height: int) -> str:
        app_hash = self._blocks.app_hash(height - 1).hex().upper()
        return (
            f'"{name}_block_hash":"{self._blocks.hash(height).hex().upper()}","{name}_app_hash":"{app_hash}",'
            f'"{name}_block_height":"{height}","{name}_block_time":"{format_time(self._chain.time(height))}"'
        )

    def _abci_info(self, _: Params) -> str:
        tip = self._node.tip()
        app_hash = base64_text(self._blocks.app_hash(tip))
        return f'{{"response":{{"data":"akash","last_block_height":"{tip}","last_block_app_hash":"{app_hash}"}}}}'

    def _height(self, params: Params) -> int:
        """The height asked for, the tip where none is. Raises RpcError."""
        tip = self._node.tip()
        height = int(params.get("height", tip))
        if height <= 0:
            raise internal(f"height must be greater than 0, but got {height}")
        if height > tip:
            raise internal(f"height {height} must be less than or equal to the current blockchain height {tip}")
        lowest = self._node.lowest_block(tip)
        if height < lowest:
            raise internal(f"height {height} is not available, lowest height is {lowest}")
        return height

    def _block(self, params: Params) -> str:
        return self._blocks.rpc_block(self._height(params))

    def _block_by_hash(self, params: Params) -> str:
        tip = self._node.tip()
        for height in range(tip, 0, -1):
            if self._blocks.hash(height) == params.get("hash"):
                return self._blocks.rpc_block(height)
        return '{"block_id":{"hash":"","parts":{"total":0,"hash":""}},"block":null}'

    def _header(self, params: Params) -> str:
        return f'{{"header":{self._blocks.rpc_header(self._height(params))}}}'

    def _commit(self, params: Params) -> str:
        return self._blocks.rpc_commit(self._height(params))

    def _block_results(self, params: Params) -> str:
        height = self._height(params)
        made = self._chain.in_block(height)
        results = f"[{','.join(self._txs.rpc_result(tx) for tx in made)}]" if made else "null"
        return (
            f'{{"height":"{height}","txs_results":{results},'
            f'"finalize_block_events":[{self._blocks.finalize_events(height)}],"validator_updates":null,'
            f'"consensus_param_updates":{_CONSENSUS_UPDATES},"app_hash":"{base64_text(self._blocks.app_hash(height))}"}}'
        )

    def _validators(self, params: Params) -> str:
        height = self._height(params)
        key = base64_text(self._blocks.validator_key)
        return (
            f'{{"block_height":"{height}","validators":[{{"address":"{self._blocks.validator.hex().upper()}",'
            f'"pub_key":{{"type":"tendermint/PubKeyEd25519","value":"{key}"}},"voting_power":"5000000",'
            '"proposer_priority":"0"}],"count":"1","total":"1"}'
        )

    def _consensus_params(self, params: Params) -> str:
        return f'{{"block_height":"{self._height(params)}","consensus_params":{_CONSENSUS}}}'

    def _blockchain(self, params: Params) -> str:
        tip = self._node.tip()
        high = min(int(params.get("maxHeight", 0)) or tip, tip)
        low = max(int(params.get("minHeight", 0)) or 1, self._node.lowest_block(tip), high - 19)
        if low > high:
            raise internal(f"min height {low} can't be greater than max height {high}")
        metas = ",".join(
            f'{{"block_id":{self._blocks.rpc_block_id(height)},"block_size":"512",'
            f'"header":{self._blocks.rpc_header(height)},"num_txs":"{len(self._chain.in_block(height))}"}}'
            for height in range(high, low - 1, -1)
        )
        return f'{{"last_height":"{tip}","block_metas":[{metas}]}}'

    def _tx(self, params: Params) -> str:
        digest = params.get("hash")
        if not digest:
            raise internal("transaction hash cannot be empty")
        if not self._node.settings.indexes_txs:
            raise internal("transaction indexing is disabled")
        tip = self._node.tip()
        found = self._chain.find_tx(bytes(digest))
        if found is None or found.height > self._node.indexed(tip):
            raise internal(f"tx ({bytes(digest).hex().upper()}) not found")
        shown = self._txs.rpc_tx(found)
        return f"{shown[:-1]},{self._blocks.tx_proof(found)}}}" if params.get("prove") else shown

    def _tx_search(self, params: Params) -> str:
        if not self._node.settings.indexes_txs:
            raise internal("transaction indexing is disabled")
        try:
            found: Sequence[Any] = self._txs.search(
                str(params.get("query", "")), self._node.indexed(self._node.tip())
            )
        except QueryError as error:
            raise internal(str(error)) from None
        shown, total = _page(found, params, newest_first="desc")
        return f'{{"txs":[{",".join(self._txs.rpc_tx(tx) for tx in shown)}],"total_count":"{total}"}}'

    def _block_search(self, params: Params) -> str:
        """Only by `block.height`, as block events are not kept."""
        if not self._node.settings.indexes_txs:
            raise internal("block indexing is disabled")
        tip = self._node.tip()
        try:
            found: Sequence[Any] = self._txs.search_heights(str(params.get("query", "")), tip)
        except QueryError as error:
            raise internal(str(error)) from None
        shown, total = _page(found, {"order_by": "desc", **params}, newest_first="desc")
        lowest = self._node.lowest_block(tip)
        blocks = ",".join(self._blocks.rpc_block(height) for height in shown if height >= lowest)
        return f'{{"blocks":[{blocks}],"total_count":"{total}"}}'

    def _broadcast(self, params: Params, *, waits_for_check: bool) -> str:
        self._node.tip()
        taken = self._sending.rpc_broadcast(bytes(params.get("tx", b"")), waits_for_check=waits_for_check)
        if taken is None:
            raise internal("tx already exists in cache")
        return taken

    def _akash(self, _: Params) -> str:
        if self._chain.generation.name == "v1":
            return '{"client_info":{"api_version":"v1beta3"}}'
        told = discovery(self._chain.chain_id, self._chain.generation, features=None)
        return json.dumps(told, separators=(",", ":"))

    def _routes(self) -> bytes:
        links = "".join(f'<a href="/{name}?">/{name}?</a></br>' for name in sorted(self._methods))
        return f"<html><body><br>Available endpoints:<br>{links}</body></html>".encode()


_SEARCH = {"query": "text", "prove": "bool", "page": "int", "per_page": "int", "order_by": "text"}
_BLOCK_AND_EVIDENCE = (
    '"block":{"max_bytes":"22020096","max_gas":"-1"},"evidence":{"max_age_num_blocks":"100000",'
    '"max_age_duration":"172800000000000","max_bytes":"1048576"},"validator":{"pub_key_types":["ed25519"]}'
)
_CONSENSUS_UPDATES = f'{{{_BLOCK_AND_EVIDENCE},"version":{{}},"abci":{{}}}}'
_CONSENSUS = f'{{{_BLOCK_AND_EVIDENCE},"version":{{"app":"0"}},"abci":{{"vote_extensions_enable_height":"0"}}}}'
_ALWAYS_CACHED = {"abci_info", "blockchain", "tx", "block_by_hash", "header_by_hash"}
_CACHED_WITH_HEIGHT = {"block", "block_results", "commit", "header", "validators", "consensus_params"}


def _is_cached(name: str, params: Params) -> bool:
    return name in _ALWAYS_CACHED or (name in _CACHED_WITH_HEIGHT and "height" in params)


def _page(found: Sequence[Any], params: Params, newest_first: str) -> tuple[Sequence[Any], int]:
    """One page of hits and their number. Raises RpcError."""
    order = params.get("order_by", "")
    if order not in {"", "asc", "desc"}:
        raise internal("expected order_by to be either `asc` or `desc` or empty")
    per_page = min(max(int(params.get("per_page", 30)), 1), MAXIMUM_PER_PAGE)
    page = int(params.get("page", 1))
    last = max(1, -(-len(found) // per_page))
    if not 1 <= page <= last:
        raise internal(f"page should be within [1, {last}] range, given {page}")
    ordered = found[::-1] if order == newest_first else found
    return ordered[(page - 1) * per_page : page * per_page], len(found)


def _from_url(text: str, kind: str) -> object:
    """A parameter of a GET: numbers as they are, texts in double quotes, bytes after `0x`. Raises RpcError."""
    begin = "error converting http params to arguments: "
    if kind == "int":
        value = text.strip('"')
        if not value.removeprefix("-").isdigit():
            raise invalid(f'{begin}invalid 64-bit integer encoding "{text}", expected string')
        return int(value)
    if kind == "bool":
        return text == "true"
    if kind == "bytes" and text.startswith("0x"):
        try:
            return bytes.fromhex(text[2:])
        except ValueError:
            bad = next((letter for letter in text[2:] if letter not in "0123456789abcdefABCDEF"), "")
            raise invalid(f"{begin}encoding/hex: invalid byte: U+{ord(bad or '0'):04X} '{bad}'") from None
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        bad = text[error.pos : error.pos + 1]
        if error.msg == "Extra data":
            raise invalid(f"{begin}invalid character '{bad}' after top-level value") from None
        raise invalid(f"{begin}invalid character '{bad}' looking for beginning of value") from None
    if kind == "bytes":
        return _from_base64(value, begin)
    return str(value)


def _from_json(value: object, kind: str) -> object:
    """A parameter of a JSON-RPC request. Raises RpcError."""
    begin = "error converting json params to arguments: "
    if kind == "int":
        if not str(value).removeprefix("-").isdigit():
            raise invalid(f'{begin}invalid 64-bit integer encoding "{value}", expected string')
        return int(str(value))
    return _from_base64(value, begin) if kind == "bytes" else value


def _from_base64(value: object, begin: str) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error:
        raise invalid(f"{begin}illegal base64 data at input byte 0") from None


def _text(value: str) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
