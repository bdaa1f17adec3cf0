"""The follower's index is the chain's state, whatever is pruned or killed meanwhile."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from ledger.base import Ledger
from ledger.chain import ProviderRow
from ledger.errors import LedgerFull
from ledger.upgrading import upgrade
from services.following import FollowLimits, FollowResult, step
from services.house import House
from tests.databases import postgresql_database
from tests.followers import (
    PROVIDERS,
    act_at_random,
    at_tip,
    house_on,
    index,
    settle,
    tell_story,
    truth,
)
from tests.nodes import Asked
from tests.small_chains import SmallChain
from verifiers.chain.client import Chain


@pytest.fixture
def node() -> Iterator[SmallChain]:
    with SmallChain(tip=40) as made:
        tell_story(made)
        yield made


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


CHILD = """
import sys
from pathlib import Path
from ledger.base import Ledger
from services.clock import SystemClock
from services.following import FollowLimits, step
from services.house import House
from services.settings import Settings
from verifiers.chain.client import Chain
database, node = sys.argv[1:]
clock = SystemClock()
house = House(Settings(_env_file=None, database_url=database), Ledger(database), clock, Chain([node], [node], clock))
print("ready", flush=True)
while not step(house, FollowLimits(pages=5, blocks=5)).at_tip:
    pass
"""


def test_step__process_killed_for_real__goes_on_to_the_same_index(node: SmallChain, tmp_path: Path) -> None:
    for height in range(41, 121):
        act_at_random(node, random.Random(height), height)
    house = house_on(tmp_path, node)
    dice = random.Random(5)
    for kill_after in (dice.randint(3, 12), dice.randint(13, 40), dice.randint(10, 60), None):
        asked_before = len(node.asked)
        node.tip = 40 if kill_after is not None and kill_after <= 12 else 120
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, house.settings.database_url, node.url], stdout=subprocess.PIPE
        )
        enough = threading.Event()
        node.before = lambda asked, start=asked_before, n=kill_after, on=enough: (
            on.set() if n is not None and len(node.asked) - start >= n else None
        )
        if kill_after is not None and enough.wait(60):
            child.kill()
        child.communicate(timeout=60)
    assert child.returncode == 0
    assert index(house) == truth(node, 120)
    house.ledger.close()


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
