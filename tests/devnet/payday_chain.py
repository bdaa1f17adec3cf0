"""A payout chain for tests: the demo's, asked over HTTP, its blocks made one by one."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from devnet.keys import Key
from devnet.network import Devnet, Host, serve
from devnet.scenarios import payday
from devnet.sent.signatures import SignerData
from devnet.signing import join, raw_of, sign_member, sign_single

from .conftest import START, StillClock

KEYS = payday.keys()
TREASURY = payday.treasury()
TREASURY_NUMBER = 0
TREASURER_NUMBER = 1
Json = dict[str, Any]


@contextmanager
def payout_chain(journal: Path | None = None, tip: int = 100) -> Iterator[Devnet]:
    """The demo's payout chain, standing at a height."""
    with serve(payday.scenario(), start=START, clock=StillClock(START), journal=journal) as devnet:
        devnet.settings.tip = tip
        yield devnet


def ask(host: Devnet | Host, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
    """Status and JSON of a REST answer."""
    return _ask(host.rest_url, method, path, body)


def ask_with(host: Devnet | Host, path: str, headers: Mapping[str, str]) -> tuple[int, Any]:
    """Status and JSON of a REST answer to a GET with headers."""
    return _ask(host.rest_url, "GET", path, None, headers)


def ask_rpc(host: Devnet | Host, path: str) -> tuple[int, Any]:
    """Status and JSON of an RPC answer."""
    return _ask(host.rpc_url, "GET", path, None)


def _ask(
    base: str, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    url = urlsplit(base)
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=20)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def broadcast(host: Devnet | Host, raw: bytes, mode: str = "BROADCAST_MODE_SYNC") -> Json:
    """The `tx_response` of a broadcast."""
    asked = {"tx_bytes": base64.b64encode(raw).decode(), "mode": mode}
    status, body = ask(host, "POST", "/cosmos/tx/v1beta1/txs", asked)
    assert status == 200, body
    found: Json = body["tx_response"]
    return found


def by_hash(host: Devnet | Host, told: Json) -> Json | None:
    """The `tx_response` of a transaction that was broadcast, None where the node has none."""
    status, body = ask(host, "GET", f"/cosmos/tx/v1beta1/txs/{told['txhash']}")
    assert status in {200, 404}, body
    found: Json | None = body.get("tx_response")
    return found


def by_sender(host: Devnet | Host, address: str) -> list[Json]:
    """All transactions of a sender, newest first."""
    query = quote(f"message.sender='{address}'")
    status, body = ask(host, "GET", f"/cosmos/tx/v1beta1/txs?query={query}&order_by=ORDER_BY_DESC&page=1&limit=100")
    assert status == 200, body
    found: list[Json] = body["tx_responses"]
    return found


def latest(port: int) -> tuple[str, int]:
    """Chain id and height of the newest block behind a REST port."""
    _, body = _ask(f"http://127.0.0.1:{port}", "GET", "/cosmos/base/tendermint/v1beta1/blocks/latest", None)
    header = body["block"]["header"]
    return header["chain_id"], int(header["height"])


def balance(host: Devnet | Host, address: str) -> int:
    """Somebody's uakt."""
    _, body = ask(host, "GET", f"/cosmos/bank/v1beta1/balances/{address}")
    return sum(int(coin["amount"]) for coin in body["balances"] if coin["denom"] == "uakt")


def next_block(devnet: Devnet, count: int = 1) -> None:
    """Some blocks more."""
    devnet.settings.tip = devnet.tip() + count


def unsigned(
    payer: str,
    rows: Mapping[str, int],
    *,
    memo: str = "",
    timeout: int = 0,
    fee: int = 12_500,
    as_sends: bool = False,
) -> Json:
    """A file to sign: one MsgMultiSend, or a MsgSend for each row."""
    coins = {address: [{"denom": "uakt", "amount": str(amount)}] for address, amount in rows.items()}
    total = [{"denom": "uakt", "amount": str(sum(rows.values()))}]
    message = {
        "@type": "/cosmos.bank.v1beta1.MsgMultiSend",
        "inputs": [{"address": payer, "coins": total}],
        "outputs": [{"address": address, "coins": amount} for address, amount in coins.items()],
    }
    kind = "/cosmos.bank.v1beta1.MsgSend"
    sends = [
        {"@type": kind, "from_address": payer, "to_address": address, "amount": amount}
        for address, amount in coins.items()
    ]
    paid = {"amount": [{"denom": "uakt", "amount": str(fee)}] if fee else [], "gas_limit": "500000"}
    return {
        "body": {"messages": sends if as_sends else [message], "memo": memo, "timeout_height": str(timeout)},
        "auth_info": {"signer_infos": [], "fee": {**paid, "payer": "", "granter": ""}},
        "signatures": [],
    }


def by_treasurer(
    document: Json, sequence: int, key: Key = KEYS["treasurer"], number: int = TREASURER_NUMBER
) -> bytes:
    """The bytes of a file signed by one key."""
    return raw_of(sign_single(document, key, SignerData(payday.CHAIN_ID, number, sequence)))


def by_treasury(document: Json, sequence: int, members: tuple[str, ...] = ("treasurer", "approver")) -> bytes:
    """The bytes of a file signed by members of the treasury."""
    where = SignerData(payday.CHAIN_ID, TREASURY_NUMBER, sequence)
    return raw_of(join(document, TREASURY, [sign_member(document, KEYS[name], where) for name in members], where))
