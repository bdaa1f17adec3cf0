"""Money as integers of a millionth of the quoted unit ("micro"): exact in, exact out, never a float."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType

Micro = NewType("Micro", int)
"""An amount in millionths of the campaign's unit."""

Uakt = NewType("Uakt", int)
"""An amount in the smallest unit that is paid."""

MICRO = 1_000_000
_DECIMAL = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,40}))?")


class NotWhole(TypeError):
    """A number that is no integer came where money is counted."""


def whole(value: int) -> int:
    """The value, if it is an integer. Raises NotWhole for floats, booleans and whatever else compares to numbers."""
    if type(value) is not int:
        raise NotWhole(f"{value!r} is not an integer: money is counted in whole millionths")
    return value


def parse_micro(text: str) -> Micro:
    """Read `40`, `0.85`, `4000.000001` exactly (CAMPAIGN_FORMAT: at most six decimals). Raises ValueError."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an amount such as 40 or 12.5")
    decimals = match[2] or ""
    if len(decimals) > 6:
        raise ValueError(f"{text!r} has more than six decimals")
    return Micro(int(match[1]) * MICRO + int(decimals.ljust(6, "0")))


def format_micro(amount: int) -> str:
    """Write an amount with no more decimals than it needs: `40`, `-12.5`."""
    sign = "-" if amount < 0 else ""
    units, rest = divmod(abs(amount), MICRO)
    return f"{sign}{units}" + (f".{rest:06d}".rstrip("0") if rest else "")


def percent_of(amount: int, percent: int) -> Micro:
    """`amount` times `percent` / 100, rounded down."""
    return Micro(amount * percent // 100)


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of the quoted currency for one AKT, exactly: `numerator` / `denominator` (a power of ten)."""

    numerator: int
    denominator: int
    text: str

    def __post_init__(self) -> None:
        if whole(self.numerator) <= 0 or whole(self.denominator) <= 0:
            raise ValueError("a rate must be above zero")

    def uakt(self, amount: int) -> Uakt:
        """What `amount` micro of the unit is in uakt, rounded down. (Both sides are millionths.)"""
        return Uakt(whole(amount) * self.denominator // self.numerator)


def parse_rate(text: str) -> Rate:
    """Read a rate such as `0.85`, up to 18 decimals, above zero. Raises ValueError."""
    match = _DECIMAL.fullmatch(text)
    if match is None or len(match[2] or "") > 18:
        raise ValueError(f"{text!r} is not a rate such as 0.85 (at most 18 decimals)")
    decimals = match[2] or ""
    return Rate(int(match[1] + decimals), 10 ** len(decimals), text)


def share_out(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Split `total` in proportion to `weights` (non-negative integers), exactly.

    Each gets `floor(total * weight / sum)`; the units left over go one each to the largest remainders, ties to
    the smaller name (CAMPAIGN_FORMAT: pools, conversion). Without any weight nobody gets anything.
    """
    whole(total)
    everything = sum(whole(weight) for weight in weights.values())
    if everything <= 0 or total <= 0:
        return dict.fromkeys(sorted(weights), 0)
    shares: dict[str, int] = {}
    remainders: list[tuple[int, str]] = []
    for name in sorted(weights):
        shares[name], remainder = divmod(total * weights[name], everything)
        remainders.append((-remainder, name))
    left = total - sum(shares.values())
    for _, name in sorted(remainders)[:left]:
        shares[name] += 1
    if sum(shares.values()) != total:
        raise ArithmeticError("the shares do not add up to what was shared out")
    return shares
