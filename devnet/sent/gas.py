"""What a transaction uses of gas: a model with few steps, set so that the recorded payouts use what they used.

Measured on akash 1.2.2 (2-of-3 and single, 329 to 12,549 bytes) and 2.1: the checks use 10 a byte, 1,000 a
signature, 4,460 for each member of a multisig (its key is read and written with the account) and the rest below;
v2 uses about 1,180 more for every transaction.
"""

from __future__ import annotations

from devnet.state.objects import ChainError

PER_BYTE = 10
PER_SIGNATURE = 1_000
PER_MEMBER = 4_460
PARAMETERS = 3_000
FEE = 22_000
LAST = 15_235
MORE_IN_V2 = 1_180
STORE_KEY, STORE_KEY_MEMBER = 3_300, 4_670

SEND_ENABLED = 2_009
SPEND = 5_227
SPENT = 3_824
RECEIVE = 8_100
NEW_ACCOUNT = 13_374


class Meter:
    """Counts gas against a limit; None: without a limit."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.used = 0

    def use(self, amount: int, location: str) -> None:
        """Use some more. Raises ChainError where that is beyond the limit."""
        self.used += amount
        if self.limit is not None and self.used > self.limit:
            raise ChainError(
                "sdk",
                11,
                f"out of gas in location: {location}; gasWanted: {self.limit}, gasUsed: {self.used}: out of gas",
            )
