"""Who hangs together by pairs: connected components by union-find (pure)."""

from __future__ import annotations

from collections.abc import Iterable


def components(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Of each name in a pair the smallest name of its component; a pair of one name makes a component of its own."""
    parents: dict[str, str] = {}

    def root_of(name: str) -> str:
        parents.setdefault(name, name)
        while parents[name] != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    for one, other in pairs:
        first, second = root_of(one), root_of(other)
        parents[max(first, second)] = min(first, second)
    return {name: root_of(name) for name in list(parents)}
