"""Spot checks of a claimed GPU: every outcome of every check, by what was run, leased and probed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tasks.moment import SECOND, Moment
from tests.benchmark_worlds import gpu
from tests.onboarding_worlds import PROVIDER, START, TENANT, looked, outcomes, probed, text_of
from tests.provider_double import node
from tests.spot_worlds import BLOCK, OPENED, OVER, RECEIVED, SpotWorld, run_record, spot_claim, spot_result
from verifiers.evidence import Outcome, Verdict
from verifiers.probes import ProbeDay, State

CLOSES = 50_000
AFTER = CLOSES + 10
UP = State.up({"nvidia/a100": 2})
UNKNOWN = State.unknown("no_control")


def when(block: int) -> Moment:
    return Moment(START + block * BLOCK)


def dated(**changes: Any) -> SpotWorld:
    """Two GPUs whose time begins in block 500, by the first look in block 600."""
    world = SpotWorld(**changes).leased(500)
    world.gpus.nodes = [node(gpus=[("a100", "80Gi")] * 2)]
    assert isinstance(world, SpotWorld)
    looked_at(world, 600)
    return world


def looked_at(world: SpotWorld, block: int, number: int = 2, **params: Any) -> Verdict:
    world.at(block)
    return looked(world, spot_claim(number), **{"spot_checks": 1, **params})


def opened(gpus: int = 2, block: int = OPENED) -> SpotWorld:
    world = dated()
    world.opened[1] = (block, gpus)
    return world


def run_in(world: SpotWorld, received: int = RECEIVED, **changes: Any) -> SpotWorld:
    """Both GPUs answer from one container, leased together."""
    world.runs["two"] = run_record("two", received, **changes)
    return world


def days(found: Callable[[Moment], State | None] = lambda _: UP, end: int = CLOSES) -> list[ProbeDay]:
    return probed(when(500), when(end), found)


def test_spot_checks__time_has_not_begun__wait_for_it() -> None:
    verdict = looked(SpotWorld(), spot_claim(1), spot_checks=3)
    assert outcomes(verdict)["spot_checks"] == "pending"
    assert text_of(verdict, "spot_checks") == "they begin once all of the above holds"


def test_spot_checks__none_opened_yet__say_how_many_come_and_tell_no_moment() -> None:
    verdict = looked_at(dated(), 700, spot_checks=2)
    assert text_of(verdict, "spot_checks") == "0 of 2 opened so far; the next is told here when it opens"
    assert (verdict.outcome, verdict.holds_place) == (Outcome.PENDING, True)
    assert [check.name for check in verdict.checks if check.name.startswith("spot_check_")] == []


def test_spot_checks__more_asked_than_fit__as_many_as_fit_are_announced() -> None:
    verdict = looked_at(dated(), 700, spot_checks=100)
    assert text_of(verdict, "spot_checks").startswith("0 of 3 opened so far")  # 82 hours are left


def test_spot_checks__begins_less_than_a_day_before_the_close__fails_as_announced() -> None:
    world = SpotWorld().leased(CLOSES - 14_000)
    verdict = looked_at(world, CLOSES - 13_900, number=1)
    assert outcomes(verdict)["spot_checks"] == "failed"
    assert "it had to begin by" in text_of(verdict, "spot_checks")
    assert verdict.next_look == spot_claim(1).closes  # a campaign that is prolonged leaves time again


def test_spot_check__open_without_a_result__says_until_when_and_what_to_do() -> None:
    world = opened()
    verdict = looked_at(world, OPENED + 10)
    assert outcomes(verdict)["spot_check_1"] == "pending"
    assert text_of(verdict, "spot_check_1").startswith("open until ")
    assert verdict.missing[0].startswith("Spot check 1 of 1 is open until ")
    assert "lease all 2 claimed GPUs of model a100 on your provider at once" in verdict.missing[0]
    alone = looked_at(opened(gpus=1), OPENED + 10, number=1).missing[0]
    assert "lease the claimed GPU of model a100 on your provider with the SDL" in alone
    assert alone.endswith("enter there what it answers.")
    assert verdict.next_look == when(OVER) + 30 * SECOND


@pytest.mark.parametrize("number", [1, 2])
def test_spot_check__all_gpus_answered_in_one_lease__passes_for_each(number: int) -> None:
    world = SpotWorld().leased(500)
    world.gpus.nodes = [node(gpus=[("a100", "80Gi")] * 2)]
    looked_at(world, 600, number)
    world.opened[1] = (OPENED, 2)
    verdict = looked_at(run_in(world.own_lease()), RECEIVED + 10, number)
    assert outcomes(verdict)["spot_check_1"] == "passed"
    assert "2 GPUs of the model answered together" in text_of(verdict, "spot_check_1")
    assert outcomes(verdict)["spot_checks"] == "passed"
    assert verdict.outcome == Outcome.PENDING  # the uptime runs on


def test_spot_check__two_containers_of_one_lease__count_together() -> None:
    world = opened().own_lease()
    world.runs["first"] = run_record("first", run=spot_result("first", ["GPU-a"]))
    assert outcomes(looked_at(world, RECEIVED + 5))["spot_check_1"] == "pending"
    world.runs["second"] = run_record("second", RECEIVED + 8, run=spot_result("second", ["GPU-b"]))
    assert outcomes(looked_at(world, RECEIVED + 10))["spot_check_1"] == "passed"


def _same_card(world: SpotWorld) -> None:
    world.own_lease()
    for name in ("first", "second"):
        world.runs[name] = run_record(name, run=spot_result(name, ["GPU-a"]))


def _two_leases(world: SpotWorld) -> None:
    world.own_lease(closed_on=2700).own_lease(created_at=2800, dseq=71)
    world.runs["first"] = run_record("first", 2600, run=spot_result("first", ["GPU-a"]))
    world.runs["second"] = run_record("second", 2900, run=spot_result("second", ["GPU-b"]))


def _with(run: dict[str, Any] | None = None, *, lease: dict[str, Any] | None = None, **issued: Any) -> Any:
    def set_up(world: SpotWorld) -> None:
        run_in(world.own_lease(**(lease or {})), run=run, **issued)

    return set_up


CHEATS = {
    "half of the GPUs leased": (_with(lease={"units": 1}), "the lease asks for 1 GPU only"),
    "one card shown twice": (_same_card, "1 GPU answered together"),
    "one after the other": (_two_leases, "1 GPU answered together"),
    "no lease": (run_in, "no lease for GPUs"),
    "lease over before": (_with(lease={"closed_on": 2900}), "no lease for GPUs"),
    "lease after it": (_with(lease={"created_at": 3005}), "no lease for GPUs"),
    "lease elsewhere": (_with(lease={"provider": "akash1elsewhere"}), "no lease for GPUs"),
    "somebody else's lease": (_with(lease={"owner": TENANT}), "no lease for GPUs"),
    "lease for another model": (_with(lease={"models": ("t4",)}), "no lease for GPUs"),
    "another card": (_with(spot_result("two") | {"gpu": gpu("Tesla T4", 16)}), "names a Tesla T4, no a100"),
    "a processor": (
        _with(spot_result("two", device={"type": "cpu", "small": False, "processors": 2})),
        "on a processor",
    ),
    "small sizes": (
        _with(spot_result("two", device={"type": "cuda", "small": True, "processors": 2})),
        "in small sizes",
    ),
    "half of a suite": (_with(spot_result("two", measurements=[])), "a run was without gemm"),
    "proof of another container": (
        _with(spot_result("two") | {"proof": spot_result("first", ["x"])["proof"]}),
        "are not those of this challenge",
    ),
    "one proof left out": (_with(spot_result("two") | {"others": []}), "are not those of this challenge"),
    "forged challenge": (_with(genuine=False), "for no challenge of this spot check"),
    "challenge of a benchmark": (_with(spot_check=""), "for no challenge of this spot check"),
    "challenge of somebody else": (_with(participant=TENANT), "for no challenge of this spot check"),
}


def test_spot_check__challenge_shipped_with_a_demo__counts_as_ours() -> None:
    world = opened()
    _with(genuine=False, shipped=True)(world)
    assert outcomes(looked_at(world, RECEIVED + 10))["spot_check_1"] == "passed"


@pytest.mark.parametrize(("set_up", "said"), CHEATS.values(), ids=CHEATS)
def test_spot_check__run_that_shows_less__stays_open_and_fails_in_the_end(
    set_up: Callable[[SpotWorld], None], said: str
) -> None:
    world = opened()
    set_up(world)
    verdict = looked_at(world, RECEIVED + 10)
    assert outcomes(verdict)["spot_check_1"] == "pending"
    assert said in text_of(verdict, "spot_check_1")
    world.probed = days()
    verdict = looked_at(world, OVER + 28_800)
    assert outcomes(verdict)["spot_check_1"] == "failed"
    assert said in text_of(verdict, "spot_check_1")
    assert any(sentence.startswith("A spot check was not passed") for sentence in verdict.missing)


def test_spot_check__half_of_the_gpus_answer__suffices_for_the_first_of_two() -> None:
    world = opened().own_lease(units=1)
    world.earlier.clear()
    looked_at(world, 600, number=1)
    verdict = looked_at(run_in(world), RECEIVED + 10, number=1)
    assert outcomes(verdict)["spot_check_1"] == "passed"


def test_spot_check__lease_of_a_test_deployer__counts_where_the_campaign_names_them() -> None:
    named = {"tenants": (TENANT,)}
    world = SpotWorld().leased(500)
    world.gpus.nodes = [node(gpus=[("a100", "80Gi")] * 2)]
    looked_at(world, 600, **named)
    world.opened[1] = (OPENED, 2)
    run_in(world.own_lease(owner=TENANT))
    assert outcomes(looked_at(world, RECEIVED + 10, **named))["spot_check_1"] == "passed"


@pytest.mark.parametrize("answer", ["leases/list", "deployments/list", "blocks/2500"])
def test_spot_check__leases_can_not_be_read__is_unknown_never_failed(answer: str) -> None:
    world = run_in(opened().own_lease()).trouble(answer, "timeout")
    world.probed = days()
    for block in (RECEIVED + 10, OVER + 28_800):
        assert outcomes(looked_at(world, block))["spot_check_1"] == "unknown"
    world.troubles.clear()
    assert outcomes(looked_at(world, OVER + 28_810))["spot_check_1"] == "passed"


def test_spot_check__chain_stands_before_the_result__waits_for_the_next_block() -> None:
    world = run_in(opened().own_lease())
    verdict = looked_at(world, RECEIVED - 5)
    assert outcomes(verdict)["spot_check_1"] == "pending"
    assert verdict.next_look == when(RECEIVED - 5) + 120 * SECOND
    assert outcomes(looked_at(world, RECEIVED + 1))["spot_check_1"] == "passed"


def test_spot_check__passed_once__is_judged_again_from_what_was_seen_and_asks_nothing_more() -> None:
    world = run_in(opened().own_lease())
    first = looked_at(world, RECEIVED + 10)
    world.leases.clear()
    world.asked.clear()
    world.probed = days()
    later = looked_at(world, OVER + 28_800)
    passed = next(check for check in first.checks if check.name == "spot_check_1")
    again = next(check for check in later.checks if check.name == "spot_check_1")
    assert (again.seen, again.outcome, again.height, again.time) == (
        passed.seen, passed.outcome, passed.height, passed.time,
    )  # fmt: skip
    assert not [request for request in world.asked if "/list" in request]


PROBES = {
    "nobody probed": (list[ProbeDay](), "pending"),
    "we were cut off": (days(lambda _: UNKNOWN), "pending"),
    "known to be up": (days(), "failed"),
    "known to be down": (days(lambda _: State.down("timeout")), "failed"),
    "half of it known": (days(lambda at: UP if at < when(OPENED + 7200) else UNKNOWN), "pending"),
}


@pytest.mark.parametrize(("found", "outcome"), PROBES.values(), ids=PROBES)
def test_spot_check__24_hours_without_a_result__fail_only_where_we_know_them(
    found: list[ProbeDay], outcome: str
) -> None:
    world = opened()
    world.probed = found
    verdict = looked_at(world, OVER + 14_400)
    assert outcomes(verdict)["spot_check_1"] == outcome


def test_spot_check__days_not_closed_off__waits_for_them() -> None:
    world = opened()
    world.probed = days()
    world.unsealed = {day.day for day in world.probed}
    verdict = looked_at(world, OVER + 14_400)
    assert outcomes(verdict)["spot_check_1"] == "pending"
    assert verdict.next_look is not None


def test_spot_check__excused_time__is_added() -> None:
    world = opened()
    world.probed = days()
    excused = ((when(OPENED), when(OPENED + 7200)),)
    assert outcomes(looked_at(world, OVER + 7000, excused=excused))["spot_check_1"] == "pending"
    assert outcomes(looked_at(world, OVER + 28_800, excused=excused))["spot_check_1"] == "failed"


def _cut_off(at: Moment) -> State:
    return UNKNOWN if when(OPENED + 600) <= at < when(OPENED + 7800) else UP


@pytest.mark.parametrize(("late", "outcome"), [(6_000, "passed"), (9_000, "failed")])
def test_spot_check__result_after_a_day__counts_as_long_as_we_were_cut_off(late: int, outcome: str) -> None:
    world = run_in(opened().own_lease(), OVER + late)
    world.probed = days(_cut_off)
    assert outcomes(looked_at(world, OVER + 28_800))["spot_check_1"] == outcome


def test_spot_check__never_known_up_to_the_close__is_set_aside_and_a_person_looks() -> None:
    world = opened()
    world.probed = days(lambda at: UP if at < when(OPENED + 100) else UNKNOWN)
    verdict = looked_at(world, AFTER)
    assert outcomes(verdict)["spot_check_1"] == "passed"
    assert "counts against nobody" in text_of(verdict, "spot_check_1")
    assert outcomes(verdict)["review"] == "pending"
    assert "no spot check could be held" in text_of(verdict, "review")


def test_spot_checks__one_of_two_held__counts_as_many_as_fitted() -> None:
    world = run_in(opened().own_lease())
    looked_at(world, RECEIVED + 10, spot_checks=2)
    world.probed = days()
    verdict = looked_at(world, AFTER, spot_checks=2)
    assert text_of(verdict, "spot_checks") == "1 of 2: as many as fitted"
    assert verdict.outcome == Outcome.PASSED


def test_spot_checks__opened_before_this_gpu_or_for_fewer__does_not_cover_it() -> None:
    for block, gpus in ((400, 2), (OPENED, 1)):
        world = opened(gpus, block)
        verdict = looked_at(world, OPENED + 10)
        assert "spot_check_1" not in outcomes(verdict)
        assert text_of(verdict, "spot_checks").startswith("0 of 1 opened so far")


def test_spot_check__pci_id_of_another_card__passes_and_a_person_looks() -> None:
    run = spot_result("two")
    run["others"][0]["gpu"] = {**run["others"][0]["gpu"], "pci_id": "0x1EB810DE"}
    verdict = looked_at(run_in(opened().own_lease(), run=run), RECEIVED + 10)
    assert (outcomes(verdict)["spot_check_1"], outcomes(verdict)["review"]) == ("passed", "pending")
    assert "that of a t4" in text_of(verdict, "review")


def test_provider__is_the_participant_of_these_worlds() -> None:
    assert spot_claim().addresses == (PROVIDER,)
