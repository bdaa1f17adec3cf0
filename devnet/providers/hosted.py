"""A provider that answers, as data: its machines and cards, the certificate that it shows, how it misbehaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from devnet.providers.faults import ProviderFault

GIB = 2**30
RELEASES = ("0.10.7", "0.14.0")
"""The releases whose answers are known (releases/*.json)."""


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU as the inventory operator tells it: `memory` "80Gi", `interface` "SXM5", `device_id` the PCI id."""

    model: str
    memory: str = ""
    interface: str = "PCIe"
    device_id: str = ""
    vendor: str = "nvidia"


@dataclass(frozen=True, slots=True)
class Machine:
    """One node of a provider's cluster: `cores` (virtual), `memory_bytes`, `disk_bytes`, its cards."""

    name: str
    cores: int
    memory_bytes: int
    cards: tuple[Card, ...] = ()
    disk_bytes: int = 3_779_632_050_176
    processor: tuple[str, str] = ("AuthenticAMD", "AMD EPYC 7313 16-Core Processor")
    storage_classes: tuple[str, ...] = ("beta3", "default", "ram")


@dataclass(frozen=True, slots=True)
class Hosted:
    """A provider of a scenario that has an inventory, and so is really there.

    `certificate_age_days`: how old its certificate was when it was published; it is valid for 365 days. `shows`: the
    owner whose certificate it serves instead of its own, `says`: whose address it gives as its own, "" its own.
    `faults`: what it does wrong by itself.
    """

    owner: str
    hostname: str
    machines: tuple[Machine, ...]
    release: str = "0.14.0"
    certificate_age_days: int = 0
    shows: str = ""
    says: str = ""
    faults: Sequence[ProviderFault] = field(default=())

    def __post_init__(self) -> None:
        if self.release not in RELEASES:
            raise ValueError(f"{self.release!r} is no known release; there are {', '.join(RELEASES)}")

    @property
    def gpus(self) -> dict[str, int]:
        """How many cards of each model it has."""
        return dict(Counter(card.model for machine in self.machines for card in machine.cards))
