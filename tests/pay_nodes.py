"""A payout chain on loopback: accounts, blocks with transactions, an index that can be off, behind or pruned."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tasks.moment import format_moment
from tests.nodes import BLOCKS_ROUTE, Answer, Asked, Node
from verifiers.payout.files import read_export
from verifiers.payout.signed import Mode, PaidFee, SignedTransaction, Signer
from verifiers.payout.transfers import Coin, Message, json_of, payers_of

TXS = "/cosmos/tx/v1beta1/txs"
ACCOUNT = "/cosmos/auth/v1beta1/accounts/"
MODULE = "akash17xpfvakm2amg962yls6f84z3kell8c5lazw8j8"


@dataclass
class Included:
    """A transaction in a block."""

    height: int
    signed: SignedTransaction
    code: int = 0
    codespace: str = ""
    log: str = ""


@dataclass
class PayChain:
    """What the nodes of one payout chain share."""

    included: list[Included] = field(default_factory=list)
    sequences: dict[str, int] = field(default_factory=dict)
    balance: int = 10**15

    def put(self, signed: SignedTransaction, height: int, code: int = 0, codespace: str = "", log: str = "") -> str:
        """Include a transaction; its payer's sequence moves on."""
        self.included.append(Included(height, signed, code, codespace, log))
        (payer,) = payers_of(signed.messages)
        self.sequences[payer] = self.sequences.get(payer, 0) + 1
        return signed.hash


def signed_by_nobody(
    messages: tuple[Message, ...], memo: str, sequence: int, timeout: int = 0, salt: bytes = b""
) -> SignedTransaction:
    """A transaction as a block could hold it: nobody checks signatures once it is in one."""
    signer = Signer(b"\x02" * 33, (Mode.DIRECT,), None, sequence)
    fee = PaidFee((Coin("uakt", "1000"),), 200_000)
    return SignedTransaction(messages, memo, timeout, fee, (signer,), (b"\x01" * 63 + (salt or b"\x01")[:1],))


def of_export(file: bytes, sequence: int, memo: str | None = None) -> SignedTransaction:
    """The transaction of an exported file, with this sequence."""
    read = read_export(file)
    return signed_by_nobody(read.messages, read.memo if memo is None else memo, sequence, read.timeout_height)


