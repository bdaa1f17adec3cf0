"""Asks a provider: whose certificate it shows, then its public routes and its status over gRPC.

What is asked becomes Observations; trouble is kept in them, not raised. No question leaves before the certificate is
compared with the chain, and none ever carries credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tasks.moment import Clock
from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.evidence import Observation, Source
from verifiers.guard import Guard, NamedHost, named_host
from verifiers.http import Door, Limits
from verifiers.provider.answers import http_trouble
from verifiers.provider.grpc_call import call
from verifiers.provider.identity import (
    Identity,
    OnChain,
    OwnCertificate,
    Record,
    Standing,
    identify,
    on_chain,
    own_certificate,
)
from verifiers.provider.questions import (
    GET_STATUS,
    GRPC,
    REST,
    ROUTES,
    get_status_request,
    route_request,
    tls_request,
)
from verifiers.provider.tls import open_public_tls, open_tls, own_name, shown_by, told_troubles
from verifiers.provider.trouble import PortUnknown, TlsFailed, Unasked
from verifiers.sockets import ConnectChecked, Deadline, DeadlineTlsSocket, Pin, Resolve, resolve
from verifiers.trouble import Timeout, Trouble, WrongContentType

CertificateLookup = Callable[[str, int], Sequence[Observation]]
"""From owner and serial number to what the chain answered: certificates/list, valid ones and then any."""

REST_PORT, GRPC_PORT = 8443, 8444


@dataclass(frozen=True, slots=True)
class ProviderLimits:
    """What one look may cost: all of it, one question, one connection; bytes before and after gunzip."""

    look_seconds: float = 30.0
    question_seconds: float = 10.0
    connect_seconds: float = 5.0
    body_bytes: int = 1 << 20


@dataclass
class _Look:
    """One look under way."""

    owner: str
    host: NamedHost
    connect: ConnectChecked
    lookup: CertificateLookup
    deadline: Deadline
    observations: list[Observation] = field(default_factory=list)
    looked_up: dict[int, Sequence[Observation]] = field(default_factory=dict)


class Providers:
    """Looks at providers; keeps nothing between looks. Thread safe.

    `ca_file` (PEM) replaces the public authorities, for a network with its own.
    """

    def __init__(
        self,
        clock: Clock,
        guard: Guard,
        *,
        limits: ProviderLimits = ProviderLimits(),
        api: ApiSet = CURRENT,
        look_up: Resolve = resolve,
        ca_file: str | None = None,
    ) -> None:
        self.api = api
        self._clock = clock
        self._guard = guard
        self._limits = limits
        self._look_up = look_up
        self._ca_file = ca_file

    def look(
        self, owner: str, host_uri: str, certificates: CertificateLookup, routes: Sequence[str] = ROUTES
    ) -> tuple[Observation, ...]:
        """Ask one provider everything once: both certificates, the REST `routes`, GetStatus.

        The observations carry the chain's answers about the certificates too, so that `facts.provider_seen` follows
        from them alone. The name is looked up once for all connections.
        """
        deadline = Deadline(self._limits.connect_seconds)
        deadline.start(self._limits.look_seconds)
        try:
            host = named_host(host_uri)
        except Trouble as trouble:
            host = NamedHost("", 0)
            return self._all_troubled(owner, host, trouble, routes)
        connect = ConnectChecked(self._guard, self._look_up)
        look = _Look(owner, host, connect, certificates, deadline)
        self._ask_rest(look, routes)
        self._ask_grpc(look)
        return tuple({observation.id: observation for observation in look.observations}.values())

    # ------------------------------------------------------------------ REST

    def _ask_rest(self, look: _Look, routes: Sequence[str]) -> None:
        host = look.host
        try:
            record, identity = self._rest_identity(look)
        except Trouble as trouble:
            self._keep(look, tls_request(look.owner, REST), host, trouble=trouble)
            self._skip(look, host, [route_request(look.owner, route) for route in routes])
            return
        self._keep(look, tls_request(look.owner, REST), host, body=record.body())
        if not identity.may_be_asked:
            self._skip(look, host, [route_request(look.owner, route) for route in routes])
            return
        door = self._door(look, identity)
        try:
            for place, route in enumerate(routes, start=1):
                if not self._ask_route(look, door, route):
                    self._skip(look, host, [route_request(look.owner, route) for route in routes[place:]])
                    break
        finally:
            door.close()

    def _rest_identity(self, look: _Look) -> tuple[Record, Identity]:
        host, port = look.host, look.host.port
        try:
            tls = open_tls(host, port, look.connect, self._time(look), own_name(host))
        except TlsFailed:
            # a proxy in front may know the host's own name only
            record = self._with_public(look, Record(host.host, port, None))
            if record.public is None:
                raise
            return record, self._identify(look, record)
        try:
            record = Record(host.host, port, shown_by(tls, own_name(host)))
        finally:
            tls.close()
        identity = self._identify(look, record)
        if identity.standing in {Standing.PINNED, Standing.UNKNOWN}:
            return record, identity
        record = self._with_public(look, record)
        return record, self._identify(look, record)

    def _with_public(self, look: _Look, record: Record) -> Record:
        """The same with what the public authorities say of the host's own name."""
        try:
            tls = open_public_tls(look.host, record.port, look.connect, self._time(look), self._ca_file)
        except Trouble as trouble:
            return Record(record.host, record.port, record.own, None, str(trouble))
        try:
            return Record(record.host, record.port, record.own, shown_by(tls, look.host.host))
        finally:
            tls.close()

    def _door(self, look: _Look, identity: Identity) -> Door:
        limits = Limits(self._limits.question_seconds, self._limits.connect_seconds, self._limits.body_bytes)
        pin = None
        if identity.standing is not Standing.PUBLIC:
            pin = Pin(identity.sha256, own_name(look.host) or None)
        return Door(look.host.url, limits, look.connect, self._ca_file, pin)

    def _ask_route(self, look: _Look, door: Door, route: str) -> bool:
        """Ask one route; False where asking the next would only wait again."""
        request = route_request(look.owner, route)
        try:
            reply = door.get(route, deadline_seconds=self._time(look).left())
            trouble = http_trouble(reply.status, look.host.shown)
            if trouble is not None:
                raise trouble
            if "json" not in reply.headers.get("content-type", "").lower():
                raise WrongContentType(f"{look.host.shown} answers {route} with another content type than JSON.")
        except Trouble as trouble:
            self._keep(look, request, look.host, trouble=trouble)
            return not isinstance(trouble, Timeout)
        self._keep(look, request, look.host, body=reply.body, status=reply.status)
        return True

    # ------------------------------------------------------------------ gRPC

    def _ask_grpc(self, look: _Look) -> None:
        requests = tls_request(look.owner, GRPC), get_status_request(look.owner)
        end = NamedHost(look.host.host, 0)
        try:
            end = NamedHost(look.host.host, self._grpc_port(look))
            tls = open_tls(end, end.port, look.connect, self._time(look), own_name(end), ("h2",))
        except Trouble as trouble:
            self._keep(look, requests[0], end, trouble=trouble)
            self._skip(look, end, requests[1:])
            return
        try:
            self._ask_status(look, end, tls)
        finally:
            tls.close()

    def _ask_status(self, look: _Look, end: NamedHost, tls: DeadlineTlsSocket) -> None:
        record = Record(end.host, end.port, shown_by(tls, own_name(end)))
        self._keep(look, tls_request(look.owner, GRPC), end, body=record.body())
        request = get_status_request(look.owner)
        try:
            if not self._identify(look, record).may_be_asked:
                self._skip(look, end, [request])
                return
            tls.deadline = self._time(look)
            status, body = call(tls, end.shown, GET_STATUS, self._limits.body_bytes)
        except Trouble as trouble:
            self._keep(look, request, end, trouble=trouble)
        else:
            self._keep(look, request, end, body=body, status=status)

    def _grpc_port(self, look: _Look) -> int:
        """8444 for 8443; for a host that the operator allows, the port after REST's; else it can't be known."""
        port = look.host.port
        if port == REST_PORT:
            return GRPC_PORT
        with told_troubles(look.host.shown):
            addresses = look.connect.addresses(look.host.host, port, self._time(look))
        if self._guard.allows_any_port(addresses):
            return port + 1
        raise PortUnknown(f"The gRPC port can't be told from REST port {port}. Use 8443 and 8444.")

    # ------------------------------------------------------------------ both

    def _time(self, look: _Look) -> Deadline:
        """The deadline of one question within that of the look. Raises Timeout when none is left."""
        left = self._left(look)
        deadline = Deadline(self._limits.connect_seconds)
        deadline.start(min(left, self._limits.question_seconds))
        return deadline

    def _left(self, look: _Look) -> float:
        try:
            return look.deadline.left()
        except TimeoutError:
            raise Timeout(f"{look.host.shown} used up the time of this look. Waymark tries again.") from None

    def _identify(self, look: _Look, record: Record) -> Identity:
        own = own_certificate(record, look.owner, self._clock.now())
        chain = OnChain()
        if record.public is None and isinstance(own, OwnCertificate):
            if own.serial not in look.looked_up:
                left = self._left(look)
                look.looked_up[own.serial] = look.lookup(look.owner, own.serial)
                look.deadline.start(left)  # the chain's time is not the provider's
                look.observations += look.looked_up[own.serial]
            chain = on_chain(look.looked_up[own.serial], look.owner, own.serial, self.api.certificates_list)
        return identify(record, look.owner, self._clock.now(), chain)

    def _skip(self, look: _Look, end: NamedHost, requests: Sequence[str]) -> None:
        for request in requests:
            self._keep(look, request, end, trouble=Unasked("Not asked: see the certificate."))

    def _keep(
        self,
        look: _Look,
        request: str,
        end: NamedHost,
        *,
        body: bytes = b"",
        status: int | None = None,
        trouble: Trouble | None = None,
    ) -> None:
        look.observations.append(self._observation(request, end, body, status, trouble))

    def _observation(
        self, request: str, end: NamedHost, body: bytes, status: int | None, trouble: Trouble | None
    ) -> Observation:
        return Observation(
            source=Source.PROVIDER,
            request=request,
            body=body,
            host=end.shown if end.host else "",
            seen_at=self._clock.now(),
            status=status,
            trouble=trouble.name if trouble else None,
        )

    def _all_troubled(
        self, owner: str, host: NamedHost, trouble: Trouble, routes: Sequence[str]
    ) -> tuple[Observation, ...]:
        first = tls_request(owner, REST), tls_request(owner, GRPC)
        rest = (*(route_request(owner, route) for route in routes), get_status_request(owner))
        unasked = Unasked("Not asked: see the certificate.")
        return tuple(self._observation(request, host, b"", None, trouble) for request in first) + tuple(
            self._observation(request, host, b"", None, unasked) for request in rest
        )
