"""The tree of a YAML file as written: raw scalar texts with their lines, nothing interpreted yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One scalar: its text as Go's yaml.v3 keeps it; `plain` where it stands without quotes and without a tag."""

    text: str
    plain: bool
    line: int
    forced_null: bool = False
    size: int = 1
    height: int = 1

    @property
    def is_null(self) -> bool:
        """Whether nothing was written: an empty plain scalar, `~` or `null`."""
        return self.forced_null or (self.plain and self.text in _NULLS)


@dataclass(frozen=True, slots=True)
class ListNode:
    """One sequence; `size` counts its nodes after expansion of aliases, `height` its levels."""

    items: tuple[Node, ...]
    line: int
    size: int
    height: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a mapping and the line of its key."""

    node: Node
    line: int


@dataclass(frozen=True, slots=True)
class MapNode:
    """One mapping with its keys as text, merge keys already applied (`merged` tells that there were any)."""

    entries: Mapping[str, Entry]
    line: int
    size: int
    height: int
    merged: bool = False


Node = ScalarNode | ListNode | MapNode
