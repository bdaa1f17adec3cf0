"""What every use case is given: the settings, the ledger, the clock and the chains."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ledger.base import Ledger
from services.settings import Settings
from tasks.moment import Clock
from verifiers.chain.client import Chain
from verifiers.codehost.client import CodeHost


@dataclass(frozen=True)
class House:
    """One running platform. `chain` and `payout_chain` are None where no host is set or the ids don't allow it.

    `clock` is what people and campaigns see. Jobs are due by `machine_clock`, which goes on where `clock` is stopped
    for a demo that runs up to a height; None: the same clock.
    """

    settings: Settings
    ledger: Ledger
    clock: Clock
    chain: Chain | None = None
    payout_chain: Chain | None = None
    machine_clock: Clock | None = None
    codehost: CodeHost | None = None

    def at(self, clock: Clock) -> House:
        """The same house with another clock."""
        return replace(self, clock=clock)
