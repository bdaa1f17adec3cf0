"""Blocks as REST and RPC write them. Hashes are deterministic, but only `data_hash` is a real one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from devnet.addresses import account_bytes, made_up_address
from devnet.keys import bech32
from devnet.state.bank import DISTRIBUTION, FEE_COLLECTOR, MINTED_PER_BLOCK
from devnet.state.chain import SECOND, AnyTx, Chain
from devnet.state.events import BEGIN_BLOCK_TAIL, Events, render_events

Raw = Callable[[bytes], str]
"""Gives a hash the form of the interface: base64 in REST, hex in RPC."""

EMPTY = hashlib.sha256(b"").digest()
MINT = "akash1m3h30wlvsf8llruxtpukdvsy0km2kum8922l76"


def format_time(moment: int) -> str:
    """Unix nanoseconds as the chain writes them: RFC 3339 without needless zeros."""
    whole, fraction = divmod(moment, SECOND)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    decimals = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{text}{decimals}Z"


class Blocks:
    """Writes blocks of one chain."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.validator = account_bytes(made_up_address(f"{chain.chain_id} validator"))
        self.validator_key = hashlib.sha256(f"{chain.chain_id} validator".encode()).digest()

    def hash(self, height: int) -> bytes:
        """The block's hash; of height 0 none."""
        return self.chain.digest("block", height) if height else b""

    def app_hash(self, height: int) -> bytes:
        """The state's hash after block `height`."""
        return self.chain.digest("app", height) if height else EMPTY

    def txs(self, height: int) -> list[str]:
        """The block's transactions in base64."""
        return [base64.b64encode(self.chain.tx_bytes(tx)).decode() for tx in self.chain.in_block(height)]

    def rest_block_id(self, height: int) -> str:
        """A block id with base64 hashes."""
        if not height:
            return '{"hash":null,"part_set_header":{"total":0,"hash":null}}'
        parts = self.chain.digest("parts", height)
        return f'{{"hash":"{_b64(self.hash(height))}","part_set_header":{{"total":1,"hash":"{_b64(parts)}"}}}}'

    def rpc_block_id(self, height: int) -> str:
        """A block id with hex hashes."""
        if not height:
            return '{"hash":"","parts":{"total":0,"hash":""}}'
        parts = self.chain.digest("parts", height)
        return f'{{"hash":"{_hex(self.hash(height))}","parts":{{"total":1,"hash":"{_hex(parts)}"}}}}'

    def rest_header(self, height: int, proposer: str) -> str:
        """A header as REST writes it."""
        return self._header(height, '"block":"11","app":"0"', self.rest_block_id(height - 1), _b64, proposer)

    def rpc_header(self, height: int) -> str:
        """A header as RPC writes it."""
        return self._header(height, '"block":"11"', self.rpc_block_id(height - 1), _hex, _hex(self.validator))

    def rest_block(self, height: int) -> str:
        """`blocks/{height}` of REST: block id, block, and the same block for the SDK."""
        tail = self._body(height, self.rest_block_id(height - 1), '"BLOCK_ID_FLAG_COMMIT"', _b64)
        header = self.rest_header(height, _b64(self.validator))
        sdk_header = self.rest_header(height, bech32("akashvalcons", self.validator))
        return (
            f'{{"block_id":{self.rest_block_id(height)},"block":{{"header":{header},{tail}}},'
            f'"sdk_block":{{"header":{sdk_header},{tail}}}}}'
        )

    def rest_plain_block(self, height: int) -> str:
        """The block alone, as `txs/block/{height}` holds it."""
        tail = self._body(height, self.rest_block_id(height - 1), '"BLOCK_ID_FLAG_COMMIT"', _b64)
        return f'{{"header":{self.rest_header(height, _b64(self.validator))},{tail}}}'

    def rpc_block(self, height: int) -> str:
        """`block` of RPC."""
        tail = self._body(height, self.rpc_block_id(height - 1), "2", _hex)
        return f'{{"block_id":{self.rpc_block_id(height)},"block":{{"header":{self.rpc_header(height)},{tail}}}}}'

    def rpc_commit(self, height: int) -> str:
        """`commit` of RPC: the header and the signature of the block itself."""
        signature = self._signature(height, "2", _hex)
        return (
            f'{{"signed_header":{{"header":{self.rpc_header(height)},"commit":{{"height":"{height}","round":0,'
            f'"block_id":{self.rpc_block_id(height)},"signatures":[{signature}]}}}},"canonical":true}}'
        )

    def tx_proof(self, tx: AnyTx) -> str:
        """The member `proof` of a transaction: that it belongs to the block's data hash."""
        hashes = [self.chain.tx_hash(each) for each in self.chain.in_block(tx.height)]
        aunts = ",".join(f'"{_b64(aunt)}"' for aunt in _aunts(hashes, tx.index))
        leaf = hashlib.sha256(b"\x00" + hashes[tx.index]).digest()
        return (
            f'"proof":{{"root_hash":"{_hex(_merkle(hashes))}","data":"{_b64(self.chain.tx_bytes(tx))}",'
            f'"proof":{{"total":"{len(hashes)}","index":"{tx.index}","leaf_hash":"{_b64(leaf)}","aunts":[{aunts}]}}}}'
        )

    def finalize_events(self, height: int) -> str:
        """The events of the block itself: fees handed out, coins minted. Real chains change the numbers a little."""
        events = Events()
        collected = f"{MINTED_PER_BLOCK}uakt"
        if height > 1:
            events.coins(FEE_COLLECTOR, DISTRIBUTION, collected)
        events.plain("coin_received", ("receiver", MINT), ("amount", collected))
        events.plain("coinbase", ("minter", MINT), ("amount", collected))
        events.coins(MINT, FEE_COLLECTOR, collected)
        events.plain(
            "mint",
            ("bonded_ratio", "0.049999998970137021"),
            ("inflation", "0.130000038120296716"),
            ("annual_provisions", "13000004079794.130117366273659816"),
            ("amount", str(MINTED_PER_BLOCK)),
        )
        return render_events(events.told, BEGIN_BLOCK_TAIL)

    def _header(self, height: int, version: str, last: str, raw: Raw, proposer: str) -> str:
        digest = self.chain.digest
        validators = raw(digest("validators", 0))
        return (
            f'{{"version":{{{version}}},"chain_id":"{self.chain.chain_id}","height":"{height}",'
            f'"time":"{format_time(self.chain.time(height))}","last_block_id":{last},'
            f'"last_commit_hash":"{raw(digest("commit", height - 1) if height > 1 else EMPTY)}",'
            f'"data_hash":"{raw(self._data_hash(height))}","validators_hash":"{validators}",'
            f'"next_validators_hash":"{validators}","consensus_hash":"{raw(digest("consensus", 0))}",'
            f'"app_hash":"{raw(self.app_hash(height - 1))}",'
            f'"last_results_hash":"{raw(digest("results", height - 1) if height > 1 else EMPTY)}",'
            f'"evidence_hash":"{raw(EMPTY)}","proposer_address":"{proposer}"}}'
        )

    def _body(self, height: int, last: str, flag: str, raw: Raw) -> str:
        txs = ",".join(f'"{tx}"' for tx in self.txs(height))
        signatures = self._signature(height - 1, flag, raw) if height > 1 else ""
        return (
            f'"data":{{"txs":[{txs}]}},"evidence":{{"evidence":[]}},"last_commit":{{"height":"{height - 1}",'
            f'"round":0,"block_id":{last},"signatures":[{signatures}]}}'
        )

    def _signature(self, height: int, flag: str, raw: Raw) -> str:
        signature = self.chain.digest("sign", height) + self.chain.digest("sign too", height)
        return (
            f'{{"block_id_flag":{flag},"validator_address":"{raw(self.validator)}",'
            f'"timestamp":"{format_time(self.chain.time(height + 1))}","signature":"{_b64(signature)}"}}'
        )

    def _data_hash(self, height: int) -> bytes:
        """The Merkle root of the hashes of the block's transactions (RFC 6962, CometBFT `types/tx.go`)."""
        return _merkle([self.chain.tx_hash(tx) for tx in self.chain.in_block(height)])


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _hex(data: bytes) -> str:
    return data.hex().upper()


def _merkle(items: Sequence[bytes]) -> bytes:
    if not items:
        return EMPTY
    if len(items) == 1:
        return hashlib.sha256(b"\x00" + items[0]).digest()
    split = _split(len(items))
    return hashlib.sha256(b"\x01" + _merkle(items[:split]) + _merkle(items[split:])).digest()


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _aunts(items: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from a leaf to the root, lowest first."""
    if len(items) <= 1:
        return []
    split = _split(len(items))
    if index < split:
        return [*_aunts(items[:split], index), _merkle(items[split:])]
    return [*_aunts(items[split:], index - split), _merkle(items[:split])]
