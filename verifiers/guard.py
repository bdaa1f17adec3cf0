"""Which addresses and ports a host that somebody else named may have (pure).

The chain takes any `host_uri`, and lease addresses are chosen by providers and participants, so a name could lead
into the operator's own network. Rules: security.md 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from verifiers.trouble import Trouble

Address = IPv4Address | IPv6Address

PORTS = frozenset({443, 8443, 8444})
"""The ports that a host with a public address may be asked at."""

_URL = re.compile(r"https://([^/?#]*)(.*)", re.IGNORECASE)
_PRINTABLE = re.compile(r"[\x21-\x5b\x5d-\x7e]{1,2048}")  # no blank, no control character, no backslash
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

_V4_CLOSED = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_V6_OPEN = IPv6Network("2000::/3")  # all that is handed out; v4-mapped, NAT64, ULA, link-local and so on lie outside
_V6_CLOSED = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20")
)  # Teredo and other special uses, documentation, 6to4, which wraps any IPv4 address

_LOOPBACK_V4, _LOOPBACK_V6 = IPv4Address("127.0.0.1"), IPv6Address("::1")


class HostRefused(Trouble):
    """The host's name, address or port is none that Waymark asks."""

    name = "host_refused"


@dataclass(frozen=True, slots=True)
class NamedHost:
    """A host as somebody named it, lower case, without brackets. `target`: path and query, empty where none is."""

    host: str
    port: int
    target: str = ""

    @property
    def is_literal(self) -> bool:
        """Whether the name is an address itself."""
        return ":" in self.host or self.host.rpartition(".")[2].isdigit()

    @property
    def shown(self) -> str:
        """`host:port`, for messages and the Host header."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address without path."""
        return f"https://{self.shown}"


def named_url(url: str) -> NamedHost:
    """Read an https address that somebody named; port 443 where none is said.

    Raises HostRefused for another scheme, credentials, a zone id, an address written in any but its plain form
    (`127.1`, `0x7f.1`, `2130706433`, `017700000001`), a backslash, blanks or letters outside ASCII.
    """
    whole = _URL.fullmatch(url) if _PRINTABLE.fullmatch(url) else None
    if whole is None:
        raise HostRefused(f"{_shown(url)} is no address such as https://provider.example:8443")
    if "@" in whole[1]:
        raise HostRefused("The address carries credentials. Waymark sends none to hosts that others name.")
    parts = _AUTHORITY.fullmatch(whole[1])
    if parts is None:
        raise HostRefused(f"{_shown(whole[1])} is no host such as provider.example:8443")
    port = int(parts[2] or 443)
    if not 0 < port < 1 << 16:
        raise HostRefused(f"There is no port {port}.")
    return NamedHost(_host(parts[1].lower()), port, whole[2].partition("#")[0])


def named_host(host_uri: str) -> NamedHost:
    """Read a provider's `host_uri`: as `named_url`, and nothing behind the host. Raises HostRefused."""
    found = named_url(host_uri)
    if found.target not in {"", "/"}:
        raise HostRefused(f"{_shown(host_uri)} has a path; a provider's address ends with its port.")
    return NamedHost(found.host, found.port)


def is_public(address: Address) -> bool:
    """Whether the address is one that the whole internet can reach, and nothing but that."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _V4_CLOSED)
    return address in _V6_OPEN and not any(address in network for network in _V6_CLOSED)


class Guard:
    """Decides over the addresses that a name resolved to.

    `private_hosts`: addresses or networks that the operator allows beside the public ones, at any port
    (ALLOW_PRIVATE_HOSTS). `ports`: those allowed at public addresses. Raises ValueError for no such network.
    """

    def __init__(self, private_hosts: Iterable[str] = (), ports: Iterable[int] = PORTS) -> None:
        self._private = tuple(ip_network(network, strict=False) for network in private_hosts)
        self._ports = frozenset(ports)

    def allows_privately(self, address: Address) -> bool:
        """Whether the operator allows this address by name of its network."""
        return any(address in network for network in self._private if network.version == address.version)

    def check(self, host: str, port: int, addresses: Sequence[str]) -> tuple[str, ...]:
        """The addresses to connect to. Raises HostRefused where any one of them, or the port, is not allowed.

        `addresses`: every answer of the one look-up of `host`. `::1` beside an allowed 127.0.0.1 is the same machine
        under its other name: it is passed over, neither refused nor used.
        """
        found = [(text, _address(host, text)) for text in addresses]
        kept = [(text, address) for text, address in found if not self._is_passed_over(address)]
        for text, address in kept:
            private = self.allows_privately(address)
            if not private and not is_public(address):
                raise HostRefused(f"{host} stands for {text}, which is no public address.")
            if not private and port not in self._ports:
                allowed = ", ".join(str(each) for each in sorted(self._ports))
                raise HostRefused(f"{host} is at port {port}. Waymark asks hosts at the ports {allowed} only.")
        if not kept:
            raise HostRefused(f"{host} has no address that may be asked.")
        return tuple(text for text, _ in kept)

    def allows_any_port(self, addresses: Sequence[str]) -> bool:
        """Whether all of these lie in the networks that the operator allows."""
        return all(self.allows_privately(_address("", text)) for text in addresses)

    def _is_passed_over(self, address: Address) -> bool:
        return address == _LOOPBACK_V6 and not self.allows_privately(address) and self.allows_privately(_LOOPBACK_V4)


def _host(name: str) -> str:
    if name.startswith("["):
        return str(_address(name, name[1:-1]))
    name = name.removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(name))
        except ValueError:
            raise HostRefused(f"{_shown(name)} is no plainly written address.") from None
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise HostRefused(f"{_shown(name)} is no host name.")
    return name


def _address(host: str, text: str) -> Address:
    if "%" in text:
        raise HostRefused(f"{_shown(host)} names an interface of this machine.")
    try:
        return ip_address(text)
    except ValueError:
        raise HostRefused(f"{_shown(host)} is no address.") from None


def _shown(text: str) -> str:
    return ascii(text[:80])
