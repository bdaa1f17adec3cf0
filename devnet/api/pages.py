"""Pages of the market's lists, with the page keys of the node (akash-recorded/README.md "Pages and filters")."""

from __future__ import annotations

import base64
import binascii
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from devnet.api.answer import INVALID, Request, RestError
from devnet.state.store import Key, Row, Table

DEFAULT_LIMIT = 100
BY_STATE, BY_PROVIDER, BY_OWNER = 0, 1, 2
"""How a listing walks: state by state, over one provider's rows, over one owner's rows."""

Match = Callable[[Key], bool]


@dataclass(frozen=True, slots=True)
class Page:
    """The `pagination.*` of a request."""

    key: bytes
    offset: int
    limit: int
    reverse: bool
    count_total: bool
    given: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a listing goes on: how, through which states (the current one first), from which key."""

    how: int
    states: tuple[int, ...]
    start: Key | None


@dataclass(frozen=True, slots=True)
class KeyForm:
    """How a kind's key is written in bytes: 's' an address as text, 'Q' 64 bits, 'I' 32 bits; and what follows it.

    `tails`: by how the listing walks, what stands after the key; the owner's walk of bids and leases was not
    recorded, its tail is this program's own.
    """

    letters: str
    tails: tuple[bytes, bytes, bytes]


DEPLOYMENT_KEYS = KeyForm("sQ", (b"", b"", b"\x01\x01"))
ORDER_KEYS = KeyForm("sQII", (b"", b"", b"\x01\x01"))
BID_KEYS = KeyForm("sQIIsI", (b"\x01\x00", b"\x01\x01", b"\x01\x02"))


def read_page(request: Request) -> Page:
    """The page that is asked for. Raises RestError for what is no number or no base64."""
    return Page(
        key=page_key(request.text("pagination.key")),
        offset=request.uint("pagination.offset"),
        limit=request.uint("pagination.limit") or DEFAULT_LIMIT,
        reverse=request.flag("pagination.reverse"),
        count_total=request.flag("pagination.count_total"),
        given=any(name.startswith("pagination.") for name in request.params),
    )


def page_key(text: str) -> bytes:
    """A key from its base64, standard or for URLs. Raises RestError with Go's wording."""
    cleaned = text.replace("-", "+").replace("_", "/")
    for place, letter in enumerate(cleaned):
        if not (letter.isascii() and (letter.isalnum() or letter in "+/=")):
            raise RestError(INVALID, f"illegal base64 data at input byte {place}", with_height=False)
    try:
        return base64.b64decode(cleaned + "=" * (-len(cleaned) % 4), validate=True)
    except binascii.Error:
        message = f"illegal base64 data at input byte {max(len(cleaned) - 1, 0)}"
        raise RestError(INVALID, message, with_height=False) from None


def write_key(form: KeyForm, walk: Walk) -> bytes:
    """The page key that resumes a walk."""
    key = b""
    for letter, part in zip(form.letters, walk.start or (), strict=True):
        if letter == "s":
            key += str(part).encode() + b"\x00"
        else:
            key += int(str(part)).to_bytes(8 if letter == "Q" else 4)
    states = bytes(walk.states)
    rest = bytes([len(states)]) + states + bytes([1, states[0], len(key)]) + key + form.tails[walk.how]
    return zlib.crc32(rest).to_bytes(4) + rest


def read_key(form: KeyForm, data: bytes) -> Walk:
    """The walk that a page key resumes. Raises RestError."""
    if len(data) < 8:
        raise RestError(INVALID, "pagination: invalid key: invalid key length")
    if zlib.crc32(data[4:]) != int.from_bytes(data[:4]):
        raise RestError(INVALID, "pagination: invalid key: invalid checksum")
    count = data[4]
    states = tuple(data[5 : 5 + count])
    place = 5 + count + 2
    size = data[place]
    key, tail = data[place + 1 : place + 1 + size], data[place + 1 + size :]
    parts: list[object] = []
    for letter in form.letters:
        if letter == "s":
            word, _, key = key.partition(b"\x00")
            parts.append(word.decode())
        else:
            width = 8 if letter == "Q" else 4
            parts.append(int.from_bytes(key[:width]))
            key = key[width:]
    if tail not in form.tails or not states:
        raise RestError(INVALID, "pagination: invalid key: invalid key length")
    return Walk(len(form.tails) - 1 - form.tails[::-1].index(tail) if tail else BY_STATE, states, tuple(parts))


def take(
    table: Table, height: int, walk: Walk, form: KeyForm, page: Page, *, scope: Key, provider: str, match: Match
) -> tuple[list[Row], bytes | None]:
    """One page and the key of the next one. `scope`: the owner and what follows, for the owner's walk."""
    rows: list[Row] = []
    skip = page.offset
    for states, key, row in _walk(table, height, walk, scope, provider, reverse=page.reverse):
        if not match(key):
            continue
        if skip:
            skip -= 1
            continue
        if len(rows) == page.limit:
            return rows, write_key(form, Walk(walk.how, states, key))
        rows.append(row)
    return rows, None


def _walk(
    table: Table, height: int, walk: Walk, scope: Key, provider: str, *, reverse: bool
) -> Iterator[tuple[tuple[int, ...], Key, Row]]:
    if walk.how == BY_STATE:
        keys: Sequence[Key] = table.keys
        for place, state in enumerate(walk.states):
            places = _places(keys, 0, len(keys), walk.start if place == 0 else None, reverse=reverse)
            for key, row in table.scan(keys, places, height, frozenset({state})):
                yield walk.states[place:], key, row
        return
    if walk.how == BY_PROVIDER:
        keys = table.by_provider.get(provider, ())
        low, high = 0, len(keys)
    else:
        keys = table.keys
        low, high = table.bounds(scope)
    places = _places(keys, low, high, walk.start, reverse=reverse)
    for key, row in table.scan(keys, places, height, frozenset(walk.states)):
        yield walk.states, key, row


def _places(keys: Sequence[Key], low: int, high: int, start: Key | None, *, reverse: bool) -> range:
    if reverse:
        last = high if start is None else bisect_right(keys, start)
        return range(last - 1, low - 1, -1)
    return range(low if start is None else bisect_left(keys, start), high)


def render(name: str, rows: Sequence[Row], next_key: bytes | None, total: str) -> list[bytes]:
    """The JSON of a list with its pagination, in pieces."""
    pieces = [f'{{"{name}":['.encode()]
    for place, row in enumerate(rows):
        if place:
            pieces.append(b",")
        pieces += row.pieces
    shown = "null" if next_key is None else f'"{base64.b64encode(next_key).decode()}"'
    pieces.append(f'],"pagination":{{"next_key":{shown},"total":"{total}"}}}}'.encode())
    return pieces
