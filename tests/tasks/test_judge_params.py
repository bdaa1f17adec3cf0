"""What a judge is told of the campaign."""

from __future__ import annotations

from tasks.campaign import load, preset
from tasks.judge_params import judge_params
from tasks.moment import parse_moment


def test_judge_params__listed_models_and_excused_time__are_written_out() -> None:
    halt = "excused: [{from: 2023-06-24T10:00:00Z, to: 2023-06-24T18:00:00Z, reason: a halt of the chain}]"
    campaign = load(f"{preset('gpu-testnet-2023')}\n{halt}\n")
    task = campaign.task("onboard-a-gpu")
    assert task is not None
    params = judge_params(campaign, task)
    listed = tuple(model.id for model in campaign.gpu_models or ())
    assert params["gpu_models"] == listed
    models = params["campaign_gpu_models"]
    assert isinstance(models, tuple)
    assert [each["id"] for each in models] == list(listed)
    assert params["excused"] == ((parse_moment("2023-06-24T10:00:00Z"), parse_moment("2023-06-24T18:00:00Z")),)
