#!/usr/bin/env python3
"""Waymark's benchmark runner, one file: PyTorch (1.13 or newer) and the standard library, on a GPU or a CPU.

It names the GPU, times a fixed suite, proves a matrix product that belongs to its challenge, shows its progress and
serves `result.json` on its port. Asked for several GPUs it proves a product on each, all at the same time; the suite
runs on the first. Nothing is read but the hardware's names, nothing is sent but the result.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import math
import os
import platform
import statistics
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch
from torch import nn

VERSION, SUITE = 2, 1
PRIME, VECTORS, ROWS = (1 << 61) - 1, 2, 16
LIMBS, LIMB_BITS = 5, 13
SMI = ("name", "driver_version", "pci.bus_id", "pci.device_id", "uuid", "memory.total")


class Progress:
    """What was done so far, for the terminal and for `/`."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.result: bytes | None = None

    def say(self, line: str) -> None:
        """One line more."""
        self.lines.append(line)
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


# ---- The hardware ----


def gpu_facts(place: int = 0) -> dict[str, object] | None:
    """Name, memory, driver, CUDA and PCI id of the GPU at this place; None without one."""
    if not torch.cuda.is_available():
        return None
    seen = torch.cuda.get_device_properties(place)
    told = _nvidia_smi(place)
    return {
        "name": seen.name.strip(),
        "memory_bytes": int(seen.total_memory),
        "count": torch.cuda.device_count(),
        "compute_capability": f"{seen.major}.{seen.minor}",
        "driver": told.get("driver_version", ""),
        "cuda": str(torch.version.cuda or ""),
        "pci_bus": told.get("pci.bus_id", ""),
        "pci_id": told.get("pci.device_id", ""),
        "uuid": told.get("uuid", ""),
    }


def _nvidia_smi(place: int) -> dict[str, str]:
    command = ["nvidia-smi", "--query-gpu=" + ",".join(SMI), "--format=csv,noheader"]
    try:
        out = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return {}
    line = out.strip().splitlines()[place : place + 1]
    return dict(zip(SMI, (part.strip() for part in line[0].split(",")))) if line else {}  # noqa: B905 - 3.8


def devices(options: argparse.Namespace) -> list[torch.device]:
    """Where the proofs run: as many GPUs as asked, or the processor as often."""
    if options.cpu or not torch.cuda.is_available():
        return [torch.device("cpu")] * options.gpus
    there = torch.cuda.device_count()
    if options.gpus > there:
        raise SystemExit(f"{options.gpus} GPUs were asked for, this container has {there}")
    return [torch.device("cuda", place) for place in range(options.gpus)]


# ---- The suite ----


