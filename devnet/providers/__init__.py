"""Providers of a local network: REST and gRPC gateways over TLS, with machines, leases and faults."""
