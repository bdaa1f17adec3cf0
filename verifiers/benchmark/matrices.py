"""Matrices of small integers made from a seed by counting: the same on every device (pure).

A word is 32 bits of a counter mixed twice with keys of the seed (the finalizer of MurmurHash3, public domain); each
of its four bytes is one element. `runner.py` has the same few lines in PyTorch.
"""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache
from math import isqrt

import numpy as np
import numpy.typing as npt

SIZES = (128, 256, 512, 1024, 2048, 4096, 8192)
"""Orders of the square matrices that a proof may have."""

_EXACT = (1 << 24) - 1
_WEYL = np.uint32(0x9E3779B1)
_FIRST = np.uint32(0x85EBCA6B)
_SECOND = np.uint32(0xC2B2AE35)


def largest_element(n: int) -> int:
    """The greatest absolute value of an element, so that |a|·|b|·n < 2^24: every sum is exact in fp32."""
    return min(127, isqrt(_EXACT // n))


def matrix_keys(seed: str, name: str) -> tuple[int, int]:
    """The two 32-bit keys of the matrix `name` (`a` or `b`)."""
    first, second = struct.unpack("<2I", hashlib.sha256(f"waymark matrix {name} {seed}".encode()).digest()[:8])
    return first, second


def elements(keys: tuple[int, int], n: int, first_row: int, rows: int) -> npt.NDArray[np.int8]:
    """Rows `first_row` … of an n x n matrix, shape (rows, n)."""
    start, count = first_row * n // 4, rows * n // 4
    word = np.arange(start, start + count, dtype=np.uint32)
    for key in keys:
        word *= _WEYL
        word += np.uint32(key)
        word ^= word >> np.uint32(16)
        word *= _FIRST
        word ^= word >> np.uint32(13)
        word *= _SECOND
        word ^= word >> np.uint32(16)
    return _byte_values(n)[word.astype("<u4").view(np.uint8)].reshape(rows, n)


@lru_cache(maxsize=len(SIZES))
def _byte_values(n: int) -> npt.NDArray[np.int8]:
    """The element that each byte stands for."""
    most = largest_element(n)
    return ((np.arange(256) * (2 * most + 1) >> 8) - most).astype(np.int8)
