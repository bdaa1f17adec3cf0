"""The 2023 GPU testnet, counted again."""

from __future__ import annotations

import hashlib
import time
from collections import Counter

import pytest

from devnet.acts import (
    CreateBid,
    CreateDeployment,
    CreateLease,
    CreateProvider,
    DepositDeployment,
    Send,
    UpdateDeployment,
    UpdateProvider,
    WithdrawLease,
)
from devnet.story.library import Story, names, scenario, story
from devnet.story.people import GiveSdl, Link, Register, SubmitClaim
from tests.devnet.story.recount import Recount, by_provider, peak

MODELS = {
    "h100", "a100", "v100", "p100", "a40", "a10", "p4", "k80", "t4",
    "rtx4090", "rtx4080", "rtx3090ti", "rtx3090", "rtx3080ti", "rtx3080", "rtx3060ti",
}  # fmt: skip


@pytest.fixture(scope="module")
def told() -> Story:
    return story("gpu-testnet-2023")


@pytest.fixture(scope="module")
def counted(told: Story) -> Recount:
    return Recount(told.chain)


def test_totals__counted_again_from_the_acts__are_the_published_ones(told: Story, counted: Recount) -> None:
    leases = counted.gpu_leases()
    registered = [act.participant for act in told.people if isinstance(act, Register)]
    assert len(registered) == len(set(registered)) == 1300
    assert len(counted.requests()) == 3108
    assert len({owner for owner, _ in counted.requests()}) == 105
    assert len(leases) == 2463
    assert peak([(lease.opened, lease.closed, units) for lease, units in leases]) == 80
    assert (told.totals.participants, told.totals.requests, told.totals.leases) == (1300, 3108, 2463)
    assert (told.totals.deployers, told.totals.peak) == (105, 80)


def test_totals__when_the_demo_first_starts__stand_already(told: Story, counted: Recount) -> None:
    assert told.told_by == 403_201  # day 28; the story's last block before it is 403,200
    assert max(counted.deployments[name].created for name in counted.requests()) <= 403_200
    leases = counted.gpu_leases()
    assert max(lease.opened for lease, _ in leases) <= 403_200
    assert max(act.height for act in told.people) <= 403_200
    before = [(lease.opened, lease.closed, units) for lease, units in leases if lease.opened <= 403_200]
    assert peak(before) == 80


def test_window__first_and_last_block__hold_all_that_counts(told: Story, counted: Recount) -> None:
    assert told.closes == 412_201
    heights = [act.height for act in told.chain.acts]
    assert min(heights) >= 1
    assert max(heights) < told.closes
    assert heights == sorted(heights)


def test_providers__at_every_height__host_no_more_than_they_have(told: Story, counted: Recount) -> None:
    created = [
        act for act in told.chain.acts if isinstance(act, CreateProvider) and not isinstance(act, UpdateProvider)
    ]
    assert len(created) == 25
    assert max(act.height for act in created) <= 14 * 14_400
    capacity = {act.owner: told.capacity[act.owner] for act in created}
    assert {model for gpus in capacity.values() for model in gpus} == MODELS
    regions = {dict(act.attributes)["region"] for act in created}
    assert len(regions) >= 8
    for owner, spans in by_provider(counted.gpu_leases()).items():
        assert peak(spans) <= sum(capacity[owner].values()), owner


def test_gpu_models__of_each_lease__are_within_what_its_provider_has(told: Story, counted: Recount) -> None:
    pools: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for lease, units in counted.gpu_leases():
        bid = counted.bids[lease.bid]
        capacity = told.capacity[lease.bid.provider]
        model = bid.gpu_models[0] if bid.gpu_models else next(iter(capacity)) if len(capacity) == 1 else None
        if model is not None:
            pools.setdefault((lease.bid.provider, model), []).append((lease.opened, lease.closed, units))
    for (owner, model), spans in pools.items():
        assert peak(spans) <= told.capacity[owner][model], (owner, model)


def test_escrow__of_everybody_but_two__pays_to_the_end(told: Story, counted: Recount) -> None:
    dry = {act.name: act.owner for act in told.expected if act.name in {"empty-purse-puffin", "overdrawn-osprey"}}
    assert {owner for owner, _ in counted.dry} == {dry["overdrawn-osprey"]}
    still_open = {
        owner
        for (owner, _), one in counted.deployments.items()
        if one.open and one.leases and one.cost(told.closes) > one.funds
    }
    assert still_open == {dry["empty-purse-puffin"]}


def test_refused__transactions__are_few_and_of_several_sorts(counted: Recount) -> None:
    assert set(counted.refused) >= {"Failed", "CloseDeployment", "CreateBid"}
    assert sum(counted.refused.values()) < 160
    assert counted.refused["CreateLease"] == counted.refused["CreateDeployment"] == 0
    assert counted.refused["WithdrawLease"] == counted.refused["CloseLease"] == counted.refused["StartGroup"] == 0