class PayNode(Node):
    """One node of a payout chain. Its index can be off, and know the blocks `index_from..index_to` only.

    `earliest`: pruned below. `knows_query` False: as before SDK 0.50, where the question is called `events`.
    """

    def __init__(self, chain: PayChain, chain_id: str = "pay-1", tip: int = 100) -> None:
        self.chain = chain
        self.has_index = True
        self.index_to = 10**9
        self.index_from = 0
        self.knows_query = True
        super().__init__(chain_id, tip)

    def answer(self, asked: Asked) -> Answer:
        if asked.route in self.routes or "*" in self.routes:
            return super().answer(asked)
        for start, respond in (
            (ACCOUNT, self._account),
            ("/cosmos/bank/v1beta1/spendable_balances/", self._spendable),
            ("/cosmos/auth/v1beta1/module_accounts", self._modules),
            ("/cosmos/auth/v1beta1/params", self._auth),
            ("/cosmos/consensus/v1/params", self._consensus),
            ("/cosmos/base/node/v1beta1/config", self._config),
            (TXS, self._txs),
            ("/block_results", self._results),
            ("/tx_search", self._search),
            ("/tx", self._tx),
            (BLOCKS_ROUTE, self._block_of),
        ):
            if asked.route.startswith(start):
                return respond(asked)
        return super().answer(asked)

    # ------------------------------------------------------------------ state

    def _account(self, asked: Asked) -> Answer:
        address = asked.route.removeprefix(ACCOUNT)
        if asked.height is not None and asked.height < self.earliest:
            return _error(2, f"codespace sdk code 38: not found: failed to load state at height {asked.height}")
        upto = asked.height or self.tip
        sequence = sum(payers_of(each.signed.messages) == (address,) and each.height <= upto
                       for each in self.chain.included)  # fmt: skip
        account = {"@type": "/cosmos.auth.v1beta1.BaseAccount", "address": address, "pub_key": None,
                   "account_number": "7", "sequence": str(sequence)}  # fmt: skip
        return self.state(asked, {"account": account})

    def _spendable(self, asked: Asked) -> Answer:
        return self.state(asked, {"balances": [{"denom": "uakt", "amount": str(self.chain.balance)}]})

    def _modules(self, asked: Asked) -> Answer:
        base = {"address": MODULE, "pub_key": None, "account_number": "1", "sequence": "0"}
        account = {"@type": "/cosmos.auth.v1beta1.ModuleAccount", "base_account": base, "name": "fee_collector"}
        return self.state(asked, {"accounts": [account]})

    def _auth(self, asked: Asked) -> Answer:
        return self.state(asked, {"params": {"max_memo_characters": "256", "tx_sig_limit": "7"}})

    def _consensus(self, asked: Asked) -> Answer:
        return self.state(asked, {"params": {"block": {"max_bytes": "22020096", "max_gas": "-1"}}})

    def _config(self, asked: Asked) -> Answer:
        return self.state(asked, {"minimum_gas_price": "0.0025uakt"})

    # ------------------------------------------------------------------ transactions

    @property
    def _indexed(self) -> list[Included]:
        known = [
            each for each in self.chain.included if self.index_from <= each.height <= min(self.index_to, self.tip)
        ]
        return sorted(known, key=lambda each: each.height, reverse=True)

    def _txs(self, asked: Asked) -> Answer:
        if asked.route == TXS:
            return self._query(asked)
        if not self.has_index:
            return _error(2, "transaction indexing is disabled")
        name = asked.route.removeprefix(f"{TXS}/").upper()
        found = next((each for each in self._indexed if each.signed.hash == name), None)
        if found is None:
            at = {"grpc-metadata-x-cosmos-block-height": str(self.tip)}
            return Answer({"code": 5, "message": f"tx not found: {name}", "details": []}, 404, at)
        if found.height < self.earliest:
            return _error(2, self._pruned(found.height))
        return self.state(asked, {"tx": _tx(found), "tx_response": self._response(found)})

    def _query(self, asked: Asked) -> Answer:
        word = "query" if self.knows_query else "events"
        if word not in asked.parameters:
            text = "query cannot be empty" if self.knows_query else "must declare at least one event to search"
            return _error(13, text) if self.knows_query else _error(3, text, 400)
        if not self.has_index:
            return _error(13, "failed to search for txs: transaction indexing is disabled")
        limit, number = int(asked.parameters["limit"]), int(asked.parameters["page"])
        found = self._sent(unquote(asked.parameters[word]))
        page = found[(number - 1) * limit : number * limit]
        lost = [each.height for each in page if each.height < self.earliest]
        if lost:
            return _error(13, self._pruned(lost[0]))
        if not page and number > 1:
            return _error(13, f"failed to search for txs: page should be within [1, 1] range, given {number}")
        return self.state(asked, {"txs": [_tx(each) for each in page],
                                  "tx_responses": [self._response(each) for each in page],
                                  "pagination": None, "total": str(len(found))})  # fmt: skip

    def _sent(self, question: str) -> list[Included]:
        sender = question.strip('"').removeprefix("message.sender='").removesuffix("'")
        return [each for each in self._indexed if payers_of(each.signed.messages) == (sender,)]

    def _pruned(self, height: int) -> str:
        return f"height {height} is not available, lowest height is {self.earliest}"

    def _response(self, each: Included) -> dict[str, Any]:
        at = {"height": str(each.height), "timestamp": format_moment(self.time_of(each.height))}
        became = {"code": each.code, "codespace": each.codespace, "raw_log": each.log, "events": []}
        return {"txhash": each.signed.hash, "gas_wanted": "1", "gas_used": "1", **at, **became}

    def _indexed_tx(self, each: Included) -> dict[str, Any]:
        return {"hash": each.signed.hash, "height": str(each.height), "index": 0, "tx_result": _result(each),
                "tx": each.signed.base64}  # fmt: skip

    def _tx(self, asked: Asked) -> Answer:
        name = asked.parameters["hash"].removeprefix("0x")
        if not self.has_index:
            return _rpc_error("transaction indexing is disabled")
        found = next((each for each in self._indexed if each.signed.hash == name), None)
        return _rpc(self._indexed_tx(found)) if found else _rpc_error(f"tx ({name}) not found")

    def _search(self, asked: Asked) -> Answer:
        if not self.has_index:
            return _rpc_error("transaction indexing is disabled")
        found, limit = self._sent(asked.parameters["query"]), int(asked.parameters["per_page"])
        start = (int(asked.parameters["page"]) - 1) * limit
        page = [self._indexed_tx(each) for each in found[start : start + limit]]
        return _rpc({"txs": page, "total_count": str(len(found))})

    def _block_of(self, asked: Asked) -> Answer:
        text = asked.route.removeprefix(BLOCKS_ROUTE)
        height = self.tip if text == "latest" else int(text)
        answer = self._block(height)
        if answer.status == 200:
            answer.body["block"]["data"]["txs"] = [each.signed.base64 for each in self._in(height)]
        if text == "latest":
            return self.state(asked, answer.body)
        return answer

    def _results(self, asked: Asked) -> Answer:
        height = int(asked.parameters["height"])
        if height < self.earliest:
            return _rpc_error(f"could not find results for height #{height}")
        return _rpc({"height": str(height), "txs_results": [_result(each) for each in self._in(height)] or None,
                     "finalize_block_events": []})  # fmt: skip

    def _in(self, height: int) -> list[Included]:
        return [each for each in self.chain.included if each.height == height]


def _tx(each: Included) -> dict[str, Any]:
    signed = each.signed
    signer = {"public_key": None, "mode_info": {"single": {"mode": "SIGN_MODE_DIRECT"}},
              "sequence": str(signed.signers[0].sequence)}  # fmt: skip
    return {
        "body": {"messages": [json_of(message) for message in signed.messages], "memo": signed.memo,
                 "timeout_height": str(signed.timeout_height)},
        "auth_info": {"signer_infos": [signer], "fee": {"amount": [], "gas_limit": "200000"}},
        "signatures": [base64.b64encode(text).decode() for text in signed.signatures],
    }  # fmt: skip


def _result(each: Included) -> dict[str, Any]:
    return {"code": each.code, "codespace": each.codespace, "log": each.log, "gas_wanted": "1", "gas_used": "1",
            "events": []}  # fmt: skip


def _error(code: int, text: str, status: int = 500) -> Answer:
    return Answer({"code": code, "message": text, "details": []}, status)


def _rpc(result: Any) -> Answer:
    return Answer({"jsonrpc": "2.0", "id": -1, "result": result})


def _rpc_error(text: str) -> Answer:
    error = {"code": -32603, "message": "Internal error", "data": text}
    return Answer(json.dumps({"jsonrpc": "2.0", "id": -1, "error": error}).encode(), 500)
