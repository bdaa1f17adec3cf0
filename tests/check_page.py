"""The tables of docs/checks.md: which check of which kind can have which outcome."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from verifiers.evidence import Outcome

PAGE = Path(__file__).parents[1] / "docs" / "checks.md"
COLUMNS = (Outcome.PASSED, Outcome.FAILED, Outcome.PENDING, Outcome.UNKNOWN)
NEVER, DAMAGED = "—", "†"

Cell = tuple[str, str, str]
"""Kind, check, outcome; the number of a spot check is written N."""


def told() -> Mapping[Cell, str]:
    """What the page says in each cell."""
    cells: dict[Cell, str] = {}
    kind = ""
    for line in PAGE.read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"## `(\w+)`", line):
            kind = heading[1]
        elif row := re.fullmatch(r"\| `(\w+)` \| (.+) \|", line):
            texts = row[2].split(" | ")
            assert len(texts) == len(COLUMNS), line
            cells |= {(kind, row[1], str(outcome)): text for outcome, text in zip(COLUMNS, texts, strict=True)}
    return cells


def cell(kind: str, check: str, outcome: str) -> Cell:
    """One cell."""
    return kind, re.sub(r"(?<=spot_check_)\d+$", "N", check), str(outcome)


def shown() -> set[Cell]:
    """What can happen while our own database is whole."""
    return {each for each, text in told().items() if not text.startswith((NEVER, DAMAGED))}


def damaged() -> set[Cell]:
    """What can happen only where it is not."""
    return {each for each, text in told().items() if text.startswith(DAMAGED)}
