"""Events of a transaction: kept as they happened, written as JSON when asked for (reference akash-chain.md 2.1)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import NamedTuple

from devnet.acts import BidId, OrderId
from devnet.amounts import format_decimal

Ident = dict[str, object]
MESSAGE_TAIL = ',{"key":"msg_index","value":"0","index":true}'
"""Of the first message; most transactions have no other."""

BEGIN_BLOCK_TAIL = ',{"key":"mode","value":"BeginBlock","index":true}'


class DeploymentKey(NamedTuple):
    """Names a deployment."""

    owner: str
    dseq: int


class GroupKey(NamedTuple):
    """Names a group."""

    owner: str
    dseq: int
    gseq: int


class Price(NamedTuple):
    """A price in 10^-18 of the denom's unit."""

    denom: str
    amount: int


class Plain(NamedTuple):
    """An event with plain text attributes."""

    kind: str
    pairs: tuple[tuple[str, str], ...]


class Typed(NamedTuple):
    """A typed event; its attributes are the fields by name, each as JSON."""

    kind: str
    fields: tuple[tuple[str, object], ...]


class Coins(NamedTuple):
    """A bank transfer, which tells four events. `amount`: with its denom."""

    payer: str
    recipient: str
    amount: str


Event = Plain | Typed | Coins


class Events:
    """What one message tells, in order."""

    def __init__(self) -> None:
        self.told: list[Event] = []

    def start(self) -> None:
        """A new message begins; what an earlier one told is taken by then."""
        self.told = []

    def plain(self, kind: str, *pairs: tuple[str, str]) -> None:
        """One event with plain text attributes."""
        self.told.append(Plain(kind, pairs))

    def typed(self, kind: str, **fields: object) -> None:
        """One typed event."""
        self.told.append(Typed(kind, tuple(sorted(fields.items()))))

    def coins(self, payer: str, recipient: str, amount: str) -> None:
        """One bank transfer."""
        self.told.append(Coins(payer, recipient, amount))


def render_events(events: Iterable[Event], tail: str = "") -> str:
    """The JSON of events, comma separated; `tail` stands at the end of every list of attributes."""
    out: list[str] = []
    for event in events:
        if isinstance(event, Coins):
            out += _transfer(event, tail)
        elif isinstance(event, Plain):
            out.append(_event(event.kind, event.pairs, tail))
        else:
            pairs = [(name, json.dumps(_field(value), separators=(",", ":"))) for name, value in event.fields]
            out.append(_event(event.kind, pairs, tail))
    return ",".join(out)


def message_tail(place: int) -> str:
    """The tail that says of which message an event is."""
    return MESSAGE_TAIL.replace('"0"', f'"{place}"')


def deployment_id(owner: str, dseq: int) -> Ident:
    """The JSON of a deployment's id."""
    return {"owner": owner, "dseq": str(dseq)}


def group_id(owner: str, dseq: int, gseq: int) -> Ident:
    """The JSON of a group's id."""
    return {"owner": owner, "dseq": str(dseq), "gseq": gseq}


def order_id(order: OrderId) -> Ident:
    """The JSON of an order's id."""
    return {"owner": order.owner, "dseq": str(order.dseq), "gseq": order.gseq, "oseq": order.oseq}


def bid_id(bid: BidId) -> Ident:
    """The JSON of a bid's or lease's id."""
    return {**order_id(bid.order), "provider": bid.provider, "bseq": bid.bseq}


def base64_text(data: bytes) -> str:
    """Bytes as the events and the gateway write them."""
    return base64.b64encode(data).decode()


def _field(value: object) -> object:
    if isinstance(value, DeploymentKey):
        return deployment_id(*value)
    if isinstance(value, GroupKey):
        return group_id(*value)
    if isinstance(value, OrderId):
        return order_id(value)
    if isinstance(value, BidId):
        return bid_id(value)
    if isinstance(value, Price):
        return {"denom": value.denom, "amount": format_decimal(value.amount)}
    return base64_text(value) if isinstance(value, bytes) else value


def _transfer(event: Coins, tail: str) -> list[str]:
    payer, recipient, amount = event
    return [
        _event("coin_spent", (("spender", payer), ("amount", amount)), tail),
        _event("coin_received", (("receiver", recipient), ("amount", amount)), tail),
        _event("transfer", (("recipient", recipient), ("sender", payer), ("amount", amount)), tail),
        _event("message", (("sender", payer),), tail),
    ]


def _event(kind: str, pairs: Iterable[tuple[str, str]], tail: str) -> str:
    attributes = ",".join(f'{{"key":"{key}","value":{json.dumps(value)},"index":true}}' for key, value in pairs)
    return f'{{"type":"{kind}","attributes":[{attributes}{tail}]}}'
