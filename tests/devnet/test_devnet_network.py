"""Heights by the clock, and every way in which a host can misbehave."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from devnet.faults import Fault
from devnet.network import Devnet, serve
from devnet.scenarios import small

from .conftest import StillClock

START = 1_700_000_000 * 10**9
BLOCK = 6 * 10**9
LEASES = "/akash/market/v1beta5/leases/list"


@pytest.fixture
def net() -> Iterator[Devnet]:
    with serve(small.scenario(), start=START, clock=StillClock(START + 299 * BLOCK), has_control=True) as devnet:
        yield devnet


def ask(url: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    try:
        connection.request("GET" if body is None else "POST", path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def height_of(url: str) -> int:
    status, body = ask(url, "/status")
    assert status == 200
    return int(json.loads(body)["result"]["sync_info"]["latest_block_height"])


def test_tip__as_the_clock_goes__follows_it(net: Devnet) -> None:
    clock = net.clock
    assert isinstance(clock, StillClock)
    assert height_of(net.rpc_url) == 300
    clock.moment = START + 300 * BLOCK - 1
    assert height_of(net.rpc_url) == 300
    clock.moment = START + 300 * BLOCK
    assert height_of(net.rpc_url) == 301
    clock.moment = START - BLOCK
    assert height_of(net.rpc_url) == 1


@pytest.mark.parametrize(
    ("setting", "value", "tip"), [("until", 120, 120), ("halted_at", 130, 130), ("lag_blocks", 7, 293), ("tip", 9, 9)]
)
def test_tip__with_a_limit__stands_there(net: Devnet, setting: str, value: int, tip: int) -> None:
    setattr(net.settings, setting, value)
    assert height_of(net.rpc_url) == tip
    status, body = ask(net.rpc_url, f"/block?height={tip + 1}")
    assert (status, f"must be less than or equal to the current blockchain height {tip}" in body.decode()) == (
        500,
        True,
    )


@pytest.mark.parametrize(
    ("height", "status", "text"),
    [
        ("0", 200, '"leases"'),
        ("300", 200, '"leases"'),
        ("281", 200, '"leases"'),
        ("280", 500, "Version has either been pruned, or is for a future block height (latest height: 300)"),
        ("301", 500, "cannot query with height in the future"),
        ("-1", 500, "cannot query with height < 0"),
        ("x", 500, 'strconv.ParseInt: parsing \\"x\\": invalid syntax'),
    ],
)
def test_state__asked_at_a_height_of_a_pruned_node__answers_or_says_why(
    net: Devnet, height: str, status: int, text: str
) -> None:
    net.settings.keep_states = 20
    told, body = ask(net.rest_url, LEASES, {"x-cosmos-block-height": height})
    assert (told, text in body.decode()) == (status, True), body


def test_blocks__of_a_pruned_node__are_not_available_below_the_lowest(net: Devnet) -> None:
    net.settings.keep_blocks = 30
    for url, path in (
        (net.rest_url, "/cosmos/base/tendermint/v1beta1/blocks/100"),
        (net.rpc_url, "/block_results?height=100"),
        (net.rest_url, "/cosmos/tx/v1beta1/txs?query=tx.height%3D100"),
    ):
        status, body = ask(url, path)
        assert (status, "height 100 is not available, lowest height is 271" in body.decode()) == (500, True)
    status, body = ask(net.rpc_url, "/tx_search?query=%22tx.height%3D100%22")
    assert (status, json.loads(body)["result"]["total_count"]) == (200, "1")


def test_fault__with_a_count__goes_away_when_it_is_used_up(net: Devnet) -> None:
    net.faults.add(Fault("status", path="leases", status=429, retry_after=3, count=2))
    assert [ask(net.rest_url, path)[0] for path in (LEASES, "/cosmos/bank/v1beta1/params", LEASES, LEASES)] == [
        429,
        200,
        429,
        200,
    ]


def test_fault__cut_or_drop__ends_the_connection(net: Devnet) -> None:
    net.faults.add(Fault("cut", path="leases", count=1))
    with pytest.raises(http.client.IncompleteRead):
        ask(net.rest_url, LEASES)
    net.faults.add(Fault("drop", api="rpc", count=1))
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(net.rpc_url, "/status")
    assert ask(net.rest_url, LEASES)[0] == ask(net.rpc_url, "/status")[0] == 200


def test_fault__delay__answers_late(net: Devnet) -> None:
    net.faults.add(Fault("delay", seconds=0.2, count=1))
    before = time.monotonic()
    assert ask(net.rest_url, LEASES)[0] == 200
    assert time.monotonic() - before >= 0.2


def test_fault__with_a_probability__is_the_same_for_the_same_seed() -> None:
    seen = []
    for _ in range(2):
        with serve(small.scenario(), start=START, clock=StillClock(START)) as devnet:
            devnet.faults.add(Fault("status", probability=0.5, seed="s"))
            seen.append([ask(devnet.rest_url, "/cosmos/bank/v1beta1/params")[0] for _ in range(20)])
    assert seen[0] == seen[1]
    assert {200, 503} == set(seen[0])


def test_second_host__that_lies__gives_another_answer_at_the_same_height(net: Devnet) -> None:
    other = net.add_host()
    path = f"/akash/deployment/v1beta4/deployments/info?id.owner={small.address('ben')}&id.dseq=2001"
    assert ask(net.rest_url, path) == ask(other.rest_url, path)
    other.faults.add(Fault("lie", path="deployments/info", find='"state":"active"', put='"state":"closed"'))
    assert ask(net.rest_url, path) != ask(other.rest_url, path)


def test_reset__of_the_chain__has_other_hashes_or_another_id(net: Devnet) -> None:
    before = ask(net.rpc_url, "/block?height=5")[1]
    net.reset()
    after = ask(net.rpc_url, "/block?height=5")[1]
    assert before != after
    net.reset(chain_id="waymark-small-2")
    assert b'"chain_id":"waymark-small-2"' in ask(net.rpc_url, "/block?height=5")[1]


def test_control__where_it_is_on__changes_settings_and_names_mistakes(net: Devnet) -> None:
    asked = {"settings": {"tip": 40}, "fault": {"kind": "status", "status": 500}}
    assert ask(net.rest_url, "/devnet/control", body=json.dumps(asked).encode()) == (200, b'{"tip": 40}')
    assert ask(net.rest_url, LEASES)[0] == 500
    assert ask(net.rest_url, "/devnet/control", body=b'{"clear": true}')[0] == 200
    assert ask(net.rest_url, LEASES)[0] == 200
    status, body = ask(net.rest_url, "/devnet/control", body=b'{"settings": {"nope": 1}}')
    assert (status, "'nope' is no setting" in body.decode()) == (400, True)


def test_control__note__answers_what_was_asked_since_the_last_time(net: Devnet) -> None:
    def noted() -> list[list[str]]:
        _, body = ask(net.rest_url, "/devnet/control", body=b'{"note": true}')
        found: list[list[str]] = json.loads(body)["noted"]
        return found

    height_of(net.rpc_url)
    assert noted() == []
    height_of(net.rpc_url)
    ask(net.rest_url, LEASES, {"X-Cosmos-Block-Height": "40"})
    assert noted() == [["/status", ""], [LEASES, "40"]]
    assert noted() == []


def test_control__where_it_is_off__is_an_unknown_path() -> None:
    with serve(small.scenario(), start=START, clock=StillClock(START)) as devnet:
        assert ask(devnet.rest_url, "/devnet/control", body=b"{}")[0] == 501


def test_oversized__head_or_body__is_cut_or_refused(net: Devnet) -> None:
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)):
        ask(net.rest_url, "/" + "x" * 1_200_000)
    status, body = ask(net.rpc_url, "/", body=b"[" + b" " * 1_000_001 + b"]")
    assert (status, "request body too large" in body.decode()) == (400, True)


def test_pages__of_every_list__hold_each_row_once(net: Devnet) -> None:
    for path, name in (
        ("/akash/deployment/v1beta4/deployments/list", "deployments"),
        ("/akash/market/v1beta5/orders/list", "orders"),
        ("/akash/market/v1beta5/bids/list", "bids"),
        (f"/akash/market/v1beta5/bids/list?filters.provider={small.address('north')}", "bids"),
        (LEASES, "leases"),
        (f"{LEASES}?filters.owner={small.address('ada')}", "leases"),
        ("/akash/escrow/v1/types/accounts", "accounts"),
        ("/akash/escrow/v1/types/payments", "payments"),
        ("/akash/provider/v1beta4/providers", "providers"),
        ("/akash/cert/v1/certificates/list", "certificates"),
    ):
        joint = "&" if "?" in path else "?"
        whole = json.loads(ask(net.rest_url, f"{path}{joint}pagination.limit=1000")[1])[name]
        rows, key = [], ""
        while True:
            tail = f"&pagination.key={key}" if key else ""
            page = json.loads(ask(net.rest_url, f"{path}{joint}pagination.limit=2{tail}")[1])
            rows += page[name]
            if page["pagination"]["next_key"] is None:
                break
            key = page["pagination"]["next_key"].replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        assert rows == whole, path
        assert len(whole) > 1


ODD = (
    "",
    "0",
    "-1",
    "x",
    "99999999999999999999999",
    "akash1",
    "%25",
    "a%00b",
    "%C3%A4",
    "%22",
    "***",
    "TtA0MgIBAgEB",
)


def test_odd_parameters__of_every_kind__are_always_answered(net: Devnet) -> None:
    """Whatever a parameter holds, a node says something; a bug here would end the connection."""
    rest = [f"filters.{name}" for name in ("owner", "dseq", "gseq", "provider", "state")]
    rest += [f"id.{name}" for name in ("owner", "dseq", "provider")] + [
        "filter.owner",
        "filter.serial",
        "state",
        "xid",
    ]
    rest += [f"pagination.{name}" for name in ("limit", "key", "offset", "reverse")] + ["query", "page", "limit"]
    paths = (
        "/akash/deployment/v1beta4/deployments/list",
        "/akash/deployment/v1beta4/deployments/info",
        "/akash/market/v1beta5/bids/list",
        "/akash/market/v1beta5/leases/info",
        "/akash/cert/v1/certificates/list",
        "/akash/escrow/v1/types/accounts",
        "/akash/provider/v1beta4/providers",
        "/cosmos/tx/v1beta1/txs",
    )
    for path in paths:
        for name in rest:
            for value in ODD:
                assert ask(net.rest_url, f"{path}?{name}={value}")[0] in {200, 400, 404, 500}
    for method in ("block", "tx", "tx_search", "block_search", "validators", "blockchain", "block_by_hash"):
        for name in ("height", "hash", "query", "page", "per_page", "order_by", "minHeight"):
            for value in (*ODD, "0xAB", "%22tx.height=5%22"):
                assert ask(net.rpc_url, f"/{method}?{name}={value}")[0] in {200, 500}
    for body in (
        b"5",
        b"[]",
        b"[1]",
        b'"x"',
        b"{}",
        b'{"method":"tx","params":{"hash":"x"}}',
        b'{"method":"block","params":[]}',
    ):
        assert ask(net.rpc_url, "/", body=body)[0] in {200, 500}
