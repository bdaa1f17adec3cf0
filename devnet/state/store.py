"""Versions of every object by height, and sorted keys to list them by."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from typing import NamedTuple

Key = tuple[object, ...]
"""Sorts like the chain's own keys: (owner, dseq, gseq, oseq, provider, bseq), cut where the kind ends."""


class Row(NamedTuple):
    """One version of an object: its state's number in the chain's enum and its JSON, to be joined when sent.

    The pieces that many objects share (group specs) are the same bytes object in all of them.
    """

    state: int
    pieces: tuple[bytes, ...]


class History:
    """The versions of one object, oldest first."""

    __slots__ = ("heights", "rows")

    def __init__(self) -> None:
        self.heights: list[int] = []
        self.rows: list[Row] = []

    def put(self, height: int, row: Row) -> None:
        """The object as it is at the end of block `height`, which is not below the last one."""
        if self.heights and self.heights[-1] == height:
            self.rows[-1] = row
        else:
            self.heights.append(height)
            self.rows.append(row)

    def at(self, height: int) -> Row | None:
        """The object at the end of block `height`, None before it existed."""
        heights = self.heights
        if heights[-1] <= height:
            return self.rows[-1]
        place = bisect_right(heights, height)
        return self.rows[place - 1] if place else None


class Table:
    """All objects of one kind. `provider_place`: where in the key the provider stands, for the second index."""

    def __init__(self, provider_place: int | None = None) -> None:
        self.keys: list[Key] = []
        self.items: dict[Key, History] = {}
        self.by_provider: dict[str, list[Key]] = {}
        self._provider_place = provider_place

    def put(self, key: Key, height: int, row: Row) -> None:
        """Keep the version of `key` at `height`."""
        history = self.items.get(key)
        if history is None:
            history = self.items[key] = History()
            insort(self.keys, key)
            if self._provider_place is not None:
                provider = key[self._provider_place]
                insort(self.by_provider.setdefault(str(provider), []), key)
        history.put(height, row)

    def at(self, key: Key, height: int) -> Row | None:
        """The version of `key` at `height`."""
        history = self.items.get(key)
        return history.at(height) if history is not None else None

    def bounds(self, prefix: Key) -> tuple[int, int]:
        """The places in `keys` of all keys that begin with `prefix`."""
        if not prefix:
            return 0, len(self.keys)
        size = len(prefix)
        start = bisect_left(self.keys, prefix)
        return start, bisect_right(self.keys, prefix, lo=start, key=lambda key: key[:size])

    def scan(
        self, keys: Sequence[Key], places: range, height: int, states: frozenset[int]
    ) -> Iterator[tuple[Key, Row]]:
        """The objects of `keys` at `places` that were in one of `states` at `height`, in that order."""
        items = self.items
        for place in places:
            key = keys[place]
            row = items[key].at(height)
            if row is not None and row.state in states:
                yield key, row
