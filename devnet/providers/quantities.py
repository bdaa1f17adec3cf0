"""Amounts in Kubernetes notation, in the canonical spelling (k8s.io/apimachinery `pkg/api/resource`)."""

from __future__ import annotations

_DECIMAL = ("", "k", "M", "G", "T", "P", "E")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def thousandths(amount: int) -> str:
    """A number of thousandths: 31800 is `31800m`, 32000 is `32`."""
    return decimal(amount // 1000) if amount % 1000 == 0 else f"{amount}m"


def decimal(amount: int) -> str:
    """A whole number with the largest decimal suffix that leaves it whole: `3676960043k`, `18500G`."""
    return _scaled(amount, 1000, _DECIMAL)


def binary(amount: int) -> str:
    """A whole number with the largest binary suffix that leaves it whole: `26022Mi`, `60Gi`."""
    return _scaled(amount, 1024, _BINARY)


def _scaled(amount: int, base: int, suffixes: tuple[str, ...]) -> str:
    place = 0
    while amount and amount % base == 0 and place + 1 < len(suffixes):
        amount //= base
        place += 1
    return f"{amount}{suffixes[place]}"
