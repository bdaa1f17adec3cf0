"""Whether measured values can be true: reasons for a reviewer, never a no by themselves (pure, whole numbers)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from verifiers.benchmark.answers import Measurement, Result
from verifiers.benchmark.ceilings import bytes_limit, flops_limit

LEAST_RUNS = 3
"""A median of fewer runs says nothing of the model."""

PAIRS = (("hf_Bert", "hf_Bert_large"),)
"""A small model and its large version: the large one can't do more samples a second."""

SUITE_1 = ("gemm", "memory_copy", "attention", "hf_Bert", "hf_Bert_large", "resnet50", "decoder_step")
"""The tests of suite 1; a precision that a card lacks, or one test that did not fit its memory, may be missing."""


@dataclass(frozen=True, slots=True)
class Median:
    """The median of one test among accepted runs of one variant, in thousandths of a unit a second."""

    milli_per_second: int
    runs: int


def missing_tests(result: Result) -> list[str]:
    """Tests of the suite without any measurement."""
    present = {each.name for each in result.measurements}
    return [name for name in SUITE_1 if name not in present]


def doubts(result: Result, model: str, medians: Mapping[str, Median], within_permille: int) -> list[str]:
    """What a reviewer should look at, one phrase each; empty for values that can be true.

    `medians`: by `Measurement.key`, of the same variant. `within_permille` 3000: from a third to three times.
    """
    measured = result.measured()
    found = [doubt for each in measured.values() for doubt in _above_ceiling(each, model)]
    found += _larger_is_faster(measured.values())
    for key, each in measured.items():
        median = medians.get(key)
        if median is not None and median.runs >= LEAST_RUNS:
            found += _far_from(each, median, within_permille)
    return found


def _above_ceiling(each: Measurement, model: str) -> list[str]:
    limit = {"flop": flops_limit(model, each.precision), "byte": bytes_limit(model)}.get(each.unit)
    if limit is None or each.milli_per_second <= limit * 1000:
        return []
    return [f"{each.name} {each.precision}: {rate(each)}, above what a {model} can do ({short(limit)} {each.unit}/s)"]


def _larger_is_faster(measured: Iterable[Measurement]) -> list[str]:
    rates = {(each.name, each.precision): each for each in measured}
    found = []
    for small, large in PAIRS:
        for (name, precision), each in rates.items():
            other = rates.get((large, precision))
            if name == small and other is not None and other.milli_per_second > each.milli_per_second:
                found.append(f"{large} {precision} is faster than {small}: {rate(other)} and {rate(each)}")
    return found


def _far_from(each: Measurement, median: Median, within_permille: int) -> list[str]:
    mine, middle = each.milli_per_second, median.milli_per_second
    if mine * 1000 <= middle * within_permille and middle * 1000 <= mine * within_permille:
        return []
    times = mine * 1000 // max(middle, 1)
    return [f"{each.name} {each.precision}: {rate(each)}, {times / 1000:.2f} times the median of {median.runs} runs"]


def rate(each: Measurement) -> str:
    """`61.2 T flop/s`."""
    return f"{short(each.milli_per_second // 1000) if each.milli_per_second >= 1000 else '<1'} {each.unit}/s"


def short(value: int) -> str:
    """A number with three or four digits and a prefix: `61.2 T`."""
    for power, prefix in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if value >= 10**power:
            return f"{value / 10**power:.3g} {prefix}"
    return str(value)


def median_low(values: Sequence[int]) -> int:
    """The lower middle value: a whole number that was measured. Raises ValueError for none."""
    if not values:
        raise ValueError("no value has no median")
    return sorted(values)[(len(values) - 1) // 2]
