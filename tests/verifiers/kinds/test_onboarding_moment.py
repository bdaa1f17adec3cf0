"""Which look at a provider counts, and the block that each check of it names."""

from __future__ import annotations

from tests.onboarding_worlds import OnboardingWorld, looked, outcomes
from tests.provider_double import STRANGER, made, node
from verifiers.evidence import Outcome
from verifiers.onboarding.looks import INSTANT


def good() -> OnboardingWorld:
    world: OnboardingWorld = OnboardingWorld().leased()
    return world


def test_at__first_look_saw_the_certificate_of_somebody_else__is_the_time_of_the_first_that_passes() -> None:
    """Nobody is asked then, so the other checks wait; the certificate is a clear answer all the same."""
    world = good().at(600)
    own, world.gpus.certificate = world.gpus.certificate, made(STRANGER)
    world.gpus.troubles = dict.fromkeys(("GET", "GRPC"), "unasked")
    first = looked(world)
    assert (outcomes(first)["certificate"], outcomes(first)["grpc"]) == ("pending", "pending")
    world.at(700).gpus.certificate, world.gpus.troubles = own, {}
    verdict = looked(world)
    assert (verdict.at, verdict.height) == (world.time(700), None)


def test_at__first_look_saw_too_few_gpus_beside_a_route_in_trouble__is_the_time_of_the_first_that_passes() -> None:
    world = good().at(600)
    world.gpus.nodes, world.gpus.troubles = [], {"GET /version": "server_error"}
    assert looked(world).outcome == Outcome.UNKNOWN
    world.at(700).gpus.nodes, world.gpus.troubles = [node()], {}
    assert looked(world).at == world.time(700)


def test_checks__of_one_look__name_its_block_also_when_judged_again() -> None:
    world = good().at(600)
    first = looked(world)
    again = looked(world.at(900))
    for verdict in (first, again):
        points = {(check.height, check.time) for check in verdict.checks if check.name in INSTANT}
        assert points == {(600, world.time(600))}


def test_checks__of_a_look_that_does_not_pass__name_its_block() -> None:
    world = good().at(600)
    world.gpus.nodes = []
    verdict = looked(world)
    assert {check.height for check in verdict.checks if check.name in INSTANT} == {600}
