"""What a person says of a batch that the chain alone does not settle: partly foreign, looks paid, paid twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.payout_sightings import PayoutSightingRow
from services import campaigns
from services.errors import Conflict, Refused
from services.house import House
from services.payout_moves import free_lines, move
from services.payout_records import approved_batch, batch_in
from services.payout_seen import seen_of
from services.payout_views import BatchView
from tasks.payout.lifecycle import Act, BatchState
from verifiers.payout.reconcile import ApprovedBatch, Match, State, reconcile_one, rows_paid
from verifiers.payout.transfers import Transfer

LONGEST_REASON = 4000

WORDS = {"paid": Act.SAY_PAID, "partly": Act.SAY_PARTLY, "unpaid": Act.SAY_UNPAID}
"""How commands and pages call the acts."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the transactions `hashes`, seen for a batch, paid of its rows: places in the batch, counted from 0."""

    paid: tuple[int, ...]
    unpaid: tuple[int, ...]
    hashes: tuple[str, ...]


def evidence(house: House, name: str) -> Evidence:
    """What is known for the person who has to say it. Raises NotFound."""
    slug = campaigns.required(house).slug
    with house.ledger.read() as session:
        return _evidence(session, batch_in(session, slug, name).id)


def say(house: House, actor: str, name: str, act: Act, reason: str) -> BatchState:
    """Settle a batch in question by a person's word, kept with its reason in the audit log.

    SAY_PAID: every row was paid. SAY_PARTLY: the rows that the evidence shows were paid, the lines of the others are
    owed again. SAY_UNPAID: no row was. The last two only once the chain is past the timeout and searched up to it:
    before, the rest could still be paid. Raises NotFound, Refused with the field, Conflict for a word that the
    evidence or the batch's state does not allow.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise Refused("Say why, in at most 4,000 characters: it stands in the audit log.", "reason")
    if act not in WORDS.values():
        raise Refused("Say paid, partly or unpaid.", "word")
    slug, now = campaigns.required(house).slug, house.clock.now()

    def store(session: Session) -> BatchState:
        batch = batch_in(session, slug, name)
        shown = _evidence(session, batch.id)
        refusal = _refusal(batch, act, shown)
        if refusal is not None:
            raise Conflict(f"{name}: {refusal}")
        said: dict[str, object] = {"reason": reason, "transactions": list(shown.hashes)}
        if act is Act.SAY_PARTLY:
            said["paid_rows"] = [batch.first_place + place for place in shown.paid]
            free_lines(session, batch.id, now, {batch.first_place + place for place in shown.unpaid})
        return move(session, now, batch.id, act, actor, said)

    return house.ledger.transact(store, durable=True)


def _refusal(batch: BatchView, act: Act, shown: Evidence) -> str | None:
    """Why the evidence does not allow this word."""
    is_over = batch.found is not None and batch.found.is_over
    if act is not Act.SAY_PAID and not is_over and batch.state is BatchState.QUESTION:
        return "it can still be paid until the chain is past its timeout and was searched up to it. Reconcile then."
    if act is Act.SAY_PARTLY and not (shown.paid and shown.unpaid):
        return "the transactions seen paid all of its rows or none: say paid or unpaid."
    if act is Act.SAY_PAID and shown.paid and shown.unpaid:
        return f"the transactions seen leave {len(shown.unpaid)} rows unpaid: say partly."
    looks_paid = batch.found is not None and batch.found.state is State.LOOKS_PAID
    if act is Act.SAY_UNPAID and shown.paid and not looks_paid:
        return f"transactions with its memo paid {len(shown.paid)} of its rows: say partly, or paid."
    return None


def _evidence(session: Session, batch: int) -> Evidence:
    approved = approved_batch(session, batch)
    rows = session.scalars(select(PayoutSightingRow).where(PayoutSightingRow.batch == batch))
    matches = [reconcile_one(approved, seen_of(row.seen)) for row in rows.all()]
    moving = [match for match in matches if match is not None and match.paid]
    if not moving:
        return Evidence((), tuple(range(len(approved.rows))), ())
    paid, unpaid = rows_paid(approved, _together(approved, moving))
    return Evidence(paid, unpaid, tuple(sorted(match.seen.hash for match in moving)))


def _together(approved: ApprovedBatch, moving: list[Match]) -> Match:
    """All that was paid of the rows, by whichever transaction; a row paid twice is paid."""
    total: Counter[Transfer] = Counter()
    for match in moving:
        total += match.paid
    return replace(moving[0], paid=approved.transfers & total)
