"""One member of the archive: its name, its columns, the order of its lines."""

from __future__ import annotations

from dataclasses import dataclass

BODIES = "bodies.jsonl"
LONGEST_LINE = 8 << 20
LONGEST_BODY_LINE = 96 << 20
"""An answer has at most 64 MiB (`verifiers/http.py`); as JSON text or base64 it is a third longer."""


@dataclass(frozen=True, slots=True)
class Column:
    """One key of a member's lines. `type`: one of TYPES, with `?` behind it where null is allowed."""

    name: str
    type: str
    about: str


@dataclass(frozen=True, slots=True)
class Member:
    """One member of JSON lines, in strictly growing order of the columns `key`."""

    name: str
    about: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def longest_line(self) -> int:
        """How many bytes a line may have."""
        return LONGEST_BODY_LINE if self.name == BODIES else LONGEST_LINE


def member(name: str, about: str, key: str, columns: str) -> Member:
    """A member from its table; `key` and `columns` as words and lines: `name type what it is`."""
    rows = [line.split(maxsplit=2) for line in columns.strip().splitlines()]
    return Member(name, about, tuple(key.split()), tuple(Column(*row) for row in rows))
