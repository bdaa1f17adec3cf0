"""The params of a `benchmark_run` task as its judge reads them (CAMPAIGN_FORMAT, "The kinds")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from verifiers.provider.gpu_models import ListedModel, ModelNames

MODELS = "campaign_gpu_models"


@dataclass(frozen=True, slots=True)
class BenchmarkParams:
    """`within_permille` 3000: from a third of the median to three times it. `names`: the campaign's models."""

    suite: int
    within_permille: int
    needs_lease: bool
    names: ModelNames


def benchmark_params(params: Mapping[str, object]) -> BenchmarkParams:
    """Read params that the campaign's loading has validated and completed with defaults."""
    models = params.get(MODELS)
    listed = [_model(each) for each in models] if isinstance(models, Iterable) else None
    return BenchmarkParams(
        suite=_whole(params.get("suite", 1)),
        within_permille=_whole(params.get("within_permille_of_median", 3000)),
        needs_lease=params.get("lease", "required") == "required",
        names=ModelNames(listed),
    )


def _model(entry: object) -> ListedModel:
    if not isinstance(entry, Mapping):
        raise ValueError("a GPU model is a mapping")
    aliases, memory = entry.get("aliases"), entry.get("vram_gib")
    names = tuple(str(each) for each in aliases) if isinstance(aliases, Iterable) else ()
    return ListedModel(str(entry["id"]), names, memory if isinstance(memory, int) else None)


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError("a whole number was expected")
    return value
