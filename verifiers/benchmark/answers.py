"""Reads `result.json` as the runner writes it: bounded, typed, hostile until read (pure)."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from verifiers.benchmark.proof import ROWS, VECTORS, Opening, Proof

SCHEMA = "waymark-benchmark/1"
MAX_BYTES = 64 * 1024
"""A whole result of one GPU has about 20 KiB."""

BYTES_EACH = 16 * 1024
"""What each further GPU of the container may add."""

MOST_GPUS = 64

Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Hex64 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, StringConstraints(max_length=128, pattern=r"^[\x20-\x7e]*$")]
Count = Annotated[int, Field(ge=0, le=10**6)]
Nanoseconds = Annotated[int, Field(ge=1, le=10**14)]

PRECISIONS = ("fp32", "tf32", "fp16", "bf16")
UNITS = ("flop", "byte", "sample", "token")


class ResultRefused(ValueError):
    """The text is no result of the runner; the message names the first field that does not fit."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RunnerFacts(_Part):
    """Which runner ran."""

    version: Annotated[int, Field(ge=1, le=1000)]
    torch: Word
    python: Word


class DeviceFacts(_Part):
    """Where it ran; `small`: with sizes that take seconds."""

    type: Literal["cuda", "cpu"]
    small: bool
    processors: Count


class GpuFacts(_Part):
    """The first GPU, as its driver names it."""

    name: Annotated[Word, StringConstraints(min_length=1)]
    memory_bytes: Annotated[int, Field(ge=1, le=1 << 50)]
    count: Annotated[int, Field(ge=1, le=1024)]
    compute_capability: Word
    driver: Word
    cuda: Word
    pci_bus: Word
    pci_id: Word
    uuid: Word


class Measurement(_Part):
    """One test: a repetition does `work` units and takes `median_ns`; spread is that of the middle four fifths."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,40}$")]
    precision: Literal["fp32", "tf32", "fp16", "bf16"]
    size: Word
    work: Annotated[int, Field(ge=1, le=10**18)]
    unit: Literal["flop", "byte", "sample", "token"]
    warmup: Count
    repetitions: Annotated[int, Field(ge=1, le=10**6)]
    median_ns: Nanoseconds
    least_ns: Nanoseconds
    most_ns: Nanoseconds
    spread_permille: Annotated[int, Field(ge=0, le=10**9)]

    @property
    def key(self) -> str:
        """What is compared with what: test, precision and size."""
        return f"{self.name} {self.precision} {self.size}"

    @property
    def milli_per_second(self) -> int:
        """Thousandths of a unit in a second, rounded down."""
        return self.work * 10**12 // self.median_ns


class OpeningFacts(_Part):
    """One opened row."""

    row: Annotated[int, Field(ge=0, le=1 << 13)]
    path: Annotated[list[Hex64], Field(max_length=13)]


class ProofFacts(_Part):
    """The proof of work as it was answered."""

    mode: Literal["interactive", "alone"]
    n: Annotated[int, Field(ge=1, le=1 << 13)]
    seed: Hex64
    root: Hex64
    draw: Hex64
    products: Annotated[list[Hex64], Field(min_length=VECTORS, max_length=VECTORS)]
    openings: Annotated[list[OpeningFacts], Field(min_length=ROWS, max_length=ROWS)]

    @property
    def proof(self) -> Proof:
        """As the check takes it."""
        openings = tuple(Opening(each.row, tuple(each.path)) for each in self.openings)
        return Proof(self.n, self.seed, self.root, self.draw, tuple(self.products), openings)


class OtherGpu(_Part):
    """A further GPU of the same container; `gpu` None: the run used a processor in its place."""

    gpu: GpuFacts | None
    proof: ProofFacts


class Result(_Part):
    """A whole result. `others`: where the runner was asked for several GPUs; the suite ran on the first alone."""

    schema_: Annotated[Literal["waymark-benchmark/1"], Field(alias="schema")]
    suite: Annotated[int, Field(ge=1, le=1000)]
    challenge: Hex32
    runner: RunnerFacts
    device: DeviceFacts
    gpu: GpuFacts | None
    took_seconds: Annotated[int, Field(ge=0, le=10**7)]
    measurements: Annotated[list[Measurement], Field(max_length=64)]
    proof: ProofFacts
    others: Annotated[list[OtherGpu], Field(max_length=MOST_GPUS - 1)] = []

    @property
    def gpus(self) -> tuple[GpuFacts | None, ...]:
        """Every GPU that answers with a proof, the first one first."""
        return (self.gpu, *(other.gpu for other in self.others))

    @property
    def proofs(self) -> tuple[ProofFacts, ...]:
        """Their proofs, in the same order."""
        return (self.proof, *(other.proof for other in self.others))

    def measured(self) -> dict[str, Measurement]:
        """The measurements by what they are compared by; the first of several."""
        found: dict[str, Measurement] = {}
        for each in self.measurements:
            found.setdefault(each.key, each)
        return found

    @property
    def output_digest(self) -> str:
        """Names the measured numbers alone: two runs that share it share every nanosecond."""
        numbers = [[each.key, each.median_ns, each.least_ns, each.most_ns] for each in self.measurements]
        return hashlib.sha256(json.dumps(numbers, separators=(",", ":")).encode()).hexdigest()


def most_bytes(gpus: int) -> int:
    """How many bytes a result of so many GPUs may have."""
    return MAX_BYTES + BYTES_EACH * (min(gpus, MOST_GPUS) - 1)


def decode_result(text: str | bytes, gpus: int = 1) -> Result:
    """Read a result of a container with so many GPUs. Raises ResultRefused with a sentence that names the mend;
    never anything else."""
    if len(text) > most_bytes(gpus):
        raise ResultRefused(f"The result is larger than {most_bytes(gpus) // 1024} KiB: enter result.json as it is.")
    try:
        value = json.loads(text, parse_int=_bounded, parse_constant=_refused_constant)
    except (ValueError, RecursionError) as error:
        raise ResultRefused("The result is not JSON: enter the whole text of result.json.") from error
    if not isinstance(value, dict):
        raise ResultRefused("The result must be one JSON object: enter the whole text of result.json.")
    try:
        return Result.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:100]
        raise ResultRefused(f"{place}: {first['msg']}. Enter result.json as the runner wrote it.") from error


def _bounded(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("a number is too long")
    return int(digits)


def _refused_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def canonical(result: Result) -> dict[str, object]:
    """The result as JSON values, in the order of the schema; without `others` where there are none."""
    return result.model_dump(by_alias=True, exclude_defaults=True)
