"""Decimals with 18 places as integers, the way the chain counts and writes them."""

from __future__ import annotations

ONE = 10**18
"""The number 1 of a decimal with 18 places."""


def parse_decimal(text: str) -> int:
    """Read "1499.25" as the integer of its 10^-18 parts. Raises ValueError for anything else."""
    whole, _, fraction = text.partition(".")
    if len(fraction) > 18 or not (whole + fraction).isdecimal():
        raise ValueError(f"{text!r} is not a price such as 1000 or 1499.25")
    return int(whole) * ONE + int((fraction or "0").ljust(18, "0"))


def format_decimal(value: int) -> str:
    """Write the integer of 10^-18 parts with all 18 places: "-800000.000000000000000000"."""
    sign = "-" if value < 0 else ""
    whole, fraction = divmod(abs(value), ONE)
    return f"{sign}{whole}.{fraction:018d}"
