"""When an AI deployment was done, by which lease, and what the judge asks for."""

from __future__ import annotations

from tasks.moment import SECOND, Moment
from tests.deployed_cases import CLOSED, deployed, judged, outcomes, seen, three
from tests.deployed_worlds import OTHER_HASH, PROVIDERS, World, claim, params
from verifiers.evidence import Outcome
from verifiers.kinds import ai_deployment

P1, P2, P3, P4, _ = PROVIDERS


def test_judge__three_providers__dates_the_claim_by_the_third_lease() -> None:
    world = three()
    world.lease(1, P4, 400, oseq=2)
    verdict = judged(world, providers=3)
    assert (verdict.at, verdict.height, verdict.tx_index) == (world.time(113), 113, 1)
    assert verdict.attributes == {"app": "falcon7b", "gpu_model": "a100"}
    assert not any("blocks/400" in request for request in world.asked)


def test_judge__same_block__orders_by_transaction() -> None:
    world = deployed(groups=3)
    for gseq, provider in enumerate((P3, P1, P2), start=1):
        world.lease(1, provider, 110, gseq=gseq, offered=(f"model{gseq}",))
    verdict = judged(world, providers=2)
    assert verdict.tx_index == 2
    assert verdict.attributes["gpu_model"] == "model2"


def test_judge__first_lease_too_short__second_of_that_provider_counts() -> None:
    world = deployed(groups=2).lease(1, P1, 110, 115).lease(1, P2, 120, gseq=2).lease(1, P1, 130, oseq=2)
    verdict = judged(world, providers=2)
    assert verdict.outcome == Outcome.PASSED
    assert verdict.height == 130


def test_judge__minutes_still_run__holds_place_and_looks_when_they_are_full() -> None:
    world = deployed(150).lease(1)
    verdict = judged(world)
    assert verdict.holds_place
    assert (verdict.at, verdict.height, verdict.tx_index) == (world.time(110), 110, 1)
    assert verdict.next_look == world.time(210)


def test_judge__later_look__does_not_move_the_time_of_the_work() -> None:
    early, late = (judged(three(height), providers=3) for height in (150, 4000))
    assert (early.at, early.height, early.tx_index) == (late.at, late.height, late.tx_index)
    assert (early.outcome, late.outcome) == (Outcome.PENDING, Outcome.PASSED)


def test_judge__earlier_lease_not_readable__is_unknown_and_not_dated_by_a_later_one() -> None:
    world = three().trouble("blocks/111", "timeout")
    world.lease(1, P4, 120, oseq=2)
    verdict = judged(world, providers=3)
    assert verdict.outcome == Outcome.UNKNOWN
    assert verdict.height == 113


def test_judge__earlier_lease_forgotten__passes_with_those_that_can_be_seen() -> None:
    world = three().trouble("blocks/111", "pruned")
    world.lease(1, P4, 120, oseq=2)
    verdict = judged(world, providers=3)
    assert verdict.outcome == Outcome.PASSED
    assert verdict.height == 120


def test_judge__older_manifest_not_readable__says_why_in_each_check_that_needs_it() -> None:
    world = World().deploy(1, hash_hex=OTHER_HASH).lease(1).sdl(1).trouble("deployments/info", "server_error")
    verdict = judged(world, CLOSED)
    unknown = {check.name: check.seen for check in verdict.checks if check.outcome == Outcome.UNKNOWN}
    assert set(unknown) == {"providers", "app", "active", "paid"}
    assert all("could not look: the node had an error" in seen for seen in unknown.values())
    assert verdict.missing == ("Nothing for you to do: we could not look: the node had an error, and try again.",)
    assert seen(verdict, "own_provider") == "none is the participant's own"


def test_judge__nothing_given__says_add_your_sdl_and_nothing_else() -> None:
    verdict = judged(World().deploy(7).lease(7))
    assert verdict.missing == ("Add your SDL, exactly as deployed, for 7.",)
    assert not verdict.holds_place


def test_judge__no_failed_check_while_the_app_is_not_known__even_after_the_close() -> None:
    verdict = judged(World().deploy(1).lease(1), CLOSED)
    assert "failed" not in outcomes(verdict).values()


def test_judge__model__offered_before_requested_before_absent() -> None:
    found = [
        judged(deployed(models=("a100", "t4")).lease(1, offered=("t4",))).attributes.get("gpu_model"),
        judged(deployed(models=("a100",)).lease(1)).attributes.get("gpu_model"),
        judged(deployed(models=("a100", "t4")).lease(1)).attributes.get("gpu_model"),
        judged(deployed(models=("*",)).lease(1)).attributes.get("gpu_model"),
    ]
    assert found == ["t4", "a100", None, None]


def test_judge__pages__are_followed_by_their_keys_and_strangers_left_out() -> None:
    world = three()
    world.deploy(2, owner="akash1two").page_size = 1
    world.leases.append(three().leases[0] | {})
    world.leases[-1] = {
        **world.leases[-1],
        "lease": {
            **world.leases[-1]["lease"],
            "id": {**world.leases[-1]["lease"]["id"], "provider": P4, "owner": "akash1two"},
        },
    }
    task = params(providers=3)
    observations = ai_deployment.gather(claim(), task, world)
    verdict = ai_deployment.judge(claim(), observations, task, world.point)
    assert verdict.outcome == Outcome.PASSED
    assert ai_deployment.judge(claim(), tuple(reversed(observations)), task, world.point).outcome == Outcome.PASSED
    cut = [
        each
        for each in observations
        if "leases/list" not in each.request or "pagination.key=k%2B1" not in each.request
    ]
    assert ai_deployment.judge(claim(), cut, task, world.point).outcome == Outcome.UNKNOWN


def test_judge__answer_of_another_height_or_chain__is_unknown() -> None:
    world, task = three(), params(providers=3)
    observations = ai_deployment.gather(claim(), task, world)
    later = World(height=1001).point
    other = World(chain_id="other-1").point
    assert ai_deployment.judge(claim(), observations, task, later).outcome == Outcome.UNKNOWN
    assert ai_deployment.judge(claim(), observations, task, other).outcome == Outcome.UNKNOWN


def test_gather__two_claims_of_one_owner__ask_each_list_once_for_each_claim_and_nothing_twice() -> None:
    world = three()
    ai_deployment.gather(claim(), params(providers=3), world)
    assert len(world.asked) == len(set(world.asked))
    assert len(world.asked) <= 10


def test_judge__amounts__name_their_denom() -> None:
    verdict = judged(deployed().lease(1, closed_on=300))
    assert "190000 uact of 190000 uact" in seen(verdict, "paid")


def test_judge__end_of_the_window__is_the_next_look_of_a_claim_that_waits() -> None:
    world = World(height=4950)
    assert judged(world).next_look == claim().closes
    assert judged(World(height=1000)).next_look == Moment(World().time(1000) + 600 * SECOND)
