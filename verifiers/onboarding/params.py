"""The params of a `provider_onboarding` task as its judge reads them (CAMPAIGN_FORMAT, "The kinds")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.moment import SECOND
from verifiers.provider.gpu_models import ListedModel, ModelNames

MODELS = "campaign_gpu_models"
EXCUSED = "excused"
"""What a judge needs of the campaign beside the task's own params: its list of GPUs, its excused time."""


@dataclass(frozen=True, slots=True)
class OnboardingParams:
    """`tenants` None: every registered participant. Times in nanoseconds; `excused`: intervals `[start, end)`."""

    names: ModelNames
    classes: Mapping[str, str]
    min_cpu: int
    uptime_permille: int
    probe_every: int
    min_observed: int
    tenants: frozenset[str] | None
    auditors: tuple[str, ...]
    spot_checks: int
    excused: tuple[tuple[int, int], ...]

    def counted(self, capacity: Iterable[tuple[str, int]], model: str) -> int:
        """How many GPUs of a model of the campaign an inventory shows, given by its labels `vendor/name`."""
        return sum(count for label, count in capacity if self.names.is_model(label.partition("/")[2], model))


def onboarding_params(params: Mapping[str, object]) -> OnboardingParams:
    """Read params that the campaign's loading has validated and completed with defaults."""
    tenants = params.get("tenants", "registered")
    models = [_model(each) for each in _each(params.get(MODELS))]
    return OnboardingParams(
        names=ModelNames(_counting(models, params.get("gpu_models", "any"))),
        classes={model.id: gpu_class for model, gpu_class in models},
        min_cpu=_whole(params.get("min_cpu", 2)),
        uptime_permille=_whole(params.get("uptime_permille", 950)),
        probe_every=_whole(params.get("probe_every_ns", 300 * SECOND)),
        min_observed=_whole(params.get("min_observed_ns", 72 * 3600 * SECOND)),
        tenants=None if isinstance(tenants, str) else frozenset(str(each) for each in _each(tenants)),
        auditors=tuple(str(each) for each in _each(params.get("auditors"))),
        spot_checks=_whole(params.get("spot_checks", 0)),
        excused=tuple(_interval(each) for each in _each(params.get(EXCUSED))),
    )


def _counting(models: Iterable[tuple[ListedModel, str]], wanted: object) -> Iterable[ListedModel] | None:
    """The models that count; None for any. A model that a task names without the campaign's list is its own."""
    if isinstance(wanted, str):
        return None
    known = {model.id: model for model, _ in models}
    return [known.get(str(each), ListedModel(str(each))) for each in _each(wanted)]


def _model(entry: object) -> tuple[ListedModel, str]:
    if not isinstance(entry, Mapping):
        raise ValueError("a GPU model is a mapping")
    memory = entry.get("vram_gib")
    aliases = tuple(str(each) for each in _each(entry.get("aliases")))
    size = memory if isinstance(memory, int) else None
    return ListedModel(str(entry["id"]), aliases, size), str(entry.get("gpu_class", ""))


def _interval(entry: object) -> tuple[int, int]:
    start, end = _each(entry)
    return _whole(start), _whole(end)


def _each(value: object) -> Iterable[object]:
    if value is None:
        return ()
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise ValueError("a list was expected")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError("a whole number was expected")
    return value
