"""Points in time and durations as integers: nanoseconds, UTC, exact.

Block times carry nanoseconds and the order of completions depends on them, so neither floats nor
`datetime` (microseconds) can hold them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import NewType, Protocol

Moment = NewType("Moment", int)
"""Nanoseconds since 1970-01-01T00:00:00Z."""

Duration = NewType("Duration", int)
"""Nanoseconds."""

SECOND = 1_000_000_000

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z")
_DURATION = re.compile(r"([0-9]{1,9})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Clock(Protocol):
    """Where code takes the present from; passed in, never read from the system."""

    def now(self) -> Moment:
        """The present."""
        ...


def parse_moment(text: str) -> Moment:
    """Read an RFC 3339 time in UTC with `Z` and up to nine decimals.

    Raises ValueError where the text is anything else (CAMPAIGN_FORMAT: "Times").
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a UTC time such as 2023-06-20T16:00:00Z")
    *parts, fraction = match.groups()
    year, month, day, hour, minute, second = (int(part) for part in parts)
    try:
        whole = int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: {error}") from error
    return Moment(whole * SECOND + int((fraction or "").ljust(9, "0")))


def format_moment(moment: Moment) -> str:
    """Write a moment as RFC 3339 in UTC, with no more decimals than it needs."""
    whole, fraction = divmod(moment, SECOND)
    day, rest = divmod(whole, 86_400)
    decimals = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{_day_text(day)}{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}{decimals}Z"


@lru_cache(maxsize=4096)
def _day_text(day: int) -> str:
    """A day since 1970 up to its `T`; the times of a campaign share them."""
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%dT")


def parse_duration(text: str) -> Duration:
    """Read `30s`, `10m`, `24h` or `7d`. Raises ValueError for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as 30s, 10m, 24h or 7d")
    return Duration(int(match[1]) * _UNITS[match[2]] * SECOND)


def from_datetime(value: datetime) -> Moment:
    """The moment of an aware datetime. Raises ValueError for a naive one."""
    if value.tzinfo is None:
        raise ValueError("a time without a zone is no moment")
    delta = value - datetime(1970, 1, 1, tzinfo=UTC)
    return Moment(((delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1000)


def to_datetime(moment: Moment) -> datetime:
    """The aware UTC datetime of a moment, cut to microseconds: for showing, never for comparing."""
    whole, fraction = divmod(moment, SECOND)
    return datetime.fromtimestamp(whole, UTC).replace(microsecond=fraction // 1000)
