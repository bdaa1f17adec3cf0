"""What is asked of a provider, and how an Observation's request names it (pure).

A request names the provider's address and no host: the same answer of two providers is two observations.
"""

from __future__ import annotations

VERSION, ADDRESS, STATUS = "/version", "/address", "/status"
ROUTES = (VERSION, ADDRESS, STATUS)
"""The public REST routes."""

GET_STATUS = "/akash.provider.v1.ProviderRPC/GetStatus"

REST, GRPC = "rest", "grpc"
"""The two ends of a provider that have a certificate each."""


def tls_request(owner: str, end: str) -> str:
    """The certificate shown at one end: `TLS rest of akash1…`."""
    return f"TLS {end} of {owner}"


def route_request(owner: str, route: str) -> str:
    """One public route: `GET /status of akash1…`."""
    return f"GET {route} of {owner}"


def get_status_request(owner: str) -> str:
    """The status over gRPC: `GRPC GetStatus of akash1…`."""
    return f"GRPC GetStatus of {owner}"