def test_evening__until_the_close__has_a_few_events_a_minute_and_no_gpu_request(told: Story) -> None:
    evening = [act for act in told.chain.acts if act.height > 403_200]
    minutes = (told.closes - 403_200) / 10
    assert 2 <= len(evening) / minutes <= 5
    asks = {act.sdl for act in evening if isinstance(act, CreateDeployment | UpdateDeployment)}
    assert asks <= {f"{file}{setting}" for file in ("web", "database") for setting in ("", "#1", "#2", "#3", "#4")}
    sorts = {CreateDeployment, CreateBid, CreateLease, WithdrawLease, DepositDeployment, UpdateDeployment, Send}
    assert {type(act) for act in evening} >= sorts
    for hour in range(15):
        first = 403_201 + hour * 600
        assert sum(first <= act.height < first + 600 for act in evening) > 60


def test_rhythm__busiest_days__are_the_launch_and_the_deploy_task(counted: Recount) -> None:
    days = Counter((lease.opened - 1) // 14_400 for lease, _ in counted.gpu_leases())
    assert {day for day, _ in days.most_common(5)} <= {0, 1, 15, 16, 17, 18, 19, 20}
    assert min(days[day] for day in range(28)) > 5
    assert max(days, key=lambda day: days[day]) in range(15, 21)


def test_people__acts__are_in_order_after_registration_and_of_known_keys(told: Story) -> None:
    heights = [act.height for act in told.people]
    assert heights == sorted(heights)
    registered = {act.participant: act.height for act in told.people if isinstance(act, Register)}
    for act in told.people:
        assert act.participant in told.keys
        if not isinstance(act, Register):
            assert act.height > registered[act.participant]
        if isinstance(act, Link):
            assert act.address in told.keys
            assert act.address not in registered
    created = {(act.owner, act.dseq): act.height for act in told.chain.acts if isinstance(act, CreateDeployment)}
    linked = {(act.participant, act.address) for act in told.people if isinstance(act, Link)}
    for act in told.people:
        if isinstance(act, GiveSdl):
            assert act.height > created[act.owner, act.dseq]
            assert act.owner == act.participant or (act.participant, act.owner) in linked
        if isinstance(act, SubmitClaim):
            fields = dict(act.fields)
            if act.task in {"onboard-a-gpu", *(one.task for one in told.racks)}:
                assert set(fields) == {"provider", "gpu_model", "count"}
                assert fields["provider"] == act.participant or (act.participant, fields["provider"]) in linked
                continue
            if act.task in {one.task for one in told.authors}:
                assert set(fields) == {"sdl", "pull_request"}
                continue
            if act.task != "deploy":
                assert (act.participant, act.task) in {(one.participant, one.task) for one in told.judged}
                continue
            assert set(fields) == {"owner", "dseq", "sdl", "app"}
            assert act.height > created[fields["owner"], int(fields["dseq"])]


def test_people__registrations__come_mostly_before_day_14(told: Story) -> None:
    heights = [act.height for act in told.people if isinstance(act, Register)]
    assert sum(height < 14 * 14_400 for height in heights) > 1000
    deployers = {act.owner for act in told.chain.acts if isinstance(act, CreateDeployment)}
    assert sum(act.participant in deployers for act in told.people if isinstance(act, Register)) > 85


def test_signers__of_every_act__have_a_key(told: Story) -> None:
    assert {act.signer for act in told.chain.acts} <= set(told.keys)
    assert {person.address for person in told.chain.people} == set(told.keys)


def test_story__told_twice__is_the_same_to_the_byte_and_quick(told: Story) -> None:
    begin = time.process_time()
    again = story("gpu-testnet-2023")
    assert time.process_time() - begin < 10  # about 1 s on a quiet machine
    assert _digest(again) == _digest(told)


def test_story__of_another_seed__is_another_with_the_same_totals(told: Story) -> None:
    other = story("gpu-testnet-2023", seed=7)
    assert _digest(other) != _digest(told)
    assert other.totals == told.totals


def test_tiny__counted_again__has_its_own_totals() -> None:
    tiny = story("gpu-testnet-2023", scale="tiny")
    counted = Recount(tiny.chain)
    assert len(counted.requests()) == tiny.totals.requests == 12
    assert len(counted.gpu_leases()) == tiny.totals.leases
    assert len({owner for owner, _ in counted.requests()}) == tiny.totals.deployers
    assert sum(isinstance(act, Register) for act in tiny.people) == tiny.totals.participants == 24
    assert peak([(lease.opened, lease.closed, units) for lease, units in counted.gpu_leases()]) == tiny.totals.peak
    assert len(tiny.chain.acts) < 400
    assert {one.verdict for one in tiny.expected} == {"passed", "failed"}


def test_scenario__by_name__is_the_storys_chain(told: Story) -> None:
    assert names() == ("gpu-testnet-2023",)
    assert scenario("gpu-testnet-2023") == told.chain
    with pytest.raises(KeyError):
        story("gpu-testnet-2099")


def _digest(one: Story) -> str:
    rows = [repr(act) for act in one.chain.acts] + [repr(act) for act in one.people]
    rows += [f"{key}\n{text}" for key, text in one.chain.sdls.items()] + [repr(one.expected), repr(one.chain.people)]
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
