"""Blocks and what a node says of itself."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

from tasks.moment import Moment, parse_moment
from verifiers.chain.answers.border import Decoder
from verifiers.chain.answers.numbers import Whole
from verifiers.chain.apiset import CURRENT, KNOWN, ApiSet


def _moment(text: object) -> Moment:
    if not isinstance(text, str):
        raise ValueError("not a time")
    return parse_moment(text)


def _upper_hex(text: object) -> str:
    """A block hash: base64 over REST, hex over RPC, nothing in the first block's `last_block_id`."""
    if text is None or text == "":
        return ""
    if not isinstance(text, str):
        raise ValueError("not a hash")
    if len(text) == 64:
        return bytes.fromhex(text).hex().upper()
    try:
        return base64.b64decode(text, validate=True).hex().upper()
    except binascii.Error:
        raise ValueError("neither hex nor base64") from None


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None


Time = Annotated[Moment, BeforeValidator(_moment)]
BlockHash = Annotated[str, BeforeValidator(_upper_hex)]
Raw = Annotated[bytes, BeforeValidator(_bytes)]


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header and its transactions' bytes, in order. Hashes are upper-case hex.

    `previous_hash` is empty in the chain's first block. `txs` is empty where only a header was asked for.
    """

    chain_id: str
    height: int
    time: Moment
    hash: str
    previous_hash: str
    txs: tuple[bytes, ...] = ()

    @property
    def is_first(self) -> bool:
        """Whether no block stands before this one."""
        return not self.previous_hash


def tx_hash(raw: bytes) -> str:
    """The name of a transaction: upper-case hex of SHA-256 of its bytes."""
    return hashlib.sha256(raw).hexdigest().upper()


@dataclass(frozen=True, slots=True)
class _BlockId:
    hash: BlockHash


@dataclass(frozen=True, slots=True)
class _Header:
    chain_id: str
    height: Whole
    time: Time
    last_block_id: _BlockId


@dataclass(frozen=True, slots=True)
class _Data:
    txs: tuple[Raw, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Body:
    header: _Header
    data: _Data


@dataclass(frozen=True, slots=True)
class _RestBlock:
    block_id: _BlockId
    block: _Body


@dataclass(frozen=True, slots=True)
class _RpcBlock:
    result: _RestBlock


_rest_block: Decoder[_RestBlock] = Decoder(_RestBlock, "block")
_rpc_block: Decoder[_RpcBlock] = Decoder(_RpcBlock, "block")


def is_rpc(body: bytes) -> bool:
    """Whether a body is a JSON-RPC envelope."""
    return body[:40].replace(b" ", b"").startswith(b'{"jsonrpc"')


def decode_block(body: bytes, api: ApiSet = CURRENT) -> Block:
    """A block from REST `blocks/{height}` or from RPC `block`."""
    read = _rpc_block(body, api).result if is_rpc(body) else _rest_block(body, api)
    header = read.block.header
    return Block(
        chain_id=header.chain_id,
        height=header.height,
        time=header.time,
        hash=read.block_id.hash,
        previous_hash=header.last_block_id.hash,
        txs=read.block.data.txs or (),
    )


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """REST `node_info`. `version` of the application is empty in builds without a stamp."""

    chain_id: str
    tx_index_on: bool
    version: str
    sdk_version: str


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """RPC `status`: where a node stands and how far back it remembers blocks."""

    chain_id: str
    height: int
    time: Moment
    hash: str
    earliest_height: int
    catching_up: bool
    tx_index_on: bool


@dataclass(frozen=True, slots=True)
class _Other:
    tx_index: str = ""


@dataclass(frozen=True, slots=True)
class _Node:
    network: str
    other: _Other


@dataclass(frozen=True, slots=True)
class _Application:
    version: str = ""
    cosmos_sdk_version: str = ""


@dataclass(frozen=True, slots=True)
class _NodeInfo:
    default_node_info: _Node
    application_version: _Application


@dataclass(frozen=True, slots=True)
class _Sync:
    latest_block_hash: BlockHash
    latest_block_height: Whole
    latest_block_time: Time
    earliest_block_height: Whole
    catching_up: bool


@dataclass(frozen=True, slots=True)
class _Status:
    node_info: _Node
    sync_info: _Sync


@dataclass(frozen=True, slots=True)
class _StatusAnswer:
    result: _Status


_node_info: Decoder[_NodeInfo] = Decoder(_NodeInfo, "node info")
_status: Decoder[_StatusAnswer] = Decoder(_StatusAnswer, "node status")


def decode_node_info(body: bytes, api: ApiSet = CURRENT) -> NodeInfo:
    """REST `/cosmos/base/tendermint/v1beta1/node_info`."""
    read = _node_info(body, api)
    return NodeInfo(
        chain_id=read.default_node_info.network,
        tx_index_on=read.default_node_info.other.tx_index == "on",
        version=read.application_version.version,
        sdk_version=read.application_version.cosmos_sdk_version,
    )


def decode_status(body: bytes, api: ApiSet = CURRENT) -> NodeStatus:
    """RPC `/status`."""
    read = _status(body, api).result
    return NodeStatus(
        chain_id=read.node_info.network,
        height=read.sync_info.latest_block_height,
        time=read.sync_info.latest_block_time,
        hash=read.sync_info.latest_block_hash,
        earliest_height=read.sync_info.earliest_block_height,
        catching_up=read.sync_info.catching_up,
        tx_index_on=read.node_info.other.tx_index == "on",
    )


@dataclass(frozen=True, slots=True)
class Syncing:
    """REST `syncing`."""

    syncing: bool


@dataclass(frozen=True, slots=True)
class StateStatus:
    """REST `/cosmos/base/node/v1beta1/status`. `earliest_store_height` is 0 on real nodes, also on pruned ones."""

    earliest_store_height: Whole
    height: Whole
    timestamp: Time


@dataclass(frozen=True, slots=True)
class ModuleVersion:
    """One module of an API set."""

    module: str
    version: str


@dataclass(frozen=True, slots=True)
class SupportedVersion:
    """One API set that a node says it serves."""

    api_version: str
    modules: tuple[ModuleVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a node says of its API: v2 nodes with versions, v1 nodes over RPC without.

    It names modules whose paths are not there: a hint, no promise.
    """

    supported_versions: tuple[SupportedVersion, ...] = ()
    chain_id: str = ""
    node_version: str = ""

    def api_set(self) -> ApiSet | None:
        """The set that the node serves, or `None` where Waymark has no mapping for any it names."""
        for served in self.supported_versions:
            versions = {entry.module: entry.version for entry in served.modules}
            for known in KNOWN:
                if all(versions.get(name) == version for name, version in known.modules.items()):
                    return known
        return None

    def names(self) -> str:
        """What the node names, for a message."""
        return "; ".join(
            ", ".join(f"{entry.module} {entry.version}" for entry in served.modules)
            for served in self.supported_versions
        )


@dataclass(frozen=True, slots=True)
class _RestDiscovery:
    info: Discovery


@dataclass(frozen=True, slots=True)
class _RpcDiscovery:
    result: Discovery


_rest_discovery: Decoder[_RestDiscovery] = Decoder(_RestDiscovery, "discovery answer")
_rpc_discovery: Decoder[_RpcDiscovery] = Decoder(_RpcDiscovery, "discovery answer")

decode_syncing: Decoder[Syncing] = Decoder(Syncing, "syncing answer")
decode_state_status: Decoder[StateStatus] = Decoder(StateStatus, "state status")


def decode_discovery(body: bytes, api: ApiSet = CURRENT) -> Discovery:
    """REST `/akash/discovery/v1/info` or RPC `/akash` of a v2 node."""
    return _rpc_discovery(body, api).result if is_rpc(body) else _rest_discovery(body, api).info
