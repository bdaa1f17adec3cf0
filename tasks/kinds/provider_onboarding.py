"""A GPU brought to the network by a provider: what is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tasks.fields import Fields
from tasks.kinds import ClaimField
from tasks.kinds.ai_deployment import gpu_models

KIND = "provider_onboarding"
ATTRIBUTES = ("gpu_model", "gpu_class", "region")

_ADDRESS = re.compile(r"akash1[02-9ac-hj-np-z]{38,58}")


def read_params(fields: Fields) -> Mapping[str, object]:
    """Params by their names in the file; durations are `probe_every_ns` and `min_observed_ns`."""
    tenants: str | tuple[str, ...] | None
    if fields.has("tenants") and fields.is_list("tenants"):
        tenants = _addresses(fields, "tenants")
    else:
        tenants = fields.choice("tenants", ("registered",), default="registered")
    return {
        "gpu_models": gpu_models(fields, default="listed"),
        "min_cpu": fields.whole("min_cpu", least=0, most=10_000, default=2),
        "uptime_permille": fields.whole("uptime_permille", least=0, most=1000, default=950),
        "probe_every_ns": fields.duration("probe_every", "5m"),
        "min_observed_ns": fields.duration("min_observed", "72h"),
        "tenants": tenants,
        "auditors": _addresses(fields, "auditors"),
        "spot_checks": fields.whole("spot_checks", least=0, most=1000, default=0),
    }


def _addresses(fields: Fields, key: str) -> tuple[str, ...]:
    return tuple(fields.listed(key, _address, "an address such as akash1…") or ())


def _address(text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no lower-case akash address")
    return text


def claim_fields(params: Mapping[str, object]) -> tuple[ClaimField, ...]:  # noqa: ARG001 - one signature for all kinds
    """Which provider, which model, how many."""
    return (
        ClaimField("provider", "Provider address", "address"),
        ClaimField("gpu_model", "GPU model"),
        ClaimField("count", "How many GPUs of this model", "number"),
    )


def attributes(params: Mapping[str, object]) -> tuple[str, ...]:  # noqa: ARG001 - one signature for all kinds
    """`gpu_model`, `gpu_class` and `region`."""
    return ATTRIBUTES
