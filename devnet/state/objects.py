"""The chain's objects as they are now; what they were before is kept as rendered versions (store.py)."""

from __future__ import annotations

from dataclasses import dataclass, field

from devnet.acts import Attributes, BidId, OrderId
from devnet.groups import GroupSpec

OPEN, CLOSED, OVERDRAWN = 1, 2, 3
"""States of escrow accounts and payments; akash.escrow.types.v1.State."""

DEPLOYMENT_STATES = ("invalid", "active", "closed")
GROUP_STATES = ("invalid", "open", "paused", "insufficient_funds", "closed")
ORDER_STATES = ("invalid", "open", "active", "closed")
BID_STATES = ("invalid", "open", "active", "lost", "closed")
LEASE_STATES = ("invalid", "active", "insufficient_funds", "closed", "reclaiming")
ESCROW_STATES = ("invalid", "open", "closed", "overdrawn")
CERTIFICATE_STATES = ("invalid", "valid", "revoked")


class ChainError(Exception):
    """The chain refuses a transaction; `codespace` and `code` as on the real one."""

    def __init__(self, codespace: str, code: int, log: str) -> None:
        super().__init__(log)
        self.codespace = codespace
        self.code = code
        self.log = log


@dataclass(slots=True)
class Deposit:
    """What somebody paid in and what is left of it (10^-18 of the smallest unit)."""

    owner: str
    height: int
    denom: str
    amount: int


@dataclass(slots=True)
class Account:
    """An escrow account of a deployment or a bid. `funds`, `transferred` by denom; the first is the account's own."""

    scope: str
    xid: str
    owner: str
    settled_at: int
    funds: dict[str, int]
    transferred: dict[str, int]
    deposits: list[Deposit]
    state: int = OPEN
    payments: dict[str, Payment] = field(default_factory=dict)


@dataclass(slots=True)
class Payment:
    """What a lease pays: `rate` a block, settled into `balance`, taken out into `withdrawn`."""

    lease: BidId
    rate: int
    denom: str
    state: int = OPEN
    balance: int = 0
    unsettled: int = 0
    withdrawn: int = 0


@dataclass(slots=True)
class Group:
    """A group of a deployment."""

    gseq: int
    spec: GroupSpec
    created_at: int
    state: str = "open"
    last_oseq: int = 0


@dataclass(slots=True)
class Deployment:
    """A deployment with its groups and its account."""

    owner: str
    dseq: int
    hash: bytes
    created_at: int
    groups: list[Group]
    account: Account
    min_reclamation_seconds: int | None = None
    state: str = "active"
    orders: list[Order] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """An order of a group."""

    id: OrderId
    spec: GroupSpec
    created_at: int
    state: str = "open"
    min_reclamation_seconds: int | None = None
    bids: dict[str, Bid] = field(default_factory=dict)


@dataclass(slots=True)
class Bid:
    """A bid with its deposit's account."""

    id: BidId
    price: int
    denom: str
    created_at: int
    offer: bytes
    account: Account
    state: str = "open"
    reclamation_window_seconds: int | None = None


@dataclass(slots=True)
class Lease:
    """A lease with its payment. The `reclaim_…` fields are zero or empty before a reclamation starts."""

    id: BidId
    price: int
    denom: str
    created_at: int
    payment: Payment
    state: str = "active"
    closed_on: int = 0
    reason: str = "lease_closed_invalid"
    window_seconds: int | None = None
    reclaim_started_at: int = 0
    reclaim_deadline: int = 0
    reclaim_reason: str = "lease_closed_invalid"


@dataclass(slots=True)
class Provider:
    """What a provider says of itself."""

    owner: str
    host_uri: str
    attributes: Attributes
    email: str
    website: str


@dataclass(slots=True)
class Certificate:
    """A published certificate."""

    owner: str
    serial: int
    pem: bytes
    public_key_pem: bytes
    state: str = "valid"
