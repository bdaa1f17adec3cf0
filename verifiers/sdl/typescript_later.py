"""The manifest as the TypeScript SDK builds it after 1.0.0-alpha.25 (chain-sdk `ts/src/sdl`, August 2026)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction

from verifiers.sdl.manifest import Json
from verifiers.sdl.nodes import Node
from verifiers.sdl.scripted import JsValue, NotScripted, number_text
from verifiers.sdl.typescript import Builder, Map, as_text, document_of

_SIZE = re.compile(r"(\d+\.?\d*|\.\d+)([a-z]?)([a-z]*)", re.ASCII)
_CPU = re.compile(r"(\d+\.?\d*|\.\d+)([a-z]*)", re.ASCII)


def groups(root: Node) -> Iterator[list[Json]]:
    """The manifest groups of both later rules. Raises NotScripted where they cannot be made."""
    document = document_of(root)
    yield SortingBuilder(document).groups()
    yield ExactBuilder(document).groups()


class SortingBuilder(Builder):
    """GPU attributes are sorted, as the Go rule has them."""

    def _gpu_pairs(self, gpu: Map) -> list[dict[str, str]]:
        # localeCompare: letters by the alphabet first, small before capital ones where nothing else differs
        return sorted(super()._gpu_pairs(gpu), key=lambda pair: (pair["key"].lower(), pair["key"].swapcase()))


class ExactBuilder(SortingBuilder):
    """Sizes and CPUs are exact decimals, rounded up (`sizes.ts`); a size without a unit counts bytes."""

    def _cpu_units(self, value: JsValue) -> str:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        text = number_text(value) if isinstance(value, int | float) and is_number else as_text(value)
        match = _CPU.fullmatch(text.lower())
        if match is None:
            raise NotScripted("cpu")
        return _rounded_up(match[1], 1 if match[2] == "m" else 1000)

    def _size(self, value: JsValue) -> str:
        match = _SIZE.fullmatch(as_text(value).lower())
        if match is None:
            raise NotScripted("size")
        power = ("kmgtpe".find(match[2]) + 1) if match[2] else 0
        return _rounded_up(match[1], (1024 if match[3] == "i" else 1000) ** power)


def _rounded_up(digits: str, multiplier: int) -> str:
    if len(digits) > 40:
        raise NotScripted("number")
    return str(math.ceil(Fraction(f"0{digits}0" if "." in digits else digits) * multiplier))