class Bench:
    """Times the suite on one device; `small` takes seconds on two processor cores."""

    def __init__(self, device: torch.device, progress: Progress, *, small: bool) -> None:
        self.device, self.progress, self.small = device, progress, small
        self.on_gpu = device.type == "cuda"
        props = torch.cuda.get_device_properties(0) if self.on_gpu else None
        self.memory = props.total_memory if props else 4 << 30
        self.capability = (props.major, props.minor) if props else (0, 0)
        self.done: list[dict[str, object]] = []

    def pick(self, small: int, cpu: int, gpu: int) -> int:
        """A size for this device."""
        return small if self.small else gpu if self.on_gpu else cpu

    def measure(self, name: str, precision: str, size: str, work: int, unit: str, step: Callable[[], object]) -> None:
        """Warm up, repeat `step`, keep median and spread; a step that does not fit the memory is left out."""
        try:
            warmup, repetitions = (1, 3) if self.small else (5, 20)
            for _ in range(warmup):
                step()
            inner = self._inner(step)
            times = sorted(self._once(step, inner) for _ in range(repetitions))
        except (RuntimeError, MemoryError) as error:
            self.progress.say(f"{name} {precision}: left out ({str(error).splitlines()[0][:120]})")
            return
        finally:
            if self.on_gpu:
                torch.cuda.empty_cache()
        middle = statistics.median_low(times)
        spread = (times[-1 - len(times) // 10] - times[len(times) // 10]) * 1000 // max(middle, 1)
        self.done.append(
            {
                "name": name,
                "precision": precision,
                "size": size,
                "work": work,
                "unit": unit,
                "warmup": warmup,
                "repetitions": repetitions,
                "median_ns": middle,
                "least_ns": times[0],
                "most_ns": times[-1],
                "spread_permille": spread,
            }
        )
        self.progress.say(f"{name} {precision}: {work * 1e9 / middle:,.4g} {unit}/s (spread {spread / 10:.1f} %)")

    def _inner(self, step: Callable[[], object]) -> int:
        """How many steps one sample takes, so that it lasts two milliseconds at least."""
        return max(1, min(1000, 2_000_000 // max(self._once(step, 1), 1)))

    def _once(self, step: Callable[[], object], inner: int) -> int:
        self._wait()
        began = time.perf_counter_ns()
        for _ in range(inner):
            step()
        self._wait()
        return max(1, (time.perf_counter_ns() - began) // inner)

    def _wait(self) -> None:
        if self.on_gpu:
            torch.cuda.synchronize()

    def precisions(self) -> list[tuple[str, torch.dtype]]:
        """What this device can multiply natively, tf32 apart."""
        found = [("fp32", torch.float32)]
        if self.on_gpu and self.capability >= (6, 0):
            found.append(("fp16", torch.float16))
        if self.capability >= (8, 0) or not self.on_gpu:
            found.append(("bf16", torch.bfloat16))
        return found

    def run(self) -> list[dict[str, object]]:
        """The whole suite, without gradients."""
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        with torch.no_grad():
            self.gemm()
            self.bandwidth()
            self.attention()
            fast = [each for each in self.precisions() if each[0] == "fp16"]
            for precision, dtype in [("fp32", torch.float32), *fast]:
                self.encoder("hf_Bert", 12, 768, precision, dtype)
                self.encoder("hf_Bert_large", 24, 1024, precision, dtype)
                self.resnet(precision, dtype)
            precision, dtype = (fast or [("fp32", torch.float32)])[0]
            self.decoder(precision, dtype)
        return self.done

    def gemm(self) -> None:
        """Square matrix products."""
        n = self.pick(256, 1024, 8192 if self.memory > 6 << 30 else 4096)
        for precision, dtype in self.precisions():
            a, b = (torch.randn((n, n), device=self.device).to(dtype) for _ in range(2))
            self.measure("gemm", precision, f"n={n}", 2 * n**3, "flop", partial(torch.matmul, a, b))
        if self.capability >= (8, 0):
            a, b = (torch.randn((n, n), device=self.device) for _ in range(2))
            torch.backends.cuda.matmul.allow_tf32 = True
            self.measure("gemm", "tf32", f"n={n}", 2 * n**3, "flop", partial(torch.matmul, a, b))
            torch.backends.cuda.matmul.allow_tf32 = False

    def bandwidth(self) -> None:
        """A copy within the device's memory: each byte is read once and written once."""
        size = self.pick(16 << 20, 128 << 20, min(1 << 30, self.memory // 8))
        source = torch.ones(size // 4, device=self.device)
        target = torch.empty_like(source)
        self.measure("memory_copy", "fp32", f"bytes={size}", 2 * size, "byte", lambda: target.copy_(source))

    def attention(self) -> None:
        """Softmax attention written out, so that every version of PyTorch does the same work."""
        batch, heads, length, width = self.pick(1, 1, 4), 16, self.pick(64, 512, 2048), 64
        precision, dtype = ("fp16", torch.float16) if self.capability >= (6, 0) else ("fp32", torch.float32)
        q, k, v = (torch.randn((batch, heads, length, width), device=self.device).to(dtype) for _ in range(3))
        work = 4 * batch * heads * length * length * width
        size = f"batch={batch} heads={heads} length={length} width={width}"
        step = lambda: torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(width), -1) @ v  # noqa: E731
        self.measure("attention", precision, size, work, "flop", step)

    def encoder(self, name: str, layers: int, hidden: int, precision: str, dtype: torch.dtype) -> None:
        """An encoder of BERT's shape: vocabulary, layers, width, heads of 64, feed-forward of four widths."""
        batch, length = self.pick(1, 2, 32), self.pick(4, 128, 128)
        layers, words = (layers // 12, 1000) if self.small else (layers, 30522)
        layer = nn.TransformerEncoderLayer(hidden, hidden // 64, 4 * hidden, activation="gelu", batch_first=True)
        model = nn.Sequential(nn.Embedding(words, hidden), nn.TransformerEncoder(layer, layers))
        model = model.to(self.device, dtype).eval()
        tokens = torch.randint(0, words, (batch, length), device=self.device)
        size = f"batch={batch} length={length} layers={layers} hidden={hidden}"
        self.measure(name, precision, size, batch, "sample", lambda: model(tokens))

    def resnet(self, precision: str, dtype: torch.dtype) -> None:
        """ResNet-50 on square pictures."""
        batch, edge = self.pick(1, 2, 32), self.pick(32, 224, 224)
        model = ResNet50().to(self.device, dtype).eval()
        pictures = torch.randn((batch, 3, edge, edge), device=self.device).to(dtype)
        self.measure("resnet50", precision, f"batch={batch} edge={edge}", batch, "sample", lambda: model(pictures))

    def decoder(self, precision: str, dtype: torch.dtype) -> None:
        """One step of a decoder with a cache of keys and values: what serving a language model repeats."""
        hidden, layers = self.pick(256, 1024, 2048), self.pick(2, 8, 16)
        batch, length = self.pick(1, 1, 8), self.pick(64, 256, 1024)
        model = Decoder(hidden, layers, batch, length, self.device, dtype)
        size = f"batch={batch} cache={length} layers={layers} hidden={hidden}"
        self.measure("decoder_step", precision, size, batch, "token", model.step)


class Bottleneck(nn.Module):
    """The block of ResNet-50."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        after = 4 * width
        self.body = nn.Sequential(
            nn.Conv2d(before, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, after, 1, bias=False), nn.BatchNorm2d(after),
        )  # fmt: skip
        same = stride == 1 and before == after
        side = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
        self.side = nn.Identity() if same else side

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Body and shortcut."""
        return torch.relu(self.body(x) + self.side(x))


class ResNet50(nn.Sequential):
    """ResNet-50 as torchvision builds it (He et al. 2015, stride in the 3 x 3 convolution)."""

    def __init__(self) -> None:
        parts = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        before = 64
        for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            for number in range(blocks):
                parts.append(Bottleneck(before, width, stride if number == 0 else 1))
                before = 4 * width
        super().__init__(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 1000))


class Decoder:
    """Pre-norm decoder layers that take one token a sequence and a full cache."""

    def __init__(
        self, hidden: int, layers: int, batch: int, length: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        def made(*shape: int) -> torch.Tensor:
            return (torch.randn(shape, device=device) / math.sqrt(hidden)).to(dtype)

        self.shape = batch, hidden // 64, -1, 64
        self.token = made(batch, hidden)
        self.layers = [
            (made(hidden, 3 * hidden), made(hidden, hidden), made(hidden, 4 * hidden), made(4 * hidden, hidden),
             made(batch, hidden // 64, length, 64), made(batch, hidden // 64, length, 64))
            for _ in range(layers)
        ]  # fmt: skip

    def step(self) -> torch.Tensor:
        """One token further for each sequence; the oldest entry of the cache makes room."""
        x = self.token
        for qkv, out, up, down, old_keys, old_values in self.layers:
            normed = nn.functional.layer_norm(x, x.shape[-1:])
            q, k, v = ((normed @ qkv).view(self.shape[0], -1, 64).unsqueeze(2)).chunk(3, 1)
            keys, values = torch.cat((old_keys[:, :, 1:], k), 2), torch.cat((old_values[:, :, 1:], v), 2)
            seen = torch.softmax(q @ keys.transpose(-1, -2) / 8, -1) @ values
            x = x + seen.reshape(x.shape) @ out
            x = x + nn.functional.gelu(nn.functional.layer_norm(x, x.shape[-1:]) @ up) @ down
        return x


# ---- The proof of work (verifiers/benchmark/proof.py checks it) ----


def _times(word: torch.Tensor, factor: int) -> torch.Tensor:
    """A product modulo 2^32 that never leaves 63 bits."""
    high = (word * (factor >> 16)) & 0xFFFF
    return (word * (factor & 0xFFFF) + (high << 16)) & 0xFFFFFFFF


def matrix(seed: str, name: str, n: int, device: torch.device) -> torch.Tensor:
    """The n x n matrix of small integers that seed and name give on every device, fp32."""
    most = min(127, math.isqrt(((1 << 24) - 1) // n))
    keys = struct.unpack("<2I", hashlib.sha256(f"waymark matrix {name} {seed}".encode()).digest()[:8])
    made = torch.empty((n, n), dtype=torch.float32, device=device)
    shifts = torch.tensor([0, 8, 16, 24], device=device)
    rows = max(1, min(n, (1 << 24) // n))
    for start in range(0, n, rows):
        word = torch.arange(start * n // 4, (start + rows) * n // 4, dtype=torch.int64, device=device)
        for key in keys:
            word = (_times(word, 0x9E3779B1) + key) & 0xFFFFFFFF
            word = _times(word ^ (word >> 16), 0x85EBCA6B)
            word = _times(word ^ (word >> 13), 0xC2B2AE35)
            word = word ^ (word >> 16)
        values = ((((word.unsqueeze(1) >> shifts) & 255) * (2 * most + 1)) >> 8) - most
        made[start : start + rows] = values.reshape(rows, n)
    return made


class Product:
    """C = A·B, committed to by the root of a tree over its rows."""

    def __init__(self, seed: str, n: int, device: torch.device) -> None:
        self.seed, self.n, self.device = seed, n, device
        torch.backends.cuda.matmul.allow_tf32 = False
        self.c = matrix(seed, "a", n, device) @ matrix(seed, "b", n, device)
        rows = self.c.to(torch.int32).cpu().contiguous()
        whole = memoryview(ctypes.string_at(rows.data_ptr(), 4 * n * n))
        level = [hashlib.sha256(b"\x00" + whole[4 * n * row : 4 * n * (row + 1)]).digest() for row in range(n)]
        self.tree = [level]
        while len(level) > 1:
            level = [hashlib.sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level), 2)]
            self.tree.append(level)
        self.root = level[0].hex()

    def answer(self, draw: str) -> dict[str, object]:
        """The digests of C·r for the drawn vectors, and the drawn rows' branches."""
        raw = hashlib.shake_256(f"waymark rows {draw}".encode()).digest(16 * ROWS)
        rows = list(dict.fromkeys(value % self.n for value in struct.unpack(f"<{4 * ROWS}I", raw)))[:ROWS]
        openings = [
            {"row": row, "path": [level[row >> depth ^ 1].hex() for depth, level in enumerate(self.tree[:-1])]}
            for row in rows
        ]
        products = [self._times_vector(draw, number) for number in range(VECTORS)]
        return {
            "n": self.n, "seed": self.seed, "root": self.root, "draw": draw, "products": products,
            "openings": openings,
        }  # fmt: skip

    def _times_vector(self, draw: str, number: int) -> str:
        """In limbs of 13 bits: 2^24 · 2^13 · n < 2^53, so that fp64 sums are exact."""
        raw = hashlib.shake_256(f"waymark vector {number} {draw}".encode()).digest(8 * self.n)
        vector = [(value & PRIME) % PRIME for value in struct.unpack(f"<{self.n}Q", raw)]
        limbs = [[value >> LIMB_BITS * place & (1 << LIMB_BITS) - 1 for place in range(LIMBS)] for value in vector]
        columns = torch.tensor(limbs, dtype=torch.float64, device=self.device)
        digest = hashlib.sha256()
        rows = max(1, (1 << 24) // self.n)
        for start in range(0, self.n, rows):
            part = (self.c[start : start + rows].to(torch.float64) @ columns).to(torch.int64).tolist()
            for row in part:
                total = sum(value << LIMB_BITS * place for place, value in enumerate(row))
                digest.update(struct.pack("<Q", total % PRIME))
        return digest.hexdigest()


def prove(options: argparse.Namespace, places: list[torch.device], progress: Progress) -> list[dict[str, object]]:
    """One proof for each device. Interactive where the platform answers: it gives the seed, then, after the
    commitment to all products, the draw."""
    small, on_gpu = options.small, places[0].type == "cuda"
    n = 256 if small else 4096 if on_gpu else 1024
    products(["00" * 32] * len(places), n, places)  # warm-up: the platform's clock runs from seed to commitment only
    if options.url and options.token:
        try:
            begun = call(options, "start", {"n": n})
            made = products(seeds(str(begun["seed"]), len(places)), n, places)
            drawn = call(options, "commit", {"root": joint_root(made)})
            progress.say("proof: the platform measured the time between seed and commitment")
            return answers("interactive", made, str(drawn["draw"]))
        except (OSError, ValueError, KeyError) as error:
            progress.say(f"proof: the platform can't be used ({error}); no time is proven")
    seed = _sha256(f"waymark seed {options.challenge}")
    made = products(seeds(seed, len(places)), n, places)
    return answers("alone", made, _sha256(f"waymark draw {seed} {n} {joint_root(made)}"))


def products(given: list[str], n: int, places: list[torch.device]) -> list[Product]:
    """The products of these seeds, all devices at the same time."""
    with ThreadPoolExecutor(len(places)) as pool:
        return list(pool.map(Product, given, [n] * len(places), places))


def seeds(seed: str, count: int) -> list[str]:
    """A seed for each GPU: the first has the one that was given."""
    return [seed, *(_sha256(f"waymark seed of GPU {gpu} {seed}") for gpu in range(1, count))]


def joint_root(made: list[Product]) -> str:
    """What is committed to: one root, or a digest over all of them."""
    roots = [product.root for product in made]
    return roots[0] if len(roots) == 1 else _sha256(f"waymark roots {' '.join(roots)}")


def answers(mode: str, made: list[Product], draw: str) -> list[dict[str, object]]:
    """What is answered to the draw, one for each GPU."""
    draws = [draw, *(_sha256(f"waymark draw of GPU {gpu} {draw}") for gpu in range(1, len(made)))]
    return [{"mode": mode, **product.answer(drawn)} for product, drawn in zip(made, draws)]  # noqa: B905 - 3.8


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# ---- The platform, the port, the program ----


def call(options: argparse.Namespace, act: str, body: dict[str, object]) -> Any:
    """POST to the platform; raises OSError or ValueError where it does not answer or says no."""
    request = urllib.request.Request(  # noqa: S310 - the address is the tenant's own setting
        f"{options.url.rstrip('/')}/api/v1/benchmarks/{options.challenge}/{act}",
        data=json.dumps({"token": options.token, **body}).encode(),
        headers={"Content-Type": "application/json", "User-Agent": f"waymark-runner/{VERSION}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read(1 << 20))
    except urllib.error.HTTPError as error:
        detail = error.read(2000).decode("utf-8", "replace")
        raise OSError(f"{error.code}: {detail[:300]}") from error


def serve(port: int, progress: Progress) -> ThreadingHTTPServer:
    """Serve `/result.json` once it is there, and the progress at every other path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.path.split("?")[0] == "/result.json"
            body = progress.result if wanted else "\n".join(progress.lines).encode() + b"\n"
            self.send_response(200 if body is not None else 503)
            self.send_header("Content-Type", "application/json" if wanted else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """Options, or the environment that the issued SDL sets."""
    parser = argparse.ArgumentParser(description="Waymark's benchmark runner")
    given = os.environ.get
    parser.add_argument("--challenge", default=given("WAYMARK_CHALLENGE", ""), help="the challenge's id")
    parser.add_argument("--url", default=given("WAYMARK_URL", ""), help="the platform; empty: work alone")
    parser.add_argument("--token", default=given("WAYMARK_RUNNER", ""), help="what the platform knows the runner by")
    parser.add_argument("--port", type=int, default=int(given("WAYMARK_PORT", "8080")), help="0: any free port")
    parser.add_argument("--out", default="", help="also write the result to this file")
    parser.add_argument("--gpus", type=int, default=int(given("WAYMARK_GPUS", "1")), help="on how many to prove")
    parser.add_argument("--cpu", action="store_true", help="do not use a GPU")
    parser.add_argument("--small", action="store_true", help="small sizes: takes seconds, proves that it runs")
    parser.add_argument("--once", action="store_true", help="end when done instead of serving the result")
    options = parser.parse_args(arguments)
    if not options.challenge:
        parser.error("give --challenge: the platform issues one on the task's page")
    if not 1 <= options.gpus <= 64:
        parser.error("--gpus is a number from 1 to 64")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run, serve, post."""
    options, progress = read_options(arguments), Progress()
    server = None if options.once else serve(options.port, progress)
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # the order of nvidia-smi, whose names we tell
    places = devices(options)
    device, *further = places
    gpu, *others = [gpu_facts(place) if on.type == "cuda" else None for place, on in enumerate(places)]
    progress.say(f"device: {gpu['name'] if gpu else 'CPU only'}; PyTorch {torch.__version__}")
    began = time.time()
    torch.manual_seed(0)
    measured = Bench(device, progress, small=options.small).run()
    proof, *further_proofs = prove(options, places, progress)
    result = {
        "schema": "waymark-benchmark/1",
        "suite": SUITE,
        "challenge": options.challenge,
        "runner": {"version": VERSION, "torch": str(torch.__version__), "python": platform.python_version()},
        "device": {"type": device.type, "small": options.small, "processors": os.cpu_count() or 0},
        "gpu": gpu,
        "took_seconds": round(time.time() - began),
        "measurements": measured,
        "proof": proof,
    }
    if further:
        pairs = zip(others, further_proofs)  # noqa: B905 - 3.8
        result["others"] = [{"gpu": other, "proof": each} for other, each in pairs]
    progress.result = json.dumps(result, separators=(",", ":")).encode()
    if options.out:
        with open(options.out, "wb") as file:  # noqa: PTH123
            file.write(progress.result)
    if options.url and options.token:
        try:
            call(options, "result", {"result": result})
            progress.say("the platform has the result: open the task's page and confirm it")
        except (OSError, ValueError) as error:
            progress.say(f"the platform did not take the result ({error}): enter result.json by hand")
    progress.say("done: the result is at /result.json" if server else "done")
    if server:
        progress.say(f"serving on port {server.server_address[1]}")
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
