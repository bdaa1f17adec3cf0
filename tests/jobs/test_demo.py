"""The demo's folder: a second start goes on where the first ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devnet.story.library import story
from jobs.demo import CHAIN_ID, DemoError, campaign_text, open_demo, write_settings
from services.settings import load_settings
from tasks.campaign import check, load, preset
from tasks.moment import SECOND, Moment, parse_moment

NOW = parse_moment("2026-11-24T12:34:56Z")
DAY = 86400 * SECOND


def test_open_demo__first_start__opens_28_days_before_the_hour(tmp_path: Path) -> None:
    demo = open_demo(tmp_path / "d", None, NOW, fresh=False)
    assert demo.opens == parse_moment("2026-10-27T12:00:00Z")


def test_open_demo__second_start__same_story(tmp_path: Path) -> None:
    first = open_demo(tmp_path / "d", None, NOW, fresh=False)
    again = open_demo(tmp_path / "d", None, Moment(NOW + DAY), fresh=False)
    assert (again.opens, again.seed, again.secret_key) == (first.opens, first.seed, first.secret_key)
    anew = open_demo(tmp_path / "d", None, Moment(NOW + DAY), fresh=True)
    assert anew.opens == first.opens + DAY


def test_open_demo__folder_of_something_else__refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(DemoError, match="--dir"):
        open_demo(tmp_path, None, NOW, fresh=True)
    assert (tmp_path / "letter.txt").exists()


def test_write_settings__read_back__serves_other_commands(tmp_path: Path) -> None:
    demo = open_demo(tmp_path / "d", None, NOW, fresh=False)
    write_settings(demo, NOW)
    settings = load_settings(demo.env_file)
    assert settings.chain_rest == (f"http://127.0.0.1:{demo.rest_port}",)
    assert settings.clock_stops_at is not None
    assert parse_moment(settings.clock_stops_at) == NOW


def test_write_settings__payout_chain__is_another_one_beside_the_first(tmp_path: Path) -> None:
    demo = open_demo(tmp_path / "d", None, NOW, fresh=False)
    write_settings(demo, None, payer="akash1payer")
    settings = load_settings(demo.env_file)
    assert settings.payout_payer == "akash1payer"
    assert settings.payout_rest == (f"http://127.0.0.1:{demo.rest_port + 3}",)
    assert settings.payout_rpc == (f"http://127.0.0.1:{demo.rest_port + 4}",)
    assert settings.payout_chain_id == "waymark-demo-pay-1"
    told = json.loads((tmp_path / "d" / "ports.json").read_text())
    assert (told["payout_rest"], told["payout_rpc"]) == (settings.payout_rest[0], settings.payout_rpc[0])


def test_write_settings__providers__have_ports_in_pairs_from_the_tenth_on(tmp_path: Path) -> None:
    demo = open_demo(tmp_path / "d", None, NOW, fresh=False)
    write_settings(demo, None, ["akash1one", "akash1two"])
    told = json.loads((tmp_path / "d" / "ports.json").read_text())
    first = demo.rest_port + 10
    assert told["providers"]["akash1two"] == {
        "rest": f"https://127.0.0.1:{first + 2}",
        "grpc": f"https://127.0.0.1:{first + 3}",
    }


def test_campaign_text__moved__keeps_every_distance() -> None:
    was = load(preset("gpu-testnet-2023"))
    opens = Moment(was.opens + 1252 * DAY)
    moved = load(campaign_text(preset("gpu-testnet-2023"), opens))
    assert moved.opens == opens
    assert moved.chain_id == CHAIN_ID
    assert moved.closes - moved.opens == was.closes - was.opens
    assert [task.opens - moved.opens for task in moved.tasks] == [task.opens - was.opens for task in was.tasks]
    assert moved.appeals == 120 * SECOND


def test_campaign_text__small_tasks__come_last_and_off_the_first_budget() -> None:
    was, small = load(preset("gpu-testnet-2023")), story("gpu-testnet-2023", scale="tiny").small_tasks
    text = campaign_text(preset("gpu-testnet-2023"), was.opens, small)
    checked = check(text)
    assert checked.mistakes == ()
    campaign, exposure = checked.campaign, checked.exposure
    assert campaign is not None
    assert exposure is not None
    assert exposure.total_micro == exposure.budget_micro == was.reward.budget == 100_000 * 10**6
    before, first = was.tasks[0].reward, campaign.tasks[0].reward
    assert before is not None
    assert first is not None
    assert (before.budget, first.budget) == (60_000 * 10**6, 59_500 * 10**6)
    assert [task.slug for task in campaign.tasks[: len(was.tasks)]] == [task.slug for task in was.tasks]
    added = campaign.tasks[len(was.tasks) :]
    assert {task.slug.startswith("made-up-") for task in added} == {True}
    assert all(task.title.startswith("Made up: ") and "Made up for this demo" in task.summary for task in added)
    assert campaign.grants.budget
    assert campaign.pools
    assert campaign.ranking_bonuses


def test_campaign_text__small_tasks_with_a_mistake__says_so() -> None:
    with pytest.raises(DemoError, match="small tasks"):
        campaign_text(preset("gpu-testnet-2023"), NOW, "tasks:\n  - {slug: broken\n")
