"""Which blocks hold what a search asks for: what a node's index saves it from reading every transaction."""

from __future__ import annotations

from collections.abc import Iterable

from devnet.state.bank import FEE_COLLECTOR
from devnet.state.chain import Chain
from devnet.state.events import Coins

INDEXED = frozenset({"message.sender", "transfer.recipient"})
"""Tags whose value is an address that signs, pays or receives."""

TOLD_BY_ALL = frozenset({"tx", "message", "transfer", "coin_spent", "coin_received"})
"""Kinds of events that every transaction tells, or may tell with its coins."""


class Parties:
    """Heights by address, and the kinds of events told, of the scenario's transactions; grows with the chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._heights: dict[str, dict[int, None]] = {}
        self._kinds = set(TOLD_BY_ALL)
        self._until = 0

    def of(self, conditions: Iterable[tuple[str, str, str]]) -> list[int] | None:
        """The blocks to look through for these conditions (tag, operator, value); None: all of them."""
        self._grow()
        found: list[int] | None = None
        for tag, operator, value in conditions:
            if tag.rpartition(".")[0] not in self._kinds:
                return []
            # everybody pays the fee collector
            if operator == "=" and tag in INDEXED and value != FEE_COLLECTOR:
                found = list(self._heights.get(value, ()))
        return found

    def _grow(self) -> None:
        for height in sorted(height for height in self._chain.txs if height > self._until):
            for tx in self._chain.txs[height]:
                names = {tx.act.signer}
                for event in tx.told:
                    if isinstance(event, Coins):
                        names |= {event.payer, event.recipient}
                    else:
                        self._kinds.add(event.kind)
                for name in names:
                    self._heights.setdefault(name, {})[height] = None
            self._until = max(self._until, height)
