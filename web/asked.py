"""What a request asks for in its query: which page, how many, what to search."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from services.errors import Refused
from services.paging import MOST_PER_PAGE, PER_PAGE

MOST_PAGES = 1_000_000
SEARCH_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """The page (from 1) and the number of items on it."""

    page: int
    per_page: int


def asked_page(default_per_page: int = PER_PAGE) -> Asked:
    """Read `page` and `per_page`. Raises Refused that names the one that is out of bounds (DESIGN section 5)."""
    return Asked(
        page=_bounded("page", 1, MOST_PAGES),
        per_page=_bounded("per_page", default_per_page, MOST_PER_PAGE),
    )


def asked_search() -> str:
    """The text searched for, trimmed; empty for everything. Raises Refused where it is too long."""
    text = request.args.get("search", "").strip()
    if len(text) > SEARCH_LENGTH:
        raise Refused(f"search takes at most {SEARCH_LENGTH} characters", field="search")
    return text.replace("\x00", "")


def _bounded(name: str, default: int, most: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or not 1 <= int(text) <= most:
        raise Refused(f"{name} must be a whole number from 1 to {most}", field=name)
    return int(text)
