"""Accounts, rules and transactions as recorded nodes tell them; the one POST of the client."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from tests.nodes import Answer, Asked, Node
from tests.recordings import Recording, recordings
from verifiers.chain import accounts, transactions
from verifiers.chain.client import Chain
from verifiers.chain.trouble import BadRequest, IndexOff, NotImplementedThere, Pruned, WrongChain
from verifiers.payout.facts import gas_price_of
from verifiers.trouble import CutBody, ServerError, TooLarge, Trouble, Undecodable

FRAMING = {"content-length", "transfer-encoding", "date", "connection"}
TXS = "/cosmos/tx/v1beta1/txs"
PAYERS = {
    "akash-recorded": "akash1jwfktla8rqvp59n0yxjtdwdpl7hzhurejryva9",
    "akash-recorded-v2": "akash1xqenzfaq6xfrg8xluhcsg9j9tzfdgkcymvw2kc",
}
Make = Callable[..., Chain]
Nodes = Callable[..., Node]


def as_it_was(line: Recording) -> Answer:
    """The recorded answer; how its bytes were framed is the double's own business."""
    headers = {name: value for name, value in line.headers.items() if name.lower() not in FRAMING}
    return Answer(line.body, line.status or 500, headers)


def replaying(node: Node, *files: str) -> None:
    """The node gives the recorded answers of these files, each to the path and query it was asked with."""
    known: dict[str, Recording] = {}
    for file in files:
        for line in recordings(file):
            if line.status is not None and line.method == "GET":
                known.setdefault(line.path, line)
    known.pop("/status", None)

    def answer(asked: Asked) -> Answer:
        line = known.get(asked.path)
        if line is None:
            return Answer({"code": 12, "message": "Not Implemented", "details": []}, 501)
        return as_it_was(line)

    node.routes["*"] = answer


def recorded(file: str, name: str) -> Recording:
    return next(line for line in recordings(file) if line.name == name)


def says(node: Node, route: str, line: Recording) -> None:
    node.routes[route] = lambda _: as_it_was(line)


# ---------------------------------------------------------------------- accounts and rules


@pytest.mark.parametrize("files", list(PAYERS))
def test_reads__recorded_nodes__account_money_and_rules(nodes: Nodes, make: Make, files: str) -> None:
    node = nodes()
    replaying(node, f"{files}/rest-bank-auth", f"{files}/rest-node")
    chain, payer = make(node), PAYERS[files]
    found = accounts.account(chain, payer)
    assert found.value is not None
    assert (found.value.address, found.value.pub_key.threshold) == (payer, 2)  # type: ignore[union-attr]
    assert found.height is not None
    assert found.observations[0].request == f"GET /cosmos/auth/v1beta1/accounts/{payer}"
    modules = {account.module for account in accounts.module_accounts(chain).value}
    assert {"fee_collector", "escrow", "bonded_tokens_pool"} <= modules
    params = accounts.auth_params(chain).value
    assert (params.max_memo_characters, params.tx_sig_limit) == (256, 7)
    block = accounts.block_limits(chain).value
    assert (block.max_bytes, block.max_gas) == (22_020_096, -1)
    assert gas_price_of(accounts.minimum_gas_price(chain).value or "") is not None


def test_account__unknown_to_the_chain__none(nodes: Nodes, make: Make) -> None:
    node = nodes()
    replaying(node, "akash-recorded/rest-bank-auth")
    found = accounts.account(make(node), "akash1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnwduagr")
    assert found.value is None
    assert found.observations[0].status == 404


def test_account__node_answers_for_somebody_else__undecodable(nodes: Nodes, make: Make) -> None:
    node = nodes()
    says(node, "*", recorded("akash-recorded/rest-bank-auth", "account of payout"))
    with pytest.raises(Undecodable, match="Ask another host"):
        accounts.account(make(node), "akash1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnwduagr")


