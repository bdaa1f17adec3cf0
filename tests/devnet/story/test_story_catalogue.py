"""The campaign that the 2023 story belongs to knows the SDLs that the story's catalogue holds."""

from __future__ import annotations

from devnet.story.library import SCENARIOS, story
from devnet.story.parameters import read_parameters
from tasks.campaign import load, preset
from verifiers.sdl import check
from verifiers.sdl.images import matches_any


def test_preset__of_the_story__has_its_apps_hashes_window_and_limits() -> None:
    told = story("gpu-testnet-2023")
    parameters = read_parameters(SCENARIOS / "gpu_testnet_2023", "full")
    campaign = load(preset("gpu-testnet-2023"))
    task = campaign.task(parameters.task)
    assert task is not None
    assert (task.opens, task.closes) == (_nanoseconds(parameters.task_opens), _nanoseconds(parameters.task_closes))
    assert campaign.opens == _nanoseconds(1)
    assert campaign.closes == _nanoseconds(parameters.closes)
    apps = {app["slug"]: app for app in task.params["apps"]}
    assert set(apps) == set(told.catalogue)
    for slug, texts in told.catalogue.items():
        reports = [check(text) for text in texts]
        assert {digest for report in reports for digest in report.manifest_hashes} == set(apps[slug]["hashes"])
        assert all(matches_any(apps[slug]["images"], image) for report in reports for image in report.images)
    assert {model.id for model in campaign.gpu_models or ()} >= {m for gpus in told.capacity.values() for m in gpus}


def test_sdls__of_the_story__are_valid_and_differ_in_hash() -> None:
    reports = {key: check(text) for key, text in story("gpu-testnet-2023").chain.sdls.items()}
    assert {key: report.errors for key, report in reports.items() if not report.valid} == {}
    assert len({report.manifest_hashes for report in reports.values()}) == len(reports)


def _nanoseconds(height: int) -> int:
    return (1_687_276_800 + (height - 1) * 6) * 1_000_000_000
