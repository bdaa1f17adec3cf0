"""The award lines that no live batch holds, and what may be done with each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LineState(StrEnum):
    """How far a line is: words of `payout owed`."""

    PROVISIONAL = "provisional"
    PAYABLE = "payable"
    WITHHELD = "withheld"


class NotPaid(StrEnum):
    """Why a participant gets nothing from a plan. What is not paid stays owed."""

    NOT_FINAL = "results are not final yet"
    WITHHELD = "withheld: not payable"
    NO_ADDRESS = "no payout address confirmed"
    REFUSED_ADDRESS = "the payout address can't be paid"
    SET_OFF = "set off against what was overpaid"
    BELOW_MINIMUM = "below the plan's minimum"
    BELOW_ONE_UAKT = "less than one uakt at the plan's rate"
    BATCH_LIMIT = "does not fit a block of the payout chain"


@dataclass(frozen=True, slots=True)
class OwedLine:
    """One signed difference of the ledger that is in no live batch and not paid, in micro of the campaign's unit."""

    line: int
    participant: str
    task: str | None
    amount_micro: int
    state: LineState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Payee:
    """Where a participant's awards go. `address` is None until it is confirmed."""

    participant: str
    address: str | None