def test_spendable__several_denoms_and_a_node_without_the_path__uakt_alone(nodes: Nodes, make: Make) -> None:
    node = nodes()
    rows = [{"denom": "uact", "amount": "9"}, {"denom": "uakt", "amount": "5"}]
    node.routes["/cosmos/bank/v1beta1/spendable_balances/akash1a"] = lambda asked: node.state(
        asked, {"balances": rows}
    )
    chain = make(node)
    assert accounts.spendable(chain, "akash1a", "uakt").value == 5
    node.routes["/cosmos/bank/v1beta1/balances/akash1b/by_denom"] = lambda asked: node.state(
        asked, {"balance": {"denom": asked.parameters["denom"], "amount": "7"}}
    )
    assert accounts.spendable(chain, "akash1b", "uakt").value == 7


def test_block_limits__node_before_sdk_0_47__from_rpc(nodes: Nodes, make: Make) -> None:
    node = nodes()
    says(node, "/consensus_params", recorded("akash-recorded/rpc", "consensus_params"))
    assert accounts.block_limits(make(node)).value.max_bytes == 22_020_096


def test_gas_price__node_that_tells_none__none(nodes: Nodes, make: Make) -> None:
    node = nodes()
    node.routes["/cosmos/base/tendermint/v1beta1/blocks/latest"] = lambda asked: node.state(asked, {})
    assert accounts.minimum_gas_price(make(node)).value is None


def test_module_accounts__pages_without_an_end__refused(nodes: Nodes, make: Make) -> None:
    node = nodes()
    node.routes["*"] = lambda asked: node.state(asked, {"accounts": [], "pagination": {"next_key": "AA=="}})
    with pytest.raises(Trouble, match="more than 50 pages"):
        accounts.module_accounts(make(node))


# ---------------------------------------------------------------------- finding transactions


@pytest.mark.parametrize(
    ("file", "kind", "trouble"),
    [
        ("akash-recorded/noindex-node", "tx by hash", IndexOff),
        ("akash-recorded/noindex-node", "tx not found", IndexOff),
    ],
)
def test_by_hash__node_without_an_index__never_absent(
    nodes: Nodes, make: Make, file: str, kind: str, trouble: type[Trouble]
) -> None:
    node = nodes()
    replaying(node, file)
    line = recorded(file, kind)
    with pytest.raises(trouble):
        transactions.by_hash(make(node), line.route.rpartition("/")[2])


def test_by_hash__pruned_node__known_to_its_index(nodes: Nodes, make: Make) -> None:
    node = nodes()
    replaying(node, "akash-recorded/pruned-node")
    name = "C2D937F2245CB142C64A993543F4338C674FD284E74DAB7ED9DAAD7AFE925960"
    found = transactions.by_hash(make(node), name.lower())
    assert found is not None
    assert (found.seen.hash, found.seen.height, found.seen.time) == (name, 40, None)
    assert found.observations[0].request.startswith("RPC tx?")
    assert transactions.by_hash(make(node), "AB" * 32) is None
    with pytest.raises(Pruned):
        transactions.with_time(make(node), found)


def test_by_hash__pruned_and_not_in_the_index_either__pruned(nodes: Nodes, make: Make) -> None:
    node = nodes()
    says(node, "*", recorded("akash-recorded/pruned-node", "tx by hash"))
    says(node, "/tx", recorded("akash-recorded/pruned-node", "RPC tx not found"))
    with pytest.raises(Pruned):
        transactions.by_hash(make(node), "AB" * 32)


def test_by_hash__another_transaction_than_asked__undecodable(nodes: Nodes, make: Make) -> None:
    node = nodes()
    says(node, "*", recorded("akash-recorded/rest-txs", "tx: payout MsgMultiSend (2 of 3)"))
    with pytest.raises(Undecodable):
        transactions.by_hash(make(node), "AB" * 32)


def test_sent_by__recorded_page__newest_first_with_failed_ones(nodes: Nodes, make: Make) -> None:
    node = nodes()
    says(node, TXS, recorded("akash-recorded/rest-txs", "query: by sender"))
    found = [each.seen for page in transactions.sent_by(make(node), PAYERS["akash-recorded"], 5) for each in page]
    assert [each.height for each in found] == sorted((each.height for each in found), reverse=True)
    assert {bool(each.code) for each in found} == {True, False}
    asked = next(each for each in node.asked if each.route == TXS)
    sender = f"message.sender='{PAYERS['akash-recorded']}'"
    assert asked.parameters == {"query": sender, "order_by": "ORDER_BY_DESC", "page": "1", "limit": "5"}


