"""One page of a list, with how many there are in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

PER_PAGE = 50
MOST_PER_PAGE = 200


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Items `first` to `last` (counted from 1) of `total`, as page `page` of `pages`."""

    items: Sequence[Item]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.per_page))

    @property
    def first(self) -> int:
        """The place of the first item shown, 0 where there is none."""
        return min((self.page - 1) * self.per_page + 1, self.total) if self.items else 0

    @property
    def last(self) -> int:
        """The place of the last item shown."""
        return self.first + len(self.items) - 1 if self.items else 0

    def near(self, around: int = 2) -> list[int | None]:
        """The page numbers a pager shows: the ends and those around this page; None stands for a gap."""
        wanted = {1, self.pages, *range(max(1, self.page - around), min(self.pages, self.page + around) + 1)}
        shown: list[int | None] = []
        for number in sorted(wanted):
            before = shown[-1] if shown else None
            if before is not None and number - before == 2:
                shown.append(number - 1)
            elif before is not None and number - before > 2:
                shown.append(None)
            shown.append(number)
        return shown


def paged(items: Sequence[Item], page: int, per_page: int) -> Page[Item]:
    """Cut one page out of a list held whole."""
    start = (page - 1) * per_page
    return Page(items[start : start + per_page], page, per_page, len(items))
