"""Numbers, sizes and yes/no as the network's Go parser reads them from raw text (reference akash-sdl 3)."""

from __future__ import annotations

import math
import re
from fractions import Fraction

UNITS = {
    "": 1,
    "k": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4, "P": 1000**5, "E": 1000**6,
    "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3, "Ti": 1024**4, "Pi": 1024**5, "Ei": 1024**6,
}  # fmt: skip
GIB = UNITS["Gi"]
MIB = UNITS["Mi"]
TIB = UNITS["Ti"]

_SIZE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)([A-Za-z]*)", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DIGITS = re.compile(r"\d{1,20}", re.ASCII)
_INTEGERS = (
    (re.compile(r"[+]?0[xX]([0-9a-fA-F]{1,16})"), 16),
    (re.compile(r"[+]?0[bB]([01]{1,64})"), 2),
    (re.compile(r"[+]?0[oO]?([0-7]{1,22})"), 8),
    (re.compile(r"[+]?([1-9]\d{0,19}|0)", re.ASCII), 10),
)
_MAX_BYTES = 2**63
_LONGEST = 40
_TIMEOUT = re.compile(r"(\d{1,10})(ms|s|m|h|)", re.ASCII)
_TIMEOUT_UNITS = {"": 1, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_CONSOLE_SIZE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([A-Za-z])([A-Za-z]*)", re.ASCII)
_CONSOLE_CPU = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]*)", re.ASCII)

YES = frozenset({"true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"})
NO = frozenset({"false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"})


def cpu_thousandths(text: str) -> int:
    """`100m` or a number of CPUs as thousandths, truncated from the binary float (0.57 gives 569).

    Raises ValueError for anything else.
    """
    if text.endswith("m"):
        return _whole(text[:-1])
    if _FLOAT.fullmatch(text) is None:
        raise ValueError(text)
    thousandths = float(text) * 1000
    if not 0 <= thousandths < 2**32:
        raise ValueError(text)
    return int(thousandths)


def size_bytes(text: str, *, binary_only: bool = False) -> int:
    """A size with a case-sensitive suffix (k = 1000, Ki = 1024) in bytes, truncated. Raises ValueError."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    number, suffix = match.groups()
    if suffix not in UNITS or (binary_only and suffix and not suffix.endswith("i")):
        raise ValueError(text)
    value = float(number) * UNITS[suffix]
    if not 0 <= value < _MAX_BYTES:
        raise ValueError(text)
    return int(value)


def console_cpu_thousandths(text: str) -> int:
    """CPUs as the TypeScript SDK reads text: any letters may follow, `m` of either case are thousandths.

    Rounded up to whole thousandths as later versions do it; the network takes no other. Raises ValueError.
    """
    match = _CONSOLE_CPU.fullmatch(text)
    if match is None or len(text) > _LONGEST:
        raise ValueError(text)
    thousandths = math.ceil(Fraction(match[1]) * (1 if match[2].lower() == "m" else 1000))
    if not thousandths < 2**32:
        raise ValueError(text)
    return thousandths


def console_size_bytes(text: str) -> int:
    """A size as the TypeScript SDK reads it: 8GB, 512mi; only a lone `i` in second place means 1024 (`1GiB` is 1 GB).

    Rounded up. Raises ValueError.
    """
    match = _CONSOLE_SIZE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    power = "kmgtpe".find(match[2].lower()) + 1
    value = float(match[1]) * float((1024 if match[3].lower() == "i" else 1000) ** power)
    if not value < _MAX_BYTES:
        raise ValueError(text)
    return math.ceil(value)


def gpu_units(text: str) -> int:
    """A plain count. Raises ValueError."""
    return _whole(text)


def _whole(text: str) -> int:
    if _DIGITS.fullmatch(text) is None:
        raise ValueError(text)
    return int(text)


def timeout_ms(text: str) -> int:
    """`500ms`, `60s`, `5m`, `1h` or a plain count of milliseconds, as SDKs since August 2026 read it. ValueError."""
    match = _TIMEOUT.fullmatch(text)
    value = int(match[1]) * _TIMEOUT_UNITS[match[2]] if match else 2**32
    if value >= 2**32:
        raise ValueError(text)
    return value


def whole_number(text: str) -> int:
    """An unsigned integer as yaml.v3 resolves plain text: 0x, 0b, octal by 0 or 0o, underscores, 1e3. ValueError."""
    plain = text.replace("_", "")
    for pattern, base in _INTEGERS:
        match = pattern.fullmatch(plain)
        if match is not None:
            return int(match[1], base)
    if _FLOAT.fullmatch(plain) is not None and 0 <= float(plain) < 2**64:
        return int(float(plain))
    raise ValueError(text)
