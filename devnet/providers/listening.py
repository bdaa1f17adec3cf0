"""Many listening sockets served by one thread; each connection gets a thread of its own."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable

LOOPBACK = "127.0.0.1"
BACKLOG = 64
_ANY_PAIR_TRIES = 200

Serve = Callable[[socket.socket], None]
"""Serves one connection until it is over. The socket is closed afterwards."""


def two_listeners(port: int) -> tuple[socket.socket, socket.socket]:
    """Two ports in a row on loopback, from `port` or, where it is 0, any. Raises OSError where one is taken."""
    for _ in range(_ANY_PAIR_TRIES):
        first = _listener(port)
        number = first.getsockname()[1]
        try:
            return first, _listener(number + 1)
        except (OSError, OverflowError):
            first.close()
            if port:
                raise
    raise OSError("no two free ports in a row")


def _listener(port: int) -> socket.socket:
    return socket.create_server((LOOPBACK, port), backlog=BACKLOG)


class Doorkeeper:
    """Accepts on every listener until `close`, which ends every connection too."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._listeners: list[socket.socket] = []
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._guard = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}  # by a second handle: TLS takes the first
        self._thread: threading.Thread | None = None
        self.is_closing = threading.Event()

    def watch(self, listener: socket.socket, serve: Serve) -> None:
        """Serve what comes to this listener, which is closed with everything else. Before `start` only."""
        listener.settimeout(0)
        self._listeners.append(listener)
        self._selector.register(listener, selectors.EVENT_READ, serve)

    def start(self) -> None:
        """Begin to accept."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop accepting, end every connection, wait for their threads."""
        self.is_closing.set()
        self._wake.send(b"x")
        if self._thread is not None:
            self._thread.join(timeout=5)
        with self._guard:
            left = dict(self._connections)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in left.values():
            thread.join(timeout=5)
        self._selector.close()
        for one in (*self._listeners, self._wake, self._woken):
            one.close()

    def _run(self) -> None:
        while not self.is_closing.is_set():
            for key, _ in self._selector.select():
                if isinstance(key.fileobj, socket.socket) and key.data is not None:
                    self._accept(key.fileobj, key.data)

    def _accept(self, listener: socket.socket, serve: Serve) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # it left before it was let in
        connection.settimeout(None)
        handle = connection.dup()
        thread = threading.Thread(target=self._meet, args=(connection, handle, serve), daemon=True)
        with self._guard:
            self._connections[handle] = thread
        thread.start()

    def _meet(self, connection: socket.socket, handle: socket.socket, serve: Serve) -> None:
        try:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                serve(connection)
        finally:
            with self._guard:
                self._connections.pop(handle, None)
            connection.close()
            handle.close()
