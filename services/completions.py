"""What the reward rules are given: claims that passed or hold their place, and what was final as it was then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.claims import ClaimRow, VerdictRow
from ledger.people import RegistrationRow
from ledger.results import ResultStateRow, final_states
from services.campaigns import Loaded
from services.eligibility import END, Eligibilities, eligibilities, newest_id
from tasks.eligibility import Standing
from tasks.moment import Moment
from tasks.rewards.completion import Completion
from tasks.rewards.lines import PASSED_FOUR, AwardLine
from verifiers.evidence import Outcome


@dataclass(frozen=True, slots=True)
class ClaimNow:
    """A claim of a task whose results are final, as it stands today."""

    id: str
    participant: str
    task: str
    outcome: str
    standing: Standing


@dataclass(frozen=True)
class Worked:
    """The completions to be worked and the ids of those that only hold their place.

    `final`: tasks whose results are final, whose completions are those of that moment; `now`: what became of all
    claims of these tasks since. `eligibilities` as they are now.
    """

    completions: list[Completion]
    holding: frozenset[str]
    final: Mapping[str, ResultStateRow] = field(default_factory=dict)
    now: Mapping[str, ClaimNow] = field(default_factory=dict)
    eligibilities: Eligibilities = field(default_factory=lambda: Eligibilities(()))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a claim's verdict says: the newest one, or the one that held when results became final."""

    id: str
    participant: str
    task: str
    subject: str
    outcome: str
    at_ns: int | None
    height: int | None
    tx_index: int | None
    attributes: Mapping[str, str]
    holds_place: bool


def inputs_of(session: Session, loaded: Loaded) -> str:
    """Names all that the awards are made from; equal inputs give equal awards."""
    verdicts = session.execute(select(func.count(VerdictRow.id), func.max(VerdictRow.id))).one()
    registrations = session.execute(
        select(func.count(), func.count(RegistrationRow.time_ns)).where(RegistrationRow.campaign == loaded.slug)
    ).one()
    named = [loaded.newest.digest, loaded.newest.revision, *verdicts, *registrations]
    decided = [newest_id(session), sorted(final_states(session, loaded.slug))]
    return hashlib.sha256(json.dumps(named + decided).encode()).hexdigest()


def read_worked(session: Session, loaded: Loaded) -> Worked:
    """All that the awards of a campaign are computed from."""
    slug = loaded.slug
    registered = _registered(session, slug)
    decided = eligibilities(session, slug)
    final = final_states(session, slug)
    completions: list[Completion] = []
    holding: set[str] = set()
    open_tasks = [task.slug for task in loaded.newest.tasks if task.slug not in final]
    _add(completions, holding, _facts_now(session, slug, open_tasks), decided, registered)
    now: dict[str, ClaimNow] = {}
    for task, row in final.items():
        if task:
            then = decided if row.eligibility_to == newest_id(session) else _then(session, slug, row)
            _add(completions, holding, _facts_then(session, slug, task, row.verdicts_to), then, registered)
            now |= _now(session, slug, task, decided)
    return Worked(completions, frozenset(holding), final, now, decided)


def _then(session: Session, slug: str, row: ResultStateRow) -> Eligibilities:
    return eligibilities(session, slug, up_to=row.eligibility_to)


def _registered(session: Session, slug: str) -> dict[str, Moment]:
    columns = RegistrationRow.participant, RegistrationRow.received_ns, RegistrationRow.time_ns
    rows = session.execute(select(*columns).where(RegistrationRow.campaign == slug))
    return {participant: Moment(received if time is None else time) for participant, received, time in rows}


def _add(
    completions: list[Completion],
    holding: set[str],
    facts: Iterable[_Facts],
    decided: Eligibilities,
    registered: Mapping[str, Moment],
) -> None:
    for each in facts:
        if each.at_ns is None or not (each.outcome == Outcome.PASSED or each.holds_place):
            continue
        at = Moment(each.at_ns)
        standing = decided.of(each.participant, at)
        completions.append(
            Completion(
                claim=each.id,
                participant=each.participant,
                task=each.task,
                at=at,
                height=each.height,
                tx_index=each.tx_index,
                subject=each.subject,
                attributes=each.attributes,
                eligible=standing.eligible,
                ineligible_reason="" if standing.eligible else standing.reason,
                registered_at=registered.get(each.participant),
            )
        )
        if each.outcome != Outcome.PASSED:
            holding.add(each.id)


def _facts_now(session: Session, slug: str, tasks: Sequence[str]) -> Iterable[_Facts]:
    statement = select(
        ClaimRow.id,
        ClaimRow.participant,
        ClaimRow.task,
        ClaimRow.subject,
        ClaimRow.outcome,
        ClaimRow.at_ns,
        ClaimRow.height,
        ClaimRow.tx_index,
        ClaimRow.attributes,
        ClaimRow.holds_place,
    ).where(
        ClaimRow.campaign == slug,
        ClaimRow.task.in_(tasks),
        ClaimRow.at_ns.is_not(None),
        (ClaimRow.outcome == Outcome.PASSED) | ClaimRow.holds_place,
    )
    rows: Iterable[Any] = session.execute(statement)
    return (_Facts(*row) for row in rows)


def _facts_then(session: Session, slug: str, task: str, verdicts_to: int) -> Iterable[_Facts]:
    """What the newest verdicts up to this one say of the task's claims."""
    newest = (
        select(func.max(VerdictRow.id))
        .join(ClaimRow, ClaimRow.id == VerdictRow.claim)
        .where(ClaimRow.campaign == slug, ClaimRow.task == task, VerdictRow.id <= verdicts_to)
        .group_by(VerdictRow.claim)
    )
    statement = (
        select(
            ClaimRow.id,
            ClaimRow.participant,
            ClaimRow.task,
            ClaimRow.subject,
            VerdictRow.outcome,
            VerdictRow.at_ns,
            VerdictRow.height,
            VerdictRow.tx_index,
            VerdictRow.attributes,
            VerdictRow.holds_place,
        )
        .join(ClaimRow, ClaimRow.id == VerdictRow.claim)
        .where(VerdictRow.id.in_(newest))
    )
    rows: Iterable[Any] = session.execute(statement)
    return (_Facts(*row) for row in rows)


def _now(session: Session, slug: str, task: str, decided: Eligibilities) -> dict[str, ClaimNow]:
    columns = (ClaimRow.id, ClaimRow.participant, ClaimRow.outcome, ClaimRow.at_ns)
    statement = select(*columns).where(ClaimRow.campaign == slug, ClaimRow.task == task)
    return {
        name: ClaimNow(name, participant, task, outcome, decided.of(participant, END if at is None else Moment(at)))
        for name, participant, outcome, at in session.execute(statement)
    }


def with_held_sets(loaded: Loaded, lines: Sequence[AwardLine], holding: frozenset[str]) -> frozenset[str]:
    """`holding`, and the sets that were complete only with a part whose claim holds its place."""
    parts = {task.slug: task.parts for task in loaded.newest.tasks if task.parts}
    if not parts or not holding:
        return holding
    held = set(holding)
    sure: dict[str, set[str]] = {}
    for line in lines:  # a part is worked before the set that it completes
        if line.task in parts and not sure.get(line.participant, set()).issuperset(parts[line.task]):
            held.add(line.claim)
        if line.claim not in held and line.reason in PASSED_FOUR:
            sure.setdefault(line.participant, set()).add(line.task)
    return frozenset(held)
