"""What will happen to a deployment, before it is written down as acts of the chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from devnet.story.sdls import Sdl


class Ending(StrEnum):
    """How a lease ends."""

    DEPLOYMENT = "deployment"
    """The tenant closes the deployment."""
    LEASE = "lease"
    """The tenant closes the lease; the group asks again with a new order."""
    UNSTABLE = "unstable"
    """The provider closes it as unstable; the group is paused."""
    DECOMMISSION = "decommission"
    """The provider takes the machine away; the group is paused."""
    DRY = "dry"
    """The provider's withdrawal finds the money gone: everything closes."""
    NEVER = "never"
    """Nobody ends it while the story lasts."""


@dataclass(slots=True)
class LeasePlan:
    """One lease: order (gseq, oseq) opened at `asked`, accepted at `opens`, over at `closes` (`None`: never).

    `provider`, `model`, `units`: who gives which and how many GPUs. `price`: for each block, decimal text.
    """

    gseq: int
    oseq: int
    provider: str
    model: str
    units: int
    asked: int
    opens: int
    closes: int | None
    ending: Ending
    price: str


@dataclass(slots=True)
class DeploymentPlan:
    """One deployment: who makes it of which SDL at which height, its leases, and when it is closed (`None`: never).

    `deposit`: `None` takes what its leases cost and more. `updates`: (height, name of the new SDL). `deposits`:
    (height, amount, name of who pays). `hardly_bid_on`: providers do not know the owner or have nothing like it.
    `reclaim`: (height, window in seconds) at which the last lease's provider announces that it wants it back.
    """

    who: str
    sdl: Sdl
    height: int
    dseq: int
    leases: list[LeasePlan] = field(default_factory=list)
    closes: int | None = None
    deposit: int | None = None
    updates: list[tuple[int, str]] = field(default_factory=list)
    deposits: list[tuple[int, int, str]] = field(default_factory=list)
    hardly_bid_on: bool = False
    reclaim: tuple[int, int] | None = None

    @property
    def asks_gpu(self) -> bool:
        """Whether a group asks for GPUs."""
        return self.sdl.units > 0
