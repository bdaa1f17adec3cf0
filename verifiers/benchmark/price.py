"""The price that an issued SDL offers: in the coin that its chain takes, enough for any GPU (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable

UACT, UAKT = "uact", "uakt"
_DENOM = re.compile(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}")

PER_GPU = {UAKT: 100_000}
"""The most for one GPU and block of six seconds: bids lie below, the cheapest is taken. 60 AKT an hour …"""

PER_GPU_IN_DOLLARS = 10_000
"""… or six dollars: millionths of ACT, which stands for one, and of other stable coins."""


def price_denom(accepted: Iterable[str]) -> str:
    """The coin for prices among those that a chain takes as deposits; empty for none that is one.

    Where there is uact it must be that: such chains list uakt too and refuse it (akash-chain.md 1.6).
    """
    denoms = [denom for denom in accepted if _DENOM.fullmatch(denom)]
    return next((denom for denom in (UACT, UAKT) if denom in denoms), next(iter(denoms), ""))


def price(denom: str, gpus: int = 1) -> str:
    """The price of a container with so many GPUs, as an SDL writes it."""
    return f"{{denom: {denom}, amount: {PER_GPU.get(denom, PER_GPU_IN_DOLLARS) * gpus}}}"
