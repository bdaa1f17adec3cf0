"""Opens TLS to a provider and looks at its certificate before anything is sent."""

from __future__ import annotations

import errno
import socket
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from verifiers.guard import NamedHost
from verifiers.provider.identity import Shown
from verifiers.provider.trouble import ConnectionRefused, NameUnknown, OwnNetwork, TlsFailed
from verifiers.sockets import Connect, Deadline, DeadlineTlsSocket
from verifiers.trouble import BadCertificate, CutBody, Timeout, Unreachable

_OWN = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL}
)
_NO_NAME_SERVER = frozenset({socket.EAI_AGAIN, socket.EAI_FAIL})


def own_name(host: NamedHost) -> str:
    """The SNI that makes a provider show its self-signed certificate; none for an address, which has that effect."""
    return "" if host.is_literal else f"mtls.{host.host}"


def open_tls(
    host: NamedHost, port: int, connect: Connect, deadline: Deadline, server_name: str, protocols: Sequence[str] = ()
) -> DeadlineTlsSocket:
    """Connect and shake hands, trusting nothing yet. Nothing of ours but the handshake has been sent.

    Raises HostRefused, Timeout, Unreachable and its kinds, OwnNetwork.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return _shake_hands(context, host, port, connect, deadline, server_name, protocols)


def open_public_tls(
    host: NamedHost, port: int, connect: Connect, deadline: Deadline, ca_file: str | None
) -> DeadlineTlsSocket:
    """The same under the host's own name, vouched for by the public authorities that `requests` trusts too.

    Raises BadCertificate besides.
    """
    context = ssl.create_default_context(cafile=ca_file or DEFAULT_CA_BUNDLE_PATH)
    return _shake_hands(context, host, port, connect, deadline, host.host, ())


def _shake_hands(
    context: ssl.SSLContext,
    host: NamedHost,
    port: int,
    connect: Connect,
    deadline: Deadline,
    server_name: str,
    protocols: Sequence[str],
) -> DeadlineTlsSocket:
    context.sslsocket_class = DeadlineTlsSocket
    if protocols:
        context.set_alpn_protocols(list(protocols))
    with told_troubles(host.shown):
        plain = connect(host.host, port, deadline)
        try:
            plain.settimeout(deadline.left_to_connect())
            tls = context.wrap_socket(plain, server_hostname=server_name or None)
        except ssl.SSLCertVerificationError as error:
            plain.close()
            raise BadCertificate(f"{host.shown} shows no certificate to trust: {error.verify_message}.") from None
        except (ssl.SSLError, ConnectionError, ValueError):
            plain.close()
            raise TlsFailed(f"{host.shown} completes no TLS handshake.") from None
        except BaseException:
            plain.close()
            raise
    if not isinstance(tls, DeadlineTlsSocket):
        raise TypeError("the context makes another kind of socket")
    tls.deadline = deadline
    return tls


def shown_by(tls: ssl.SSLSocket, server_name: str) -> Shown:
    """Every certificate that came in the handshake, as DER."""
    if sys.version_info >= (3, 13):
        certificates = tuple(tls.get_unverified_chain())
    else:
        inner: Any = tls._sslobj  # type: ignore[attr-defined] # public from Python 3.13 on
        encoding_der = 2
        certificates = tuple(one.public_bytes(encoding_der) for one in inner.get_unverified_chain() or ())
    return Shown(certificates, server_name, tls.version() or "")


@contextmanager
def told_troubles(name: str) -> Iterator[None]:
    """Turn what sockets raise into the family of a provider's troubles."""
    try:
        yield
    except TimeoutError:
        raise Timeout(f"{name} did not answer in time. Waymark tries again.") from None
    except socket.gaierror as error:
        if error.errno in _NO_NAME_SERVER:
            raise OwnNetwork(f"The name {name} could not be looked up from here. Waymark tries again.") from None
        raise NameUnknown(f"{name} has no address. Check the provider's host_uri.") from None
    except ConnectionRefusedError:
        raise ConnectionRefused(f"{name} refuses connections. Check that the provider runs.") from None
    except (ssl.SSLError, ConnectionError):
        raise CutBody(f"{name} closed the connection before its answer was complete.") from None
    except OSError as error:
        if error.errno in _OWN:
            raise OwnNetwork(f"This machine has no way to {name}: {error.strerror}.") from None
        raise Unreachable(f"{name} can't be reached: {error.strerror or error}.") from None
