"""How an answer leaves: at once, or byte by byte where a fault says so."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Sequence

from devnet.providers.faults import ProviderFault


class Sender:
    """Sends on one connection. `closing` ends every wait early."""

    def __init__(self, tls: ssl.SSLSocket, closing: threading.Event, faults: Sequence[ProviderFault]) -> None:
        self._tls = tls
        self._closing = closing
        self._head_seconds = _seconds(faults, "slow_header")
        self._body_seconds = _seconds(faults, "slow_body")

    def wait(self, seconds: float) -> None:
        """Wait, unless the network ends."""
        self._closing.wait(seconds)

    def head(self, data: bytes) -> None:
        """Send what comes before a body."""
        self._send(data, self._head_seconds)

    def body(self, data: bytes) -> None:
        """Send of a body."""
        self._send(data, self._body_seconds)

    def _send(self, data: bytes, seconds: float) -> None:
        if not seconds:
            self._tls.sendall(data)
            return
        for place in range(len(data)):
            self._tls.sendall(data[place : place + 1])
            if self._closing.wait(seconds):
                raise ConnectionAbortedError("the network ends")


def _seconds(faults: Sequence[ProviderFault], kind: str) -> float:
    return max((fault.seconds for fault in faults if fault.kind == kind), default=0.0)
