"""What a judge knows of the campaign: the params of its task, with the campaign's GPU models written out (pure)."""

from __future__ import annotations

from tasks.parts import Campaign, Task


def judge_params(campaign: Campaign, task: Task) -> dict[str, object]:
    """The task's params with `listed` models written out, and the campaign's list: a judge sees no campaign."""
    params = dict(task.params)
    listed = campaign.gpu_models
    if params.get("gpu_models") == "listed":
        params["gpu_models"] = tuple(model.id for model in listed or ())
    if listed is not None:
        params["campaign_gpu_models"] = tuple(
            {"id": each.id, "gpu_class": each.gpu_class, "vram_gib": each.vram_gib, "aliases": each.aliases}
            for each in listed
        )
    return params
