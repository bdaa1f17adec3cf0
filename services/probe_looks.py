"""How this platform probes: control targets first, then one short look at a provider."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from services import campaigns
from services.campaigns import Loaded
from services.errors import Unavailable
from services.following import judged_point
from services.house import House
from services.probe_controls import WayOut, control_targets, is_asked_through, way_out
from services.provider_looks import providers
from verifiers.chain.pinned import PinnedChain
from verifiers.evidence import ChainPoint, Observation
from verifiers.onboarding.state import PROBED_ROUTES, state_of
from verifiers.probes import Standing, State
from verifiers.provider.client import CertificateLookup, ProviderLimits, Providers
from verifiers.provider.facts import provider_seen
from verifiers.provider.source import certificates_of

BRIEF = ProviderLimits(look_seconds=4, question_seconds=3, connect_seconds=2)


@dataclass
class Certificates:
    """What the chain says of certificates; after its first trouble in a round it is not asked again."""

    lookup: CertificateLookup | None
    _failed: threading.Event = field(default_factory=threading.Event)

    def __call__(self, owner: str, serial: int) -> Sequence[Observation]:
        """Nothing, where the chain can't be asked: then nobody's certificate is known, which is ours."""
        if self.lookup is None or self._failed.is_set():
            return ()
        found = self.lookup(owner, serial)
        if any(observation.trouble for observation in found):
            self._failed.set()
        return found


@dataclass(frozen=True)
class LiveProber:
    """Implements `probing.Prober` for one round."""

    house: House
    certificates: Certificates
    full: Providers
    brief: Providers

    @classmethod
    def open(cls, house: House, loaded: Loaded) -> LiveProber:
        """A prober that compares certificates with the chain at the block that claims are judged at now."""
        point = _point(house, loaded)
        full = providers(house, full_limits(house))
        lookup = None
        if house.chain is not None and point is not None:
            lookup = certificates_of(PinnedChain(house.chain, point), full.api)
        return cls(house, Certificates(lookup), full, providers(house, BRIEF))

    def way_out(self) -> WayOut:
        """What the control targets say of our own way out, now."""
        return way_out(control_targets(self.house.settings))

    def is_asked_through(self, host_uri: str) -> bool:
        """Whether this provider stands outside of our own network."""
        return is_asked_through(host_uri, looks_up=bool(self.house.settings.allow_private_hosts))

    def probe(self, provider: str, host_uri: str, *, is_brief: bool) -> tuple[State, Sequence[Observation]]:
        """One look: both certificates, /status, GetStatus.

        A short look that meets somebody is followed by a full one: who is back, but slow, has everybody's time.
        """
        if is_brief:
            state, seen = self._look(self.brief, provider, host_uri)
            if state.standing is not Standing.DOWN or not any(map(_met_somebody, seen)):
                return state, seen
        return self._look(self.full, provider, host_uri)

    def _look(self, client: Providers, provider: str, host_uri: str) -> tuple[State, Sequence[Observation]]:
        seen = client.look(provider, host_uri, self.certificates, PROBED_ROUTES)
        return state_of(provider_seen(provider, seen, self.house.clock.now(), client.api)), seen


def _met_somebody(seen: Observation) -> bool:
    return seen.request.startswith("TLS ") and seen.trouble is None


def full_limits(house: House) -> ProviderLimits:
    """What one probe may cost, by the settings."""
    seconds = house.settings.probe_seconds
    return ProviderLimits(look_seconds=seconds, question_seconds=seconds, connect_seconds=min(5.0, seconds))


def _point(house: House, loaded: Loaded) -> ChainPoint | None:
    try:
        with house.ledger.read() as session:
            return judged_point(session, campaigns.chain_id(house, loaded), house.clock.now())
    except Unavailable:
        return None
