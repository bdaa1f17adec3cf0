"""A result fetched from the address at which the lease serves it, where that is an address of the provider."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from ledger.benchmarks import BenchmarkChallengeRow
from ledger.chain import ProviderRow
from services.errors import Refused
from services.house import House
from verifiers.benchmark.answers import most_bytes
from verifiers.evidence import Entry
from verifiers.guard import PORTS, Guard, NamedHost, named_host, named_url
from verifiers.http import Door, Limits
from verifiers.sockets import ConnectChecked
from verifiers.trouble import Trouble

SECONDS = 15


def fetched(house: House, entry: Entry, ca_file: str | None = None) -> Entry:
    """The entry with its result read, where an address was entered in its place; every other entry as it is.

    The host must be the provider's own or lie in its domain, its certificate good by the public authorities
    (`ca_file`: by these). Raises Refused that says what to enter instead.
    """
    run = entry.run
    if run is None or not run.address:
        return entry
    text, host = fetched_text(house, run.challenge, run.address, ca_file=ca_file)
    return replace(entry, run=replace(run, result=text, host=host))


def fetched_text(
    house: House, challenge: str, address: str, gpus: int = 1, ca_file: str | None = None
) -> tuple[str, str]:
    """What an address of the provider serves as the result of `gpus` GPUs, and its host. Raises as above."""
    try:
        named = named_url(address)
        known = _hosts_of(house, challenge)
        if not any(is_at(named, host) for host in known):
            raise Refused(
                f"{named.host} is no address of this provider: enter the text of result.json instead.", "result"
            )
        body = _read(house, named, most_bytes(gpus), ca_file)
    except Trouble as trouble:
        text = f"The address could not be read ({trouble}). Enter the text of result.json instead."
        raise Refused(text, "result") from trouble
    return body.decode("utf-8", "replace"), named.shown


def _read(house: House, named: NamedHost, most: int, ca_file: str | None) -> bytes:
    guard = Guard(house.settings.allow_private_hosts, ports=PORTS | {named.port})
    limits = Limits(deadline_seconds=SECONDS, body_bytes=most + 1)
    door = Door(named.url, limits, connect=ConnectChecked(guard), ca_file=ca_file)
    try:
        reply = door.get(named.target or "/result.json")
    finally:
        door.close()
    if reply.status != 200:
        raise Refused(f"{named.shown} answered {reply.status}: wait until the runner is done.", "result")
    return reply.body


def _hosts_of(house: House, challenge: str) -> list[NamedHost]:
    """The addresses of the challenge's provider, as the chain's index knows them."""
    with house.ledger.read() as session:
        row = session.get(BenchmarkChallengeRow, challenge)
        owner = row.provider if row else ""
        uris = session.scalars(select(ProviderRow.host_uri).where(ProviderRow.owner == owner)).all()
    found = []
    for uri in uris:
        try:
            found.append(named_host(uri))
        except Trouble:
            continue
    return found


def is_at(named: NamedHost, provider: NamedHost) -> bool:
    """`x.ingress.example.com` is at `provider.example.com`: the same host, or below the domain beside its label."""
    if named.host == provider.host:
        return True
    domain = provider.host.partition(".")[2]
    return not provider.is_literal and "." in domain and named.host.endswith(f".{domain}")
