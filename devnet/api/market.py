"""Deployments, groups, orders, bids and leases: lists and infos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devnet.addresses import is_account
from devnet.api import pages
from devnet.api.answer import INTERNAL, INVALID, NOT_FOUND, Request, RestError
from devnet.api.pages import BY_OWNER, BY_PROVIDER, BY_STATE, KeyForm, Walk
from devnet.state.objects import BID_STATES, DEPLOYMENT_STATES, LEASE_STATES, ORDER_STATES
from devnet.state.store import Key
from devnet.state.world import World

Pieces = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of the market's objects: its table, its states, its keys, its words when it is missing."""

    name: str
    singular: str
    states: tuple[str, ...]
    form: KeyForm
    parts: tuple[str, ...]
    missing: str


DEPLOYMENTS = Kind(
    "deployments",
    "",
    DEPLOYMENT_STATES,
    pages.DEPLOYMENT_KEYS,
    ("owner", "dseq"),
    "codespace deployment code 4: Deployment not found",
)
ORDERS = Kind(
    "orders",
    "order",
    ORDER_STATES,
    pages.ORDER_KEYS,
    ("owner", "dseq", "gseq", "oseq"),
    "codespace market code 15: invalid order: order not found",
)
BIDS = Kind(
    "bids",
    "",
    BID_STATES,
    pages.BID_KEYS,
    ("owner", "dseq", "gseq", "oseq", "provider", "bseq"),
    "codespace market code 18: invalid bid: bid not found",
)
LEASES = Kind(
    "leases",
    "",
    LEASE_STATES,
    pages.BID_KEYS,
    ("owner", "dseq", "gseq", "oseq", "provider", "bseq"),
    "codespace market code 20: invalid lease: lease not found",
)


class Market:
    """Answers about the market."""

    def __init__(self, world: World) -> None:
        self._world = world

    def list(self, kind: Kind, request: Request) -> Pieces:
        """One page of a list with all its oddities."""
        page = pages.read_page(request)
        filters = {part: self._filter(request, part) for part in kind.parts}
        states = self._states(kind, request.text("filters.state"))
        if "\x00" in request.text("filters.owner"):
            raise RestError(INTERNAL, _DELIMITER)
        if page.offset and not request.text("filters.state"):
            raise RestError(INVALID, "invalid request parameters. if offset is set, filter.state must be provided")
        wanted = {place: value for place, value in enumerate(filters.values()) if value not in {"", 0}}
        owner, provider = filters["owner"], str(filters.get("provider", ""))
        if page.key:
            walk = pages.read_key(kind.form, page.key)
            if kind is DEPLOYMENTS:
                owner = str((walk.start or ("",))[0])
                wanted = {}
            if walk.how == BY_PROVIDER:
                provider = provider or str((walk.start or ("",) * 6)[4])
            scope: Key = (str((walk.start or ("",))[0]),)
        else:
            how = BY_OWNER if owner else BY_PROVIDER if provider else BY_STATE
            ordered = tuple(reversed(states)) if page.reverse and how == BY_STATE else states
            walk = Walk(how, ordered, None)
            scope = self._scope(filters)
        rows, next_key = pages.take(
            self._world.tables[kind.name],
            request.height,
            walk,
            kind.form,
            page,
            scope=scope,
            provider=provider,
            match=lambda key: all(key[place] == value for place, value in wanted.items()),
        )
        return pages.render(kind.name, rows, next_key, str(len(rows)))

    def info(self, kind: Kind, request: Request) -> Pieces:
        """One object."""
        key: list[object] = []
        for part in kind.parts:
            if part in {"owner", "provider"}:
                key.append(request.text(f"id.{part}"))
            else:
                key.append(request.uint(f"id.{part}", _BITS.get(part, 32)))
        for part in ("owner", "provider"):
            if part in kind.parts and not is_account(request.text(f"id.{part}")):
                raise RestError(INVALID, f"invalid {part} address")
        row = self._world.tables[kind.name].at(tuple(key), request.height)
        if row is None:
            raise RestError(NOT_FOUND, kind.missing)
        return (f'{{"{kind.singular}":'.encode(), *row.pieces, b"}") if kind.singular else row.pieces

    def group(self, request: Request) -> Pieces:
        """One group."""
        key = (request.text("id.owner"), request.uint("id.dseq"), request.uint("id.gseq", 32))
        if not is_account(request.text("id.owner")):
            raise RestError(INVALID, "invalid owner address")
        row = self._world.tables["groups"].at(key, request.height)
        if row is None:
            raise RestError(NOT_FOUND, "codespace deployment code 14: Group not found")
        return (b'{"group":', *row.pieces, b"}")

    def _states(self, kind: Kind, name: str) -> tuple[int, ...]:
        known = kind.states
        if kind is LEASES and not self._world.generation.has_reclamation:
            known = known[:-1]
        if not name:
            return tuple(range(1, len(known)))
        if name not in known[1:]:
            raise RestError(INVALID, "invalid state value")
        return (known.index(name),)

    @staticmethod
    def _filter(request: Request, part: str) -> str | int:
        if part in {"owner", "provider"}:
            return request.text(f"filters.{part}")
        return request.uint(f"filters.{part}", _BITS.get(part, 32))

    @staticmethod
    def _scope(filters: dict[str, str | int]) -> Key:
        """The owner and the numbers that follow without a gap."""
        scope: list[object] = []
        for value in filters.values():
            if not value:
                break
            scope.append(value)
        return tuple(scope)


_BITS = {"dseq": 64}
_DELIMITER = (
    "collections: encoding error: key encode: collections: encoding error: string is not allowed to have the "
    "string delimiter (\u0000) in non terminal encodings of strings"
)
