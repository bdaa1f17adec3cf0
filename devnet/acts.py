"""What happens on a local chain, as data: the words in which every scenario is written.

One act is one transaction with one message. A chain is the list of its acts in the order of
`(height, position)`; acts that share both keep the order of the list. An act that the chain refuses (a bid on a
closed order, a second deployment with the same dseq) becomes a transaction with a code other than 0, as on a real
chain: it changes nothing but the fee and the sequence of its signer.

Amounts are integers of the smallest unit. Prices are decimal text per block ("1000", "1499.25"), since the chain
keeps 18 decimals. Where `denom` is empty the generation's own is meant: uact (v2) or uakt (v1).
Heights count from 1, the block of the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from devnet.providers.hosted import Hosted
from devnet.public_keys import MultisigKey

Attributes = tuple[tuple[str, str], ...]
"""Keys with values, in the order given; a provider's may not hold one key twice."""


@dataclass(frozen=True, slots=True)
class OrderId:
    """Names an order: (owner, dseq) a deployment, gseq its group, oseq the order of that group, all from 1."""

    owner: str
    dseq: int
    gseq: int = 1
    oseq: int = 1


@dataclass(frozen=True, slots=True)
class BidId:
    """Names a bid, and the lease and the payment that come from it."""

    order: OrderId
    provider: str
    bseq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One transaction at `height`, the `position`-th of its block; `memo` is the transaction's."""

    MESSAGE: ClassVar[str] = ""

    height: int
    position: int = 0
    memo: str = ""

    @property
    def signer(self) -> str:
        """The address that signs and pays the fee."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class ByOwner(Act):
    """An act signed by `owner`: a tenant, or the provider itself where the act is about a provider."""

    owner: str

    @property
    def signer(self) -> str:
        """The owner."""
        return self.owner


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProvider(ByOwner):
    """A provider registers itself."""

    MESSAGE: ClassVar[str] = "/akash.provider.v1beta4.MsgCreateProvider"

    host_uri: str
    attributes: Attributes
    email: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProvider(CreateProvider):
    """A provider replaces all that it said of itself."""

    MESSAGE: ClassVar[str] = "/akash.provider.v1beta4.MsgUpdateProvider"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCertificate(ByOwner):
    """A client or server certificate is published. `pem` and `public_key_pem` empty: devnet makes them."""

    MESSAGE: ClassVar[str] = "/akash.cert.v1.MsgCreateCertificate"

    serial: int
    pem: bytes = b""
    public_key_pem: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeCertificate(ByOwner):
    """A certificate is revoked."""

    MESSAGE: ClassVar[str] = "/akash.cert.v1.MsgRevokeCertificate"

    serial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignAttributes(Act):
    """An auditor signs attributes of a provider."""

    MESSAGE: ClassVar[str] = "/akash.audit.v1.MsgSignProviderAttributes"

    auditor: str
    provider: str
    attributes: Attributes

    @property
    def signer(self) -> str:
        """The auditor."""
        return self.auditor


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAttributes(Act):
    """An auditor takes back attributes of a provider; no keys: all of them."""

    MESSAGE: ClassVar[str] = "/akash.audit.v1.MsgDeleteProviderAttributes"

    auditor: str
    provider: str
    keys: tuple[str, ...] = ()

    @property
    def signer(self) -> str:
        """The auditor."""
        return self.auditor


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDeployment(ByOwner):
    """A tenant deploys. `sdl` names a text of `Scenario.sdls`; groups and hash come from it.

    `hash` (32 bytes) replaces the manifest's own hash, `groups` (as JSON of the chain's GroupSpec) the SDL's own
    groups; with both no SDL is needed. `min_reclamation_seconds` is for v2 only.
    """

    MESSAGE: ClassVar[str] = "/akash.deployment.v1beta4.MsgCreateDeployment"

    dseq: int
    sdl: str = ""
    deposit: int = 5_000_000
    denom: str = ""
    hash: bytes | None = None
    groups: tuple[Mapping[str, object], ...] = ()
    min_reclamation_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDeployment(ByOwner):
    """A tenant replaces the manifest: only the hash changes. `sdl` or `hash` as in CreateDeployment."""

    MESSAGE: ClassVar[str] = "/akash.deployment.v1beta4.MsgUpdateDeployment"

    dseq: int
    sdl: str = ""
    hash: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositDeployment(Act):
    """Somebody pays into the escrow account of a deployment."""

    MESSAGE: ClassVar[str] = "/akash.escrow.v1.MsgAccountDeposit"

    owner: str
    dseq: int
    amount: int
    denom: str = ""
    depositor: str = ""

    @property
    def signer(self) -> str:
        """Who pays: the depositor, else the owner."""
        return self.depositor or self.owner


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseDeployment(ByOwner):
    """A tenant closes a deployment with all its groups, orders and leases."""

    MESSAGE: ClassVar[str] = "/akash.deployment.v1beta4.MsgCloseDeployment"

    dseq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OnGroup(ByOwner):
    """An act on one group of a deployment."""

    dseq: int
    gseq: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StartGroup(OnGroup):
    """A tenant starts a paused group: a new order follows."""

    MESSAGE: ClassVar[str] = "/akash.deployment.v1beta4.MsgStartGroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseGroup(OnGroup):
    """A tenant pauses a group."""

    MESSAGE: ClassVar[str] = "/akash.deployment.v1beta4.MsgPauseGroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseGroup(OnGroup):
    """A tenant closes a group for good."""

    MESSAGE: ClassVar[str] = "/akash.deployment.v1beta4.MsgCloseGroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByProvider(Act):
    """An act signed by the provider of a bid."""

    bid: BidId

    @property
    def signer(self) -> str:
        """The provider."""
        return self.bid.provider


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateBid(ByProvider):
    """A provider bids. `gpu_models`: the model offered for each resource unit of the group, in order.

    Empty `gpu_models`: the bid carries no `resources_offer`, as one made with the command line. `deposit` is
    in `deposit_denom`. `reclamation_window_seconds` is for v2 only.
    """

    MESSAGE: ClassVar[str] = "/akash.market.v1beta5.MsgCreateBid"

    price: str
    denom: str = ""
    deposit: int = 500_000
    deposit_denom: str = ""
    gpu_models: tuple[str, ...] = ()
    reclamation_window_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseBid(ByProvider):
    """A provider closes its bid; with a lease on it the lease ends for `reason` and the group is paused."""

    MESSAGE: ClassVar[str] = "/akash.market.v1beta5.MsgCloseBid"

    reason: str = "lease_closed_reason_unspecified"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnLease(Act):
    """A tenant's act on a bid."""

    bid: BidId

    @property
    def signer(self) -> str:
        """The tenant."""
        return self.bid.order.owner


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLease(OnLease):
    """A tenant accepts a bid; the other open bids of the order become `lost`."""

    MESSAGE: ClassVar[str] = "/akash.market.v1beta5.MsgCreateLease"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseLease(OnLease):
    """A tenant closes one lease; while the group is open a new order (oseq + 1) follows."""

    MESSAGE: ClassVar[str] = "/akash.market.v1beta5.MsgCloseLease"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawLease(ByProvider):
    """A provider settles the account and takes what it has earned on this lease."""

    MESSAGE: ClassVar[str] = "/akash.market.v1beta5.MsgWithdrawLease"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartReclaim(ByProvider):
    """A provider announces that it wants a lease's resources back (v2 only)."""

    MESSAGE: ClassVar[str] = "/akash.market.v1beta5.MsgLeaseStartReclaim"

    reason: str = "lease_closed_reason_decommission"


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Act):
    """A bank transfer; the memo is the act's."""

    MESSAGE: ClassVar[str] = "/cosmos.bank.v1beta1.MsgSend"

    sender: str
    recipient: str
    amount: int
    denom: str = "uakt"

    @property
    def signer(self) -> str:
        """The sender."""
        return self.sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Act):
    """A transaction that is made to fail for a reason that the chain's state does not give (out of gas …).

    `of` is the act it would have been; its own height and position are ignored.
    """

    of: Act
    code: int = 11
    codespace: str = "sdk"
    log: str = "out of gas in location: WriteFlat; gasWanted: 200000, gasUsed: 203114: out of gas"

    @property
    def signer(self) -> str:
        """Whoever would have signed the act."""
        return self.of.signer


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with money on the chain from the start. `public_key`: 33 bytes, compressed secp256k1, or empty.

    `balances`: denom with amount; empty: plenty of each denom of the generation. An address that acts and is
    not among the people also starts with plenty. `multisig`: the key of a k-of-n account. `sequence`: how many
    transactions came before the story; `number`: the account's, where it is not the next one.
    """

    name: str
    address: str
    public_key: bytes = b""
    balances: tuple[tuple[str, int], ...] = ()
    multisig: MultisigKey | None = None
    sequence: int = 0
    number: int | None = None


@dataclass(frozen=True)
class Scenario:
    """All that a local chain needs to know; pure data, the same at every start.

    `acts` need no order. `sdls`: name -> SDL text. `people`: see Person.
    `ends`: the last height that the scenario tells of; later blocks are made all the same and are empty.
    `hosts`: the providers that have machines and answer, where they are asked for.
    """

    name: str
    chain_id: str
    acts: Sequence[Act]
    people: Sequence[Person] = ()
    sdls: Mapping[str, str] = field(default_factory=dict)
    seconds_per_block: int = 6
    ends: int | None = None
    hosts: Sequence[Hosted] = ()

    def ordered(self) -> list[Act]:
        """The acts as the chain takes them."""
        return sorted(self.acts, key=lambda act: (act.height, act.position))