def test_sent_by__page_with_a_pruned_block__from_the_index(nodes: Nodes, make: Make) -> None:
    node = nodes()
    says(node, TXS, recorded("akash-recorded/pruned-node", "txs by query"))
    says(node, "/tx_search", recorded("akash-recorded/rpc", "tx_search: by sender"))
    page = next(transactions.sent_by(make(node), PAYERS["akash-recorded"], 3))
    assert [each.seen.height for each in page] == [1596, 1584, 1582]
    asked = next(each for each in node.asked if each.route == "/tx_search")
    assert asked.parameters["query"] == f"\"message.sender='{PAYERS['akash-recorded']}'\""
    assert asked.parameters["order_by"] == '"desc"'


def test_sent_by__node_without_an_index__index_off(nodes: Nodes, make: Make) -> None:
    node = nodes()
    says(node, TXS, recorded("akash-recorded/noindex-node", "txs by query"))
    with pytest.raises(IndexOff):
        next(transactions.sent_by(make(node), "akash1a"))


def test_sent_by__question_refused_for_another_reason__raised(nodes: Nodes, make: Make) -> None:
    node = nodes()
    says(node, TXS, recorded("akash-recorded/rest-txs", "query syntax error"))
    with pytest.raises(BadRequest):
        next(transactions.sent_by(make(node), "akash1a"))


# ---------------------------------------------------------------------- the one POST


def broadcast_lines() -> list[Recording]:
    return [line for line in recordings("akash-recorded/payout-broadcast") if line.name.endswith(": broadcast")]


@pytest.mark.parametrize("line", broadcast_lines(), ids=lambda line: line.name.partition(":")[0])
def test_broadcast__recorded_answer__code_and_hash_as_the_node_said(
    nodes: Nodes, make: Make, line: Recording
) -> None:
    node = nodes()
    says(node, TXS, line)
    answer, seen = transactions.broadcast(make(node), b"\x0a\x01x")
    said = json.loads(line.body)["tx_response"]
    assert (answer.code, answer.codespace, answer.txhash) == (said["code"], said["codespace"], said["txhash"])
    assert seen.body == line.body
    posts = [asked for asked in node.asked if asked.method == "POST"]
    assert [(asked.path, json.loads(asked.body)) for asked in posts] == [
        (TXS, {"tx_bytes": base64.b64encode(b"\x0a\x01x").decode(), "mode": "BROADCAST_MODE_SYNC"})
    ]


def test_broadcast__first_host_fails__next_one_gets_it(nodes: Nodes, make: Make) -> None:
    sick, well = nodes(), nodes()
    sick.routes[TXS] = lambda _: Answer({"code": 2, "message": "internal"}, 500)
    says(well, TXS, broadcast_lines()[0])
    _, seen = transactions.broadcast(make(sick, well), b"\x0a\x01x")
    assert seen.host == well.url.removeprefix("http://")


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Answer({"code": 3, "message": "invalid empty tx", "details": []}, 400), BadRequest),
        (Answer({"code": 2, "message": "no"}, 500), ServerError),
        (Answer(b'{"tx_response": {', 200), CutBody),
        (Answer({"code": 12, "message": "Not Implemented"}, 501), NotImplementedThere),
        (Answer({}), Undecodable),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_broadcast__no_clear_answer__trouble(
    nodes: Nodes, make: Make, answer: Answer, trouble: type[Trouble]
) -> None:
    node = nodes()
    node.routes[TXS] = lambda _: answer
    with pytest.raises(trouble):
        transactions.broadcast(make(node), b"\x0a\x01x")


def test_broadcast__node_of_another_chain__nothing_is_handed_over(nodes: Nodes, make: Make) -> None:
    node = nodes("other-1")
    with pytest.raises(WrongChain):
        transactions.broadcast(make(node, chain_id="local-v2"), b"\x0a\x01x")
    assert not [asked for asked in node.asked if asked.method == "POST"]


def test_broadcast__larger_than_a_node_takes__not_sent(nodes: Nodes, make: Make) -> None:
    node = nodes()
    with pytest.raises(TooLarge):
        transactions.broadcast(make(node), b"x" * 700_001)
    assert not node.asked
