"""Puts providers that answer onto the chain: where they listen and the certificates that they serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from devnet.acts import Act, CreateCertificate, CreateProvider, RevokeCertificate, Scenario
from devnet.providers.certificates import ServerCertificate, make_server_certificate, serial_of
from devnet.providers.hosted import Hosted

SECOND = 1_000_000_000
DAY_SECONDS = 86_400
_MADE_BEFORE_SECONDS = 40
"""Somebody makes a certificate and publishes it some blocks later."""


@dataclass(frozen=True)
class Papers:
    """A scenario with its providers' host_uri and certificates in it, and these certificates by owner."""

    scenario: Scenario
    certificates: Mapping[str, ServerCertificate]


def on_chain(scenario: Scenario, hosts: Sequence[Hosted], start: int, rest_ports: Mapping[str, int]) -> Papers:
    """The scenario as it is when each of `hosts` listens on 127.0.0.1 at its REST port, from the first block on.

    Follows from the arguments alone. `start`: Unix nanoseconds of block 1, from which serial numbers and dates come.
    A provider serves the first certificate that it publishes; one that publishes none has one all the same.
    """
    localizer = _Localizer(scenario, {one.owner: one for one in hosts}, start, rest_ports)
    acts = [localizer.act(act) for act in scenario.acts]
    for one in hosts:
        localizer.certificate(one.owner, 1)
    return Papers(replace(scenario, acts=acts), localizer.served)


class _Localizer:
    def __init__(
        self, scenario: Scenario, hosts: Mapping[str, Hosted], start: int, rest_ports: Mapping[str, int]
    ) -> None:
        self._hosts = hosts
        self._ports = rest_ports
        self._start = start
        self._seconds_per_block = scenario.seconds_per_block
        self.served: dict[str, ServerCertificate] = {}
        self._serials = dict(self._new_serials(scenario))

    def act(self, act: Act) -> Act:
        """The same act with what is local in it."""
        if isinstance(act, CreateProvider) and act.owner in self._hosts:
            return replace(act, host_uri=host_uri(self._ports[act.owner]))
        if isinstance(act, RevokeCertificate) and (act.owner, act.serial) in self._serials:
            return replace(act, serial=self._serials[act.owner, act.serial])
        if isinstance(act, CreateCertificate) and (act.owner, act.serial) in self._serials:
            made = self._made(act.owner, self._serials[act.owner, act.serial])
            self.served.setdefault(act.owner, made)
            return replace(act, serial=made.serial, pem=made.pem, public_key_pem=made.public_key_pem)
        return act

    def certificate(self, owner: str, height: int) -> ServerCertificate:
        """The one that is served."""
        if owner not in self.served:
            self.served[owner] = self._made(owner, self._serial(owner, height))
        return self.served[owner]

    def _new_serials(self, scenario: Scenario) -> Iterator[tuple[tuple[str, int], int]]:
        for act in scenario.acts:
            if isinstance(act, CreateCertificate) and act.owner in self._hosts and not act.pem:
                yield (act.owner, act.serial), self._serial(act.owner, act.height)

    def _serial(self, owner: str, height: int) -> int:
        age = self._hosts[owner].certificate_age_days * DAY_SECONDS + _MADE_BEFORE_SECONDS
        return serial_of(owner, self._start + ((height - 1) * self._seconds_per_block - age) * SECOND)

    def _made(self, owner: str, serial: int) -> ServerCertificate:
        return make_server_certificate(owner, serial, self._hosts[owner].hostname)


def host_uri(rest_port: int) -> str:
    """What the chain says of a provider at this port."""
    return f"https://127.0.0.1:{rest_port}"
