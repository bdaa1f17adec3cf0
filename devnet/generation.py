"""The two generations of the chain that devnet can be: v1 (node v1.2) and v2 (node v2.1)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Generation:
    """What differs between the generations (akash-recorded-v2/README.md "DIFFERENCES").

    `take_fee_percent` goes off every payment to a provider. `closes_open_orders`: closing or pausing a group
    closes its open orders too. `pages_escrow`: the escrow lists heed `limit` and `key`.
    """

    name: str
    version: str
    denom: str
    denoms: tuple[str, ...]
    take_fee_percent: int
    has_reclamation: bool
    closes_open_orders: bool
    pages_escrow: bool
    price_too_high: tuple[int, str]
    min_reclamation_seconds: int = 3600
    max_reclamation_seconds: int = 2_592_000


V1 = Generation(
    name="v1",
    version="v1.2.2",
    denom="uakt",
    denoms=("uakt",),
    take_fee_percent=2,
    has_reclamation=False,
    closes_open_orders=False,
    pages_escrow=False,
    price_too_high=(4, "bid price above max order price"),
)

V2 = Generation(
    name="v2",
    version="v2.1.0",
    denom="uact",
    denoms=("uact", "uakt"),
    take_fee_percent=0,
    has_reclamation=True,
    closes_open_orders=True,
    pages_escrow=True,
    price_too_high=(22, "bid price is invalid"),
)

GENERATIONS = {"v1": V1, "v2": V2}
