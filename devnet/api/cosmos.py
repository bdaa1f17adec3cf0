"""What a node says of itself and of the chain's parameters."""

from __future__ import annotations

import hashlib
import json

from devnet.addresses import made_up_address
from devnet.api.answer import INVALID, UNKNOWN, Request, RestError
from devnet.api.blocks import Blocks, format_time
from devnet.api.node import Node
from devnet.api.txs import Txs
from devnet.generation import Generation
from devnet.state.chain import SECOND
from devnet.state.events import base64_text

COMETBFT = "0.38.19"
_MODULES = (
    ("audit", "v1"),
    ("bme", "v1"),
    ("cert", "v1"),
    ("deployment", "v1beta4"),
    ("escrow", "v1"),
    ("market", "v1beta5"),
    ("oracle", "v2"),
    ("provider", "v1beta4"),
    ("take", "v1"),
    ("wasm", "v1"),
)


class NodeAnswers:
    """Answers about the node, its blocks and the parameters."""

    def __init__(self, node: Node, blocks: Blocks, txs: Txs) -> None:
        self._node = node
        self._blocks = blocks
        self._txs = txs
        self._chain = node.chain

    @property
    def node_id(self) -> str:
        """The node's id, 40 hex digits."""
        return hashlib.sha256(f"{self._chain.chain_id} {self._node.settings.moniker}".encode()).hexdigest()[:40]

    def node_info(self, request: Request) -> str:  # noqa: ARG002
        """Chain id and versions."""
        version = self._chain.generation.version
        index = "on" if self._node.settings.indexes_txs else "off"
        network = {
            "protocol_version": {"p2p": "8", "block": "11", "app": "0"},
            "default_node_id": self.node_id,
            "listen_addr": "tcp://127.0.0.1:26656",
            "network": self._chain.chain_id,
            "version": COMETBFT,
            "channels": "QCAhIiMwOGBhAA==",
            "moniker": self._node.settings.moniker,
            "other": {"tx_index": index, "rpc_address": "tcp://127.0.0.1:26657"},
        }
        application = {
            "name": "akash",
            "app_name": "akash",
            "version": version,
            "git_commit": hashlib.sha256(version.encode()).hexdigest()[:40],
            "build_tags": "",
            "go_version": "go version go1.26.8 linux/amd64",
            "build_deps": [{"path": "pkg.akt.dev/go", "version": "v0.2.11", "sum": ""}],
            "cosmos_sdk_version": "v0.53.6",
        }
        return _json({"default_node_info": network, "application_version": application})

    def syncing(self, request: Request) -> str:  # noqa: ARG002
        """Whether the node is catching up."""
        return '{"syncing":false}'

    def latest_block(self, request: Request) -> str:
        """The newest block."""
        return self._blocks.rest_block(request.tip)

    def block(self, request: Request) -> str:
        """A block by height. Raises RestError."""
        return self._blocks.rest_block(self._block_height(request, future=_FUTURE_BLOCK))

    def block_txs(self, request: Request) -> str:
        """The transactions of a block, with the block."""
        future = (
            "codespace sdk code 26: invalid height: requested height {} but height must not be less than 1 or "
            f"greater than the current height {request.tip}"
        )
        height = self._block_height(request, future=(UNKNOWN, future))
        txs = ",".join(self._txs.rest_tx(tx) for tx in self._chain.in_block(height))
        return (
            f'{{"txs":[{txs}],"block_id":{self._blocks.rest_block_id(height)},'
            f'"block":{self._blocks.rest_plain_block(height)},'
            f'"pagination":{{"next_key":null,"total":"{len(self._chain.in_block(height))}"}}}}'
        )

    def validator_set(self, request: Request) -> str:
        """The one validator."""
        height = request.tip if request.values[0] == "latest" else self._block_height(request, future=_FUTURE_BLOCK)
        address = made_up_address(f"{self._chain.chain_id} validator", "akashvalcons")
        key = base64_text(self._blocks.validator_key)
        return (
            f'{{"block_height":"{height}","validators":[{{"address":"{address}",'
            f'"pub_key":{{"@type":"/cosmos.crypto.ed25519.PubKey","key":"{key}"}},"voting_power":"5000000",'
            '"proposer_priority":"0"}],"pagination":{"next_key":null,"total":"1"}}'
        )

    def config(self, request: Request) -> str:  # noqa: ARG002
        """How the node prunes."""
        keep = self._node.settings.keep_states or 0
        return _json(
            {
                "minimum_gas_price": "0.002500000000000000uakt",
                "pruning_keep_recent": str(keep),
                "pruning_interval": "10" if keep else "0",
                "halt_height": "0",
            }
        )

    def status(self, request: Request) -> str:
        """Where the node stands."""
        return _json(
            {
                "earliest_store_height": "0",
                "height": str(request.tip),
                "timestamp": format_time(self._chain.time(request.tip)),
                "app_hash": base64_text(self._blocks.app_hash(request.tip)),
                "validator_hash": base64_text(self._chain.digest("validators", 0)),
            }
        )

    def discovery(self, request: Request) -> str:  # noqa: ARG002
        """Which API sets the node speaks (v2)."""
        return f'{{"info":{_json(discovery(self._chain.chain_id, self._chain.generation, features=[]))}}}'

    def epochs(self, request: Request) -> str:
        """The epochs of the chain (v2), counted from its first block."""
        shown = []
        for name, seconds in (("day", 86400), ("hour", 3600), ("minute", 60), ("week", 604800)):
            passed = (self._chain.time(request.height) - self._chain.start) // (seconds * SECOND)
            began = self._chain.start + passed * seconds * SECOND
            shown.append(
                {
                    "id": name,
                    "start_time": format_time(self._chain.time(1)),
                    "duration": f"{seconds}s",
                    "current_epoch": str(passed + 1),
                    "current_epoch_start_time": format_time(began),
                    "epoch_counting_started": True,
                    "current_epoch_start_height": str(max(1, self._chain.height_at(began))),
                }
            )
        return _json({"epochs": shown})

    def _block_height(self, request: Request, *, future: tuple[int, str]) -> int:
        text = request.values[0]
        digits = text.removeprefix("-").removeprefix("+")
        if not (digits.isascii() and digits.isdigit()):
            message = f'type mismatch, parameter: height, error: strconv.ParseInt: parsing "{text}": invalid syntax'
            raise RestError(INVALID, message, with_height=False)
        height = int(text)
        if height > request.tip:
            raise RestError(future[0], future[1].format(height))
        if height <= 0:
            raise RestError(UNKNOWN, f"height must be greater than 0, but got {height}")
        lowest = self._node.lowest_block(request.tip)
        if height < lowest:
            raise RestError(UNKNOWN, f"height {height} is not available, lowest height is {lowest}")
        return height


