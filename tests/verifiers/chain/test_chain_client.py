"""The client: hosts in turn, pinned heights, one chain, agreement, pauses."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tasks.moment import SECOND, Moment
from tests.nodes import BIRTH, Answer, Asked, Node, StandingClock, Stopwatch
from verifiers.chain.client import Chain
from verifiers.chain.trouble import (
    BadRequest,
    Disagree,
    Lagging,
    NotConnected,
    Pruned,
    UnknownApiSet,
    WrongChain,
    WrongHeight,
)
from verifiers.http import Limits
from verifiers.trouble import (
    CutBody,
    RateLimited,
    ServerError,
    Timeout,
    Trouble,
    Undecodable,
    Unreachable,
    WrongContentType,
)

INFO = "/akash/deployment/v1beta4/deployments/info"
ID = {"id.owner": "akash1a", "id.dseq": "7"}

Make = Callable[..., Chain]


def says(node: Node, body: object) -> None:
    node.routes[INFO] = lambda asked: node.state(asked, body)


def fails(node: Node, answer: Answer) -> None:
    node.routes[INFO] = lambda _: answer


def not_found(asked: Asked) -> Answer:
    at = {"grpc-metadata-x-cosmos-block-height": str(asked.height or 100)}
    return Answer({"code": 5, "message": "Deployment not found", "details": []}, 404, at)


# ---------------------------------------------------------------------- one host


def test_get__pinned__is_an_observation_that_names_no_host_in_its_request(
    nodes: Callable[..., Node], make: Make
) -> None:
    node = nodes()
    says(node, {"a": 1})
    seen = make(node).get(INFO, ID, 42)
    assert (seen.request, seen.status, seen.chain_id, seen.height, seen.body, seen.trouble) == (
        f"GET {INFO}?id.dseq=7&id.owner=akash1a", 200, "local-v2", 42, b'{"a": 1}', None,
    )  # fmt: skip
    assert seen.host == node.url.removeprefix("http://")


def test_get__404_with_code_5__is_an_answer_at_the_height_of_the_error_header(
    nodes: Callable[..., Node], make: Make
) -> None:
    node = nodes()
    node.routes[INFO] = not_found
    seen = make(node).get(INFO, ID, 42)
    assert (seen.status, seen.height, seen.trouble) == (404, 42, None)


TROUBLES = [
    pytest.param(Answer({"code": 2, "message": "failed to load state at height 5"}, 500), Pruned, id="pruned"),
    pytest.param(
        Answer({"code": 2, "message": "cannot query with height in the future"}, 500), Lagging, id="lagging"
    ),
    pytest.param(Answer({"code": 3, "message": "invalid owner address"}, 400), BadRequest, id="bad request"),
    pytest.param(Answer({"code": 12, "message": "Not Implemented"}, 501), UnknownApiSet, id="another API set"),
    pytest.param(Answer({"code": 13, "message": "nil pointer"}, 500), ServerError, id="500"),
    pytest.param(Answer(b"<html>", 502), ServerError, id="502"),
    pytest.param(Answer(b"<html>hello</html>"), WrongContentType, id="a page"),
    pytest.param(Answer(b'{"deployment":'), CutBody, id="half a body with a right length"),
    pytest.param(Answer({}, headers={"x-cosmos-block-height": "41"}), WrongHeight, id="another height"),
    pytest.param(Answer({}), WrongHeight, id="no height"),
    pytest.param(Answer({"code": 5}, 404), WrongHeight, id="404 without a height"),
    pytest.param(Answer({}, 429), RateLimited, id="429"),
]


@pytest.mark.parametrize(("answer", "member"), TROUBLES)
def test_get__one_host_in_trouble__raises_its_member(
    nodes: Callable[..., Node], make: Make, answer: Answer, member: type[Trouble]
) -> None:
    node = nodes()
    fails(node, answer)
    with pytest.raises(member):
        make(node).get(INFO, ID, 42)


@pytest.mark.parametrize(("answer", "member"), [case for case in TROUBLES if case.id != "bad request"])
def test_get__first_host_in_trouble__takes_the_next(
    nodes: Callable[..., Node], make: Make, answer: Answer, member: type[Trouble]
) -> None:
    sick, fit = nodes(), nodes()
    fails(sick, answer)
    says(fit, {"a": 1})
    seen = make(sick, fit).get(INFO, ID, 42)
    assert seen.host == fit.url.removeprefix("http://")


def test_get__slow_first_host__takes_the_next_at_the_deadline(nodes: Callable[..., Node], make: Make) -> None:
    slow, fit = nodes(), nodes()
    fails(slow, Answer(raw=lambda _: time.sleep(6)))
    says(fit, {})
    begun = time.monotonic()
    make(slow, fit, limits=Limits(deadline_seconds=0.3)).get(INFO, ID, 42)
    assert time.monotonic() - begun < 5


def test_get__no_host_configured__says_what_to_set(make: Make) -> None:
    with pytest.raises(NotConnected, match="WAYMARK_CHAIN_REST"):
        make().get(INFO)


def test_get__unknown_set__names_what_the_node_says_it_serves(nodes: Callable[..., Node], make: Make) -> None:
    node = nodes()
    served = {"api_version": "v9", "modules": [{"module": "deployment", "version": "v1beta9"}]}
    told = {"info": {"chain_id": "local-v2", "supported_versions": [served]}}
    node.routes["/akash/discovery/v1/info"] = lambda _: Answer(told)
    with pytest.raises(UnknownApiSet, match="deployment v1beta9") as caught:
        make(node).get(INFO, ID, 42)
    assert "deployment v1beta4" in str(caught.value)


# ---------------------------------------------------------------------- health of hosts


def test_get__host_that_failed__rests_and_is_asked_again_later(nodes: Callable[..., Node], make: Make) -> None:
    sick, fit = nodes(), nodes()
    fails(sick, Answer(b"", 503))
    says(fit, {})
    watch = Stopwatch()
    chain = make(sick, fit, watch=watch)
    for _ in range(3):
        chain.get(INFO, ID, 42)
    assert sick.count(INFO) == 1
    says(sick, {})
    watch.seconds += 5
    assert chain.get(INFO, ID, 42).host == sick.url.removeprefix("http://")


def test_get__pruned_at_the_first_host__does_not_make_it_rest(nodes: Callable[..., Node], make: Make) -> None:
    pruned, archive = nodes(), nodes()
    fails(pruned, Answer({"code": 2, "message": "failed to load state at height 5"}, 500))
    says(archive, {})
    chain = make(pruned, archive)
    chain.get(INFO, ID, 42)
    chain.get(INFO, ID, 42)
    assert pruned.count(INFO) == 2


def test_get__429_with_retry_after__waits_that_long_and_asks_again(nodes: Callable[..., Node], make: Make) -> None:
    node, watch = nodes(), Stopwatch()
    busy = [Answer({}, 429, {"retry-after": "7"})]
    node.routes[INFO] = lambda asked: busy.pop() if busy else node.state(asked, {})
    make(node, watch=watch).get(INFO, ID, 42)
    assert (watch.slept, node.count(INFO)) == ([7.0], 2)


def test_get__429_with_a_long_pause__raises_and_leaves_the_host_alone(nodes: Callable[..., Node], make: Make) -> None:
    node = nodes()
    fails(node, Answer({}, 429, {"retry-after": "600"}))
    chain = make(node)
    for _ in range(2):
        with pytest.raises(RateLimited):
            chain.get(INFO, ID, 42)
    assert node.count(INFO) == 1


def test_get__pruned_at_one_host_and_another_down__says_pruned(nodes: Callable[..., Node], make: Make) -> None:
    pruned, down = nodes(), nodes()
    fails(pruned, Answer({"code": 2, "message": "height 5 is not available, lowest height is 9"}, 500))
    fails(down, Answer(b"", 503))
    with pytest.raises(Pruned) as caught:
        make(down, pruned).get(INFO, ID, 42)
    assert caught.value.lowest == 9


# ---------------------------------------------------------------------- one chain


def test_chain_id__none_configured__is_the_first_host_s(nodes: Callable[..., Node], make: Make) -> None:
    node = nodes("sandbox-9")
    says(node, {})
    chain = make(node)
    assert chain.chain_id is None
    chain.get(INFO, ID, 42)
    assert chain.chain_id == "sandbox-9"


def test_get__host_of_another_chain__is_passed_over(nodes: Callable[..., Node], make: Make) -> None:
    other, right = nodes("other-1"), nodes("local-v2")
    says(other, {"lie": 1})
    says(right, {})
    chain = make(other, right, chain_id="local-v2")
    assert chain.get(INFO, ID, 42).host == right.url.removeprefix("http://")
    assert other.count(INFO) == 0


def test_get__only_another_chain__is_wrong_chain(nodes: Callable[..., Node], make: Make) -> None:
    node = nodes("other-1")
    says(node, {})
    with pytest.raises(WrongChain) as caught:
        make(node, chain_id="local-v2").get(INFO, ID, 42)
    assert (caught.value.expected, caught.value.found) == ("local-v2", "other-1")


def test_get__chain_reset_under_the_same_address__is_noticed_within_a_minute(
    nodes: Callable[..., Node], make: Make
) -> None:
    node, watch = nodes(), Stopwatch()
    says(node, {})
    chain = make(node, watch=watch)
    chain.get(INFO, ID, 42)
    node.chain_id = "local-v3"
    watch.seconds += 61
    with pytest.raises(WrongChain):
        chain.get(INFO, ID, 42)


def test_block__header_of_another_chain__is_wrong_chain_at_once(nodes: Callable[..., Node], make: Make) -> None:
    node = nodes()
    chain = make(node)
    assert chain.block(5).height == 5
    node.chain_id = "local-v3"
    with pytest.raises(WrongChain):
        chain.block(6)


# ---------------------------------------------------------------------- agreement


def test_get__agree_2__same_json_in_other_order_counts(nodes: Callable[..., Node], make: Make) -> None:
    first, second = nodes(), nodes()
    says(first, {"a": 1, "b": [2]})
    says(second, {"b": [2], "a": 1})
    assert make(first, second, agree=2).get(INFO, ID, 42).height == 42
    assert (first.count(INFO), second.count(INFO)) == (1, 1)


def test_get__agree_2_without_a_height__asks_the_second_at_the_first_one_s(
    nodes: Callable[..., Node], make: Make
) -> None:
    first, second = nodes(tip=90), nodes(tip=95)
    says(first, {})
    says(second, {})
    assert make(first, second, agree=2).get(INFO, ID).height == 90
    assert [asked.height for asked in second.asked if asked.route == INFO] == [90]


def test_get__agree_2__two_hosts_that_differ_are_unknown(nodes: Callable[..., Node], make: Make) -> None:
    first, second = nodes(), nodes()
    says(first, {"state": "active"})
    says(second, {"state": "closed"})
    with pytest.raises(Disagree):
        make(first, second, agree=2).get(INFO, ID, 42)


def test_get__agree_2__a_third_host_settles_it(nodes: Callable[..., Node], make: Make) -> None:
    lying, second, third = nodes(), nodes(), nodes()
    says(lying, {"state": "active"})
    says(second, {"state": "closed"})
    says(third, {"state": "closed"})
    assert make(lying, second, third, agree=2).get(INFO, ID, 42).body == b'{"state": "closed"}'


def test_get__agree_2__absent_at_one_and_there_at_the_other_is_unknown(
    nodes: Callable[..., Node], make: Make
) -> None:
    first, second = nodes(), nodes()
    first.routes[INFO] = not_found
    says(second, {})
    with pytest.raises(Disagree):
        make(first, second, agree=2).get(INFO, ID, 42)


def test_get__agree_2__only_one_answers_is_the_other_s_trouble(nodes: Callable[..., Node], make: Make) -> None:
    first, second = nodes(), nodes()
    says(first, {})
    fails(second, Answer({"code": 2, "message": "failed to load state at height 5"}, 500))
    with pytest.raises(Pruned):
        make(first, second, agree=2).get(INFO, ID, 42)


def test_get__agree_2_with_one_host__says_so(nodes: Callable[..., Node], make: Make) -> None:
    node = nodes()
    says(node, {})
    with pytest.raises(Disagree, match="2 hosts must agree and only 1"):
        make(node, agree=2).get(INFO, ID, 42)


# ---------------------------------------------------------------------- the tip, blocks, results


def test_tip__node__says_where_it_stands(nodes: Callable[..., Node], make: Make) -> None:
    node = nodes()
    node.earliest = 12
    tip = make(node).tip()
    assert (tip.chain_id, tip.height, tip.time, tip.earliest_height, tip.catching_up, tip.tx_index_on) == (
        "local-v2", 100, node.time_of(100), 12, False, True,
    )  # fmt: skip
    assert tip.point.height == 100


def test_tip__first_host_lags__takes_the_highest(nodes: Callable[..., Node], make: Make) -> None:
    behind, ahead = nodes(tip=100), nodes(tip=200)
    chain = make(behind, ahead, clock=StandingClock(Moment(BIRTH + 1200 * SECOND)))
    assert chain.tip().height == 200
    behind.tip = 150
    assert chain.tip().height == 200


def test_tip__fresh_first_host__leaves_the_others_alone(nodes: Callable[..., Node], make: Make) -> None:
    first, second = nodes(), nodes()
    make(first, second).tip()
    assert second.asked == []


def test_tip__halted_chain__is_shown_with_its_old_time(nodes: Callable[..., Node], make: Make) -> None:
    node = nodes()
    tip = make(node, clock=StandingClock(Moment(BIRTH + 9999 * SECOND))).tip()
    assert tip.time == node.time_of(100)


def test_tip__catching_up__prefers_a_host_that_is_not(nodes: Callable[..., Node], make: Make) -> None:
    syncing, fit = nodes(tip=120), nodes(tip=100)
    syncing.catching_up = True
    chain = make(syncing, fit)
    assert (chain.tip().height, chain.tip().catching_up) == (100, False)


def test_tip__agree_2__is_what_two_hosts_have_reached(nodes: Callable[..., Node], make: Make) -> None:
    assert make(nodes(tip=100), nodes(tip=103), nodes(tip=90), agree=2).tip().height == 100


def test_tip__every_host_on_another_chain__is_wrong_chain(nodes: Callable[..., Node], make: Make) -> None:
    with pytest.raises(WrongChain):
        make(nodes("x-1"), nodes("x-1"), chain_id="local-v2").tip()


def test_tip__nobody_there__is_unreachable(make: Make) -> None:
    gone = Node()
    with gone:
        pass
    with pytest.raises((Unreachable, Timeout)):
        make(gone).tip()


def test_block__above_the_tip_and_below_the_kept__lagging_and_pruned(nodes: Callable[..., Node], make: Make) -> None:
    node = nodes()
    node.earliest = 12
    chain = make(node)
    with pytest.raises(Lagging):
        chain.block(101)
    with pytest.raises(Pruned) as caught:
        chain.block(11)
    assert caught.value.lowest == 12


@pytest.mark.parametrize(
    ("result", "member"),
    [
        ({"height": "7", "txs_results": None}, None),
        ({"height": "8"}, WrongHeight),
        ({"txs_results": None}, WrongHeight),
    ],
)
def test_block_results__height_in_the_answer__must_be_the_one_asked(
    nodes: Callable[..., Node], make: Make, result: dict[str, object], member: type[Trouble] | None
) -> None:
    node = nodes()
    node.routes["/block_results"] = lambda _: Answer({"jsonrpc": "2.0", "id": -1, "result": result})
    chain = make(node)
    if member is not None:
        with pytest.raises(member):
            chain.block_results(7)
        return
    seen = chain.block_results(7)
    assert (seen.request, seen.height) == ("RPC block_results?height=7", 7)


def test_rpc__error_inside_200__is_trouble(nodes: Callable[..., Node], make: Make) -> None:
    node = nodes()
    error = {"code": -32603, "message": "Internal error", "data": "height 9 is not available, lowest height is 12"}
    node.routes["/block"] = lambda _: Answer({"jsonrpc": "2.0", "id": 1, "error": error})
    with pytest.raises(Pruned):
        make(node).rpc("block", {"height": "9"})


def test_undecodable__node_info_of_something_else__is_named(nodes: Callable[..., Node], make: Make) -> None:
    node = nodes()
    node.routes["/cosmos/base/tendermint/v1beta1/node_info"] = lambda _: Answer({"hello": 1})
    with pytest.raises(Undecodable, match="default_node_info"):
        make(node).get(INFO, ID, 42)


def test_get__host_that_fails_again_and_again__is_no_longer_waited_for(
    nodes: Callable[..., Node], make: Make
) -> None:
    node, watch = nodes(), Stopwatch()
    fails(node, Answer(b"", 503))
    chain = make(node, watch=watch)
    for _ in range(4):
        with pytest.raises(ServerError):
            chain.get(INFO, ID, 42)
    slept = len(watch.slept)
    with pytest.raises(ServerError):
        chain.get(INFO, ID, 42)
    assert len(watch.slept) == slept
