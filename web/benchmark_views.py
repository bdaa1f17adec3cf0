"""The numbers of a benchmark run beside others, in words and columns for its reviewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.benchmarks import BenchmarkRunRow
from services.benchmark_beside import Numbers, NumbersBeside
from verifiers.benchmark.answers import Result
from verifiers.benchmark.plausible import short


@dataclass(frozen=True, slots=True)
class NumbersRow:
    """One row: a text for each run, this one first, with the labels of their columns."""

    name: str
    texts: Sequence[str]
    labels: Sequence[str]
    size: str = ""
    median: str = ""
    most: str = ""


@dataclass(frozen=True, slots=True)
class NumbersView:
    """The whole table. `facts`: what the runs say of their hardware; `rows`: what they measured."""

    variant: str
    runs: Sequence[BenchmarkRunRow]
    facts: Sequence[NumbersRow]
    rows: Sequence[NumbersRow]


def numbers_view(beside: NumbersBeside) -> NumbersView:
    """All rows of it."""
    runs = [beside.run, *(run for run, _ in beside.others)]
    results = [beside.result, *(result for _, result in beside.others)]
    labels = ["This run", *(f"Run {run.challenge[:8]}…" for run in runs[1:])]
    said = [_said(result) for result in results]
    facts = [NumbersRow(name, [each[name] for each in said], labels) for name in said[0]]
    return NumbersView(beside.run.variant, runs, facts, [_row(row, labels) for row in beside.rows])


def _said(result: Result) -> dict[str, str]:
    gpu = result.gpu
    return {
        "GPU": gpu.name if gpu else "none",
        "PCI id": gpu.pci_id if gpu else "",
        "Card": gpu.uuid if gpu else "",
        "Driver, CUDA": f"{gpu.driver}, {gpu.cuda}" if gpu else "",
        "PyTorch": result.runner.torch,
        "Took": f"{result.took_seconds} s",
    }


def _row(row: Numbers, labels: Sequence[str]) -> NumbersRow:
    each, unit = row.measured, row.measured.unit
    texts = [_rate(each.milli_per_second, unit), *(_rate(rate, unit) for rate in row.others)]
    median = f"{_rate(row.median.milli_per_second, unit)} ({row.median.runs} runs)" if row.median else ""
    return NumbersRow(f"{each.name} {each.precision}", texts, labels, each.size, median, _rate(row.most, unit))


def _rate(milli: int | None, unit: str) -> str:
    if milli is None:
        return ""
    return f"{short(milli // 1000) if milli >= 1_000_000 else f'{milli / 1000:,.1f}'} {unit}"
