"""The spot checks that the demo ships results for: who answers, for which challenge, with which proof."""

from __future__ import annotations

import json

import pytest

from commands.story_spot_checks import TOLD_AT, shipped_results
from devnet.story.library import Story, story
from devnet.story.staff import Decide
from tasks.campaign import load, preset
from verifiers.benchmark.answers import decode_result
from verifiers.benchmark.gpus import fits_listed_memory, named_gpu
from verifiers.benchmark.plausible import doubts, missing_tests
from verifiers.benchmark.proofs import mistake_of
from verifiers.provider.gpu_models import ListedModel, ModelNames

COPIED = "birch-owl"


@pytest.fixture(scope="module")
def told() -> Story:
    return story("gpu-testnet-2023", scale="small")


@pytest.mark.parametrize("name", sorted(shipped_results()))
def test_shipped__proof__is_good_unless_it_is_copied(name: str) -> None:
    result = decode_result(json.dumps(shipped_results()[name]))
    assert (mistake_of(result.challenge, result, None, 4096) is None) == (name != COPIED)
    assert missing_tests(result) == []
    assert "made up" in result.runner.torch


def test_shipped__results__are_those_that_somebody_enters_each_with_a_card_of_the_claimed_model(told: Story) -> None:
    listed = load(preset("gpu-testnet-2023")).gpu_models
    names = ModelNames(ListedModel(one.id, one.aliases, one.vram_gib) for one in listed)
    answering = {one.answers: one for one in told.racks if one.answers}
    assert set(answering) == set(shipped_results())
    for name, one in answering.items():
        result = decode_result(json.dumps(shipped_results()[name]))
        assert result.gpu is not None
        gpu = named_gpu(result.gpu.name, result.gpu.memory_bytes, names)
        assert (gpu.model, fits_listed_memory(gpu, names.vram_gib(one.model))) == (one.model, True)
        assert doubts(result, one.model, {}, 3000) == []


def test_told_at__is_after_every_claim_and_before_every_decision_about_one(told: Story) -> None:
    racks = {one.task for one in told.racks} - {"onboard-a-gpu"}
    assert max(act.height for act in told.people if getattr(act, "task", "") in racks and act.height < TOLD_AT)
    decided = [act for act in told.decisions if isinstance(act, Decide) and act.task in racks]
    assert {act.act for act in decided} == {"accept", "reject"}
    assert min(act.height for act in decided) > TOLD_AT


def test_racks__claims_decisions_and_expectations__name_the_same(told: Story) -> None:
    expected = {(one.task, one.participant, one.subject) for one in told.racks}
    racks = {one.task for one in told.racks} - {"onboard-a-gpu"}
    decided = {
        (act.task, act.participant, act.subject) for act in told.decisions if getattr(act, "task", "") in racks
    }
    assert decided <= expected
    assert len(expected) == len(told.racks)
    assert {one.verdict for one in told.racks} == {"passed", "failed", "pending", "unknown"}


def test_racks__of_a_story_without_the_deployer__are_nobodys() -> None:
    assert story("gpu-testnet-2023", scale="tiny").racks == ()
