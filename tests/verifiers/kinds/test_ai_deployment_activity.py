"""App, active minutes, payment: what passes, fails, stays open, could not be seen."""

from __future__ import annotations

import pytest

from tasks.moment import Moment
from tests.deployed_cases import BY_DSEQ, CLOSED, ONE, Case, case, deployed, hold
from tests.deployed_worlds import APP_HASH, APPS, BLOCK_NS, OTHER_HASH, OWNER, PROVIDERS, START, World, claim, coin

P1, P2, *_ = PROVIDERS


def _other_denom() -> World:
    world = deployed().lease(1, closed_on=300)
    world.leases[0]["escrow_payment"]["state"]["withdrawn"]["denom"] = "uakt"
    return world


CASES = [
    # 5 app
    case("SDL not given", lambda: World().deploy(1).lease(1), "pending", "app", "pending"),
    case("SDL not given at the close", lambda: World().deploy(1).lease(1), "pending", "app", "pending", CLOSED),
    case(
        "SDL with another hash",
        lambda: World().deploy(1, hash_hex=OTHER_HASH).lease(1).sdl(1).was(1, 110, OTHER_HASH),
        "pending",
        "app",
        "pending",
    ),
    case(
        "SDL with another image",
        lambda: World().deploy(1).lease(1).sdl(1, "example/else"),
        "pending",
        "app",
        "pending",
    ),
    case(
        "SDL with another image at the close",
        lambda: World().deploy(1).lease(1).sdl(1, "example/else"),
        "failed",
        "app",
        "failed",
        CLOSED,
    ),
    case("image without GPU", lambda: World().deploy(1).lease(1).sdl(1, gpu=False), "pending", "app", "pending"),
    case(
        "updated since, older hash fits",
        lambda: World().deploy(1, hash_hex=OTHER_HASH).lease(1).sdl(1).was(1, 110, APP_HASH),
        "passed",
        "app",
        "passed",
    ),
    case(
        "updated since, older state pruned",
        lambda: World().deploy(1, hash_hex=OTHER_HASH).lease(1).sdl(1).trouble("deployments/info", "pruned"),
        "pending",
        "app",
        "pending",
    ),
    case(
        "updated since, older state not readable",
        lambda: World().deploy(1, hash_hex=OTHER_HASH).lease(1).sdl(1).trouble("deployments/info", "timeout"),
        "unknown",
        "app",
        "unknown",
    ),
    case(
        "catalogue hash",
        lambda: World().deploy(1, hash_hex="cc" * 32).lease(1),
        "passed",
        "app",
        "passed",
        claim(f"{OWNER}/llama"),
    ),
    case("any app", lambda: World().deploy(1).lease(1), "passed", "app", "passed", ONE, **BY_DSEQ),
    case(
        "one of the apps by dseq", lambda: deployed().lease(1), "passed", "app", "passed", ONE, group_by="deployment"
    ),
    case(
        "several apps, none named",
        lambda: deployed().lease(1),
        "pending",
        "app",
        "pending",
        apps=(APPS[0], {**APPS[0], "slug": "twin"}),
    ),
    case(
        "several apps, this one named",
        lambda: World().deploy(1).lease(1).sdl(1, app="falcon7b"),
        "passed",
        "app",
        "passed",
        apps=(APPS[0], {**APPS[0], "slug": "twin"}),
    ),
    case("SDL given for a twin deployment", lambda: World().deploy(1).lease(1).sdl(2), "passed", "app", "passed"),
    # 6 active
    case("exactly ten minutes", lambda: deployed().lease(1, closed_on=210), "passed", "active", "passed"),
    case("one block short", lambda: deployed().lease(1, closed_on=209), "pending", "active", "pending"),
    case(
        "one block short at the close",
        lambda: deployed().lease(1, closed_on=209),
        "failed",
        "active",
        "failed",
        CLOSED,
    ),
    case("still running", lambda: deployed(150).lease(1), "pending", "active", "pending"),
    case("reclaiming runs on", lambda: deployed().lease(1, state="reclaiming"), "passed", "active", "passed"),
    case(
        "runs past the close",
        lambda: deployed(930, created_at=880).lease(1, created_at=890),
        "pending",
        "active",
        "pending",
        CLOSED,
    ),
    case(
        "two short ones do not add up",
        lambda: deployed().lease(1, closed_on=160).lease(1, created_at=170, closed_on=220, oseq=2),
        "pending",
        "active",
        "pending",
    ),
    case("money ran out", lambda: deployed(funds=50 * 1000, settled_at=110).lease(1), "pending", "active", "pending"),
    case(
        "money ran out long ago",
        lambda: deployed(funds=50 * 1000, settled_at=110).lease(1),
        "failed",
        "active",
        "failed",
        claim(closes=Moment(START + 800 * BLOCK_NS)),
    ),
    case("money lasted", lambda: deployed(funds=100 * 1000, settled_at=110).lease(1), "passed", "active", "passed"),
    case(
        "money in another denom does not count",
        lambda: deployed(funds=50 * 1000, settled_at=110, more_funds=[coin(10**9, "uakt")]).lease(1),
        "pending",
        "active",
        "pending",
    ),
    case(
        "account shared by two rates",
        lambda: deployed(funds=199 * 1000, settled_at=110, groups=2).lease(1).lease(1, P2, gseq=2),
        "pending",
        "active",
        "pending",
    ),
    case(
        "overdrawn",
        lambda: (
            World()
            .deploy(1, state="closed", account="overdrawn", funds=-300_000, settled_at=400)
            .sdl(1)
            .lease(1, closed_on=400, state="insufficient_funds", payment="overdrawn", withdrawn=0, unsettled=290_000)
        ),
        "pending",
        "active",
        "pending",
    ),
    case(
        "overdrawn late enough",
        lambda: (
            World()
            .deploy(1, state="closed", account="overdrawn", funds=-190_000, settled_at=400)
            .sdl(1)
            .lease(
                1,
                closed_on=400,
                state="insufficient_funds",
                payment="overdrawn",
                withdrawn=100_000,
                unsettled=190_000,
            )
        ),
        "passed",
        "active",
        "passed",
    ),
    case(
        "its header not readable",
        lambda: deployed().lease(1).trouble("blocks/110", "timeout"),
        "unknown",
        "active",
        "unknown",
    ),
    case(
        "its header pruned",
        lambda: deployed().lease(1).trouble("blocks/110", "pruned"),
        "unknown",
        "active",
        "unknown",
    ),
    # 7 paid
    case("closed and withdrawn", lambda: deployed().lease(1, closed_on=300), "passed", "paid", "passed"),
    case("open shows zeros", lambda: deployed(settled_at=110).lease(1), "passed", "paid", "passed"),
    case(
        "balance counts",
        lambda: deployed(settled_at=200).lease(1, withdrawn=0, balance=90_000),
        "passed",
        "paid",
        "passed",
    ),
    case(
        "unsettled counts",
        lambda: deployed(settled_at=200).lease(1, withdrawn=0, unsettled=90_000),
        "passed",
        "paid",
        "passed",
    ),
    case(
        "paid too little, still runs",
        lambda: deployed(settled_at=1000).lease(1, withdrawn=99_999),
        "pending",
        "paid",
        "pending",
    ),
    case(
        "paid too little, closed",
        lambda: deployed().lease(1, closed_on=300, withdrawn=99_999),
        "failed",
        "paid",
        "failed",
        CLOSED,
    ),
    case(
        "paid exactly the required blocks",
        lambda: deployed().lease(1, closed_on=300, withdrawn=100_000),
        "passed",
        "paid",
        "passed",
    ),
    case("withdrawn in another denom", _other_denom, "failed", "paid", "failed", CLOSED),
    case(
        "debt is no payment",
        lambda: (
            World()
            .deploy(1, state="closed", account="overdrawn", funds=-1, settled_at=300)
            .sdl(1)
            .lease(
                1, closed_on=300, state="insufficient_funds", payment="overdrawn", withdrawn=50_000, unsettled=10**9
            )
        ),
        "failed",
        "paid",
        "failed",
        CLOSED,
    ),
]


@pytest.mark.parametrize("row", CASES)
def test_judge__one_situation__gives_outcome_and_check(row: Case) -> None:
    hold(row)
