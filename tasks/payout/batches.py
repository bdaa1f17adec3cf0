"""A plan's rows cut into batches, each with its canonical rows, their hash and the memo that carries it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.payout.plan import PlanRow

DENOM = "uakt"
MEMO_START = "waymark/1/"
HASH_DIGITS = 16
MEMO_BYTES = 256
HEADER = "recipient,amount_uakt,denom,batch,award_ids"

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_CAMPAIGN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_FIELD = re.compile(r"[a-z0-9][a-z0-9/:.,-]*")


class BatchError(ValueError):
    """Rows or names that make no batch; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Batch:
    """At most 200 rows (40 with a Ledger) that are paid by one transaction."""

    campaign: str
    name: str
    rows: tuple[PlanRow, ...]

    @property
    def total_uakt(self) -> int:
        """What the batch pays."""
        return sum(row.amount_uakt for row in self.rows)

    @property
    def canonical(self) -> bytes:
        """The canonical rows: the machine CSV, byte for byte, so that `sha256sum` of that file is the rows' hash."""
        lines = [HEADER, *(_machine_line(row, self.name) for row in self.rows)]
        return "".join(f"{line}\n" for line in lines).encode("ascii")

    @property
    def rows_hash(self) -> str:
        """Hex SHA-256 of the canonical rows."""
        return hashlib.sha256(self.canonical).hexdigest()

    @property
    def memo(self) -> str:
        """The key by which the batch is found on the chain: `waymark/1/<campaign>/<batch>/<16 hex>`."""
        return f"{MEMO_START}{self.campaign}/{self.name}/{self.rows_hash[:HASH_DIGITS]}"

    @property
    def transfers(self) -> tuple[tuple[str, int], ...]:
        """(recipient, uakt) in order: what the transaction pays."""
        return tuple((row.recipient, row.amount_uakt) for row in self.rows)


def batch_name(payout: int, number: int, attempt: int = 1) -> str:
    """The name of a payout's batch: `p7-0001`; rows planned again after a dead batch get a new name: `p7-0001.2`."""
    return f"p{payout}-{number:04d}" + (f".{attempt}" if attempt > 1 else "")


def cut(campaign: str, payout: int, rows: Sequence[PlanRow], most: int) -> tuple[Batch, ...]:
    """The rows in their order in batches of at most `most`. Raises BatchError for names, sizes or rows that can't be.

    `most` comes from verifiers.payout.gas.rows_that_fit: 200, 40 with a Ledger, fewer where a block takes less.
    """
    if most < 1:
        raise BatchError("not even one row fits a block of the payout chain; check its limits")
    starts = range(0, len(rows), most)
    return tuple(
        batch(campaign, batch_name(payout, number), rows[start : start + most])
        for number, start in enumerate(starts, start=1)
    )


def batch(campaign: str, name: str, rows: Sequence[PlanRow]) -> Batch:
    """One batch, checked. Raises BatchError."""
    if _CAMPAIGN.fullmatch(campaign) is None or _NAME.fullmatch(name) is None:
        raise BatchError(f"{campaign!r} and {name!r} make no memo: lower-case letters, digits and dashes only")
    if not rows:
        raise BatchError("a batch without rows pays nobody")
    for row in rows:
        if row.amount_uakt <= 0 or not row.lines or _FIELD.fullmatch(row.recipient) is None:
            raise BatchError(
                f"the row of {row.participant} can't be paid: {row.amount_uakt}uakt to {row.recipient!r}"
            )
    made = Batch(campaign, name, tuple(rows))
    if len(made.memo.encode()) > MEMO_BYTES:
        raise BatchError(f"the memo is longer than {MEMO_BYTES} bytes")
    return made


def _machine_line(row: PlanRow, name: str) -> str:
    awards = ",".join(str(line) for line in row.lines)
    quoted = f'"{awards}"' if len(row.lines) > 1 else awards
    return f"{row.recipient},{row.amount_uakt},{DENOM},{name},{quoted}"
