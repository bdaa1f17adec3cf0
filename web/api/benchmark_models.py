"""What the API takes and answers about benchmarks; rates are decimal strings with three places."""

from __future__ import annotations

from pydantic import Field, JsonValue

from web.api.models import Address, Answer, Time
from web.bodies import Body


class ChallengeBody(Body):
    """For which provider; `gpu_model` as the network writes it goes into the SDL."""

    provider: str = Field(max_length=200)
    gpu_model: str | None = Field(None, max_length=60)


class StartBody(Body):
    """The runner's token, and the order of the matrices."""

    token: str = Field(max_length=200)
    n: int


class CommitBody(Body):
    """The runner's token, and the root of the product's rows."""

    token: str = Field(max_length=200)
    root: str = Field(max_length=200)


class ResultBody(Body):
    """The runner's token, and its whole result."""

    token: str = Field(max_length=200)
    result: dict[str, JsonValue]


class ChallengeAnswer(Answer):
    """A challenge: deploy `sdl` on the provider, or start the runner there with `command`.

    `token` is for the runner only; a result is entered as a claim of `task` before `expires_at`.
    """

    challenge: str
    task: str
    provider: Address
    expires_at: Time
    token: str
    sdl: str
    command: str


class SeedAnswer(Answer):
    """The seed of the matrices; the clock runs."""

    seed: str


class DrawAnswer(Answer):
    """What vectors and rows are drawn from."""

    draw: str


class DeliveredAnswer(Answer):
    """The result is here; its owner confirms it by entering the claim."""

    challenge: str


class MeasurementAnswer(Answer):
    """One test of a run."""

    test: str
    precision: str
    size: str
    unit: str
    per_second: str
    median_ns: int
    least_ns: int
    most_ns: int
    spread_permille: int
    warmup: int
    repetitions: int


class BenchmarkAnswer(Answer):
    """One accepted run with its provenance; the page of benchmarks says what each name means."""

    run: str
    received_at: Time
    participant: Address
    provider: Address
    observation: str
    gpu_model: str
    variant: str
    gpu_name: str
    gpu_memory_gib: int
    gpu_count: int
    pci_id: str
    driver: str
    cuda: str
    torch: str
    runner: int
    suite: int
    proof: str
    proof_seconds: str
    measurements: list[MeasurementAnswer]
    claim: str
    delivered_by: str


class MedianAnswer(Answer):
    """One test of one variant over all accepted runs; `spread_permille`: between the quartiles."""

    gpu_model: str
    variant: str
    test: str
    precision: str
    size: str
    unit: str
    runs: int
    median: str
    least: str
    most: str
    spread_permille: int
