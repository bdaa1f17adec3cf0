"""Escrow accounts and payments by state and xid."""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from devnet.api import pages
from devnet.api.answer import INVALID, Request, RestError
from devnet.api.pages import Page
from devnet.state.objects import ESCROW_STATES
from devnet.state.store import Row
from devnet.state.world import World


class Escrow:
    """Answers about escrow."""

    def __init__(self, world: World) -> None:
        self._world = world

    def accounts(self, request: Request) -> Sequence[bytes]:
        """Accounts, open ones first, then by their path."""
        return self._list(request, "accounts", 0x11)

    def payments(self, request: Request) -> Sequence[bytes]:
        """Payments, open ones first, then by their path."""
        return self._list(request, "payments", 0x12)

    def _list(self, request: Request, name: str, kind: int) -> Sequence[bytes]:
        page = pages.read_page(request)
        state = request.text("state")
        if state and state not in ESCROW_STATES[1:]:
            raise RestError(INVALID, "invalid state value")
        states: tuple[int, ...] = (ESCROW_STATES.index(state),) if state else (1, 2, 3)
        xid = request.text("xid")
        prefix = f"/{xid}" if xid else ""
        if not self._world.generation.pages_escrow:
            rows = [row for _, _, row in self._found(name, request.height, states, prefix, "")]
            return pages.render(name, rows[::-1] if page.reverse else rows, None, str(len(rows)))
        start = ""
        if page.key:
            states, start = _read_key(page.key)
        rows, next_key = self._take(name, request.height, states, prefix, start, page, kind)
        return pages.render(name, rows, next_key, str(len(rows)))

    def _take(
        self, name: str, height: int, states: Sequence[int], prefix: str, start: str, page: Page, kind: int
    ) -> tuple[list[Row], bytes | None]:
        rows: list[Row] = []
        for left, path, row in self._found(name, height, states, prefix, start):
            if len(rows) == page.limit:
                return rows, _write_key(left, kind, path)
            rows.append(row)
        return rows, None

    def _found(
        self, name: str, height: int, states: Sequence[int], prefix: str, start: str
    ) -> Iterator[tuple[Sequence[int], str, Row]]:
        table = self._world.tables[name]
        for place, state in enumerate(states):
            low = bisect_left(table.keys, (start if place == 0 and start else prefix,))
            for position in range(low, len(table.keys)):
                key = table.keys[position]
                path = str(key[0])
                if not path.startswith(prefix):
                    break
                row = table.items[key].at(height)
                if row is not None and row.state == state:
                    yield states[place:], path, row


def _write_key(states: Sequence[int], kind: int, path: str) -> bytes:
    data = path.encode()
    rest = bytes([len(states), *states, 3, kind, 0, states[0], len(data)]) + data
    return zlib.crc32(rest).to_bytes(4) + rest


def _read_key(data: bytes) -> tuple[tuple[int, ...], str]:
    if len(data) < 10:
        raise RestError(INVALID, "pagination: invalid key: invalid key length")
    if zlib.crc32(data[4:]) != int.from_bytes(data[:4]):
        raise RestError(INVALID, "pagination: invalid key: invalid checksum")
    count = data[4]
    return tuple(data[5 : 5 + count]), data[5 + count + 5 :].decode()
