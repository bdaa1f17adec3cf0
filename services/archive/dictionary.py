"""The archive's data dictionary as Markdown: the tables of docs/archive.md."""

from __future__ import annotations

from services.archive.format import MEMBERS


def markdown() -> str:
    """Every member with its columns. Print it with `python -c` (docs/archive.md says how) when the format changes."""
    parts = []
    for member in MEMBERS:
        rows = "\n".join(f"| `{column.name}` | {column.type} | {column.about} |" for column in member.columns)
        key = ", ".join(f"`{name}`" for name in member.key)
        head = "| column | type | what it is |\n|---|---|---|"
        parts.append(f"### `{member.name}`\n\nHolds {member.about}. Ordered by {key}.\n\n{head}\n{rows}\n")
    return "\n".join(parts)
