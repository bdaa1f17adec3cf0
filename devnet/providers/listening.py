"""Many listening sockets served by one thread; each connection gets a thread of its own."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
BACKLOG = 64
TURN_SECONDS = 0.25
_ANY_PAIR_TRIES = 200

Serve = Callable[[socket.socket], None]
"""Serves one connection until it is over. The socket is closed afterwards."""


def two_listeners(port: int) -> tuple[socket.socket, socket.socket]:
    """Two ports in a row on loopback, from `port` or, where it is 0, any. Raises OSError where one is taken."""
    if port:
        return _both(port)
    for _ in range(_ANY_PAIR_TRIES):
        with socket.create_server((LOOPBACK, 0)) as probe:
            number: int = probe.getsockname()[1]
        with contextlib.suppress(OSError, OverflowError):
            return _both(number)  # bound by number: only such a port stays ours while its door is shut
    raise OSError("no two free ports in a row")


def _both(port: int) -> tuple[socket.socket, socket.socket]:
    first = _listener(port)
    try:
        return first, _listener(port + 1)
    except BaseException:
        first.close()
        raise


def _listener(port: int) -> socket.socket:
    return socket.create_server((LOOPBACK, port), backlog=BACKLOG)


@dataclass
class _Door:
    """A listener while it is watched. One that is shut refuses connections and keeps its port."""

    listener: socket.socket
    serve: Serve
    is_shut: Callable[[], bool]
    is_open: bool = True


class Doorkeeper:
    """Accepts on every listener until `close`, which ends every connection too."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._doors: list[_Door] = []
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._guard = threading.Lock()
        self._turning = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}  # by a second handle: TLS takes the first
        self._thread: threading.Thread | None = None
        self.is_closing = threading.Event()

    def watch(self, listener: socket.socket, serve: Serve, is_shut: Callable[[], bool]) -> None:
        """Serve what comes to this listener, which is closed with everything else. Before `start` only."""
        listener.settimeout(0)
        door = _Door(listener, serve, is_shut)
        self._doors.append(door)
        self._selector.register(listener, selectors.EVENT_READ, door)

    def start(self) -> None:
        """Begin to accept."""
        self.turn()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def turn(self) -> None:
        """Shut and open the doors whose time it is; done again by itself every quarter of a second."""
        with self._turning:
            for door in self._doors:
                if self.is_closing.is_set() or door.is_open != door.is_shut():
                    continue
                with contextlib.suppress(OSError):  # such as a port that somebody took: tried again
                    self._turn(door)

    def _turn(self, door: _Door) -> None:
        """On Linux a listener that is shut down refuses connections, and may listen again."""
        if door.is_open:
            self._selector.unregister(door.listener)
            door.is_open = False
            door.listener.shutdown(socket.SHUT_RDWR)
        else:
            door.listener.listen(BACKLOG)
            self._selector.register(door.listener, selectors.EVENT_READ, door)
            door.is_open = True

    def close(self) -> None:
        """Stop accepting, end every connection, wait for their threads."""
        self.is_closing.set()
        with self._turning:
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
        for one in (*(door.listener for door in self._doors), self._wake, self._woken):
            one.close()

    def _run(self) -> None:
        while not self.is_closing.is_set():
            for key, _ in self._selector.select(TURN_SECONDS):
                if isinstance(key.data, _Door):
                    self._accept(key.data)
            self.turn()

    def _accept(self, door: _Door) -> None:
        try:
            connection, _ = door.listener.accept()
        except OSError:
            return  # it left before it was let in
        connection.settimeout(None)
        handle = connection.dup()
        thread = threading.Thread(target=self._meet, args=(connection, handle, door.serve), daemon=True)
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
