"""Providers as `gather` sees them: each looked at once in a pass, tied to the chain at the pinned block."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence

from verifiers.chain.apiset import ApiSet
from verifiers.evidence import ChainSource, Observation
from verifiers.provider.client import CertificateLookup, Providers
from verifiers.provider.identity import REVOKED_STATE, certificate_filters


class PinnedProviders:
    """Implements `evidence.ProviderSource`. Make one for each pass and share it between claims. Thread safe."""

    def __init__(self, providers: Providers, chain: ChainSource) -> None:
        self._providers = providers
        self._lookup = certificates_of(chain, providers.api)
        self._seen: dict[tuple[str, str], tuple[Observation, ...]] = {}
        self._one_at_a_time: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)

    def look(self, owner: str, host_uri: str) -> Sequence[Observation]:
        """Both certificates, what the chain says of them, the public routes and the status of one provider."""
        key = owner, host_uri
        with self._one_at_a_time[key]:
            if key not in self._seen:
                self._seen[key] = self._providers.look(owner, host_uri, self._lookup)
        return self._seen[key]


class NoProviders:
    """For a pass that asks no provider."""

    def look(self, owner: str, host_uri: str) -> Sequence[Observation]:  # noqa: ARG002 - the shape of the protocol
        """Nothing is seen."""
        return ()


def certificates_of(chain: ChainSource, api: ApiSet) -> CertificateLookup:
    """Look up certificates at the pinned block; where none is valid, whether one was revoked."""

    def lookup(owner: str, serial: int) -> Sequence[Observation]:
        path = api.certificates_list
        valid = chain.pages(path, certificate_filters(owner, serial), "certificates")
        if any(page.trouble or b'"serial"' in page.body for page in valid):
            return valid
        revoked = certificate_filters(owner, serial, REVOKED_STATE)
        return [*valid, *chain.pages(path, revoked, "certificates")]

    return lookup
