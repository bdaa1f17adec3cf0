"""What people sign about a payout: one digest over all that is approved, and the words around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tasks.digests import sha256_of
from tasks.payout.plan import Plan


class Part(StrEnum):
    """What somebody signs as."""

    PLANNER = "planner"
    APPROVER = "approver"


VERBS = {Part.PLANNER: "plan", Part.APPROVER: "approve"}


@dataclass(frozen=True, slots=True)
class Paying:
    """How a plan is paid: beside its rows, what its people approve.

    `nonce` is random, so that a signature serves this plan on this platform only. `attempt` is 1, and one more each
    time that dead batches are planned again. `third_above_uakt`: tasks.payout.approval.
    """

    number: int
    nonce: str
    attempt: int
    payer: str
    chain_id: str
    has_ledger: bool
    as_sends: bool
    third_above_uakt: int | None = None


def seal(plan: Plan, rows_hashes: Iterable[str], paying: Paying) -> str:
    """The digest that planner and approvers sign: hex SHA-256 over the plan, its batches' hashes and `paying`."""
    return sha256_of(
        {
            "plan": plan.digest(rows_hashes),
            "number": paying.number,
            "nonce": paying.nonce,
            "attempt": paying.attempt,
            "payer": paying.payer,
            "chain_id": paying.chain_id,
            "has_ledger": paying.has_ledger,
            "as_sends": paying.as_sends,
            "third_above_uakt": paying.third_above_uakt,
        }
    )


def act_memo(part: Part, campaign: str, number: int, digest: str, nonce: str) -> str:
    """The memo of the transaction that shows a signature; at most 202 bytes of ASCII."""
    return f"waymark-payout {VERBS[part]} {campaign}/{number} {digest} {nonce}"


def act_subject(part: Part, campaign: str, number: int, digest: str) -> str:
    """What a challenge is about: it serves this part of this plan and nothing else."""
    return f"{VERBS[part]} payout {campaign}/{number} {digest}"


def act_sentence(part: Part, campaign: str, number: int, digest: str, total_uakt: int, payer: str) -> str:
    """What a wallet shows: ASCII, one line."""
    return (
        f"{VERBS[part].capitalize()} payout {number} of {campaign}: {total_uakt} uakt from {payer}. "
        f"Digest {digest}. This is free and sends no transaction."
    )
