"""Lists over many pages, on nodes that ignore filters, limits and keys the way real ones do."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.nodes import Answer, Asked, Node
from tests.recordings import recorded, recordings
from verifiers.chain import answers
from verifiers.chain.client import Chain
from verifiers.chain.trouble import BadPage, Pruned
from verifiers.trouble import Undecodable

ORDERS = "/akash/market/v1beta5/orders/list"
GROUP = {"name": "g", "requirements": {"signed_by": {}, "attributes": []}, "resources": []}


def order(owner: str, dseq: int, state: str = "open") -> dict[str, Any]:
    return {"id": {"owner": owner, "dseq": str(dseq), "gseq": 1, "oseq": 1}, "state": state, "spec": GROUP,
            "created_at": "5"}  # fmt: skip


def key(position: int) -> str:
    """A page key that a bare `+` would break."""
    return base64.b64encode(b"\xfb\xef" + bytes([position])).decode()


def listing(rows: list[dict[str, Any]], per_page: int, *, tip: int = 100) -> Callable[[Asked], Answer]:
    """A real node's list: filters hold on the first page, with a key they are ignored."""

    def respond(asked: Asked) -> Answer:
        wanted = asked.parameters.get("filters.owner")
        given = asked.parameters.get("pagination.key")
        position = 0 if given is None else base64.b64decode(given)[2]
        kept = rows if given is not None else [
            row for row in rows if wanted is None or row["id"]["owner"] == wanted]  # fmt: skip
        size = min(per_page, int(asked.parameters["pagination.limit"]))
        page = kept[position : position + size]
        more = position + size < len(kept)
        pagination = {"next_key": key(position + size) if more else None, "total": str(len(page))}
        height = str(asked.height or tip)
        return Answer({"orders": page, "pagination": pagination}, headers={"x-cosmos-block-height": height})

    return respond


def dseqs(pages: list[Any]) -> list[int]:
    return [row.id.dseq for page in pages for row in page.rows]


