"""An honest runner in numpy for the tests of proofs, and results of the real runner in its CPU mode."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from verifiers.benchmark import proof as proofs
from verifiers.benchmark.matrices import elements, matrix_keys

FIXTURE = Path(__file__).parent / "fixtures" / "benchmark" / "cpu-mode.json"
"""What the runner made in its small CPU mode for the challenge `CHALLENGE`; no GPU was in it."""

CHALLENGE = "0123456789abcdef0123456789abcdef"


PYTHON = "/usr/bin/python3"
"""Debian's Python with Debian's PyTorch: the runner is started as a container would start it."""


def start_runner(command: list[str], **environment: str) -> subprocess.Popen[str]:
    """The runner with an environment of its own; what it says comes on standard error."""
    given = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "2", **environment}
    return subprocess.Popen([PYTHON, *command], env=given, stderr=subprocess.PIPE, text=True)


def run_once(command: list[str], **environment: str) -> str:
    """Run to the end in the small CPU mode; gives what was said."""
    process = start_runner([*command, "--cpu", "--small", "--once"], **environment)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    return said


@cache
def cpu_result() -> str:
    """The shipped result of the CPU mode as text."""
    return FIXTURE.read_text()


@dataclass(frozen=True)
class Prover:
    """Multiplies A·B of a seed and answers draws; `c` may be spoiled before."""

    seed: str
    n: int
    c: np.ndarray[Any, np.dtype[np.int64]]

    @classmethod
    def honest(cls, seed: str, n: int = 128) -> Prover:
        a, b = (elements(matrix_keys(seed, name), n, 0, n).astype(np.int64) for name in ("a", "b"))
        return cls(seed, n, a @ b)

    def spoiled(self, row: int, column: int, by: int) -> Prover:
        c = self.c.copy()
        c[row, column] += by
        return Prover(self.seed, self.n, c)

    @property
    def tree(self) -> list[list[bytes]]:
        levels = [[proofs.leaf(row.astype("<i4").tobytes()) for row in self.c]]
        while len(levels[-1]) > 1:
            below = levels[-1]
            levels.append([proofs.node(below[at], below[at + 1]) for at in range(0, len(below), 2)])
        return levels

    @property
    def root(self) -> str:
        return self.tree[-1][0].hex()

    def answer(self, draw: str | None = None, *, products_of: Prover | None = None) -> proofs.Proof:
        """The proof; without a draw, the one that follows from the commitment."""
        tree = self.tree
        draw = draw or proofs.draw_alone(self.seed, self.n, self.root)
        c = (products_of or self).c.astype(object)
        products = []
        for number in range(proofs.VECTORS):
            vector = np.array(proofs.drawn_vector(draw, number, self.n), dtype=object)
            products.append(proofs.product_digest([int(value) % proofs.PRIME for value in c @ vector]))
        openings = tuple(
            proofs.Opening(row, tuple(level[row >> depth ^ 1].hex() for depth, level in enumerate(tree[:-1])))
            for row in proofs.drawn_rows(draw, self.n)
        )
        return proofs.Proof(self.n, self.seed, self.root, draw, tuple(products), openings)


def proof_json(proof: proofs.Proof, mode: str) -> dict[str, object]:
    """As it stands in a result."""
    return {
        "mode": mode,
        "n": proof.n,
        "seed": proof.seed,
        "root": proof.root,
        "draw": proof.draw,
        "products": list(proof.products),
        "openings": [{"row": each.row, "path": list(each.path)} for each in proof.openings],
    }


def loaded(text: str) -> dict[str, Any]:
    """A result as JSON values."""
    found: dict[str, Any] = json.loads(text)
    return found
