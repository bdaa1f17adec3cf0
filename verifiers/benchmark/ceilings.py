"""What each GPU model can do at most, from its maker's data sheet: no measurement lies above (data, pure).

Dense rates in 10^12 operations a second (matrix units where they have the precision), memory in 10^9 bytes a second;
of the fastest variant of a model, boost clock. Precisions that a model multiplies on its ordinary units are
bounded by the ordinary rate given.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The greatest rates of one model. `fp16` holds for bf16 too; `tf32` None: the model has none."""

    fp32: float
    tf32: float | None
    fp16: float
    memory: float

    def flops(self, precision: str) -> int:
        """Operations a second at most."""
        rate = {"fp32": self.fp32, "tf32": self.tf32 or self.fp32}.get(precision, self.fp16)
        return int(rate * 10**12)

    @property
    def bytes(self) -> int:
        """Bytes a second at most."""
        return int(self.memory * 10**9)


CEILINGS = {
    "b200": Ceiling(80, 1200, 2500, 8000),
    "h200": Ceiling(67, 495, 990, 4800),
    "h100": Ceiling(67, 495, 990, 3940),
    "a100": Ceiling(19.5, 156, 312, 2040),
    "v100": Ceiling(16.4, None, 130, 1134),
    "p100": Ceiling(10.6, None, 21.2, 732),
    "k80": Ceiling(4.4, None, 4.4, 240),
    "l40s": Ceiling(91.6, 183, 366, 864),
    "l40": Ceiling(90.5, 90.5, 181, 864),
    "l4": Ceiling(30.3, 60, 121, 300),
    "a40": Ceiling(37.4, 74.8, 150, 696),
    "a30": Ceiling(10.3, 82, 165, 933),
    "a10": Ceiling(31.2, 62.5, 125, 600),
    "a6000": Ceiling(38.7, 77.4, 155, 768),
    "rtxa6000": Ceiling(38.7, 77.4, 155, 768),
    "t4": Ceiling(8.1, None, 65, 320),
    "p4": Ceiling(5.5, None, 5.5, 192),
    "rtx5090": Ceiling(105, 209, 419, 1792),
    "rtx4090": Ceiling(82.6, 165, 330, 1008),
    "rtx4080": Ceiling(48.7, 97.5, 195, 717),
    "rtx3090ti": Ceiling(40, 80, 160, 1008),
    "rtx3090": Ceiling(35.6, 71, 142, 936),
    "rtx3080ti": Ceiling(34.1, 68, 136, 912),
    "rtx3080": Ceiling(30.6, 61.3, 122.5, 912),
    "rtx3060ti": Ceiling(16.2, 32.4, 64.8, 608),
    "gtx1080ti": Ceiling(11.7, None, 11.7, 484),
}
"""By the model's plain name, which is also what campaigns call it."""

OVERCLOCK_PERMILLE = 1150
"""Cards of other makers run a little above the data sheet."""

SLOWEST_PERMILLE = 50
"""A proof's product may take as long as at a twentieth of the ceiling, …"""

BESIDES_NS = 8 * 10**9
"""… and this long besides: the way over the network, the matrices, the tree of digests."""


def flops_limit(model: str, precision: str) -> int | None:
    """Operations a second that a measurement may show at most; None for a model that is not in the table."""
    ceiling = CEILINGS.get(model)
    return ceiling.flops(precision) * OVERCLOCK_PERMILLE // 1000 if ceiling else None


def bytes_limit(model: str) -> int | None:
    """Bytes a second that a measurement may show at most; None for a model that is not in the table."""
    ceiling = CEILINGS.get(model)
    return ceiling.bytes * OVERCLOCK_PERMILLE // 1000 if ceiling else None


def proof_limit_ns(model: str, n: int) -> int:
    """How long seed to commitment may take on this model; without an entry, as on the slowest one."""
    slowest = min(ceiling.flops("fp32") for ceiling in CEILINGS.values())
    ceiling = CEILINGS.get(model)
    rate = (ceiling.flops("fp32") if ceiling else slowest) * SLOWEST_PERMILLE // 1000
    return BESIDES_NS + 2 * n**3 * 10**9 // rate
