"""The follower's index is the chain's state, whatever is pruned, killed or made anew meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from ledger.base import Ledger
from ledger.chain import BidRow, CursorRow, DeploymentRow, GroupRow, LeaseRow, OrderRow, ProviderRow
from ledger.errors import LedgerFull
from ledger.upgrading import upgrade
from services.chain_health import chain_health, judged_point
from services.clock import StoppedClock
from services.errors import Unavailable
from services.figures import stats
from services.following import FollowLimits, FollowResult, follow, step
from services.house import House
from tasks.moment import SECOND, Moment
from tests.databases import postgresql_database
from tests.houses import make_house
from tests.nodes import Answer, Asked
from tests.small_chains import SmallChain
from verifiers.chain.client import Chain

OWNERS, PROVIDERS = ("akash1ann", "akash1bob"), ("akash1pia", "akash1quy", "akash1rex")


@pytest.fixture
def node() -> Iterator[SmallChain]:
    with SmallChain(tip=40) as made:
        tell_story(made)
        yield made


def tell_story(chain: SmallChain) -> None:
    for height, provider in enumerate(PROVIDERS, 2):
        chain.provider(height, provider)
    for number, owner in enumerate(OWNERS * 4):
        dseq, height = 100 + number, 6 + 2 * number
        chain.create(height, owner, dseq, number % 3, 1)
        for provider in PROVIDERS:
            chain.bid(height + 1, owner, dseq, 1, provider)
        chain.lease(height + 2, owner, dseq, 1, PROVIDERS[number % 3])
        if number % 2:
            chain.close(height + 5, owner, dseq)


def house_on(folder: Path, node: SmallChain, *, expected: str | None = None, **settings: Any) -> House:
    clock = StoppedClock(node.time_of(node.tip))
    chain = Chain([node.url], [node.url], clock, chain_id=expected, patience_seconds=0)
    house = make_house(folder, campaign=None, chain=chain, **settings)
    return house.at(clock)


def at_tip(house: House, node: SmallChain) -> House:
    """The same house at the time of the node's tip."""
    return house.at(StoppedClock(node.time_of(node.tip)))


def settle(house: House, node: SmallChain, limits: FollowLimits | None = None) -> FollowResult:
    """Steps until the tip is reached."""
    for _ in range(400):
        result = step(at_tip(house, node), limits)
        if result.at_tip:
            return result
    raise AssertionError(result)


def index(house: House, chain_id: str = "local-v2") -> dict[str, dict[tuple[object, ...], tuple[object, ...]]]:
    """What the index holds, in the oracle's words."""
    with house.ledger.read() as session:
        found = {
            "deployments": {(r.owner, r.dseq): (r.state, r.created_at, r.closed_at or 0, r.gpu_units)
                            for r in session.scalars(select(DeploymentRow))},
            "groups": {(r.owner, r.dseq, r.gseq): (r.gpu_units,) for r in session.scalars(select(GroupRow))},
            "orders": {(r.owner, r.dseq, r.gseq, r.oseq): (r.state, r.created_at)
                       for r in session.scalars(select(OrderRow))},
            "bids": {(r.owner, r.dseq, r.gseq, r.oseq, r.provider, r.bseq): (r.state, r.created_at)
                     for r in session.scalars(select(BidRow))},
            "leases": {(r.owner, r.dseq, r.gseq, r.oseq, r.provider, r.bseq):
                       (r.state, r.created_at, r.closed_on or 0, r.reason, r.gpu_units)
                       for r in session.scalars(select(LeaseRow))},
            "providers": {(r.owner,): (r.host_uri,) for r in session.scalars(select(ProviderRow))},
        }  # fmt: skip
        session.scalars(select(CursorRow)).all()
    return found


def truth(node: SmallChain, height: int) -> dict[str, dict[tuple[object, ...], tuple[object, ...]]]:
    """What the chain's state is."""
    deployments = node.at("deployments", height)
    return {
        "deployments": {key: (f["state"], f["created"], f["closed"], sum(f["groups"].values()))
                        for key, f in deployments.items()},
        "groups": {(*key, gseq): (units,) for key, f in deployments.items() for gseq, units in f["groups"].items()},
        "orders": {key: (f["state"], f["created"]) for key, f in node.at("orders", height).items()},
        "bids": {key: (f["state"], f["created"]) for key, f in node.at("bids", height).items()},
        "leases": {key: (f["state"], f["created"], f["closed"], f["reason"], deployments[key[:2]]["groups"][key[2]])
                   for key, f in node.at("leases", height).items()},
        "providers": {key: (f["uri"],) for key, f in node.at("providers", height).items()},
    }  # fmt: skip


