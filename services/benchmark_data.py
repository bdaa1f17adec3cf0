"""The public data set of accepted benchmark runs: with provenance, as rows, and medians of each variant."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from ledger.benchmarks import BenchmarkChallengeRow, BenchmarkRunRow, accepted_runs, count_accepted
from services import campaigns
from services.house import House
from services.paging import Page
from tasks.moment import SECOND, Moment, format_moment
from verifiers.benchmark.answers import Measurement, Result
from verifiers.benchmark.gpus import nominal_gib
from verifiers.benchmark.plausible import median_low

PART = 200

DICTIONARY: Mapping[str, str] = {
    "run": "the challenge's id, 32 hex digits; `claims` and `observations` name it too",
    "received_at": "when the result was received, RFC 3339 UTC",
    "participant": "who ran it, the registered address",
    "provider": "on which provider, its address",
    "observation": "the id of what we keep of the run; GET observations/{id} gives the whole result",
    "gpu_model": "the campaign's name of the model",
    "variant": "model, interface where the name says one, and memory: only equal variants are compared",
    "gpu_name": "the name that the driver gives",
    "gpu_memory_gib": "the memory the card is sold with, in GiB",
    "gpu_count": "GPUs in the container; the first is measured",
    "pci_id": "the PCI device id, where the driver told it",
    "driver": "version of the NVIDIA driver",
    "cuda": "version of CUDA that PyTorch was built with",
    "torch": "version of PyTorch",
    "runner": "version of the runner",
    "suite": "version of the suite",
    "proof": "interactive: we measured the time between seed and commitment; alone: no time is proven",
    "proof_seconds": "that time in seconds, empty where none is proven",
    "test": "gemm, memory_copy, attention, hf_Bert, hf_Bert_large, resnet50, decoder_step",
    "precision": "fp32, tf32, fp16 or bf16",
    "size": "sizes of the test",
    "unit": "flop, byte, sample or token",
    "per_second": "units in a second, from the median repetition, three decimals",
    "median_ns": "nanoseconds of the median repetition",
    "least_ns": "nanoseconds of the fastest repetition",
    "most_ns": "nanoseconds of the slowest repetition",
    "spread_permille": "the middle four fifths of the repetitions, their width in thousandths of the median",
    "warmup": "repetitions before, not counted",
    "repetitions": "repetitions counted",
    "claim": "the id of the claim; GET claims/{id} names the lease, every check and the observations behind it",
    "delivered_by": "owner: entered, signed in; lease: fetched from its address; runner: posted, then confirmed",
}
"""What each column means, in the order of the CSV. Columns are only ever added, at the end."""


@dataclass(frozen=True)
class PublicRun:
    """One accepted run."""

    run: BenchmarkRunRow
    challenge: BenchmarkChallengeRow
    result: Result

    @property
    def proof_seconds(self) -> str:
        """The measured time, empty where none is proven."""
        started, committed = self.challenge.started_ns, self.challenge.committed_ns
        if self.result.proof.mode != "interactive" or started is None or committed is None:
            return ""
        return f"{(committed - started) // (SECOND // 1000) / 1000:.3f}"

    def provenance(self) -> dict[str, str | int]:
        """The columns that are the same for every test of the run."""
        gpu, result = self.result.gpu, self.result
        return {
            "run": self.run.challenge,
            "received_at": format_moment(Moment(self.run.received_ns)),
            "participant": self.run.participant,
            "provider": self.challenge.provider,
            "observation": self.run.observation or "",
            "gpu_model": self.run.gpu_model,
            "variant": self.run.variant,
            "gpu_name": gpu.name if gpu else "",
            "gpu_memory_gib": nominal_gib(gpu.memory_bytes) if gpu else 0,
            "gpu_count": gpu.count if gpu else 0,
            "pci_id": gpu.pci_id if gpu else "",
            "driver": gpu.driver if gpu else "",
            "cuda": gpu.cuda if gpu else "",
            "torch": result.runner.torch,
            "runner": result.runner.version,
            "suite": result.suite,
            "proof": result.proof.mode,
            "proof_seconds": self.proof_seconds,
            "claim": self.run.claim or "",
            "delivered_by": self.run.delivered_by,
        }

    def measurements(self) -> list[dict[str, str | int]]:
        """The columns of each test."""
        return [
            {
                "test": each.name,
                "precision": each.precision,
                "size": each.size,
                "unit": each.unit,
                "per_second": decimal(each.milli_per_second),
                "median_ns": each.median_ns,
                "least_ns": each.least_ns,
                "most_ns": each.most_ns,
                "spread_permille": each.spread_permille,
                "warmup": each.warmup,
                "repetitions": each.repetitions,
            }
            for each in self.result.measured().values()
        ]


def decimal(milli: int) -> str:
    """Thousandths as a decimal text."""
    return f"{milli // 1000}.{milli % 1000:03d}"


def page(house: House, number: int, per_page: int) -> Page[PublicRun]:
    """One page of accepted runs, oldest first; empty without a campaign."""
    loaded = campaigns.current(house)
    if loaded is None:
        return Page((), number, per_page, 0)
    with house.ledger.read() as session:
        total = count_accepted(session, loaded.slug)
        items = list(_runs(session, loaded.slug, (number - 1) * per_page, per_page))
    return Page(items, number, per_page, total)


def _runs(session: Session, campaign: str, first: int, count: int) -> Iterator[PublicRun]:
    for run, challenge in accepted_runs(session, campaign, first, count):
        yield PublicRun(run, challenge, Result.model_validate(run.result))


def every_run(house: House) -> list[PublicRun]:
    """All accepted runs, oldest first."""
    loaded = campaigns.current(house)
    if loaded is None:
        return []
    found: list[PublicRun] = []
    with house.ledger.read() as session:
        while part := list(_runs(session, loaded.slug, len(found), PART)):
            found += part
    return found


def csv_text(house: House) -> str:
    """The whole data set, one line for each test of each run, columns as in DICTIONARY."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(DICTIONARY), lineterminator="\n")
    writer.writeheader()
    for run in every_run(house):
        provenance = run.provenance()
        for measured in run.measurements():
            writer.writerow({name: _cell(value) for name, value in {**provenance, **measured}.items()})
    return text.getvalue()


