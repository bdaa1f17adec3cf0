"""What a judge knows of the campaign: the params of its task, GPU models and excused time (pure)."""

from __future__ import annotations

from tasks.parts import Campaign, Task


def judge_params(campaign: Campaign, task: Task) -> dict[str, object]:
    """The task's params with `listed` models written out, and of the campaign, which no judge sees, its list of GPU
    models and its excused time as intervals `[start, end)`.
    """
    params = dict(task.params)
    listed = campaign.gpu_models
    if params.get("gpu_models") == "listed":
        params["gpu_models"] = tuple(model.id for model in listed or ())
    if listed is not None:
        params["campaign_gpu_models"] = tuple(
            {"id": each.id, "gpu_class": each.gpu_class, "vram_gib": each.vram_gib, "aliases": each.aliases}
            for each in listed
        )
    params["excused"] = tuple((each.start, each.end) for each in campaign.excused)
    return params