_FUTURE_BLOCK = (INVALID, "requested block height is bigger then the chain length")


_CONSENSUS = {
    "block": {"max_bytes": "22020096", "max_gas": "-1"},
    "evidence": {"max_age_num_blocks": "100000", "max_age_duration": "172800s", "max_bytes": "1048576"},
    "validator": {"pub_key_types": ["ed25519"]},
    "version": {"app": "0"},
    "abci": {"vote_extensions_enable_height": "0"},
}


def discovery(chain_id: str, generation: Generation, features: list[str] | None) -> dict[str, object]:
    """What discovery tells; RPC writes no features where REST writes an empty list."""
    modules = [{"module": name, "version": version} for name, version in _MODULES]
    return {
        "client_info": {"api_version": "v1beta3"},
        "supported_versions": [
            {"api_version": version, "modules": modules, "features": features} for version in ("v1beta4", "v1beta3")
        ],
        "chain_id": chain_id,
        "node_version": generation.version,
        "min_client_version": generation.version,
    }


def parameters(generation: Generation) -> dict[str, str]:
    """The parameters and fixed answers, by path."""
    both = '[{"denom":"uact","amount":"500000"},{"denom":"uakt","amount":"500000"}]'
    deposits = '[{"denom":"uakt","amount":"500000"}]'
    windows = ""
    if generation.name == "v2":
        deposits = '[{"denom":"uakt","amount":"500000"},{"denom":"uact","amount":"500000"}]'
        windows = (
            f',"min_reclamation_window":"{generation.min_reclamation_seconds}s",'
            f'"max_reclamation_window":"{generation.max_reclamation_seconds}s"'
        )
    found = {
        "/akash/deployment/v1beta4/params": f'{{"params":{{"min_deposits":{deposits}}}}}',
        "/akash/market/v1beta5/params": (
            '{"params":{"bid_min_deposit":{"denom":"uakt","amount":"500000"},"order_max_bids":20,'
            f'"bid_min_deposits":{both}{windows}}}}}'
        ),
        "/cosmos/consensus/v1/params": _json({"params": _CONSENSUS}),
        "/cosmos/bank/v1beta1/params": '{"params":{"send_enabled":[],"default_send_enabled":true}}',
        "/cosmos/auth/v1beta1/params": (
            '{"params":{"max_memo_characters":"256","tx_sig_limit":"7","tx_size_cost_per_byte":"10",'
            '"sig_verify_cost_ed25519":"590","sig_verify_cost_secp256k1":"1000"}}'
        ),
        "/cosmos/auth/v1beta1/bech32": '{"bech32_prefix":"akash"}',
        "/cosmos/upgrade/v1beta1/current_plan": '{"plan":null}',
    }
    if generation.name == "v2":
        found["/cosmos/bank/v1beta1/send_enabled"] = (
            '{"send_enabled":[{"denom":"uact","enabled":false},{"denom":"uakt","enabled":true}],'
            '"pagination":{"next_key":null,"total":"2"}}'
        )
    return found


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
