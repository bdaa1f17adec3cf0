"""The chain as `gather` sees it: one height, one request each, trouble kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from tasks.moment import SECOND, Moment
from tests.nodes import BIRTH, Answer, Asked, Node
from verifiers.chain.client import Chain
from verifiers.chain.pinned import PinnedChain
from verifiers.chain.questions import NODE_INFO, block_path, block_request, block_results_request
from verifiers.evidence import ChainPoint, ChainSource, Observation, Source

INFO = "/akash/deployment/v1beta4/deployments/info"
ORDERS = "/akash/market/v1beta5/orders/list"
ID = {"id.owner": "akash1a", "id.dseq": "7"}


def pinned(chain: Chain, node: Node, **rest: object) -> PinnedChain:
    point = ChainPoint("local-v2", 90, node.time_of(90))
    source = PinnedChain(chain, point, **rest)  # type: ignore[arg-type]
    assert isinstance(source, PinnedChain)
    typed: ChainSource = source
    assert typed.point == point
    return source


def test_state__asked_twice__goes_out_once_at_the_pinned_height(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    node.routes[INFO] = lambda asked: node.state(asked, {"height": asked.height})
    source = pinned(make(node), node)
    assert source.state(INFO, ID) is source.state(INFO, dict(reversed(ID.items())))
    assert source.state_at(50, INFO, ID).height == 50
    assert [asked.height for asked in node.asked if asked.route == INFO] == [90, 50]


def test_state__host_in_trouble__is_an_observation_with_its_name(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    node.routes[INFO] = lambda _: Answer({"code": 2, "message": "failed to load state at height 90"}, 500)
    seen = pinned(make(node), node).state(INFO, ID)
    assert (seen.trouble, seen.body, seen.status, seen.height, seen.chain_id) == ("pruned", b"", None, 90, "local-v2")
    assert seen.request == f"GET {INFO}?id.dseq=7&id.owner=akash1a"
    assert seen.seen_at == BIRTH + 600 * SECOND


def test_state__hosts_stand_on_another_chain_than_the_point__is_trouble(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes("local-v3")
    node.routes[INFO] = lambda asked: node.state(asked, {})
    assert pinned(make(node), node).state(INFO, ID).trouble == "wrong_chain"


def test_pages__list_that_breaks_off__ends_with_trouble(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    page = {"orders": [{"id": {"owner": "a", "dseq": "1", "gseq": 1, "oseq": 1}, "state": "open", "created_at": "1",
            "spec": {"name": "", "requirements": {"signed_by": {}}, "resources": []}}],
            "pagination": {"next_key": "AA=="}}  # fmt: skip
    node.routes[ORDERS] = lambda asked: (
        Answer(b"", 503) if "pagination.key" in asked.parameters else node.state(asked, page)
    )
    source = pinned(make(node), node)
    seen = source.pages(ORDERS, {"filters.owner": "a"}, "orders")
    assert [one.trouble for one in seen] == [None, "server_error"]
    assert source.pages(ORDERS, {"filters.owner": "a"}, "orders") is seen


def test_block__known_to_the_ledger__is_not_asked_again(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    node.routes["/block_results"] = lambda _: Answer({"jsonrpc": "2.0", "result": {"height": "7"}})
    kept: dict[str, Observation] = {}
    first = pinned(make(node), node, known=lambda request, _: kept.get(request))
    kept[block_request(41)] = first.block(41)
    kept[block_results_request(7)] = first.block_results(7)
    asked = len(node.asked)
    second = pinned(make(node), node, known=lambda request, _: kept.get(request))
    assert (second.block(41), second.block_results(7)) == (first.block(41), first.block_results(7))
    assert len(node.asked) == asked


def test_state_at__an_earlier_block_known_to_the_ledger__is_not_asked_again(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    node.routes[INFO] = lambda asked: node.state(asked, {"deployment": {}})
    kept: dict[tuple[str, int | None], Observation] = {}
    first = pinned(make(node), node)
    past, now = first.state_at(41, INFO, ID), first.state(INFO, ID)
    kept[past.request, 41] = past
    kept[now.request, now.height] = now
    asked = node.count(INFO)
    second = pinned(make(node), node, known=lambda *key: kept.get(key))
    assert second.state_at(41, INFO, ID) == past
    assert node.count(INFO) == asked
    assert second.state(INFO, ID).height == now.height
    assert node.count(INFO) == asked + 1, "what the pinned block holds is read afresh"


def test_block__kept_from_another_chain_or_with_trouble__is_asked_anew(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    for chain_id, trouble in (("local-v1", None), ("local-v2", "timeout")):
        stale = Observation(Source.CHAIN, block_request(41), b"", "h", Moment(0), chain_id=chain_id, trouble=trouble)
        assert pinned(make(node), node, known=lambda *_, stale=stale: stale).block(41).status == 200


def test_first_block_from__pinned__looks_no_further_than_the_point_and_remembers(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    source = pinned(make(node), node)
    assert [seen.height for seen in source.first_block_from(node.time_of(95))] == [90]
    assert [seen.height for seen in source.first_block_from(node.time_of(40))] == [39, 40]
    asked = len(node.asked)
    source.first_block_from(node.time_of(40))
    assert source.block(40).height == 40
    assert len(node.asked) == asked


def test_first_block_from__node_down__is_one_observation_with_trouble(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    node.routes["*"] = lambda _: Answer(b"", 503)
    seen = pinned(make(node), node).first_block_from(node.time_of(40))
    assert [one.trouble for one in seen] == ["server_error"]


@pytest.mark.parametrize(
    ("kept", "moment", "found", "asked"),
    [
        ([39, 40], 40, [39, 40], []),
        ([1], 1, [1], []),
        ([3, 20, 39, 40, 41, 60], 40, [39, 40], []),
        ([38, 41], 40, [39, 40], [39, 40]),
        ([89], 95, [90], [90]),
    ],
    ids=["both", "the chain's first", "among others", "the nearest two", "later than all"],
)
def test_first_block_from__between_blocks_known_to_the_ledger__asks_only_what_is_open(
    nodes: Callable[..., Node],
    make: Callable[..., Chain],
    kept: list[int],
    moment: int,
    found: list[int],
    asked: list[int],
) -> None:
    node = nodes()
    first = pinned(make(node), node)
    known = {block_request(height): first.block(height) for height in kept}
    node.asked.clear()
    source = pinned(make(node), node, known=lambda request, _: known.get(request), known_blocks=kept)
    assert [seen.height for seen in source.first_block_from(node.time_of(moment))] == found
    assert {each.route for each in node.asked if each.route != NODE_INFO} == {block_path(height) for height in asked}


def test_state__asked_by_two_at_once__goes_out_once(nodes: Callable[..., Node], make: Callable[..., Chain]) -> None:
    node = nodes()
    both, answers = threading.Barrier(2, timeout=60), []

    def slow(asked: Asked) -> Answer:
        time.sleep(0.2)
        return node.state(asked, {})

    node.routes[INFO] = slow
    source = pinned(make(node), node)

    def ask() -> None:
        both.wait()
        answers.append(source.state(INFO, ID))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers[0] is answers[1]
    assert node.count(INFO) == 1
