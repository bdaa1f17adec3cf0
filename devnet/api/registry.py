"""Providers, certificates and audited attributes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from itertools import chain

from devnet.addresses import BadAddressError, account_bytes, is_account
from devnet.api import pages
from devnet.api.answer import INTERNAL, INVALID, NOT_FOUND, Request, RestError
from devnet.api.pages import Page
from devnet.state import render
from devnet.state.objects import CERTIFICATE_STATES
from devnet.state.store import Key, Row
from devnet.state.world import World

Pieces = Sequence[bytes]


class Registry:
    """Answers about providers and what is said of them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def providers(self, request: Request) -> Pieces:
        """All providers, by the bytes of their address; ordinary Cosmos paging."""
        page = pages.read_page(request)
        found = self._present("providers", request.height)
        rows, next_key, total = cosmos_page([(b"\x01" + _prefixed(key[0]), row) for key, row in found], page)
        return pages.render("providers", rows, next_key, total)

    def provider(self, request: Request) -> Pieces:
        """One provider."""
        owner = request.values[0]
        if not is_account(owner):
            raise RestError(INVALID, "codespace provider code 5: invalid address")
        row = self._world.tables["providers"].at((account_bytes(owner),), request.height)
        if row is None:
            raise RestError(NOT_FOUND, "codespace provider code 3: invalid provider: address not found")
        return (b'{"provider":', *row.pieces, b"}")

    def certificates(self, request: Request) -> Pieces:
        """Certificates: `filter.serial` counts only together with an owner."""
        page = pages.read_page(request)
        owner, serial, state = (request.text(f"filter.{name}") for name in ("owner", "serial", "state"))
        if state and state not in CERTIFICATE_STATES[1:]:
            raise RestError(INVALID, "invalid state value")
        wanted = (CERTIFICATE_STATES.index(state),) if state else (1, 2)
        address = None
        if owner:
            try:
                address = account_bytes(owner)
            except BadAddressError as error:
                raise RestError(INTERNAL, str(error)) from None
        if serial and owner and not serial.isdigit():
            raise RestError(INTERNAL, "runtime error: invalid memory address or nil pointer dereference")
        rows = []
        for number in wanted:
            for key, row in self._present("certificates", request.height):
                if row.state != number or (address is not None and key[0] != address):
                    continue
                if serial and owner and key[1] != int(serial):
                    continue
                rows.append((_certificate_key(wanted, number, key), row))
        taken, next_key, _ = cosmos_page(rows, page)
        return pages.render("certificates", taken, next_key, str(len(taken)))

    def audits_of(self, request: Request) -> Pieces:
        """What all auditors, or one (`values` is auditor, provider), signed for a provider."""
        names = request.values
        provider = _address(names[-1])
        auditor = _address(names[0]) if len(names) == 2 else None
        rows = [
            row
            for key, row in self._present("audits", request.height)
            if row.state and key[0] == provider and (auditor is None or key[1] == auditor)
        ]
        if not rows:
            raise RestError(NOT_FOUND, "codespace audit code 1: invalid provider: address not found")
        return [b'{"providers":[', *_joined(rows), b'],"pagination":null}']

    def all_audits(self, request: Request) -> Pieces:
        """The list that real nodes decode as another message: an owner of raw bytes, nothing else."""
        page = pages.read_page(request)
        rows = [
            (b"\x01" + _prefixed(key[0]) + _prefixed(key[1]), Row(1, (self._garbled(row),)))
            for key, row in self._present("audits", request.height)
            if row.state
        ]
        taken, next_key, total = cosmos_page(rows, page)
        return pages.render("providers", taken, next_key, total)

    @staticmethod
    def _garbled(row: Row) -> bytes:
        """The last signed attribute's protobuf bytes where an owner's address should stand."""
        last = json.loads(b"".join(row.pieces))["attributes"][-1]
        name, value = last["key"], last["value"]
        owner = render.text(f"\n{chr(len(name))}{name}\x12{chr(len(value))}{value}")
        return f'{{"owner":{owner},"auditor":"","attributes":[]}}'.encode()

    def _present(self, table: str, height: int) -> list[tuple[Key, Row]]:
        found = self._world.tables[table]
        rows = ((key, found.items[key].at(height)) for key in found.keys)
        return [(key, row) for key, row in rows if row is not None]


def cosmos_page(rows: list[tuple[bytes, Row]], page: Page) -> tuple[list[Row], bytes | None, str]:
    """The ordinary Cosmos paging: rows, next key, and the total, which is told only when it is asked for."""
    ordered = rows[::-1] if page.reverse else rows
    start = page.offset
    if page.key:
        start = next((place for place, (key, _) in enumerate(ordered) if key == page.key), len(ordered))
    end = start + page.limit
    next_key = ordered[end][0] if end < len(ordered) else None
    total = len(rows) if not page.key and (page.count_total or not page.given) else 0
    return [row for _, row in ordered[start:end]], next_key, str(total)


def _joined(rows: Sequence[Row]) -> Sequence[bytes]:
    pieces = [(b",", *row.pieces) if place else row.pieces for place, row in enumerate(rows)]
    return list(chain.from_iterable(pieces))


def _prefixed(address: object) -> bytes:
    data = bytes(address) if isinstance(address, bytes) else b""
    return bytes([len(data)]) + data


def _certificate_key(states: tuple[int, ...], state: int, key: Key) -> bytes:
    body = _prefixed(key[0]) + _prefixed(int(str(key[1])).to_bytes(8))
    left = bytes(each for each in states if each >= state)
    rest = bytes([len(left)]) + left + b"\x02\x11" + bytes([state, len(body)]) + body
    return zlib.crc32(rest).to_bytes(4) + rest


def _address(text: str) -> bytes:
    try:
        return account_bytes(text)
    except BadAddressError:
        raise RestError(INVALID, "codespace audit code 2: invalid address") from None
