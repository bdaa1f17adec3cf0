"""The follower on the local network, of either generation and misbehaving, against a plain reading of its JSON."""

from __future__ import annotations

import itertools
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from devnet.faults import Fault
from devnet.network import Devnet, serve
from devnet.scenarios import small
from ledger.chain import BidRow, DeploymentRow, GroupRow, LeaseRow, OrderRow, ProviderRow
from services.clock import StoppedClock
from services.figures import Stats, per_day, stats
from services.following import FollowLimits, FollowResult, step
from services.house import House
from tasks.moment import SECOND, Moment, parse_moment
from tests.houses import make_house
from verifiers.chain.client import Chain

START = parse_moment("2026-11-24T23:45:00Z")  # midnight is block 151 of 300
LISTS = {
    "deployments": "/akash/deployment/v1beta4/deployments/list",
    "orders": "/akash/market/v1beta5/orders/list",
    "bids": "/akash/market/v1beta5/bids/list",
    "leases": "/akash/market/v1beta5/leases/list",
    "providers": "/akash/provider/v1beta4/providers",
}
FAULTS = {
    "busy": Fault("status", status=429, retry_after=0, probability=0.2, seed=1),
    "failing": Fault("status", status=503, probability=0.2, seed=2),
    "cut": Fault("cut", probability=0.2, seed=3),
    "dropped": Fault("drop", probability=0.2, seed=4),
}