def test_walk__pages_of_one_owner__resends_filters_and_drops_strangers(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    rows = [order("akash1a", dseq) for dseq in range(1, 6)] + [order("akash1b", dseq) for dseq in (8, 9)]
    node.routes[ORDERS] = listing(rows, 2)
    pages = list(make(node).walk(answers.ORDERS, {"filters.owner": "akash1a"}, 42))
    assert dseqs(pages) == [1, 2, 3, 4, 5]
    assert sum(page.strangers for page in pages) == 2
    asked = [one for one in node.asked if one.route == ORDERS]
    assert {(one.parameters["filters.owner"], one.parameters["pagination.limit"], one.height) for one in asked} == {
        ("akash1a", "1000", 42)
    }
    assert "%2B" in asked[1].path
    assert "+" not in asked[1].path


def test_walk__without_a_height__keeps_that_of_the_first_page(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    node.routes[ORDERS] = listing([order("akash1a", dseq) for dseq in range(1, 6)], 2, tip=77)
    pages = list(make(node).walk(answers.ORDERS))
    assert [page.observation.height for page in pages] == [77, 77, 77]
    assert [one.height for one in node.asked if one.route == ORDERS] == [None, 77, 77]


def test_walk__row_that_comes_twice__is_given_once(nodes: Callable[..., Node], make: Callable[..., Chain]) -> None:
    node = nodes()
    node.routes[ORDERS] = listing([order("akash1a", dseq) for dseq in (1, 2, 2, 3, 3, 4)], 2)
    assert dseqs(list(make(node).walk(answers.ORDERS, {}, 42))) == [1, 2, 3, 4]


@pytest.mark.parametrize("next_key", ["AAAA", None], ids=["the same key again", "new keys, the same rows"])
def test_walk__pages_in_a_circle__end_with_bad_page(
    nodes: Callable[..., Node], make: Callable[..., Chain], next_key: str | None
) -> None:
    node = nodes()

    def respond(asked: Asked) -> Answer:
        fresh = next_key or key(len(node.asked))
        dseq = len(node.asked) if next_key else 1
        return node.state(asked, {"orders": [order("akash1a", dseq)], "pagination": {"next_key": fresh}})

    node.routes[ORDERS] = respond
    with pytest.raises(BadPage):
        list(make(node).walk(answers.ORDERS, {}, 42))
    assert node.count(ORDERS) < 5


def test_walk__second_host_goes_on_where_the_first_broke_off(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    first, second = nodes(), nodes()
    rows = [order("akash1a", dseq) for dseq in range(1, 6)]
    good = listing(rows, 2)
    first.routes[ORDERS] = lambda asked: Answer(b"", 503) if "pagination.key" in asked.parameters else good(asked)
    second.routes[ORDERS] = good
    assert dseqs(list(make(first, second).walk(answers.ORDERS, {}, 42))) == [1, 2, 3, 4, 5]
    assert second.count(ORDERS) == 2


def test_walk__page_that_can_t_be_read__asks_the_next_host(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    odd, good = nodes(), nodes()
    odd.routes[ORDERS] = lambda asked: odd.state(asked, {"orders": [{"id": {}}], "pagination": None})
    good.routes[ORDERS] = listing([order("akash1a", 1)], 2)
    assert dseqs(list(make(odd, good).walk(answers.ORDERS, {}, 42))) == [1]
    with pytest.raises(Undecodable, match=r"orders\.0\.id\.owner"):
        list(make(odd).walk(answers.ORDERS, {}, 42))


def test_walk__height_pruned_between_pages__raises_pruned(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    good = listing([order("akash1a", dseq) for dseq in range(1, 6)], 2)
    gone = Answer({"code": 2, "message": "codespace sdk code 38: not found: failed to load state at height 42"}, 500)
    node.routes[ORDERS] = lambda asked: gone if "pagination.key" in asked.parameters else good(asked)
    walk = make(node).walk(answers.ORDERS, {}, 42)
    assert len(next(walk).rows) == 2
    with pytest.raises(Pruned):
        next(walk)


def test_pages__raw_answers__are_read_with_rows_in(nodes: Callable[..., Node], make: Callable[..., Chain]) -> None:
    node = nodes()
    rows = [order("akash1a", dseq) for dseq in range(1, 6)] + [order("akash1b", 9)]
    node.routes[ORDERS] = listing(rows, 2)
    filters = {"filters.owner": "akash1a"}
    pages = list(make(node).pages(ORDERS, filters, "orders", 42))
    found = answers.rows_in(answers.ORDERS, [page.body for page in pages], filters)
    assert [row.id.dseq for row in found] == [1, 2, 3, 4, 5]
    assert pages[0].request == f"GET {ORDERS}?filters.owner=akash1a&pagination.limit=1000"


def test_pages__list_that_is_not_known__follows_its_keys_too(
    nodes: Callable[..., Node], make: Callable[..., Chain]
) -> None:
    node = nodes()
    path = "/cosmos/bank/v1beta1/balances/akash1a"
    node.routes[path] = lambda asked: node.state(asked, {
        "balances": [{"denom": "uakt" if "pagination.key" in asked.parameters else "uact", "amount": "1"}],
        "pagination": {"next_key": None if "pagination.key" in asked.parameters else "+/=="}})  # fmt: skip
    assert len(list(make(node).pages(path, {}, "balances", 42))) == 2


DEPLOYMENTS = "/akash/deployment/v1beta4/deployments/list"
FILE = "akash-recorded/rest-deployments"
MANY = "akash12jd4vl6mcraff5sfj8gd9l7x983h7fd70xhc0c"


def replayed(series: str) -> Callable[[Asked], Answer]:
    """Answer as the recorded node did to the same page key."""
    lines = [line for line in recordings(FILE) if line.name.startswith(series)]
    by_key = {line.path.partition("pagination.key=")[2].partition("&")[0]: line for line in lines}

    def respond(asked: Asked) -> Answer:
        given = asked.path.partition("pagination.key=")[2].partition("&")[0]
        return Answer(by_key[given].body, headers={"x-cosmos-block-height": str(asked.height)})

    return respond


@pytest.mark.parametrize(
    ("series", "filters", "limit", "rows", "pages"),
    [
        ("all deployments, limit 100", {}, 100, 287, 3),
        ("many of one owner, limit 100,", {"filters.owner": MANY}, 100, 264, 3),
        ("active of one owner", {"filters.owner": MANY, "filters.state": "active"}, 50, 219, 5),
        ("closed of one owner", {"filters.owner": MANY, "filters.state": "closed"}, 20, 45, 3),
    ],
)
def test_walk__recorded_pages__give_every_row_once_and_by_their_own_keys(
    nodes: Callable[..., Node],
    make: Callable[..., Chain],
    series: str,
    filters: dict[str, str],
    limit: int,
    rows: int,
    pages: int,
) -> None:
    node = nodes("local-1", tip=2447)
    node.routes[DEPLOYMENTS] = replayed(series)
    walked = list(make(node).walk(answers.DEPLOYMENTS, filters, 2440, limit))
    found = {row.id for page in walked for row in page.rows}
    assert (len(walked), len(found), sum(page.strangers for page in walked)) == (pages, rows, 0)


def test_rows_in__recorded_page_of_a_key_with_another_owner_s_filter__holds_none_of_that_owner() -> None:
    line = recorded(FILE, "next key, another owner's filter")
    owner = line.path.partition("filters.owner=")[2].partition("&")[0]
    assert len(answers.rows_in(answers.DEPLOYMENTS, [line.body], {})) == 3
    assert answers.rows_in(answers.DEPLOYMENTS, [line.body], {"filters.owner": owner}) == ()
