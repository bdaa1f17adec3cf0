"""What a participant enters for GPUs brought to the network: one claim for each (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from verifiers.evidence import Entry, EntryRefused
from verifiers.onboarding.params import OnboardingParams
from verifiers.provider.gpu_models import plain_name

MOST = 64
"""GPUs that one entry may claim."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """The `number`-th GPU of a model at a provider: what a claim's subject names."""

    provider: str
    model: str
    number: int


def read_subject(subject: str) -> Gpu | None:
    """A subject `<provider>/<gpu_model>/<n>`; None where it is none."""
    provider, _, rest = subject.partition("/")
    model, _, number = rest.rpartition("/")
    return Gpu(provider, model, int(number)) if provider and model and _is_count(number) else None


def entered_gpus(fields: Mapping[str, str], params: OnboardingParams, addresses: Sequence[str]) -> Entry:
    """The claims 1 to `count` that `provider, gpu_model, count` make. Raises EntryRefused with the field."""
    provider = fields.get("provider", "").strip()
    if provider not in addresses:
        raise EntryRefused(
            "provider", "Enter a provider address of your own; link it first, by its signature, if it is another one."
        )
    model = _model(fields.get("gpu_model", ""), params)
    entries = [
        Entry(f"{provider}/{model}/{number}", {"provider": provider, "gpu_model": model, "count": str(number)})
        for number in range(1, _count(fields.get("count", "")) + 1)
    ]
    return replace(entries[0], others=tuple(entries[1:]))


def _model(entered: str, params: OnboardingParams) -> str:
    text = entered.strip()
    if not text:
        raise EntryRefused("gpu_model", "Name the GPU model, such as a100.")
    found = params.names.id_of(text)
    if found is None:
        listed = ", ".join(model.id for model in params.names.listed or ())
        raise EntryRefused("gpu_model", f"{text[:60]!r} is not on the campaign's list: {listed}.")
    if "/" in found or not plain_name(found):
        raise EntryRefused("gpu_model", "Name the GPU model in letters and digits, such as a100.")
    return found


def _count(entered: str) -> int:
    text = entered.strip() or "1"
    if not _is_count(text) or int(text) > MOST:
        raise EntryRefused("count", f"How many GPUs is a whole number from 1 to {MOST}.")
    return int(text)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 5 and text[:1] != "0"
