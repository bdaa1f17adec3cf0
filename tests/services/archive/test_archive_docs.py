"""docs/archive.md says what the format is."""

from __future__ import annotations

from pathlib import Path

from services.archive.dictionary import markdown
from services.archive.format import MEMBERS
from services.archive_tables import SOURCES

DOCS = Path(__file__).resolve().parents[3] / "docs" / "archive.md"


def test_docs__tables__are_those_of_the_format() -> None:
    assert DOCS.read_text(encoding="utf-8").endswith(markdown())


def test_sources__each_member__has_one() -> None:
    assert set(SOURCES) == {member.name for member in MEMBERS}