def state_of(house: House) -> str:
    with house.ledger.read() as session:
        return session.scalars(select(CursorRow)).one().state


# ------------------------------------------------------------------ bootstrap and following


def test_step__first__lists_everything_at_one_height(node: SmallChain, tmp_path: Path) -> None:
    house = house_on(tmp_path, node)
    result = settle(house, node)
    assert (result.state, result.chain_id, result.height) == ("following", "local-v2", 40)
    assert index(house) == truth(node, 40)
    assert {asked.height for asked in node.asked if asked.route.endswith("/list")} == {40}
    house.ledger.close()


def test_step__new_blocks__reads_only_what_their_events_name(node: SmallChain, tmp_path: Path) -> None:
    house = house_on(tmp_path, node)
    settle(house, node)
    node.create(42, "akash1cat", 7, 4)
    node.bid(43, "akash1cat", 7, 1, PROVIDERS[0])
    node.bid(43, "akash1cat", 7, 1, PROVIDERS[1])
    node.lease(44, "akash1cat", 7, 1, PROVIDERS[1])
    node.close(45, *("akash1bob", 103)) if node.at("deployments", 40)[("akash1bob", 103)][
        "state"
    ] == "active" else None
    node.close(46, "akash1ann", 100)
    node.provider(46, PROVIDERS[2])
    node.provider(47, "akash1new")
    node.tip = 50
    node.asked.clear()
    assert settle(house, node).height == 50
    assert index(house) == truth(node, 50)
    asked = {asked.parameters.get("filters.dseq", asked.parameters.get("id.dseq")) for asked in node.asked}
    assert asked <= {None, "7", "100"}
    with house.ledger.read() as session:
        assert session.get_one(ProviderRow, ("local-v2", "akash1new")).created_at == 47
    house.ledger.close()


def test_step__object_read_later_than_the_event__is_not_asked_again(node: SmallChain, tmp_path: Path) -> None:
    house = house_on(tmp_path, node)
    settle(house, node)
    node.create(41, "akash1cat", 7, 4)
    node.bid(43, "akash1cat", 7, 1, PROVIDERS[0])
    node.tip = 44
    settle(house, node, FollowLimits(blocks=1))
    assert node.count("/akash/deployment/v1beta4/deployments/info") == 1
    assert index(house) == truth(node, 44)
    house.ledger.close()


@pytest.mark.parametrize("seed", range(4))
def test_step__time_passes_and_states_are_pruned_in_the_middle__ends_in_the_chains_state(
    node: SmallChain, tmp_path: Path, seed: int
) -> None:
    """Each answer may come after another block with new acts; only a few states are kept."""
    dice = random.Random(seed)
    house = house_on(tmp_path, node)

    def live(asked: Asked) -> None:
        if node.tip >= 120 or not asked.route.startswith(("/akash/", "/status")) or dice.random() < 0.4:
            return
        act_at_random(node, dice, node.tip + 1)
        node.tip += 1
        node.states_from = max(1, node.tip - dice.randint(2, 4))

    node.before = live
    limits = FollowLimits(pages=dice.randint(1, 9), blocks=dice.randint(1, 30))
    for _ in range(200):
        step(at_tip(house, node), limits)
    assert node.tip == 120
    result = settle(house, node, limits)
    assert result.height == node.tip
    assert index(house) == truth(node, node.tip)
    house.ledger.close()


def act_at_random(node: SmallChain, dice: random.Random, height: int) -> None:
    active = [key for key, fields in node.at("deployments", height).items() if fields["state"] == "active"]
    what = dice.choice(("create", "bid", "lease", "close", "provider", "nothing"))
    if what == "create":
        node.create(height, dice.choice(OWNERS), 1000 + height, dice.randint(0, 3))
    elif what == "provider":
        node.provider(height, dice.choice((*PROVIDERS, "akash1late", "akash1new")))
    elif what == "close" and active:
        node.close(height, *dice.choice(active))
    elif what in {"bid", "lease"} and active:
        owner, dseq = dice.choice(active)
        bids = [key for key in node.at("bids", height) if key[:2] == (owner, dseq) and key[2] == 1]
        leases = [key for key in node.at("leases", height) if key[:2] == (owner, dseq)]
        if what == "bid" and not leases and len(bids) < 3:
            node.bid(height, owner, dseq, 1, next(p for p in PROVIDERS if p not in {key[4] for key in bids}))
        elif what == "lease" and bids and not leases:
            node.lease(height, owner, dseq, 1, dice.choice(bids)[4])


