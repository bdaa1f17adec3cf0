"""How questions to a node are written: paths, canonical queries, and the request texts of Observations (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import quote

NODE_INFO = "/cosmos/base/tendermint/v1beta1/node_info"
SYNCING = "/cosmos/base/tendermint/v1beta1/syncing"
DISCOVERY = "/akash/discovery/v1/info"
LATEST_BLOCK = "/cosmos/base/tendermint/v1beta1/blocks/latest"
NODE_CONFIG = "/cosmos/base/node/v1beta1/config"
TXS = "/cosmos/tx/v1beta1/txs"


def block_path(height: int | str) -> str:
    """The REST path of one block."""
    return f"/cosmos/base/tendermint/v1beta1/blocks/{height}"


def query(parameters: Mapping[str, str] | None) -> str:
    """Parameters as one canonical, fully encoded query, sorted by name; empty without any.

    The `+` and `/` of base64 page keys are escaped: a bare `+` is refused by real nodes.
    """
    if not parameters:
        return ""
    pairs = (f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in sorted(parameters.items()))
    return "?" + "&".join(pairs)


def rest_request(path: str, parameters: Mapping[str, str] | None = None) -> str:
    """The request text of a REST read: `GET /akash/…?filters.owner=…`. Names no host."""
    return f"GET {path}{query(parameters)}"


def rpc_request(method: str, parameters: Mapping[str, str] | None = None) -> str:
    """The request text of an RPC read: `RPC block_results?height=41`."""
    return f"RPC {method}{query(parameters)}"


def block_request(height: int) -> str:
    """The request text of a block."""
    return rest_request(block_path(height))


def block_height(request: str) -> int | None:
    """The height that a request text of a block names; None for every other request."""
    named = request.removeprefix(f"GET {block_path('')}")
    return int(named) if named != request and named.isdecimal() else None


def block_results_request(height: int) -> str:
    """The request text of a block's results."""
    return rpc_request("block_results", {"height": str(height)})


def broadcast_request(tx: bytes) -> str:
    """The request text of a broadcast, with the transaction's hash instead of its bytes."""
    return f"POST {TXS} {hashlib.sha256(tx).hexdigest().upper()}"
