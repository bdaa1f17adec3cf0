"""Work on claims: taking those that are due, storing what a judge says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.orm import Session

from ledger.claims import CheckRow, ClaimRow, VerdictObservationRow, VerdictRow
from ledger.observations import is_for_good, load_observations, store_observations
from ledger.rows import in_parts
from tasks.moment import Duration, Moment
from verifiers.evidence import ChainPoint, Check, Observation, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """What a judge knew beside the claim and may change later: the newest revision, the participant's addresses."""

    revision: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict to be stored for a claim that `worker` holds.

    `due`: when the claim is looked at again, None when never; `settled`: no look can change it any more.
    `judged_by`: kept with the verdict, so that it can be worked again from the archive.
    """

    claim: str
    verdict: Verdict
    observations: Sequence[Observation]
    due: Moment | None
    settled: bool = False
    judged_by: JudgedBy | None = None


def claim_id(campaign: str, participant: str, task: str, subject: str) -> str:
    """The id of a claim: 32 hex digits (DESIGN section 4, "Once means a unique key")."""
    return hashlib.sha256(f"{campaign}\n{participant}\n{task}\n{subject}".encode()).hexdigest()[:32]


def take_due(session: Session, now: Moment, worker: str, limit: int, lease: Duration) -> list[ClaimRow]:
    """Take up to `limit` claims that are due and that nobody holds, the longest due first, until `now + lease`.

    One participant's claims come together, where their longest due one stands: they share what is read for them.
    A holder that died loses its claims when the lease is over.
    """
    free = or_(ClaimRow.taken_until_ns.is_(None), ClaimRow.taken_until_ns <= now)
    longest = func.min(ClaimRow.due_ns).over(partition_by=ClaimRow.participant)
    due = (
        select(ClaimRow.id)
        .where(ClaimRow.due_ns <= now, free)
        .order_by(longest, ClaimRow.participant, ClaimRow.due_ns, ClaimRow.id)
        .limit(limit)
        .scalar_subquery()
    )
    taken = session.scalars(
        update(ClaimRow)
        .where(ClaimRow.id.in_(due), free)
        .values(taken_by=worker, taken_until_ns=now + lease)
        .returning(ClaimRow),
        execution_options={"synchronize_session": False},
    ).all()
    return sorted(taken, key=lambda row: (row.due_ns or 0, row.id))


def look_again(session: Session, now: Moment, *which: ColumnElement[bool], settled_too: bool = False) -> int:
    """Make these claims due now, those that are settled only with `settled_too`; returns how many.

    Who works on one loses it: what they read is old.
    """
    again = {"due_ns": now, "settled": False, "taken_by": None, "taken_until_ns": None}
    statement = update(ClaimRow).where(*which).values(again).returning(ClaimRow.id)
    if not settled_too:
        statement = statement.where(ClaimRow.settled.is_(False))
    return len(session.scalars(statement, execution_options={"synchronize_session": False}).all())


def let_go(session: Session, claims: Sequence[str], worker: str, due: Moment) -> None:
    """Give claims back undecided, due again at `due`; those that `worker` lost meanwhile stay as they are."""
    for part in in_parts(claims):
        session.execute(
            update(ClaimRow)
            .where(ClaimRow.id.in_(part), ClaimRow.taken_by == worker)
            .values(taken_by=None, taken_until_ns=None, due_ns=due)
        )


def record_verdicts(session: Session, decisions: Sequence[Decision], worker: str, now: Moment) -> dict[str, bool]:
    """Store the verdicts of claims that `worker` holds, with checks, observations and links; free the claims.

    Returns claim id → whether a new verdict row was written: where outcome and checks say the same as before only
    the time of the look moves. A claim that `worker` has lost meanwhile is left alone and not in the answer.
    """
    held = _held(session, [decision.claim for decision in decisions], worker)
    mine = [decision for decision in decisions if decision.claim in held]
    before = _newest(session, [row.verdict_id for row in held.values() if row.verdict_id is not None])
    fresh = [one for one in mine if before.get(held[one.claim].verdict_id or 0) != _said(one.verdict)]
    _store_evidence(session, fresh)
    says_more = {one.claim for one in fresh}
    _store_evidence(session, [_facts_of(one) for one in mine if one.claim not in says_more])
    ids = _store_verdicts(session, fresh, now)
    session.flush()
    for decision in mine:
        verdict_id = ids.get(decision.claim, held[decision.claim].verdict_id)
        session.execute(
            update(ClaimRow).where(ClaimRow.id == decision.claim).values(_claim_values(decision, verdict_id, now)),
            execution_options={"synchronize_session": False},
        )
    session.expire_all()
    return {decision.claim: decision.claim in ids for decision in mine}


def _held(session: Session, claims: Sequence[str], worker: str) -> dict[str, ClaimRow]:
    rows: dict[str, ClaimRow] = {}
    for part in in_parts(claims):
        query = select(ClaimRow).where(ClaimRow.id.in_(part), ClaimRow.taken_by == worker)
        rows.update((row.id, row) for row in session.scalars(query))
    return rows


Said = tuple[object, ...]


def _said(verdict: Verdict) -> Said:
    """What makes two verdicts say the same; heights and times of looks that saw the same do not."""
    checks = tuple((check.name, check.expected, check.seen, str(check.outcome)) for check in verdict.checks)
    place = (verdict.at, verdict.height, verdict.tx_index, verdict.holds_place)
    return (
        str(verdict.outcome), verdict.judge, verdict.version, checks, place,
        dict(verdict.attributes), list(verdict.missing),
    )  # fmt: skip


def _newest(session: Session, ids: Sequence[int]) -> dict[int, Said]:
    checks: dict[int, list[tuple[str, str, str, str]]] = {}
    found: dict[int, Said] = {}
    for part in in_parts(ids):
        rows = select(CheckRow).where(CheckRow.verdict.in_(part)).order_by(CheckRow.verdict, CheckRow.position)
        for row in session.scalars(rows):
            checks.setdefault(row.verdict, []).append((row.name, row.expected, row.seen, row.outcome))
        for verdict in session.scalars(select(VerdictRow).where(VerdictRow.id.in_(part))):
            place = (verdict.at_ns, verdict.height, verdict.tx_index, verdict.holds_place)
            found[verdict.id] = (
                verdict.outcome, verdict.judge, verdict.version, tuple(checks.get(verdict.id, ())), place,
                dict(verdict.attributes), list(verdict.missing),
            )  # fmt: skip
    return found


def _store_evidence(session: Session, decisions: Iterable[Decision]) -> None:
    by_point: dict[tuple[ChainPoint, str], dict[str, Observation]] = {}
    for decision in decisions:
        verdict = decision.verdict
        group = by_point.setdefault((verdict.as_of, f"{verdict.judge}/{verdict.version}"), {})
        group.update((observation.id, observation) for observation in decision.observations)
    for (point, verifier), observations in by_point.items():
        store_observations(session, observations.values(), verifier, point)


def _facts_of(decision: Decision) -> Decision:
    """Of a verdict that says nothing new, what is known for good by it: the next look need not ask that again."""
    facts = [each for each in decision.observations if is_for_good(each, decision.verdict.as_of)]
    return replace(decision, observations=facts)


def _store_verdicts(session: Session, decisions: Sequence[Decision], now: Moment) -> dict[str, int]:
    if not decisions:
        return {}
    statement = insert(VerdictRow).returning(VerdictRow.id, sort_by_parameter_order=True)
    ids = session.scalars(statement, [_verdict_values(decision, now) for decision in decisions]).all()
    checks = [
        _check_values(verdict_id, position, check)
        for verdict_id, decision in zip(ids, decisions, strict=True)
        for position, check in enumerate(decision.verdict.checks)
    ]
    links = [
        {"verdict": verdict_id, "position": position, "observation": name}
        for verdict_id, decision in zip(ids, decisions, strict=True)
        for position, name in enumerate(dict.fromkeys(seen.id for seen in decision.observations))
    ]
    if checks:
        session.execute(insert(CheckRow), checks)
    if links:
        session.execute(insert(VerdictObservationRow), links)
    return {decision.claim: verdict_id for verdict_id, decision in zip(ids, decisions, strict=True)}


def _place_values(verdict: Verdict) -> dict[str, object]:
    return {
        "outcome": str(verdict.outcome),
        "at_ns": verdict.at,
        "height": verdict.height,
        "tx_index": verdict.tx_index,
        "attributes": dict(verdict.attributes),
        "holds_place": verdict.holds_place,
        "next_look_ns": verdict.next_look,
    }


def _verdict_values(decision: Decision, now: Moment) -> dict[str, object]:
    verdict, by = decision.verdict, decision.judged_by
    return _place_values(verdict) | {
        "revision": by.revision if by else None,
        "addresses": list(by.addresses) if by else None,
        "claim": decision.claim,
        "judge": verdict.judge,
        "version": verdict.version,
        "as_of_chain": verdict.as_of.chain_id,
        "as_of_height": verdict.as_of.height,
        "as_of_time_ns": verdict.as_of.time,
        "decided_ns": now,
        "missing": list(verdict.missing),
    }


def _check_values(verdict_id: int, position: int, check: Check) -> dict[str, object]:
    return {
        "verdict": verdict_id,
        "position": position,
        "name": check.name,
        "expected": check.expected,
        "seen": check.seen,
        "outcome": str(check.outcome),
        "height": check.height,
        "time_ns": check.time,
        "observations": list(check.observations),
    }


def _claim_values(decision: Decision, verdict_id: int | None, now: Moment) -> Mapping[str, object]:
    return _place_values(decision.verdict) | {
        "verdict_id": verdict_id,
        "looked_ns": now,
        "looked_height": decision.verdict.as_of.height,
        "due_ns": decision.due,
        "settled": decision.settled,
        "taken_by": None,
        "taken_until_ns": None,
    }


def load_verdict(session: Session, verdict_id: int) -> tuple[Verdict, list[Observation]] | None:
    """A stored verdict as the judge gave it, with the observations that it was given, in their order."""
    row = session.get(VerdictRow, verdict_id)
    if row is None:
        return None
    checks = session.scalars(select(CheckRow).where(CheckRow.verdict == verdict_id).order_by(CheckRow.position))
    links = select(VerdictObservationRow.observation).where(VerdictObservationRow.verdict == verdict_id)
    names = session.scalars(links.order_by(VerdictObservationRow.position)).all()
    verdict = Verdict(
        outcome=Outcome(row.outcome),
        checks=tuple(_check(check) for check in checks),
        judge=row.judge,
        version=row.version,
        as_of=ChainPoint(row.as_of_chain, row.as_of_height, Moment(row.as_of_time_ns)),
        at=None if row.at_ns is None else Moment(row.at_ns),
        height=row.height,
        tx_index=row.tx_index,
        attributes=dict(row.attributes),
        holds_place=row.holds_place,
        next_look=None if row.next_look_ns is None else Moment(row.next_look_ns),
        missing=tuple(row.missing),
    )
    return verdict, list(load_observations(session, names).values())


def _check(row: CheckRow) -> Check:
    time = None if row.time_ns is None else Moment(row.time_ns)
    return Check(row.name, row.expected, row.seen, Outcome(row.outcome), tuple(row.observations), row.height, time)