def at(height: int) -> Moment:
    return Moment(START + (height - 1) * 6 * SECOND + SECOND // 2)


def network(generation: str = "v2", tip: int = 300) -> Devnet:
    net = serve(small.scenario(), start=START, clock=StoppedClock(at(300)), port=0, generation=generation)
    net.settings.tip = tip
    return net


def house_on(folder: Path, net: Devnet) -> House:
    clock = StoppedClock(at(300))
    # A quarter of a second passes with every look at the watch, so that pauses end.
    watch = itertools.count(0.0, 0.25).__next__
    chain = Chain([net.rest_url], [net.rpc_url], clock, monotonic=watch, sleep=lambda seconds: None)
    return make_house(folder, campaign=None, chain=chain).at(clock)


def settle(house: House, net: Devnet, limits: FollowLimits | None = None) -> FollowResult:
    for _ in range(600):
        result = step(house.at(StoppedClock(at(net.tip()))), limits)
        if result.at_tip:
            return result
    raise AssertionError(result)


def listed(net: Devnet, name: str) -> list[dict[str, Any]]:
    """A list as the wire has it, without our client and decoders."""
    with urllib.request.urlopen(f"{net.rest_url}{LISTS[name]}?pagination.limit=5000") as answer:
        rows: list[dict[str, Any]] = json.load(answer)[name]
    return rows


def by_hand(net: Devnet) -> dict[str, set[tuple[object, ...]]]:
    def key(fields: dict[str, Any]) -> tuple[object, ...]:
        named = fields["id"]
        parts = [named["owner"], int(named["dseq"])]
        return (*parts, *(named[part] for part in ("gseq", "oseq", "provider", "bseq") if part in named))

    deployments, leases = listed(net, "deployments"), [row["lease"] for row in listed(net, "leases")]
    return {
        "deployments": {(*key(row["deployment"]), row["deployment"]["state"], int(row["deployment"]["created_at"]))
                        for row in deployments},
        "groups": {(*key(group), group["state"], gpus(group)) for row in deployments for group in row["groups"]},
        "orders": {(*key(row), row["state"]) for row in listed(net, "orders")},
        "bids": {(*key(row["bid"]), row["bid"]["state"]) for row in listed(net, "bids")},
        "leases": {(*key(row), row["state"], int(row["created_at"]), int(row["closed_on"]), row["reason"])
                   for row in leases},
        "providers": {(row["owner"], row["host_uri"], len(row["attributes"])) for row in listed(net, "providers")},
    }  # fmt: skip


def gpus(group: dict[str, Any]) -> int:
    units = group["group_spec"]["resources"]
    return sum(int(unit["resource"]["gpu"]["units"]["val"]) * unit["count"] for unit in units)


def index(house: House) -> dict[str, set[tuple[object, ...]]]:
    with house.ledger.read() as session:
        return {
            "deployments": {(r.owner, r.dseq, r.state, r.created_at) for r in session.scalars(select(DeploymentRow))},
            "groups": {(r.owner, r.dseq, r.gseq, r.state, r.gpu_units) for r in session.scalars(select(GroupRow))},
            "orders": {(r.owner, r.dseq, r.gseq, r.oseq, r.state) for r in session.scalars(select(OrderRow))},
            "bids": {(r.owner, r.dseq, r.gseq, r.oseq, r.provider, r.bseq, r.state)
                     for r in session.scalars(select(BidRow))},
            "leases": {(r.owner, r.dseq, r.gseq, r.oseq, r.provider, r.bseq, r.state, r.created_at,
                        r.closed_on or 0, r.reason) for r in session.scalars(select(LeaseRow))},
            "providers": {(r.owner, r.host_uri, len(r.attributes)) for r in session.scalars(select(ProviderRow))},
        }  # fmt: skip


def stats_by_hand(net: Devnet) -> tuple[int, int, int, int]:
    units = {
        (group["id"]["owner"], group["id"]["dseq"], group["id"]["gseq"]): gpus(group)
        for row in listed(net, "deployments")
        for group in row["groups"]
    }
    requests = {key[:2] for key, count in units.items() if count}
    leases = []
    for row in listed(net, "leases"):
        lease = row["lease"]
        count = units[lease["id"]["owner"], lease["id"]["dseq"], lease["id"]["gseq"]]
        if count:
            leases.append((int(lease["created_at"]), int(lease["closed_on"]) or 10**9, count))
    peak = max(sum(count for opened, closed, count in leases if opened <= h < closed) for h in range(1, 301))
    return len(requests), len(leases), len({owner for owner, _dseq in requests}), peak


def four(said: Stats) -> tuple[int, int, int, int]:
    return said.gpu_deployment_requests, said.leases_created, said.unique_deployers, said.peak_concurrent_gpus


@pytest.mark.parametrize("generation", ["v1", "v2"])
@pytest.mark.parametrize("tips", [(300,), (1, 45, 70, 121, 151, 300)], ids=["at once", "followed"])
def test_step__small_network__index_and_figures_are_the_wires(
    tmp_path: Path, generation: str, tips: tuple[int, ...]
) -> None:
    with network(generation) as net:
        house = house_on(tmp_path, net)
        for tip in tips:
            net.settings.tip = tip
            assert settle(house, net).height == tip
            assert index(house) == by_hand(net)
        assert four(stats(house)) == stats_by_hand(net)
        days = per_day(house)
        assert [day.date for day in days] == ["2026-11-24", "2026-11-25"]
        assert sum(day.requests for day in days) == stats(house).gpu_deployment_requests
        assert all(day.exact for day in days)
        with house.ledger.read() as session:
            assert all(row.created_at for row in session.scalars(select(ProviderRow)))
    house.ledger.close()


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_step__node_misbehaves__ends_in_the_same_index(tmp_path: Path, fault: str) -> None:
    with network(tip=60) as net:
        house = house_on(tmp_path, net)
        net.faults.add(FAULTS[fault])
        settle(house, net, FollowLimits(pages=2, blocks=10))
        net.settings.tip = 130
        settle(house, net, FollowLimits(pages=2, blocks=10))
        net.faults.clear()
        assert settle(house, net).height == 130
        assert index(house) == by_hand(net)
    house.ledger.close()


def test_step__few_states_and_blocks_kept__lists_again(tmp_path: Path) -> None:
    with network(tip=30) as net:
        net.settings.keep_states, net.settings.keep_blocks = 2, 5
        house = house_on(tmp_path, net)
        for tip in (30, 90, 95, 200, 300):
            net.settings.tip = tip
            assert settle(house, net).height == tip
            assert index(house) == by_hand(net)
    house.ledger.close()


def test_step__network_reset__judges_nothing(tmp_path: Path) -> None:
    with network(tip=200) as net:
        house = house_on(tmp_path, net)
        settle(house, net)
        before = index(house)
        net.reset(seed="anew")
        net.settings.tip = 250
        assert step(house.at(StoppedClock(at(250)))).state == "reset"
        assert index(house) == before
    house.ledger.close()


def test_step__second_host_lags__follows_the_first(tmp_path: Path) -> None:
    with network(tip=100) as net:
        late = net.add_host()
        late.settings.lag_blocks = 20
        clock = StoppedClock(at(100))
        chain = Chain([late.rest_url, net.rest_url], [late.rpc_url, net.rpc_url], clock, sleep=lambda seconds: None)
        house = make_house(tmp_path, campaign=None, chain=chain).at(clock)
        assert settle(house, net).height >= 80
        net.settings.tip = 140
        assert settle(house, net).state == "following"
    house.ledger.close()
