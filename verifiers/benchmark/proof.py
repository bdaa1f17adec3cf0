"""The proof that a matrix product was really computed: commitment, draw, opened rows, Freivalds' check (pure).

The runner multiplies A·B = C, two matrices made from a seed, and commits to C by the root of a Merkle tree over its
rows. Then the draw names random vectors r modulo 2^61 - 1 and rows. The runner answers with a digest of C·r for each
vector and with the branch of each drawn row. The check computes A·(B·r), which takes n² steps where C took n³, and
the drawn rows, and compares both: a wrong element anywhere is found by the vectors with probability 1 - 1/p, and
whoever had computed only a part of C when the root was given is found by the rows, which were drawn after it.
It shows that the work was done, and in interactive mode within the measured time; never which card did it.
A container with several GPUs answers one proof for each, of seeds that follow from the one, and commits to all of
them before the draw.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from verifiers.benchmark.matrices import SIZES, elements, matrix_keys

PRIME = (1 << 61) - 1
VECTORS = 2
ROWS = 16

_LIMB = 31
_BLOCK_ELEMENTS = 1 << 15

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Opening:
    """One row opened against the commitment: the digests beside its way up the tree, hex, the lowest first."""

    row: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a runner answers. `seed`, `root`, `draw` and `products` are hex; `products` one digest for each vector."""

    n: int
    seed: str
    root: str
    draw: str
    products: tuple[str, ...]
    openings: tuple[Opening, ...]


def seed_alone(challenge: str) -> str:
    """The seed where the runner can't reach the platform: known from the challenge, so no time is proven."""
    return hashlib.sha256(f"waymark seed {challenge}".encode()).hexdigest()


def draw_alone(seed: str, n: int, root: str) -> str:
    """The draw where the runner can't reach the platform: from the hash of the commitment (Fiat-Shamir)."""
    return hashlib.sha256(f"waymark draw {seed} {n} {root}".encode()).hexdigest()


def seed_of(seed: str, gpu: int) -> str:
    """The seed of the `gpu`-th GPU of a container, counted from 0: each multiplies matrices of its own."""
    return seed if gpu == 0 else hashlib.sha256(f"waymark seed of GPU {gpu} {seed}".encode()).hexdigest()


def draw_of(draw: str, gpu: int) -> str:
    """The draw of the `gpu`-th GPU, counted from 0."""
    return draw if gpu == 0 else hashlib.sha256(f"waymark draw of GPU {gpu} {draw}".encode()).hexdigest()


def joint_root(roots: Sequence[str]) -> str:
    """What a container commits to before any draw: the root of its one GPU, or one digest over those of all."""
    return roots[0] if len(roots) == 1 else hashlib.sha256(f"waymark roots {' '.join(roots)}".encode()).hexdigest()


def drawn_vector(draw: str, number: int, n: int) -> list[int]:
    """`n` numbers modulo 2^61 - 1."""
    raw = hashlib.shake_256(f"waymark vector {number} {draw}".encode()).digest(8 * n)
    return [(value & PRIME) % PRIME for value in struct.unpack(f"<{n}Q", raw)]


def drawn_rows(draw: str, n: int) -> tuple[int, ...]:
    """`ROWS` distinct rows."""
    raw = hashlib.shake_256(f"waymark rows {draw}".encode()).digest(4 * 4 * ROWS)
    found = dict.fromkeys(value % n for value in struct.unpack(f"<{4 * ROWS}I", raw))
    return tuple(found)[:ROWS]


def leaf(row: bytes) -> bytes:
    """The leaf of one row of C: int32, little-endian."""
    return hashlib.sha256(b"\x00" + row).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The digest above two others; leaves can't be taken for nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def climb(bottom: bytes, row: int, path: Sequence[str]) -> bytes:
    """The root that a leaf and its branch lead to. Raises ValueError for digests that are no hex."""
    digest = bottom
    for place, beside in enumerate(path):
        other = bytes.fromhex(beside)
        digest = node(other, digest) if row >> place & 1 else node(digest, other)
    return digest


def product_digest(products: Sequence[int]) -> str:
    """The digest of C·r: each number modulo 2^61 - 1 as 8 bytes, little-endian."""
    return hashlib.sha256(struct.pack(f"<{len(products)}Q", *products)).hexdigest()


@lru_cache(maxsize=256)
def mistake_in(proof: Proof) -> str | None:
    """What is wrong with a proof, in words for its reader; None for a good one. About 0.2 s of one core at n = 4096.

    Whether seed and draw are those that the platform gave is the caller's question.
    """
    if proof.n not in SIZES:
        return f"matrices of order {proof.n} were not asked for"
    rows = drawn_rows(proof.draw, proof.n)
    if tuple(opening.row for opening in proof.openings) != rows or len(proof.products) != VECTORS:
        return "other rows or vectors were answered than were drawn"
    expected, products = _recomputed(proof, rows)
    if products != proof.products:
        return "the product times the drawn vectors is not what it must be: some element is wrong"
    depth = proof.n.bit_length() - 1
    for opening, row in zip(proof.openings, expected, strict=True):
        if len(opening.path) != depth or climb(leaf(row), opening.row, opening.path).hex() != proof.root:
            return f"row {opening.row} is not the one that was committed to"
    return None


def _recomputed(proof: Proof, rows: Sequence[int]) -> tuple[list[bytes], tuple[str, ...]]:
    """The drawn rows of C as bytes and the digests of A·(B·r)."""
    n = proof.n
    a_keys, b_keys = matrix_keys(proof.seed, "a"), matrix_keys(proof.seed, "b")
    a_rows = np.concatenate([elements(a_keys, n, row, 1) for row in rows]).astype(np.float64)
    vectors = [drawn_vector(proof.draw, number, n) for number in range(VECTORS)]
    limbs, opened = _limbs(vectors), np.zeros((len(rows), n))
    between = np.empty((n, limbs.shape[1]))
    for start, block in _blocks(b_keys, n):
        end = start + len(block)
        between[start:end] = block @ limbs
        opened += a_rows[:, start:end] @ block
    limbs, after = _limbs(_folded(between)), np.empty_like(between)
    for start, block in _blocks(a_keys, n):
        after[start : start + len(block)] = block @ limbs
    raw = opened.astype("<i4")
    return [row.tobytes() for row in raw], tuple(product_digest(column) for column in _folded(after))


def _blocks(keys: tuple[int, int], n: int) -> Iterator[tuple[int, Floats]]:
    """A matrix in blocks of rows that fit a processor's cache, with the number of the first row."""
    rows = min(n, max(1, _BLOCK_ELEMENTS // n))
    for start in range(0, n, rows):
        yield start, elements(keys, n, start, rows).astype(np.float64)


def _limbs(vectors: Sequence[Sequence[int]]) -> Floats:
    """Each vector as two columns of 31 bits: 127 · 2^31 · 8192 < 2^53, so that fp64 sums are exact."""
    columns = np.array(vectors, dtype=np.int64)
    low, high = columns & ((1 << _LIMB) - 1), columns >> _LIMB
    return np.stack([part for pair in zip(low, high, strict=True) for part in pair], axis=1).astype(np.float64)


def _folded(products: Floats) -> list[list[int]]:
    """Two columns of partial sums become one modulo 2^61 - 1."""
    parts = products.astype(np.int64).tolist()
    return [
        [(row[2 * vector] + (row[2 * vector + 1] << _LIMB)) % PRIME for row in parts] for vector in range(VECTORS)
    ]
