"""The public REST answers of a provider, and the gRPC statuses (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from verifiers.chain.answers.border import Decoder
from verifiers.provider.trouble import GrpcFailed, NotReady, Unimplemented
from verifiers.trouble import Denied, RateLimited, Redirected, ServerError, Timeout, Trouble


@dataclass(frozen=True, slots=True)
class Build:
    """The provider program's own version."""

    version: str = ""
    name: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """The version of the cluster below."""

    gitVersion: str = ""  # noqa: N815 - as it is written


@dataclass(frozen=True, slots=True)
class Version:
    """`GET /version`. `kube` may be null."""

    akash: Build
    kube: Kubernetes | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """CPU in thousandths, memory and storage in bytes."""

    cpu: int = 0
    gpu: int = 0
    memory: int = 0
    storage_ephemeral: int = 0


@dataclass(frozen=True, slots=True)
class StatusNode:
    """One node's totals: no models here."""

    name: str = ""
    allocatable: Totals = Totals()
    available: Totals = Totals()


@dataclass(frozen=True, slots=True)
class Available:
    """`nodes` is left out when empty."""

    nodes: tuple[StatusNode, ...] | None = None


@dataclass(frozen=True, slots=True)
class StatusInventory:
    """`error` present, even empty: the inventory is not there yet (its reason is lost on the way)."""

    available: Available | None = None
    active: tuple[Totals, ...] | None = None
    pending: tuple[Totals, ...] | None = None
    error: object | None = None


@dataclass(frozen=True, slots=True)
class StatusCluster:
    """`leases` active now."""

    leases: int = 0
    inventory: StatusInventory | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """`GET /status`: totals only."""

    address: str = ""
    cluster: StatusCluster | None = None
    cluster_public_hostname: str = ""

    @property
    def is_inventory_ready(self) -> bool:
        """Whether there is an inventory; an empty cluster has one."""
        inventory = self.cluster.inventory if self.cluster else None
        return inventory is not None and inventory.error is None

    @property
    def nodes(self) -> tuple[StatusNode, ...]:
        """The nodes, none while the inventory is not there."""
        inventory = self.cluster.inventory if self.cluster else None
        return (inventory.available.nodes or ()) if inventory and inventory.available else ()


@dataclass(frozen=True, slots=True)
class _Address:
    address: str


decode_version: Decoder[Version] = Decoder(Version, "provider's version")
decode_status: Decoder[Status] = Decoder(Status, "provider's status")
_address: Decoder[_Address] = Decoder(_Address, "provider's address")


def decode_address(body: bytes) -> str:
    """`GET /address`. Raises Undecodable."""
    return _address(body).address


_OK, _UNKNOWN, _DEADLINE, _PERMISSION, _EXHAUSTED = 0, 2, 4, 7, 8
_UNIMPLEMENTED, _UNAUTHENTICATED = 12, 16
_THEIR_FAULT = frozenset({_UNKNOWN, 1, 10, 13, 14, 15})


def grpc_trouble(code: str, message: str) -> Trouble | None:
    """What a `grpc-status` and its percent-encoded `grpc-message` mean; None for 0.

    2 with "inventory status not available yet" is a provider that has just started (akash-provider.md, Seen 7).
    """
    number = int(code) if code.isascii() and code.isdigit() and len(code) < 4 else -1
    text = unquote(message)[:200]
    if number == _OK:
        return None
    if number == _UNKNOWN and "not available yet" in text:
        return NotReady("The provider's inventory is not there yet. Waymark asks again.")
    if number in _THEIR_FAULT:
        return ServerError(f"The provider answers with gRPC status {number}: {text!a}", number)
    known: Mapping[int, type[Trouble]] = {
        _DEADLINE: Timeout,
        _PERMISSION: Denied,
        _EXHAUSTED: RateLimited,
        _UNIMPLEMENTED: Unimplemented,
        _UNAUTHENTICATED: Denied,
    }
    return known.get(number, GrpcFailed)(f"The provider answers with gRPC status {code[:10]!a}: {text!a}")


def http_trouble(status: int, name: str) -> Trouble | None:
    """What an HTTP status of a public route means; None for 200. `name`: the host, for the message."""
    if status == 200:
        return None
    if status == 429:
        return RateLimited(f"{name} asks us to slow down.")
    if status in {401, 403}:
        return Denied(f"{name} wants credentials for a public route.")
    if 300 <= status < 400:
        return Redirected(f"{name} redirects, which is never followed.")
    if status >= 500:
        return ServerError(f"{name} answers with status {status}.", status)
    return Unimplemented(f"{name} answers with status {status}. Check that this is the provider's port.")
