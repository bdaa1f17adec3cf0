"""What a look at a provider showed, read from its observations alone (pure): the same for us and for an auditor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tasks.moment import Moment
from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.evidence import Observation
from verifiers.provider.answers import Status, Version, decode_address, decode_status, decode_version
from verifiers.provider.identity import (
    Identity,
    OnChain,
    OwnCertificate,
    Standing,
    decode_record,
    identify,
    on_chain,
    own_certificate,
)
from verifiers.provider.inventory import Inventory, decode_get_status
from verifiers.provider.questions import (
    ADDRESS,
    GRPC,
    REST,
    STATUS,
    VERSION,
    get_status_request,
    route_request,
    tls_request,
)
from verifiers.trouble import Trouble

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T_co]):
    """One answer read: its value, or the name of the trouble. `observations`: ids behind it."""

    value: T_co | None
    trouble: str | None
    observations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """One end of the provider (REST or gRPC): whose it is. `trouble`: why no certificate was seen."""

    identity: Identity
    trouble: str | None
    observations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderSeen:
    """All that one look showed."""

    owner: str
    rest: End
    grpc: End
    version: Answer[Version]
    address: Answer[str]
    status: Answer[Status]
    inventory: Answer[Inventory]

    @property
    def is_alive(self) -> bool:
        """Whether anything answered at all, whoever it is."""
        return any(answer.value is not None for answer in (self.version, self.address, self.status, self.inventory))

    @property
    def known_inventory(self) -> Inventory | None:
        """The inventory where it came from the provider that the chain names, else None."""
        return self.inventory.value if self.grpc.identity.is_known else None

    @property
    def first_trouble(self) -> str | None:
        """What kept us from a known inventory, in the order of asking; None where it is there."""
        if self.known_inventory is not None:
            return None
        for end in (self.rest, self.grpc):
            if end.trouble is not None:
                return end.trouble
            if not end.identity.is_known:
                return "own_network" if end.identity.standing is Standing.UNKNOWN else "bad_certificate"
        return self.inventory.trouble


def provider_seen(owner: str, observations: Sequence[Observation], at: Moment, api: ApiSet = CURRENT) -> ProviderSeen:
    """Read a look at `owner` out of observations, which may hold more than it. `at`: the moment dates are held to.

    An answer that is not among them has the trouble `unasked`.
    """
    by_request = {observation.request: observation for observation in observations}

    def read(request: str, decode: Callable[[bytes], T]) -> Answer[T]:
        return _read(by_request.get(request), decode)

    ends = {
        end: _end(by_request.get(tls_request(owner, end)), owner, observations, at, api.certificates_list)
        for end in (REST, GRPC)
    }
    return ProviderSeen(
        owner=owner,
        rest=ends[REST],
        grpc=ends[GRPC],
        version=read(route_request(owner, VERSION), decode_version),
        address=read(route_request(owner, ADDRESS), decode_address),
        status=read(route_request(owner, STATUS), decode_status),
        inventory=read(get_status_request(owner), decode_get_status),
    )


def _read(observation: Observation | None, decode: Callable[[bytes], T]) -> Answer[T]:
    if observation is None:
        return Answer(None, "unasked")
    ids = (observation.id,)
    if observation.trouble is not None:
        return Answer(None, observation.trouble, ids)
    try:
        return Answer(decode(observation.body), None, ids)
    except Trouble as trouble:
        return Answer(None, trouble.name, ids)


def _end(
    observation: Observation | None, owner: str, observations: Sequence[Observation], at: Moment, path: str
) -> End:
    if observation is None or observation.trouble is not None:
        ids = (observation.id,) if observation else ()
        trouble = observation.trouble if observation else "unasked"
        return End(Identity(Standing.UNKNOWN, "was not seen"), trouble, ids)
    try:
        record = decode_record(observation.body)
    except Trouble as trouble:
        return End(Identity(Standing.UNKNOWN, "was not kept readably"), trouble.name, (observation.id,))
    own = own_certificate(record, owner, at)
    looked_up = [one for one in observations if one.request.startswith(f"GET {path}?")]
    chain = on_chain(looked_up, owner, own.serial, path) if isinstance(own, OwnCertificate) else OnChain()
    return End(identify(record, owner, at, chain), None, (observation.id, *(one.id for one in looked_up)))
