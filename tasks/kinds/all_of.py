"""A set of tasks that counts when every part is done: what is asked."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.fields import Fields
from tasks.kinds import ClaimField

KIND = "all_of"
ATTRIBUTES: tuple[str, ...] = ()


def read_params(fields: Fields) -> Mapping[str, object]:
    """Params: `tasks`, the slugs of the parts."""
    tasks = fields.texts("tasks", required=True)
    if fields.has("tasks") and not tasks:
        fields.refuse("tasks", "a set without parts can't be completed", "list the parts: tasks: [a, b]")
    return {"tasks": tasks}


def claim_fields(params: Mapping[str, object]) -> tuple[ClaimField, ...]:  # noqa: ARG001 - one signature for all kinds
    """Nothing: the engine makes the completion when the last part is done."""
    return ()


def attributes(params: Mapping[str, object]) -> tuple[str, ...]:  # noqa: ARG001 - one signature for all kinds
    """None."""
    return ATTRIBUTES
