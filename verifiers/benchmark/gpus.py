"""Which GPU a result names: its model by the campaign's aliases, its variant by memory and interface (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifiers.benchmark.ceilings import CEILINGS
from verifiers.provider.gpu_models import PCI_IDS, ModelNames, plain_name

GIB = 1 << 30
NOMINAL_GIB = (2, 3, 4, 6, 8, 10, 11, 12, 16, 20, 24, 32, 40, 48, 64, 80, 94, 96, 141, 180, 192, 288)
"""Sizes that cards are sold with; a driver shows a little less, up to a sixteenth less with ECC."""

_INTERFACES = (("sxm", ("sxm", "hbm3", "hbm2e")), ("pcie", ("pcie", "pci")), ("nvl", ("nvl",)))

KNOWN = frozenset({*CEILINGS, *PCI_IDS.values()})
"""Plain names of models that this platform knows whatever a campaign lists."""

_SERIES = ("rtx", "gtx")


@dataclass(frozen=True, slots=True)
class NamedGpu:
    """A GPU by its names. `model`: the campaign's id, None where it is not listed. `vram_gib`: the nominal size.

    `interface`: sxm, pcie, nvl, or empty where the name says none.
    """

    name: str
    model: str | None
    vram_gib: int
    interface: str

    @property
    def variant(self) -> str:
        """What may be compared with each other: `a100 sxm 80GB`."""
        parts = [self.model or plain(self.name), self.interface, f"{self.vram_gib}GB"]
        return " ".join(part for part in parts if part)


def named_gpu(name: str, memory_bytes: int, names: ModelNames) -> NamedGpu:
    """Read a driver's name for a card and its memory."""
    return NamedGpu(plain(name), names.id_of(name), nominal_gib(memory_bytes), interface_of(name))


def plain(name: str) -> str:
    """Trimmed, white space collapsed: `NVIDIA  A100-PCI ` is `NVIDIA A100-PCI` (programmes.md 7)."""
    return " ".join(name.split())


def nominal_gib(memory_bytes: int) -> int:
    """The size the card is sold with: the smallest that is not below what the driver shows."""
    return next((size for size in NOMINAL_GIB if size * GIB * 1005 // 1000 >= memory_bytes), memory_bytes // GIB)


def interface_of(name: str) -> str:
    """`sxm` for `NVIDIA A100-SXM4-80GB` and `NVIDIA H100 80GB HBM3`, `pcie` for `NVIDIA A100-PCI` cut short."""
    words = re.findall(r"[a-z]+[0-9]*[a-z]*", name.lower())
    for interface, beginnings in _INTERFACES:
        if any(word.startswith(beginnings) for word in words):
            return interface
    return ""


def same_model(one: str, other: str) -> bool:
    """Whether two plain names or ids are one model: with its series or without, as providers write `4090`, `a6000`.

    All else counts: `rtx4080super` is no `rtx4080`, `l40` no `l4`.
    """
    return other in _spellings(one)


def is_known(name: str, names: ModelNames) -> bool:
    """Whether a plain name or id is in the campaign's table or in ours; what is not may be any card's."""
    return any(spelling in KNOWN or names.lists(spelling) for spelling in _spellings(plain_name(name)))


def _spellings(plain: str) -> tuple[str, ...]:
    bare = next((plain.removeprefix(series) for series in _SERIES if plain.startswith(series)), "")
    return (plain, bare) if bare else (plain, *(series + plain for series in _SERIES))


def fits_listed_memory(gpu: NamedGpu, listed_gib: int | None) -> bool:
    """Whether the card has the memory that the campaign lists; half of it is one of the two GPUs of a board (K80)."""
    return listed_gib is None or gpu.vram_gib in (listed_gib, listed_gib // 2 if gpu.model == "k80" else listed_gib)
