"""Writes down what a look at the payout chain found for a batch: words, columns, state, evidence, audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import structlog
from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.observations import store_observations
from ledger.payout_sightings import PayoutSightingRow
from ledger.payouts import PayoutBatchRow
from ledger.rows import insert_rows
from services.errors import Conflict
from services.house import House
from services.payout_moves import move, subject
from services.payout_search import Outcome, Sought
from services.payout_seen import seen_document
from tasks.moment import Moment, format_moment
from tasks.payout.lifecycle import Act, BatchState, states_allowing
from verifiers.payout.reconcile import NEXT, PAID, Conclusion, State, reconcile_one
from verifiers.payout.seen import Seen

log = structlog.get_logger()

VERIFIER = "payout/1"
"""Who asked, for the observations."""

QUESTIONS = frozenset({State.LOOKS_PAID, State.PAID_TWICE, State.PARTLY_FOREIGN})
"""A person must say what these were."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch as it stood when the look began."""

    name: str
    state: BatchState
    found: str | None
    sought: Sought


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A batch after a look: what was `found`, in words, and what to do next. `tx_*` where there is a transaction."""

    batch: int
    name: str
    before: BatchState
    after: BatchState
    found: State
    detail: str
    next_step: str
    is_over: bool
    searched_to: int
    tx_hash: str | None
    tx_height: int | None
    tx_time: Moment | None

    @property
    def is_paid(self) -> bool:
        """Whether a block pays every row."""
        return self.after is BatchState.PAID

    def document(self) -> dict[str, object]:
        """It as JSON; heights are decimal text."""
        return {
            "batch": self.name,
            "before": str(self.before),
            "state": str(self.after),
            "found": str(self.found),
            "detail": self.detail,
            "next": self.next_step,
            "is_over": self.is_over,
            "searched_to": str(self.searched_to),
            "tx_hash": self.tx_hash,
            "tx_height": None if self.tx_height is None else str(self.tx_height),
            "tx_time": None if self.tx_time is None else format_moment(self.tx_time),
        }


@dataclass(frozen=True, slots=True)
class _Finding:
    """What is written for one batch."""

    kept: Kept
    outcome: Outcome
    conclusion: Conclusion
    state: State
    detail: str


def write_down(
    house: House,
    actor: str,
    kept: Kept,
    outcome: Outcome,
    conclusion: Conclusion,
    elsewhere: tuple[str, Seen] | None,
) -> Reconciled:
    """Write one batch's finding in one transaction; where somebody else moved it meanwhile, theirs stands.

    `elsewhere`: a transaction with the batch's memo on another chain, with that chain's id. It never counts.
    """
    is_astray = elsewhere is not None and conclusion.match is None and not conclusion.is_over
    state = State.WRONG_CHAIN if is_astray else conclusion.state
    finding = _Finding(kept, outcome, conclusion, state, _words(kept.sought, outcome, conclusion, elsewhere))
    now = house.clock.now()
    try:
        after = house.ledger.transact(lambda session: _write(session, now, actor, finding), durable=True)
    except Conflict as error:
        log.info("payout_moved_meanwhile", batch=kept.name, detail=str(error))
        with house.ledger.read() as session:
            row = select(PayoutBatchRow.state).where(PayoutBatchRow.id == kept.sought.id)
            after = BatchState(session.scalars(row).one())
    if after is not kept.state:
        log.info("payout_batch", batch=kept.name, before=str(kept.state), after=str(after), found=str(state))
    seen = conclusion.match.seen if conclusion.match else None
    return Reconciled(
        batch=kept.sought.id,
        name=kept.name,
        before=kept.state,
        after=after,
        found=state,
        detail=finding.detail,
        next_step=NEXT[state] if is_astray else conclusion.next_step,
        is_over=conclusion.is_over,
        searched_to=outcome.search.searched_to,
        tx_hash=seen.hash if seen else None,
        tx_height=seen.height if seen else None,
        tx_time=seen.time if seen else None,
    )


def _write(session: Session, now: Moment, actor: str, finding: _Finding) -> BatchState:
    kept = finding.kept
    _keep_sightings(session, finding, now)
    act = _act(finding)
    values = _values(finding, now)
    if act is not None:
        is_news = act is Act.FIND_DEAD or str(finding.state) != kept.found
        return move(session, now, kept.sought.id, act, actor, _said(finding), values=values, is_news=is_news)
    statement = update(PayoutBatchRow).where(
        PayoutBatchRow.id == kept.sought.id, PayoutBatchRow.state == str(kept.state)
    )
    if cast("CursorResult[Any]", session.execute(statement.values(values))).rowcount != 1:
        raise Conflict(f"{kept.name} was changed by somebody else just now.")
    if _is_alarm(finding) and str(finding.state) != kept.found:
        row = session.get_one(PayoutBatchRow, kept.sought.id)
        append_act(session, now, actor, "payout.alarm", subject(session, row.payout), _said(finding))
    return kept.state


def _act(finding: _Finding) -> Act | None:
    """What the finding does with the batch; None where its state allows nothing of it, or nothing follows."""
    act = None
    if finding.conclusion.state in PAID:
        act = Act.FIND_PAID
    elif finding.conclusion.state in QUESTIONS:
        act = Act.FIND_QUESTION
    elif finding.conclusion.is_dead:
        act = Act.FIND_DEAD
    return act if act is not None and finding.kept.state in states_allowing(act) else None


def _is_alarm(finding: _Finding) -> bool:
    """Money moved for a batch that was given up: nothing here can mend that, people must know."""
    return finding.kept.state is BatchState.DEAD and finding.conclusion.state in PAID | QUESTIONS


def _values(finding: _Finding, now: Moment) -> dict[str, Any]:
    """The columns that change. What is settled is not unsettled by nodes that can't be asked now."""
    kept, conclusion = finding.kept, finding.conclusion
    values: dict[str, Any] = {
        "looked_ns": now,
        "searched_to": finding.outcome.search.searched_to,
        "is_over": conclusion.is_over,
    }
    is_settled = kept.state not in {BatchState.EXPORTED, BatchState.SIGNED, BatchState.BROADCAST}
    if is_settled and conclusion.state not in PAID | QUESTIONS:
        return values
    values |= {"found": str(finding.state), "found_detail": finding.detail}
    seen = conclusion.match.seen if conclusion.match else None
    return values | {
        "tx_hash": seen.hash if seen else None,
        "tx_height": seen.height if seen else None,
        "tx_time_ns": seen.time if seen else None,
    }


