"""Kubernetes quantities such as `191800m`, `515Gi` or `1e9`, read exactly with integers (pure).

Rules: akash-provider.md 3.2.
"""

from __future__ import annotations

import re

_BINARY = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?([KMGTPE])i")
_EXPONENT = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?[eE]([+-]?[0-9]{1,3})")
_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?([numkMGTPE]?)")

_LONGEST = 64
_LARGEST_EXPONENT = 30
_BINARY_POWERS = {letter: 10 * place for place, letter in enumerate("KMGTPE", start=1)}
_DECIMAL_POWERS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def whole(text: str) -> int | None:
    """The quantity in whole units, cut towards zero; 0 for an empty text, None for one that can't be read."""
    return _scaled(text, 0)


def thousandths(text: str) -> int | None:
    """The quantity in thousandths, as CPUs are counted; as `whole`."""
    return _scaled(text, 3)


def _scaled(text: str, places: int) -> int | None:
    text = text.strip()
    if not text:
        return 0
    if len(text) > _LONGEST or not text.isascii():
        return None
    if found := _BINARY.fullmatch(text):
        return _value(found, places, 1 << _BINARY_POWERS[found[4]])
    if found := _EXPONENT.fullmatch(text):
        power = int(found[4])
        return _value(found, places + power) if abs(power) <= _LARGEST_EXPONENT else None
    if found := _DECIMAL.fullmatch(text):
        return _value(found, places + _DECIMAL_POWERS[found[4]])
    return None


def _value(found: re.Match[str], power: int, factor: int = 1) -> int:
    """Digits times `factor` times 10 to the power of `power` less the digits behind the point."""
    fraction = found[3] or ""
    mantissa = int(found[2] + fraction) * factor
    exponent = power - len(fraction)
    size: int = mantissa * 10**exponent if exponent >= 0 else mantissa // 10**-exponent
    return -size if found[1] else size
