"""How numbers, times and names are written on pages (LOOK "Numbers"): text in, text out, no clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tasks.moment import SECOND

MICRO = 1_000_000
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z")
_FULL_PRECISION_UNITS = frozenset({"AKT"})
_STEPS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_WORDS = {"d": "day", "h": "hour", "min": "minute", "s": "second"}


def integer(value: int) -> str:
    """Group an integer: 1300 → `1,300`."""
    return f"{value:,}"


def decimal_text(micro: int, places: int) -> str:
    """Write millionths with `places` decimals, more where the value needs them, fewer never: exact."""
    sign = "-" if micro < 0 else ""
    whole, rest = divmod(abs(micro), MICRO)
    decimals = f"{rest:06d}".rstrip("0").ljust(places, "0")
    return f"{sign}{whole:,}.{decimals}" if decimals else f"{sign}{whole:,}"


def number(micro: int, unit: str) -> str:
    """The number of an amount as pages show it: two decimals cut towards zero, six for AKT."""
    places = 6 if unit in _FULL_PRECISION_UNITS else 2
    step = 10 ** (6 - places)
    cut = abs(micro) // step * step
    return decimal_text(-cut if micro < 0 else cut, places)


def amount(micro: int, unit: str) -> str:
    """`1,234.50 USD`; the exact value belongs into the title (`exact_amount`)."""
    return f"{number(micro, unit)} {unit}"


def exact_amount(micro: int, unit: str) -> str:
    """The amount to the last millionth: `1,234.500001 USD`."""
    return f"{decimal_text(micro, 2)} {unit}"


def coins(uakt: int) -> str:
    """An amount of the chain's smallest unit in AKT: 1451235294 → `1,451.235294 AKT`."""
    return amount(uakt, "AKT")


def percent(value: int) -> str:
    """A whole percentage that never breaks before its sign: `50 %`."""
    return f"{value}\u00a0%"


def permille(value: int) -> str:
    """A share in thousandths, with the decimal that decides something: 953 → `95.3 %`."""
    return f"{value // 10}.{value % 10}\u00a0%"


def utc(moment: int) -> str:
    """`2026-11-24 14:05 UTC`, cut to the minute."""
    return datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%d %H:%M UTC")


def utc_seconds(moment: int) -> str:
    """`2026-11-24 14:05:09 UTC`, where seconds matter."""
    return datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def utc_day(moment: int) -> str:
    """`2026-11-24`."""
    return datetime.fromtimestamp(moment // SECOND, UTC).strftime("%Y-%m-%d")


def plain_times(text: str) -> str:
    """Every RFC 3339 time within a text as pages write times."""
    return _RFC3339.sub(lambda match: f"{match[1]} {match[2]} UTC", text)


def took(nanoseconds: int) -> str:
    """How long something of ours ran: `12 ms`, `3.4 s`."""
    if nanoseconds < SECOND:
        return f"{nanoseconds // 1_000_000} ms"
    return f"{nanoseconds // (SECOND // 10) / 10:.1f} s"


def duration(nanoseconds: int) -> str:
    """The two largest parts of a duration: `3 d 4 h`, `4 h 12 min`, `45 s`; below a second `0 s`."""
    left = max(0, nanoseconds) // SECOND
    parts: list[str] = []
    for size, name in _STEPS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "0 s"


def duration_long(nanoseconds: int) -> str:
    """A duration as a sentence says it: `3 days`, `10 minutes`, `1 hour 30 minutes`."""
    words = []
    for part in zip(*[iter(duration(nanoseconds).split())] * 2, strict=True):
        count, name = part
        words.append(f"{count} {_WORDS[name]}{'' if count == '1' else 's'}")
    return " ".join(words)


def until(moment: int, now: int) -> str:
    """How far a moment lies from now: `in 3 d 4 h`, `2 h 5 min ago`, `now` within a second."""
    distance = moment - now
    if abs(distance) < SECOND:
        return "now"
    return f"in {duration(distance)}" if distance > 0 else f"{duration(-distance)} ago"


def short_address(address: str) -> str:
    """The two ends of an address: `akash1365y…wuzq2w`; short ones stay whole."""
    return address if len(address) <= 20 else f"{address[:10]}…{address[-6:]}"


def short_digest(digest: str) -> str:
    """The first twelve digits of a digest."""
    return digest[:12]


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 lease`, `3 leases`, `0 leases`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(count: int) -> str:
    """A number of bytes: `512 B`, `1.5 KiB`, `3.0 MiB`."""
    if count < 1024:
        return f"{count} B"
    value, unit = count / 1024, "KiB"
    if value >= 1024:
        value, unit = value / 1024, "MiB"
    return f"{value:.1f} {unit}"


FILTERS = {
    function.__name__: function
    for function in (
        integer, number, amount, exact_amount, coins, percent, permille, utc, utc_seconds, utc_day, duration,
        duration_long, plain_times, took, until, short_address, short_digest, counted, size,
    )
}  # fmt: skip