def _keep_sightings(session: Session, finding: _Finding, now: Moment) -> None:
    """The transactions that were found, each with the raw answers that show it."""
    rows = []
    for each in finding.outcome.found:
        store_observations(session, each.observations, VERIFIER)
        match = reconcile_one(finding.kept.sought.approved, each.seen)
        if match is not None:
            rows.append(
                {
                    "batch": finding.kept.sought.id,
                    "hash": each.seen.hash,
                    "chain_id": finding.outcome.search.chain_id,
                    "height": each.seen.height,
                    "code": each.seen.code,
                    "state": str(match.state),
                    "seen": seen_document(each.seen),
                    "observations": [observation.id for observation in each.observations],
                    "found_ns": now,
                }
            )
    insert_rows(session, PayoutSightingRow, rows)


def _said(finding: _Finding) -> dict[str, object]:
    """For the audit log: what was found, and what a batch is called dead by."""
    search, match = finding.outcome.search, finding.conclusion.match
    return {
        "found": str(finding.state),
        "detail": finding.detail,
        "transaction": match.seen.hash if match else None,
        "chain": search.chain_id,
        "heights_read": list(search.heights),
        "searched": [search.searched_from, search.searched_to],
        "timeout_height": finding.kept.sought.approved.timeout_height,
    }


def _words(sought: Sought, outcome: Outcome, conclusion: Conclusion, elsewhere: tuple[str, Seen] | None) -> str:
    """The finding in a sentence or two."""
    text = (
        _about_match(sought, outcome, conclusion) if conclusion.match else _about_nothing(sought, outcome, conclusion)
    )
    if elsewhere is not None and conclusion.match is None:
        where, seen = elsewhere
        text += (
            f" Its memo stands in {seen.hash} on {where}: nothing there counts, "
            f"payouts are made on {sought.approved.chain_id}."
        )
    return text


def _about_match(sought: Sought, outcome: Outcome, conclusion: Conclusion) -> str:
    match = conclusion.match
    if match is None:
        raise AssertionError
    seen = match.seen
    where = f"Transaction {seen.hash} in block {seen.height}"
    paid, left, other = match.paid.total(), match.missing.total(), match.foreign.total()
    moved = [*sought.known.values(), *(each.seen for each in outcome.found)]
    hashes = ", ".join(sorted({each.hash for each in moved if not each.code}))
    texts = {
        State.INCLUDED: f"{where} pays every row.",
        State.PAID_BY_ANOTHER: f"{where} pays every row; it is none of the signed files that were stored here.",
        State.LOOKS_PAID: f"{where} pays exactly these rows, but without the batch's memo.",
        State.FAILED: f"{where} failed with {seen.codespace} {seen.code}: {_printable(seen.log)}. "
        "Nobody was paid by it; its fee and sequence are used up.",
        State.PAID_TWICE: f"More than one transaction pays rows of this batch: {hashes}.",
        State.FOREIGN: f"{where} carries the batch's memo and is none of its payments.",
        State.PARTLY_FOREIGN: f"{where} pays {paid} of {len(sought.approved.rows)} rows, leaves {left}, "
        f"and makes {other} transfers that were not approved.",
    }
    return texts[conclusion.state]


def _about_nothing(sought: Sought, outcome: Outcome, conclusion: Conclusion) -> str:
    batch, search = sought.approved, outcome.search
    upto = f"No transaction of it up to block {search.searched_to}"
    if conclusion.state is State.WRONG_CHAIN:
        return f"The payout nodes stand on {search.chain_id}, and this batch is paid on {batch.chain_id}."
    if conclusion.state is State.EXPIRED:
        return f"{upto}; the chain stands at {min(search.heights)}, past the timeout at {batch.timeout_height}."
    if conclusion.state is State.REPLACED:
        used = ", ".join(str(number) for number in sorted(set(batch.signed.values())))
        return f"{upto}; the account's next sequence is {search.account_sequence}, and {used} was signed."
    if conclusion.state is State.WAITING:
        return f"{upto}; it can come until block {batch.timeout_height}."
    names = ", ".join(sorted(search.troubles))
    return f"The nodes could not say ({names}). {upto}; the timeout is at {batch.timeout_height}."


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text[:300])
