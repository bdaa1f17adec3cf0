"""One node of the chain: how far it is, what it still keeps, and what it refuses to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from devnet.api.answer import UNKNOWN, RestError
from devnet.state.chain import Chain

Now = Callable[[], int]
"""The present in Unix nanoseconds."""


@dataclass(slots=True)
class Settings:
    """What a node can be told. Heights are of the chain; None: no limit.

    `until`: no block above it is ever made. `tip`: the height to stand at, whatever the clock says. `halted_at`:
    no block above it, while the clock goes on. `lag_blocks`: so many blocks behind the others. `keep_states`,
    `keep_blocks`: pruning, counted from the tip. `index_lag_blocks`: so many blocks the index of transactions is
    behind. `loses_txs`: what is sent is taken with code 0 and forgotten; `holds_txs_blocks`: it waits so many blocks
    longer in the mempool.
    """

    until: int | None = None
    tip: int | None = None
    halted_at: int | None = None
    lag_blocks: int = 0
    keep_states: int | None = None
    keep_blocks: int | None = None
    indexes_txs: bool = True
    index_lag_blocks: int = 0
    loses_txs: bool = False
    holds_txs_blocks: int = 0
    moniker: str = "devnet"


class Node:
    """A view of the chain. `lock`, the chain's, is held while an answer is made, since it may grow meanwhile."""

    def __init__(self, chain: Chain, now: Now, settings: Settings) -> None:
        self.chain = chain
        self.now = now
        self.settings = settings
        self.lock = chain.lock

    def tip(self) -> int:
        """The newest block this node has; the chain is made up to it. At least 1."""
        tip = self.newest()
        if tip > self.chain.height:
            self.chain.advance(tip)
        return tip

    def newest(self) -> int:
        """The height of the newest block, without making it."""
        settings = self.settings
        tip = settings.tip if settings.tip is not None else self.chain.height_at(self.now())
        for limit in (settings.until, settings.halted_at):
            if limit is not None:
                tip = min(tip, limit)
        return max(1, tip - settings.lag_blocks)

    def indexed(self, tip: int) -> int:
        """The newest block whose transactions can be looked up."""
        return tip - self.settings.index_lag_blocks

    def lowest_block(self, tip: int) -> int:
        """The oldest block this node keeps."""
        keep = self.settings.keep_blocks
        return 1 if keep is None else max(1, tip - keep + 1)

    def lowest_state(self, tip: int) -> int:
        """The oldest height whose state this node keeps."""
        keep = self.settings.keep_states
        return 1 if keep is None else max(1, tip - keep + 1)

    def height_asked(self, header: str | None, tip: int) -> int:
        """The height of a request header `x-cosmos-block-height`; 0 and none mean the tip. Raises RestError."""
        if not header:
            return tip
        digits = header.removeprefix("-").removeprefix("+")
        if not (digits.isascii() and digits.isdigit()):
            message = (
                "codespace sdk code 18: invalid request: Baseapp.RegisterGRPCServer: invalid height header "
                f'"x-cosmos-block-height": strconv.ParseInt: parsing "{header}": invalid syntax'
            )
            raise RestError(UNKNOWN, message, with_height=False)
        height = int(header)
        if height < 0:
            message = (
                "codespace sdk code 18: invalid request: cannot query with height < 0; please provide a valid height"
            )
            raise RestError(UNKNOWN, message, with_height=False)
        if height > tip:
            message = (
                "codespace sdk code 26: invalid height: cannot query with height in the future; "
                "please provide a valid height"
            )
            raise RestError(UNKNOWN, message, with_height=False)
        if height and height < self.lowest_state(tip):
            message = (
                f"codespace sdk code 38: not found: failed to load state at height {height}; version mismatch on "
                "immutable IAVL tree; version does not exist. Version has either been pruned, or is for a future "
                f"block height (latest height: {tip})"
            )
            raise RestError(UNKNOWN, message, with_height=False)
        return height or tip
