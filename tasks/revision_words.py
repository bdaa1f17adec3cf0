"""What a revision changes, as the file would write it: amounts in units, durations as `7d`."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tasks.moment import SECOND
from tasks.revisions import Difference
from tasks.rewards.money import format_micro

_MONEY = frozenset({"single", "budget", "amount", "amounts", "table"})
"""Keys of the canonical form whose whole numbers are millionths (tasks/parts.py)."""

_DURATIONS = frozenset({"appeals", "every"})
_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
_TOLD_ELSEWHERE = frozenset({"revision", "change"})
NOT_THERE = "not there"


def shown(differences: Iterable[Difference]) -> list[Difference]:
    """The differences in words, without the revision's number and its change, which every revision has."""
    return [
        Difference(each.path, _words(each.path, each.before), _words(each.path, each.after))
        for each in differences
        if each.path.split(".")[0] not in _TOLD_ELSEWHERE
    ]


def _words(path: str, value: object) -> str:
    if value is None:
        return NOT_THERE
    plain = _plain(path.split("."), value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _plain(keys: list[str], value: object) -> object:
    """A value as the file would write it; `keys`: the way to it."""
    if isinstance(value, dict):
        return {key: _plain([*keys, key], each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_plain(keys, each) for each in value]
    if type(value) is not int:
        return value
    if keys[-1] in _DURATIONS or keys[-1].endswith("_ns"):
        return _duration(value)
    is_money = keys[-1] in _MONEY or (len(keys) > 1 and keys[-2] == "table")
    return format_micro(value) if is_money else value


def _duration(nanoseconds: int) -> str:
    seconds = nanoseconds // SECOND
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds and seconds % size == 0), ("s", 1))
    return f"{seconds // size}{unit}"
