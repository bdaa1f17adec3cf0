"""Sockets that know the deadline of the request under way, and the one place where an address is chosen.

`requests` timeouts are per read, so a header sent byte by byte stretches them without end. Here the socket itself
knows the deadline: each read may wait only for what is left of it.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from verifiers.guard import Guard


class Deadline:
    """The moment by which the request under way must be over; one for each thread's connection."""

    def __init__(self, connect_seconds: float) -> None:
        self.connect_seconds = connect_seconds
        self._ends = 0.0

    def start(self, seconds: float) -> None:
        """Begin a request that may take so long."""
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left. Raises TimeoutError when none is."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline passed")
        return left

    def left_to_connect(self) -> float:
        """Seconds a connection may still take."""
        return min(self.left(), self.connect_seconds)


Connect = Callable[[str, int, Deadline], "DeadlineSocket"]
"""From a host's name and port to a connected socket: the only place where an address is chosen."""


class DeadlineSocket(socket.socket):
    """A socket on which every wait ends at the deadline."""

    deadline: Deadline | None = None

    def recv_into(self, *args: Any) -> int:
        """Wait no longer than the deadline allows."""
        if self.deadline is not None:
            self.settimeout(self.deadline.left())
        return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        """Send all before the deadline; the timeout of `sendall` is one for the whole."""
        if self.deadline is not None:
            self.settimeout(self.deadline.left())
        super().sendall(*args)


class DeadlineTlsSocket(ssl.SSLSocket):
    """The same over TLS."""

    deadline: Deadline | None = None

    def recv_into(self, *args: Any) -> int:
        """Wait no longer than the deadline allows."""
        if self.deadline is not None:
            self.settimeout(self.deadline.left())
        return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        """Send all before the deadline."""
        if self.deadline is not None:
            self.settimeout(self.deadline.left())
        super().sendall(*args)


def resolve(host: str, port: int, deadline: Deadline) -> list[tuple[Any, ...]]:
    """All stream addresses of a name. Raises TimeoutError, OSError.

    `getaddrinfo` knows no timeout, so a name that is no literal address is looked up beside us.
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    found: list[list[tuple[Any, ...]] | OSError] = []

    def look_up() -> None:
        try:
            found.append(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as error:
            found.append(error if isinstance(error, OSError) else OSError(str(error)))

    worker = threading.Thread(target=look_up, name=f"resolve {host}", daemon=True)
    worker.start()
    worker.join(deadline.left_to_connect())
    if not found:
        raise TimeoutError(f"looking up {host} took too long")
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]


def connect_operator(host: str, port: int, deadline: Deadline) -> DeadlineSocket:
    """Connect to a host of the operator's own, at whatever address it has. Raises TimeoutError, OSError."""
    return _connect_first(host, resolve(host, port, deadline), deadline)


Resolve = Callable[[str, int, Deadline], list[tuple[Any, ...]]]
"""From a name to its addresses, as `resolve`."""


class ConnectChecked:
    """A `Connect` for one host that somebody else named: looked up once, checked, and only that address used.

    Every connection of one look at the host goes through one of these, so a name that means another address a moment
    later changes nothing. Make a new one for each look.
    """

    def __init__(self, guard: Guard, look_up: Resolve = resolve) -> None:
        self._guard = guard
        self._look_up = look_up
        self._found: dict[str, list[tuple[Any, ...]] | OSError] = {}

    def __call__(self, host: str, port: int, deadline: Deadline) -> DeadlineSocket:
        """Connect. Raises HostRefused, TimeoutError, OSError."""
        found = self._once(host, port, deadline)
        usable = self._guard.check(host, port, [str(where[0]) for *_, where in found])
        chosen = [
            (family, kind, protocol, name, (where[0], port, *where[2:]))
            for family, kind, protocol, name, where in found
            if where[0] in usable
        ]
        return _connect_first(host, chosen, deadline)

    def addresses(self, host: str, port: int, deadline: Deadline) -> list[str]:
        """Every address of the name, looked up at most once. Raises TimeoutError, OSError."""
        return [str(where[0]) for *_, where in self._once(host, port, deadline)]

    def _once(self, host: str, port: int, deadline: Deadline) -> list[tuple[Any, ...]]:
        if host not in self._found:
            try:
                self._found[host] = self._look_up(host, port, deadline)
            except OSError as error:
                self._found[host] = error
        found = self._found[host]
        if isinstance(found, OSError):
            raise found
        return found


def _connect_first(host: str, found: list[tuple[Any, ...]], deadline: Deadline) -> DeadlineSocket:
    last: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in found:
        sock = DeadlineSocket(family, kind, protocol)
        try:
            sock.settimeout(deadline.left_to_connect())
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except OSError as error:
            sock.close()
            last = error
        else:
            sock.deadline = deadline
            return sock
    raise last


class _Dialling:
    """What both connection classes share: urllib3 asks `_new_conn` for its socket and nothing else."""

    host: str
    port: int
    sock: Any
    _dial: Connect
    _deadline: Deadline

    def _new_conn(self) -> socket.socket:
        try:
            return self._dial(self.host.strip("[]"), self.port, self._deadline)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"connecting to {self.host} took too long") from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection to {self.host}: {error}") from error  # type: ignore[arg-type]


class _PlainConnection(_Dialling, HTTPConnection):
    def __init__(self, *args: Any, dial: Connect, deadline: Deadline, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._dial, self._deadline = dial, deadline


class _TlsConnection(_Dialling, HTTPSConnection):
    def __init__(self, *args: Any, dial: Connect, deadline: Deadline, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._dial, self._deadline = dial, deadline

    def connect(self) -> None:
        super().connect()
        if isinstance(self.sock, DeadlineTlsSocket):
            self.sock.deadline = self._deadline


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


@dataclass(frozen=True, slots=True)
class Pin:
    """The one certificate that a host may show: its SHA-256 (hex), and the name to ask for it with (SNI)."""

    sha256: str
    server_name: str | None = None


def pool_to(
    host: str, port: int, connect: Connect, deadline: Deadline, *, is_tls: bool, pin: Pin | None = None
) -> HTTPConnectionPool:
    """The one kept-alive connection of one thread to one host. A `pin` replaces authorities and host name."""
    ways: dict[str, Any] = {"dial": connect, "deadline": deadline}
    if not is_tls:
        return _PlainPool(host, port, maxsize=1, **ways)
    context = create_urllib3_context(cert_reqs=ssl.CERT_NONE if pin else None)
    context.sslsocket_class = DeadlineTlsSocket
    if pin is not None:
        # the fingerprint is compared after the handshake and before anything is sent
        ways |= {"assert_fingerprint": pin.sha256, "assert_hostname": False, "cert_reqs": "CERT_NONE"}
        ways |= {"server_hostname": pin.server_name} if pin.server_name else {}
    return _TlsPool(host, port, maxsize=1, ssl_context=context, **ways)
