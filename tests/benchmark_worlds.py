"""A small chain with a provider and one benchmark run on it, as a `gather` sees them, for the tables of cases."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from tasks.moment import SECOND, Moment, format_moment
from tests.deployed_worlds import BLOCK_NS, CHAIN, OWNER, World
from tests.provider_certificates import NOW, made
from tests.provider_certificates import OWNER as PROVIDER
from tests.provider_double import StubChain, encoded, framed, node, status_of
from verifiers.benchmark.record import body_of, comparison_request, record_request
from verifiers.chain.questions import rest_request
from verifiers.evidence import ClaimFacts, Observation, Source
from verifiers.provider.identity import Record, Shown
from verifiers.provider.messages import STATUS
from verifiers.provider.questions import get_status_request, route_request, tls_request

CHALLENGE = "c0ffee00" * 4
DRAW = "d7" * 32
FOLDER = Path(__file__).parent / "fixtures" / "benchmark"
START = Moment(NOW - 500 * BLOCK_NS)
RECEIVED = Moment(START + 300 * BLOCK_NS)
GIB = 1 << 30

RATES = {
    ("gemm", "fp32"): (2 * 8192**3, "flop", 61_000_000),
    ("gemm", "tf32"): (2 * 8192**3, "flop", 8_000_000),
    ("gemm", "fp16"): (2 * 8192**3, "flop", 4_200_000),
    ("memory_copy", "fp32"): (2 << 30, "byte", 1_200_000),
    ("attention", "fp16"): (4 * 4 * 16 * 2048**2 * 64, "flop", 1_200_000),
    ("hf_Bert", "fp16"): (32, "sample", 6_000_000),
    ("hf_Bert_large", "fp16"): (32, "sample", 19_000_000),
    ("resnet50", "fp16"): (32, "sample", 9_000_000),
    ("decoder_step", "fp16"): (8, "token", 2_000_000),
}
"""What an A100 of the tables measures: made up, within its limits. Work, unit, nanoseconds."""


def measurements(**changes: int) -> list[dict[str, Any]]:
    """The suite; `changes` by `name_precision`: another median in nanoseconds, 0: left out."""
    found = []
    for (name, precision), (work, unit, usual) in RATES.items():
        median = changes.get(f"{name}_{precision}", usual)
        if median:
            sizes = {"size": "batch=32", "work": work, "unit": unit, "warmup": 5, "repetitions": 20}
            times = {"median_ns": median, "least_ns": median, "most_ns": median + 10, "spread_permille": 3}
            found.append({"name": name, "precision": precision, **sizes, **times})
    return found


def gpu(name: str = "NVIDIA A100-SXM4-80GB", gib: int = 80, pci_id: str = "0x20B210DE") -> dict[str, Any]:
    return {
        "name": name,
        "memory_bytes": gib * GIB - GIB // 2,
        "count": 1,
        "compute_capability": "8.0",
        "driver": "550.54.15",
        "cuda": "12.4",
        "pci_bus": "00000000:00:05.0",
        "pci_id": pci_id,
        "uuid": "GPU-0",
    }


@cache
def full_size() -> dict[str, dict[str, Any]]:
    """Proofs of the full order for CHALLENGE: `alone`, and `interactive` with the draw DRAW. The runner made them
    on a processor, with the same lines that run on a GPU."""
    found: dict[str, dict[str, Any]] = json.loads((FOLDER / "full-size-proofs.json").read_text())
    return found


def result(**changes: Any) -> dict[str, Any]:
    """A good result for CHALLENGE."""
    return {
        "schema": "waymark-benchmark/1",
        "suite": 1,
        "challenge": CHALLENGE,
        "runner": {"version": 1, "torch": "2.4.1", "python": "3.11.9"},
        "device": {"type": "cuda", "small": False, "processors": 16},
        "gpu": gpu(),
        "took_seconds": 61,
        "measurements": measurements(),
        "proof": full_size()["alone"],
        **changes,
    }


def record(run: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The platform's record of a run that worked alone."""
    issued = {
        "id": CHALLENGE,
        "campaign": "demo",
        "participant": OWNER,
        "provider": PROVIDER,
        "issued_at": format_moment(Moment(RECEIVED - 1800 * SECOND)),
        "expires_at": format_moment(Moment(RECEIVED + 1800 * SECOND)),
        "genuine": True,
        "sdl_hashes": ["aa" * 32],
    }
    return {
        "challenge": issued | changes.pop("challenge", {}),
        "measured": None,
        "received_at": format_moment(RECEIVED),
        "delivered_by": "owner",
        "result": run if run is not None else result(),
        **changes,
    }


CERTIFICATE = made(PROVIDER)


