"""The presets say where their numbers come from."""

from __future__ import annotations

import re

import pytest

from tasks.campaign import load, preset, presets


@pytest.mark.parametrize("name", presets())
def test_preset__as_text__names_sources_and_marks_assumptions(name: str) -> None:
    text = preset(name)
    head = text.split("campaign:", 1)[0]
    assert "Sources (S)" in head
    assert "marked A" in head
    assert len(re.findall(r"# .*\bA\b", text)) >= 5


def test_gpu_testnet__has_the_published_table_and_six_tasks_and_a_bounty() -> None:
    campaign = load(preset("gpu-testnet-2023"))
    assert [task.slug for task in campaign.tasks] == [
        "onboard-a-gpu", "sdl", "benchmark", "deploy", "video", "post", "bug-bounty",
    ]  # fmt: skip
    reward = campaign.tasks[0].reward
    assert reward is not None
    table = {model: amount // 10**6 for model, amount in reward.amount.table.items()}
    assert table == {
        "h100": 4000, "a100": 2800, "v100": 2400, "p100": 2000, "a40": 1600, "a10": 1200, "p4": 1200, "k80": 800,
        "t4": 600, "rtx4090": 560, "rtx3090ti": 480, "rtx4080": 440, "rtx3090": 320, "rtx3080ti": 240,
        "rtx3060ti": 220, "rtx3080": 200,
    }  # fmt: skip
    classes = [model.gpu_class for model in campaign.gpu_models or ()]
    assert classes.count("data_center") == 9
    assert campaign.grants.budget == 0


def test_bme_testnet__has_52_tests_in_eleven_categories_of_800_each() -> None:
    campaign = load(preset("bme-testnet-2026"))
    categories = [task for task in campaign.tasks if task.kind == "all_of"]
    assert [len(task.parts) for task in categories] == [10, 4, 3, 3, 2, 11, 5, 4, 3, 5, 2]
    for task in categories:
        assert task.reward is not None
        assert task.reward.amount.single * task.reward.slots[0].most == 800 * 10**6
        assert task.reward.per_participant == 1
    assert campaign.ranking_bonuses[0].amounts == (200 * 10**6, 100 * 10**6, 50 * 10**6)


def test_akashian_challenge__has_a_window_for_each_guided_challenge() -> None:
    campaign = load(preset("akashian-challenge-3"))
    guided = [task for task in campaign.tasks if task.slug.startswith("w")]
    assert len({(task.opens, task.closes) for task in guided}) == 6
    assert campaign.reward.overcommit
