"""Events of a transaction, rendered as they happen (reference akash-chain.md 2.1)."""

from __future__ import annotations

import base64
import json

from devnet.acts import BidId, OrderId
from devnet.amounts import format_decimal

_PLAIN = '{{"type":"{}","attributes":[{}]}}'
_ATTRIBUTE = '{{"key":"{}","value":{},"index":true}}'


class Events:
    """The events of one transaction, in order. `msg_index` is added once the fee is paid (`in_message`)."""

    def __init__(self) -> None:
        self.rendered: list[str] = []
        self.ante = 0
        self._tail = ""

    def start(self) -> None:
        """Begin a new transaction."""
        self.rendered = []
        self.ante = 0
        self._tail = ""

    def in_message(self) -> None:
        """The fee is paid: what follows belongs to message 0 and is lost when the transaction fails."""
        self.ante = len(self.rendered)
        self._tail = ',{"key":"msg_index","value":"0","index":true}'

    def in_block(self) -> None:
        """What follows is told by the block itself, at its beginning."""
        self._tail = ',{"key":"mode","value":"BeginBlock","index":true}'

    def fail(self) -> None:
        """Forget what the message told."""
        del self.rendered[self.ante :]

    def plain(self, kind: str, *pairs: tuple[str, str]) -> None:
        """One event with plain text attributes."""
        attributes = ",".join(_ATTRIBUTE.format(key, json.dumps(value)) for key, value in pairs)
        self.rendered.append(_PLAIN.format(kind, attributes + self._tail))

    def typed(self, kind: str, **fields: object) -> None:
        """One typed event: keys sorted, each value the JSON of the field."""
        pairs = [(key, json.dumps(value, separators=(",", ":"))) for key, value in sorted(fields.items())]
        self.plain(kind, *pairs)

    def coins(self, payer: str, recipient: str, amount: str) -> None:
        """The four events of one bank transfer."""
        self.plain("coin_spent", ("spender", payer), ("amount", amount))
        self.plain("coin_received", ("receiver", recipient), ("amount", amount))
        self.plain("transfer", ("recipient", recipient), ("sender", payer), ("amount", amount))
        self.plain("message", ("sender", payer))


def deployment_id(owner: str, dseq: int) -> dict[str, object]:
    """The JSON of a deployment's id."""
    return {"owner": owner, "dseq": str(dseq)}


def group_id(owner: str, dseq: int, gseq: int) -> dict[str, object]:
    """The JSON of a group's id."""
    return {"owner": owner, "dseq": str(dseq), "gseq": gseq}


def order_id(order: OrderId) -> dict[str, object]:
    """The JSON of an order's id."""
    return {"owner": order.owner, "dseq": str(order.dseq), "gseq": order.gseq, "oseq": order.oseq}


def bid_id(bid: BidId) -> dict[str, object]:
    """The JSON of a bid's or lease's id."""
    return {**order_id(bid.order), "provider": bid.provider, "bseq": bid.bseq}


def base64_text(data: bytes) -> str:
    """Bytes as the events and the gateway write them."""
    return base64.b64encode(data).decode()


def price(denom: str, amount: int) -> dict[str, object]:
    """The JSON of a price."""
    return {"denom": denom, "amount": format_decimal(amount)}