def _cell(value: str | int) -> str:
    """A spreadsheet takes no text of a stranger for a formula (security.md 9)."""
    text = str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


@dataclass(frozen=True, slots=True)
class VariantMedian:
    """One test of one variant over all accepted runs; rates in thousandths of a unit a second.

    `spread_permille`: from the lower to the upper quartile, in thousandths of the median.
    """

    gpu_model: str
    variant: str
    test: str
    precision: str
    size: str
    unit: str
    runs: int
    median: int
    least: int
    most: int
    spread_permille: int


def medians(house: House) -> list[VariantMedian]:
    """By variant, test, precision and size; variants of a model are never put together."""
    groups: dict[tuple[str, str, str], list[tuple[Measurement, str]]] = {}
    for run in every_run(house):
        for key, each in run.result.measured().items():
            groups.setdefault((run.run.gpu_model, run.run.variant, key), []).append((each, run.run.challenge))
    return [
        _median(model, variant, [each for each, _ in rows]) for (model, variant, _), rows in sorted(groups.items())
    ]


def _median(model: str, variant: str, rows: Sequence[Measurement]) -> VariantMedian:
    rates = sorted(each.milli_per_second for each in rows)
    middle = median_low(rates)
    quarter = (len(rates) - 1) // 4
    first = rows[0]
    return VariantMedian(
        gpu_model=model,
        variant=variant,
        test=first.name,
        precision=first.precision,
        size=first.size,
        unit=first.unit,
        runs=len(rates),
        median=middle,
        least=rates[0],
        most=rates[-1],
        spread_permille=(rates[-1 - quarter] - rates[quarter]) * 1000 // max(middle, 1),
    )
