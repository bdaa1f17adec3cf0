"""The kinds of task, found by looking into this folder: a new kind is a new file here, named in no list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

from tasks.fields import Fields

Params = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ClaimField:
    """One field that a participant fills in for a claim. `type`: text, url, number, choice, address, sdl or json."""

    name: str
    label: str
    type: str = "text"
    required: bool = True
    choices: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    help: str = ""


class Kind(Protocol):
    """What a module of this folder offers.

    `ATTRIBUTES` are those that a completion of the kind may carry. `read_params` fills in defaults and notes
    mistakes; `claim_fields` says what is asked; `attributes` which attributes may drive amounts and places.
    """

    KIND: str
    ATTRIBUTES: tuple[str, ...]

    def read_params(self, fields: Fields) -> Params:
        """Read the task's `params`, with defaults filled in; mistakes go to the findings."""
        ...

    def claim_fields(self, params: Params) -> tuple[ClaimField, ...]:
        """What a participant enters for a claim."""
        ...

    def attributes(self, params: Params) -> tuple[str, ...]:
        """The attributes that may drive `amount.by`, `where`, `per` and `once_per`."""
        ...


@cache
def kinds() -> tuple[str, ...]:
    """The names of all kinds, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def by_kind(name: str) -> Kind | None:
    """The kind with this name, or None."""
    if name not in kinds():
        return None
    return cast("Kind", importlib.import_module(f"{__name__}.{name}"))
