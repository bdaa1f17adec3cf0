"""One module for each kind of task: how it is confirmed. A new module is found by its name, no list names it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from verifiers.evidence import Verifier


@cache
def verifier_of(kind: str) -> Verifier | None:
    """The verifier of a kind, or None where it is not built yet: such a task is shown as "not open yet"."""
    name = f"{__name__}.{kind}"
    if not kind.isidentifier() or find_spec(name) is None:
        return None
    module = import_module(name)
    return cast("Verifier", module) if getattr(module, "KIND", None) == kind else None
