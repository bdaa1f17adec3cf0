"""A follower on a small chain: the house, the steps, the index in the oracle's words."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ledger.chain import BidRow, CursorRow, DeploymentRow, GroupRow, LeaseRow, OrderRow, ProviderRow
from services.clock import StoppedClock
from services.following import FollowLimits, FollowResult, step
from services.house import House
from tests.houses import make_house
from tests.small_chains import SmallChain
from verifiers.chain.client import Chain

OWNERS, PROVIDERS = ("akash1ann", "akash1bob"), ("akash1pia", "akash1quy", "akash1rex")


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
