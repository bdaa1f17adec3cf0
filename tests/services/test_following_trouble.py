"""Chains that halt, lag, are reset or gone; when providers were created; where judges may look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.chain import ProviderRow
from services.chain_health import chain_health, judged_point
from services.clock import StoppedClock
from services.errors import Unavailable
from services.figures import stats
from services.following import FollowLimits, follow, step
from services.house import House
from tasks.moment import SECOND, Moment
from tests.followers import (
    at_tip,
    house_on,
    index,
    settle,
    state_of,
    tell_story,
)
from tests.houses import make_house
from tests.nodes import Answer
from tests.small_chains import SmallChain
from verifiers.chain.client import Chain


@pytest.fixture
def node() -> Iterator[SmallChain]:
    with SmallChain(tip=40) as made:
        tell_story(made)
        yield made


# ------------------------------------------------------------------ halted, lagging, reset, unreachable


Disturb = Callable[[SmallChain, House], House]


def halted(node: SmallChain, house: House) -> House:
    return house.at(StoppedClock(Moment(node.time_of(node.tip) + 301 * SECOND)))


def standing_with_its_clock(node: SmallChain, house: House) -> House:
    return house.at(StoppedClock(Moment(node.time_of(node.tip) + 300 * SECOND)))


def lower_tip(node: SmallChain, house: House) -> House:
    node.tip = 30
    return house


def a_little_lower_tip(node: SmallChain, house: House) -> House:
    node.tip = 38
    return house


def catching_up(node: SmallChain, house: House) -> House:
    node.catching_up = True
    return house


def other_chain_id(node: SmallChain, house: House) -> House:
    node.chain_id = "local-v3"
    return House(house.settings, house.ledger, house.clock, Chain([node.url], [node.url], house.clock))


def other_hash_at_the_tip(node: SmallChain, house: House) -> House:
    node.salt = "reset"
    return house


def other_hash_below(node: SmallChain, house: House) -> House:
    node.salt, node.tip = "reset", 45
    return at_tip(house, node)


def begun_anew(node: SmallChain, house: House) -> House:
    node.salt, node.tip = "reset", 12
    return house


def down(node: SmallChain, house: House) -> House:
    node.routes["/status"] = lambda asked: Answer(raw=lambda connection: connection.close())
    return house


@pytest.mark.parametrize(
    ("disturb", "state", "judges"),
    [
        (halted, "halted", False),
        (standing_with_its_clock, "following", True),
        (lower_tip, "lagging", False),
        (a_little_lower_tip, "following", True),
        (catching_up, "lagging", False),
        (other_chain_id, "reset", False),
        (other_hash_at_the_tip, "reset", False),
        (other_hash_below, "reset", False),
        (begun_anew, "reset", False),
        (down, "unreachable", False),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_step__chain_in_trouble__is_recognised_and_judges_nothing(
    node: SmallChain, tmp_path: Path, disturb: Disturb, state: str, judges: bool
) -> None:
    house = house_on(tmp_path, node)
    settle(house, node)
    before = index(house)
    node.create(41, "akash1cat", 7, 4)
    house = disturb(node, house)
    result = step(house)
    assert (result.state, state_of(house)) == (state, state)
    assert result.detail
    assert index(house) == before
    with house.ledger.read() as session:
        health = chain_health(session, "local-v2", house.clock.now())
        assert health is not None
        assert (health.state, health.may_judge) == (state, judges)
        assert health.point is not None
        assert health.point.height == 40
        if not judges:
            with pytest.raises(Unavailable, match=state):
                judged_point(session, "local-v2", house.clock.now())
    house.ledger.close()


def test_step__trouble_over__follows_again(node: SmallChain, tmp_path: Path) -> None:
    house = house_on(tmp_path, node)
    settle(house, node)
    node.tip = 30
    assert step(house).state == "lagging"
    node.tip = 44
    assert settle(house, node).state == "following"
    house.ledger.close()


def test_step__reset_while_listing__is_noticed(node: SmallChain, tmp_path: Path) -> None:
    house = house_on(tmp_path, node)
    step(house, FollowLimits(pages=3))
    node.salt, node.tip = "reset", 44
    assert step(at_tip(house, node)).state == "reset"
    house.ledger.close()


def test_step__configured_for_another_chain__says_which(node: SmallChain, tmp_path: Path) -> None:
    house = house_on(tmp_path, node, chain_id="akashnet-2")
    result = step(house)
    assert result.state == "reset"
    assert "akashnet-2" in result.detail
    assert "local-v2" in result.detail
    house.ledger.close()


def test_step__no_node_set__says_which_settings(tmp_path: Path) -> None:
    house = make_house(tmp_path, campaign=None)
    assert "WAYMARK_CHAIN_REST" in step(house).detail
    house.ledger.close()


def test_chain_health__nobody_looked_for_long__is_unreachable(node: SmallChain, tmp_path: Path) -> None:
    house = house_on(tmp_path, node)
    settle(house, node)
    with house.ledger.read() as session:
        later = Moment(house.clock.now() + 301 * SECOND)
        health = chain_health(session, None, later)
    assert health is not None
    assert (health.state, health.may_judge) == ("unreachable", False)
    house.ledger.close()


@pytest.mark.parametrize(
    ("tip", "limits", "expected"),
    [
        (40, FollowLimits(pages=3), None),
        (140, FollowLimits(blocks=20), 60),
        (300, FollowLimits(blocks=20), None),
        (300, None, 300),
    ],
    ids=["while listing", "a little behind", "far behind", "at the tip"],
)
def test_judged_point__by_how_far_the_index_is(
    node: SmallChain, tmp_path: Path, tip: int, limits: FollowLimits | None, expected: int | None
) -> None:
    house = house_on(tmp_path, node)
    if tip > 40:
        settle(house, node)
    node.tip = tip
    house = at_tip(house, node)
    step(house, limits)
    with house.ledger.read() as session:
        point = judged_point(session, "local-v2", house.clock.now())
    assert (None if point is None else point.height) == expected
    house.ledger.close()


def test_follow__says_in_a_line_where_it_stands(node: SmallChain, tmp_path: Path) -> None:
    house = house_on(tmp_path, node)
    assert follow(house) == "following: at block 40"
    house.ledger.close()


# ------------------------------------------------------------------ when providers were created


@pytest.mark.parametrize(
    ("index_on", "states_from", "earliest", "expected"),
    [
        (True, 1, 1, {"akash1pia": (2, 2), "akash1quy": (3, 3), "akash1rex": (4, 4)}),
        (False, 1, 1, {"akash1pia": (2, 2), "akash1quy": (3, 3), "akash1rex": (4, 4)}),
        (False, 3, 1, {"akash1pia": (None, 3), "akash1quy": (None, 3), "akash1rex": (4, 4)}),
        (False, 30, 30, {"akash1pia": (None, 30), "akash1quy": (None, 30), "akash1rex": (None, 30)}),
        (True, 3, 3, {"akash1pia": (None, 3), "akash1quy": (3, 3), "akash1rex": (4, 4)}),
    ],
    ids=["index", "state", "state, pruned", "all pruned", "index, pruned"],
)
def test_provider_creations__from_what_the_node_still_has(
    node: SmallChain,
    tmp_path: Path,
    index_on: bool,
    states_from: int,
    earliest: int,
    expected: dict[str, tuple[int | None, int]],
) -> None:
    node.index_on, node.states_from, node.earliest = index_on, states_from, earliest
    house = house_on(tmp_path, node)
    settle(house, node)
    with house.ledger.read() as session:
        found = {row.owner: (row.created_at, row.not_later_than) for row in session.scalars(select(ProviderRow))}
    assert found == expected
    house.ledger.close()


def test_stats__after_following__are_the_chains(node: SmallChain, tmp_path: Path) -> None:
    house = house_on(tmp_path, node)
    settle(house, node)
    said = stats(house)
    assert (said.gpu_deployment_requests, said.unique_deployers) == (8, 2)
    units = [
        f["groups"][key[2]] for key, f in ((k, node.at("deployments", 40)[k[:2]]) for k in node.at("leases", 40))
    ]
    assert said.leases_created == sum(1 for count in units if count)
    house.ledger.close()