@pytest.mark.parametrize("quiet", [True, False], ids=["nothing happens meanwhile", "much happens meanwhile"])
def test_step__blocks_gone_while_listing__lists_again_until_two_lists_agree(
    node: SmallChain, tmp_path: Path, quiet: bool
) -> None:
    """The node keeps two blocks and two states, and a block comes with every second page of the first lists."""
    house = house_on(tmp_path, node)
    dice = random.Random(3)

    def live(asked: Asked) -> None:
        if node.tip < 100 and asked.route in {"/akash/market/v1beta5/bids/list", "/akash/market/v1beta5/leases/list"}:
            if not quiet:
                act_at_random(node, dice, node.tip + 1)
            node.tip += 1
            node.states_from = node.earliest = node.tip - 1

    node.before = live
    settle(house, node)
    node.before = lambda asked: None
    result = settle(house, node)
    assert result.height == node.tip
    assert index(house) == truth(node, node.tip)
    assert node.count("/akash/provider/v1beta4/providers") > 1
    house.ledger.close()


def test_step__down_for_long__lists_again_where_the_blocks_are_gone(node: SmallChain, tmp_path: Path) -> None:
    house = house_on(tmp_path, node)
    settle(house, node)
    for height in range(41, 400):
        act_at_random(node, random.Random(height), height)
    node.tip, node.earliest, node.states_from = 400, 390, 395
    assert settle(house, node).height == 400
    assert index(house) == truth(node, 400)
    house.ledger.close()


# ------------------------------------------------------------------ killed


class Killed(BaseException):
    """What a `kill -9` is to the code: nothing after it runs."""


class MortalLedger(Ledger):
    """Dies just before the commit of one of its transactions."""

    dies_at = -1
    count = 0

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Session]:
        with super().write(durable=durable) as session:
            yield session
            self.count += 1
            if self.count == self.dies_at:
                raise Killed


def test_step__killed_in_any_transaction__goes_on_to_the_same_index(node: SmallChain, tmp_path: Path) -> None:
    def run(folder: Path, dies_at: int) -> tuple[MortalLedger, dict[str, Any]]:
        folder.mkdir()
        node.tip, node.page_rows = 40, 9
        house = house_on(folder, node)
        mortal = MortalLedger(house.settings.database_url)
        mortal.dies_at = dies_at
        house = House(house.settings, mortal, house.clock, house.chain)
        for tip in (40, 60):
            node.tip = tip
            try:
                settle(house, node)
            except Killed:
                settle(house, node)
        house.ledger.close()
        return mortal, index(house)

    for height in range(41, 61):
        act_at_random(node, random.Random(height), height)
    undisturbed, expected = run(tmp_path / "undisturbed", -1)
    assert expected == truth(node, 60)
    for dies_at in range(1, undisturbed.count + 1):
        _ledger, found = run(tmp_path / str(dies_at), dies_at)
        assert found == expected


def test_step__disk_full__says_so_and_goes_on_once_there_is_room(node: SmallChain, tmp_path: Path) -> None:
    node.page_rows = 50
    for number in range(300):
        node.create(30, "akash1big", 5000 + number, 1)
    house = house_on(tmp_path, node)
    step(house, FollowLimits(pages=4))
    before = index(house)
    with house.ledger.write() as session:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(LedgerFull, match="free some space"):
        settle(house, node)
    assert {name: found.items() >= before[name].items() for name, found in index(house).items()} == dict.fromkeys(
        before, True
    )
    with house.ledger.write() as session:
        session.execute(text("PRAGMA max_page_count=1000000"))
    settle(house, node)
    assert index(house) == truth(node, 40)
    house.ledger.close()


def test_step__on_postgresql__the_same_index(node: SmallChain, tmp_path: Path) -> None:
    with postgresql_database() as url:
        upgrade(url)
        house = house_on(tmp_path, node)
        house.ledger.close()
        house = House(house.settings, Ledger(url), house.clock, house.chain)
        step(house, FollowLimits(pages=3))
        settle(house, node)
        for height in range(41, 90):
            act_at_random(node, random.Random(height), height)
        node.tip = 89
        settle(house, node)
        assert index(house) == truth(node, 89)
        house.ledger.close()


def test_step__two_followers__the_second_gives_way(node: SmallChain, tmp_path: Path) -> None:
    house = house_on(tmp_path, node)
    rival = House(house.settings, house.ledger, house.clock, Chain([node.url], [node.url], house.clock))
    busy: list[FollowResult] = []

    def interfere(asked: Asked) -> None:
        if asked.route.endswith("leases/list") and not busy:
            busy.append(FollowResult("", "", None, 0, None, at_tip=False, moved=0))
            busy.append(settle(rival, node))

    node.before = interfere
    first = step(house)
    assert busy[1].at_tip
    assert first.state == "following"
    assert index(house) == truth(node, 40)
    house.ledger.close()


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
