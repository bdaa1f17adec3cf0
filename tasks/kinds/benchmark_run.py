"""A benchmark run against a challenge of ours: what is asked."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.fields import Fields
from tasks.kinds import ClaimField

KIND = "benchmark_run"
ATTRIBUTES = ("gpu_model", "provider")


def read_params(fields: Fields) -> Mapping[str, object]:
    """Params: `suite, expires_ns, within_permille_of_median, lease`."""
    return {
        "suite": fields.whole("suite", least=1, most=1000, default=1),
        "expires_ns": fields.duration("expires", "2h"),
        "within_permille_of_median": fields.whole("within_permille_of_median", least=1, most=10**6, default=3000),
        "lease": fields.choice("lease", ("required", "optional"), default="required"),
    }


def claim_fields(params: Mapping[str, object]) -> tuple[ClaimField, ...]:  # noqa: ARG001 - one signature for all kinds
    """The challenge and the runner's result."""
    return (
        ClaimField("challenge", "Challenge id", help="32 digits and letters; you get one before the run."),
        ClaimField(
            "result",
            "The runner's result",
            "json",
            required=False,
            help="The whole text of result.json, or the https address at which your lease serves it. Leave it empty "
            "where the runner has posted it to us.",
        ),
    )


def attributes(params: Mapping[str, object]) -> tuple[str, ...]:  # noqa: ARG001 - one signature for all kinds
    """`gpu_model` and `provider`."""
    return ATTRIBUTES
