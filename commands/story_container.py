"""What a container of the demo computes: the proof of a benchmark run, with numpy where a runner has a GPU."""

from __future__ import annotations

import numpy as np

from verifiers.benchmark.matrices import elements, matrix_keys
from verifiers.benchmark.proof import PRIME, VECTORS, drawn_rows, drawn_vector, leaf, node, product_digest

ORDER = 4096
_LIMB, _LIMBS = 16, 4


class Product:
    """The product of the two matrices of a seed (64 hex digits), committed to by `root`. Takes seconds."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        a, b = (elements(matrix_keys(seed, name), ORDER, 0, ORDER).astype(np.float32) for name in ("a", "b"))
        self._c = a @ b  # every sum is below 2^24, so exact
        self._tree = [[leaf(row.astype("<i4").tobytes()) for row in self._c]]
        while len(below := self._tree[-1]) > 1:
            self._tree.append([node(below[at], below[at + 1]) for at in range(0, len(below), 2)])

    @property
    def root(self) -> str:
        """The commitment, 64 hex digits."""
        return self._tree[-1][0].hex()

    def answer(self, draw: str) -> dict[str, object]:
        """The proof as it stands in a result, for the draw that the platform gave after the commitment."""
        openings = [
            {"row": row, "path": [level[row >> depth ^ 1].hex() for depth, level in enumerate(self._tree[:-1])]}
            for row in drawn_rows(draw, ORDER)
        ]
        products = [self._times(drawn_vector(draw, number, ORDER)) for number in range(VECTORS)]
        return {
            "mode": "interactive",
            "n": ORDER,
            "seed": self._seed,
            "root": self.root,
            "draw": draw,
            "products": products,
            "openings": openings,
        }

    def _times(self, vector: list[int]) -> str:
        """The digest of C·r, in limbs of 16 bits: 2^24 · 2^16 · 4096 is below 2^53, so that fp64 sums are exact."""
        numbers = np.array(vector, dtype=np.int64)
        limbs = np.stack([numbers >> _LIMB * place & (1 << _LIMB) - 1 for place in range(_LIMBS)], axis=1)
        parts = (self._c.astype(np.float64) @ limbs.astype(np.float64)).astype(np.int64).tolist()
        return product_digest([sum(part << _LIMB * place for place, part in enumerate(row)) % PRIME for row in parts])
