"""A set of tasks: the reward rules make its completion when every part is done, so nothing is claimed for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from verifiers.evidence import (
    ChainPoint,
    Check,
    ClaimFacts,
    Entry,
    EntryRefused,
    Observation,
    Outcome,
    Sources,
    Verdict,
)

KIND = "all_of"
VERSION = 1


def enter(
    fields: Mapping[str, str],  # noqa: ARG001 - one signature for all kinds
    params: Mapping[str, object],
    addresses: Sequence[str],  # noqa: ARG001
) -> Entry:
    """Raises EntryRefused that names the parts: they are claimed, the set follows by itself."""
    raise EntryRefused(
        "task",
        f"Nothing is entered for a set: it is complete by itself once each part is. Its parts: {_parts(params)}.",
    )


def gather(
    claim: ClaimFacts,  # noqa: ARG001 - one signature for all kinds
    params: Mapping[str, object],  # noqa: ARG001
    sources: Sources,  # noqa: ARG001
) -> Sequence[Observation]:
    """Nothing."""
    return ()


def judge(
    claim: ClaimFacts,  # noqa: ARG001 - one signature for all kinds
    observations: Sequence[Observation],  # noqa: ARG001
    params: Mapping[str, object],
    as_of: ChainPoint,
) -> Verdict:
    """A claim for a set can't have come from here: it does not count, its parts do. Pure."""
    check = Check("parts", f"each part: {_parts(params)}", "a claim for the set itself", Outcome.FAILED)
    return Verdict(Outcome.FAILED, (check,), KIND, VERSION, as_of)


def _parts(params: Mapping[str, object]) -> str:
    parts = params.get("tasks")
    return ", ".join(str(part) for part in parts) if isinstance(parts, tuple | list) else ""