@dataclass
class BenchmarkWorld(World):
    """`inventory`: None: the provider was not reached. `attributes`: None: it has no record on the chain."""

    start: Moment = START
    kept: dict[str, Any] | None = field(default_factory=record)
    inventory: Sequence[dict[str, Any]] | None = field(default_factory=lambda: [node(gpus=[("a100", "80Gi")])])
    attributes: Sequence[str] | None = ("a100",)
    medians: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    same_output: Sequence[str] = ()
    compares: bool = True

    @property
    def provider(self) -> BenchmarkWorld:
        return self

    @property
    def benchmarks(self) -> BenchmarkWorld:
        return self

    def record(self, challenge: str) -> Observation | None:
        if self.kept is None:
            return None
        return Observation(Source.ENTERED, record_request(challenge), body_of(self.kept), "entered", RECEIVED)

    def comparison(self, challenge: str) -> Observation | None:
        if not self.compares:
            return None
        medians = {key: {"milli_per_second": rate, "runs": runs} for key, (rate, runs) in self.medians.items()}
        body = {"variant": "a100 sxm 80GB", "medians": medians, "same_output": list(self.same_output)}
        return Observation(Source.COMPARISON, comparison_request(challenge), body_of(body), "comparison", RECEIVED)

    def state_at(self, height: int, path: str, parameters: Mapping[str, str]) -> Observation:
        if "/providers/" not in path:
            return super().state_at(height, path, parameters)
        keys = [f"capabilities/gpu/vendor/nvidia/model/{model}" for model in self.attributes or ()]
        row = {
            "owner": PROVIDER,
            "host_uri": "https://provider.example:8443",
            "attributes": [{"key": key, "value": "true"} for key in keys],
            "info": {"email": "", "website": ""},
        }
        answer = self._answer(rest_request(path, parameters), {"provider": row}, height)
        if self.attributes is None and answer.trouble is None:
            return replace(answer, status=404, body=b'{"code":5,"message":"not found","details":[]}')
        return answer

    def look(self, owner: str, host_uri: str) -> Sequence[Observation]:
        assert host_uri == "https://provider.example:8443"
        if self.inventory is None:
            return [_told(tls_request(owner, end), trouble="timeout") for end in ("rest", "grpc")]
        shown = Record("provider.example", 8443, Shown((CERTIFICATE.der,), "mtls.provider.example", "TLSv1.3")).body()
        status = framed(encoded(STATUS, status_of(*self.inventory)))
        return [
            *_looked_up(owner),
            _told(tls_request(owner, "rest"), shown),
            _told(tls_request(owner, "grpc"), shown),
            _told(route_request(owner, "/address"), json.dumps({"address": owner}).encode()),
            _told(get_status_request(owner), status),
        ]


def _looked_up(owner: str) -> Sequence[Observation]:
    return StubChain(CERTIFICATE.row())(owner, CERTIFICATE.serial)


def _told(request: str, body: bytes = b"", trouble: str | None = None) -> Observation:
    status = None if trouble or request.startswith("TLS") else 200
    return Observation(Source.PROVIDER, request, body, "provider.example:8443", START, status, trouble=trouble)


def world(**changes: Any) -> BenchmarkWorld:
    """A chain where the owner has an open GPU lease on the provider from block 110 on."""
    made_world = BenchmarkWorld(**changes)
    made_world.deploy(7, models=("a100",))
    made_world.lease(7, PROVIDER, offered=("a100",))
    return made_world


def claim(**changes: Any) -> ClaimFacts:
    """The claim of the run."""
    facts = ClaimFacts(
        id="0" * 32,
        campaign="demo",
        chain_id=CHAIN,
        task="benchmark",
        kind="benchmark_run",
        participant=OWNER,
        addresses=(OWNER,),
        subject=CHALLENGE,
        fields={"challenge": CHALLENGE},
        received_at=RECEIVED,
        opens=Moment(START + 50 * BLOCK_NS),
        closes=Moment(START + 5000 * BLOCK_NS),
    )
    return replace(facts, **changes)


MODELS = (
    {"id": "a100", "gpu_class": "data_center", "vram_gib": None, "aliases": ("NVIDIA A100-SXM...",)},
    {"id": "h100", "gpu_class": "data_center", "vram_gib": 80, "aliases": ("NVIDIA H100 PCIe",)},
    {"id": "k80", "gpu_class": "data_center", "vram_gib": 24, "aliases": ("Tesla K80",)},
)


def params(**changes: Any) -> dict[str, object]:
    """Params as the campaign's loading and the platform give them."""
    return {
        "suite": 1,
        "expires_ns": 7200 * SECOND,
        "within_permille_of_median": 3000,
        "lease": "required",
        "campaign_gpu_models": MODELS,
        **changes,
    }
