"""What can go wrong between a question and a provider's answer, and whose trouble each is (pure)."""

from __future__ import annotations

from enum import StrEnum

from verifiers.guard import HostRefused
from verifiers.trouble import (
    BadCertificate,
    CutBody,
    Denied,
    RateLimited,
    Redirected,
    ServerError,
    Timeout,
    TooLarge,
    Trouble,
    Undecodable,
    Unreachable,
    WrongContentType,
)


class ConnectionRefused(Unreachable):
    """The host is there and nothing listens at the port."""

    name = "refused"


class NameUnknown(Unreachable):
    """The name has no address."""

    name = "name_unknown"


class TlsFailed(Unreachable):
    """No TLS connection came about: cut handshake, no common version, no TLS at all."""

    name = "tls"


class NotReady(Trouble):
    """The provider runs, its inventory is not there yet: this says nothing about its GPUs."""

    name = "not_ready"


class GrpcFailed(Trouble):
    """A gRPC status that has no name of its own here."""

    name = "grpc_failed"


class Unimplemented(Trouble):
    """The host does not know this method or route."""

    name = "unimplemented"


class PortUnknown(Trouble):
    """The gRPC port is not on the chain, and this REST port does not tell it."""

    name = "grpc_port_unknown"


class OwnNetwork(Trouble):
    """This machine has no way out: no route, no name server, no free socket."""

    name = "own_network"


class Unasked(Trouble):
    """Not asked, because the connection before it did not come about or showed a certificate of somebody else."""

    name = "unasked"


class Whose(StrEnum):
    """Whose trouble it is. `silence` is the provider's where our control probes of that round succeeded."""

    THEIRS = "theirs"
    OURS = "ours"
    SILENCE = "silence"


_THEIRS: tuple[type[Trouble], ...] = (
    BadCertificate, ConnectionRefused, Denied, GrpcFailed, HostRefused, NotReady, RateLimited, Redirected,
    ServerError, TooLarge, Undecodable, Unimplemented, WrongContentType,
)  # fmt: skip
_SILENCE: tuple[type[Trouble], ...] = (CutBody, NameUnknown, Timeout, TlsFailed, Unreachable)
_OURS: tuple[type[Trouble], ...] = (OwnNetwork, PortUnknown, Unasked)

WHOSE = {
    **{trouble.name: Whose.THEIRS for trouble in _THEIRS},
    **{trouble.name: Whose.SILENCE for trouble in _SILENCE},
    **{trouble.name: Whose.OURS for trouble in _OURS},
}
"""By the name that `Observation.trouble` carries."""

TEXTS = {
    "bad_certificate": "showed a certificate that is not the provider's",
    "cut_body": "closed the connection in the middle of its answer",
    "denied": "wanted credentials for a public route",
    "grpc_failed": "answered with a gRPC error",
    "grpc_port_unknown": "has a REST port from which the gRPC port can't be told; use 8443 and 8444",
    "host_refused": "has an address that Waymark does not ask (https, a public address, port 443 or 8443)",
    "name_unknown": "has a name without an address",
    "not_ready": "has no inventory yet",
    "own_network": "could not be asked: our own network was down",
    "rate_limited": "asked us to slow down",
    "redirected": "redirected us, which is never followed",
    "refused": "refused the connection",
    "server_error": "answered with an error of its own",
    "timeout": "did not answer in time",
    "tls": "did not complete a TLS handshake",
    "too_large": "answered more than 1 MiB",
    "unasked": "was not asked, see the certificate",
    "undecodable": "answered what can't be read",
    "unimplemented": "does not know the route",
    "unreachable": "could not be reached",
    "wrong_content_type": "answered with a content type that is not the route's",
}
"""What happened, as the end of a sentence about the provider."""


def whose(trouble: str) -> Whose:
    """Whose trouble it is; ours where the name is not known, which costs nobody anything."""
    return WHOSE.get(trouble, Whose.OURS)


def told(trouble: str) -> str:
    """What happened, as the end of a sentence about the provider."""
    return TEXTS.get(trouble, trouble.replace("_", " "))
