"""Amounts as the chain writes them, exact: integers of the smallest part, never floats."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, NewType

from pydantic import BeforeValidator

Atto = NewType("Atto", int)
"""10^-18 of a denom's unit (of one uakt, one uact): the chain's decimals have exactly 18 places."""

ATTO = 10**18
"""How many Atto one unit has."""

_DECIMAL = re.compile(r"(-?[0-9]{1,60})(?:\.([0-9]{1,18}))?")


def parse_atto(text: object) -> Atto:
    """Read `"-800000.000000000000000000"` exactly. Raises ValueError for anything that is no such text."""
    if isinstance(text, str):
        # what the chain writes, and what a listing holds by the ten thousand: plain digits with all 18 places
        whole, _, fraction = text.partition(".")
        digits = whole + fraction
        if len(fraction) == 18 and len(digits) < 78 and digits.isdigit() and digits.isascii() and whole:
            return Atto(int(digits))
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("not a decimal text with at most 18 places")
    whole, fraction = match.groups()
    return Atto(int(whole + (fraction or "").ljust(18, "0")))


def format_atto(amount: Atto) -> str:
    """Write an amount in units, with no more places than it needs: `1499.25`, `-800000`."""
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), ATTO)
    places = f"{fraction:018d}".rstrip("0")
    return f"{sign}{whole}.{places}" if places else f"{sign}{whole}"


Whole = int
"""A 64-bit number, which the gateway writes as text and the RPC sometimes as number; a fraction is refused."""


@dataclass(frozen=True, slots=True)
class Coin:
    """A whole amount of one denom."""

    denom: str
    amount: Whole


@dataclass(frozen=True, slots=True)
class DecCoin:
    """An exact fraction of one denom, in Atto; may be negative (an overdrawn escrow's funds)."""

    denom: str
    amount: Annotated[Atto, BeforeValidator(parse_atto)]

    def __str__(self) -> str:
        return f"{format_atto(self.amount)}{self.denom}"


def amount_in(coins: Iterable[DecCoin | Coin], denom: str) -> int:
    """The sum of one denom, in the coins' own measure; 0 where the denom is not there.

    Accounts hold several denoms in any order since v2.1, so no amount is ever read without its denom.
    """
    return sum(coin.amount for coin in coins if coin.denom == denom)
