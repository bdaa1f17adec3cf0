"""From verdicts to award lines: the engine's answer is compared with the ledger, and what differs gets a new line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow, ProvisionalLineRow, RewardRunRow
from ledger.claims import ClaimRow, VerdictRow
from ledger.people import RegistrationRow
from ledger.rows import replace_rows
from services import campaigns
from services.campaigns import Loaded
from services.house import House
from tasks.moment import Moment
from tasks.rewards.awards import Awards, make_awards
from tasks.rewards.completion import Completion
from tasks.rewards.engine import compute
from tasks.rewards.pools import Bonus, PoolShare
from verifiers.evidence import Outcome

CHUNK = 300


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the ledger should say now of one key."""

    key: str
    kind: str
    claim: str | None
    slug: str | None
    participant: str
    task: str | None
    amount_micro: int
    reason: str
    working: Mapping[str, object]
    position: int


@dataclass(frozen=True, slots=True)
class Said:
    """What the ledger says of one key: the sum of its lines and its newest line."""

    amount_micro: int
    steps: int
    newest: AwardLineRow


@dataclass(frozen=True, slots=True)
class Computed:
    """One computation: the whole run, the claims that only hold their place, and how many lines were added."""

    campaign: Loaded
    awards: Awards
    holding: frozenset[str]
    lines_added: int

    @property
    def passed(self) -> Awards:
        """The run without the lines of claims that only hold their place: what the ledger says."""
        if not self.holding:
            return self.awards
        lines = [line for line in self.awards.lines if line.claim not in self.holding]
        paid = sum(line.amount_micro for line in lines)
        paid += sum(share.amount_micro for share in self.awards.pools)
        paid += sum(bonus.amount_micro for bonus in self.awards.bonuses)
        left = self.campaign.newest.budget_for_rules - paid
        return make_awards(self.awards.rules, self.awards.totals, lines, self.awards.pools, self.awards.bonuses, left)

    def document(self) -> dict[str, object]:
        """The ledger's awards in the form of `rewards simulate`."""
        return self.passed.to_json()


def compute_awards(house: House) -> Computed:
    """Work all completions and bring the ledger's award lines in step. Raises NotFound without a campaign."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        inputs = _inputs(session, loaded)
        completions, holding = _completions(session, loaded.slug)
        said = _said(session, loaded.slug)
    awards = compute(loaded.rules, completions)
    now = house.clock.now()
    closed = now >= loaded.newest.closes
    wanted = {entry.key: entry for entry in _wanted(awards, holding, with_shares=closed)}
    added = _correct(house, loaded, wanted, said, now)
    house.ledger.transact(lambda session: _project(session, loaded.slug, awards, holding, inputs, now), durable=True)
    return Computed(loaded, awards, holding, added)


def compute_if_changed(house: House) -> str:
    """A job: compute where a verdict, a registration or a revision is new."""
    loaded = campaigns.current(house)
    if loaded is None:
        return "no campaign is loaded"
    with house.ledger.read() as session:
        run = session.get(RewardRunRow, loaded.slug)
        if run is not None and run.inputs == _inputs(session, loaded):
            return "nothing new"
    computed = compute_awards(house)
    return f"{len(computed.awards.lines)} completions worked, {computed.lines_added} lines added"


def _inputs(session: Session, loaded: Loaded) -> str:
    """Names all that the awards are made from; equal inputs give equal awards."""
    verdicts = session.execute(select(func.count(VerdictRow.id), func.max(VerdictRow.id))).one()
    registrations = session.execute(
        select(func.count(), func.count(RegistrationRow.time_ns)).where(RegistrationRow.campaign == loaded.slug)
    ).one()
    named = [loaded.newest.digest, loaded.newest.revision, *verdicts, *registrations]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()


def _completions(session: Session, slug: str) -> tuple[list[Completion], frozenset[str]]:
    """All claims that passed or hold their place, and the ids of the latter."""
    registered = {
        participant: Moment(received_ns if time_ns is None else time_ns)
        for participant, received_ns, time_ns in session.execute(
            select(RegistrationRow.participant, RegistrationRow.received_ns, RegistrationRow.time_ns).where(
                RegistrationRow.campaign == slug
            )
        )
    }
    statement = select(
        ClaimRow.id,
        ClaimRow.participant,
        ClaimRow.task,
        ClaimRow.at_ns,
        ClaimRow.height,
        ClaimRow.tx_index,
        ClaimRow.subject,
        ClaimRow.attributes,
        ClaimRow.outcome,
    ).where(
        ClaimRow.campaign == slug,
        ClaimRow.at_ns.is_not(None),
        (ClaimRow.outcome == Outcome.PASSED) | ClaimRow.holds_place,
    )
    completions, holding = [], set()
    for row in session.execute(statement):
        completions.append(
            Completion(
                claim=row.id,
                participant=row.participant,
                task=row.task,
                at=Moment(row.at_ns),
                height=row.height,
                tx_index=row.tx_index,
                subject=row.subject,
                attributes=row.attributes,
                registered_at=registered.get(row.participant),
            )
        )
        if row.outcome != Outcome.PASSED:
            holding.add(row.id)
    return completions, frozenset(holding)


def _wanted(awards: Awards, holding: frozenset[str], *, with_shares: bool) -> Iterable[Wanted]:
    for position, line in enumerate(awards.lines):
        if line.claim not in holding:
            yield Wanted(
                key=line.claim,
                kind="claim",
                claim=line.claim,
                slug=None,
                participant=line.participant,
                task=line.task,
                amount_micro=line.amount_micro,
                reason=line.reason,
                working=line.working,
                position=position,
            )
    if not with_shares:
        return
    for share in awards.pools:
        yield _share("pool", f"pool/{share.slug}/{share.participant}", share, len(awards.lines))
    for bonus in awards.bonuses:
        key = f"bonus/{bonus.slug}/{bonus.place}/{bonus.participant}"
        yield _share("bonus", key, bonus, len(awards.lines))


def _share(kind: str, key: str, share: PoolShare | Bonus, position: int) -> Wanted:
    return Wanted(
        key=key,
        kind=kind,
        claim=None,
        slug=share.slug,
        participant=share.participant,
        task=None,
        amount_micro=share.amount_micro,
        reason=kind,
        working=share.to_json(),
        position=position,
    )


def _said(session: Session, slug: str) -> dict[str, Said]:
    said: dict[str, Said] = {}
    statement = select(AwardLineRow).where(AwardLineRow.campaign == slug).order_by(AwardLineRow.id)
    for line in session.scalars(statement):
        before = said.get(line.key)
        amount = line.amount_micro + (before.amount_micro if before else 0)
        said[line.key] = Said(amount, line.step + 1, line)
    return said


def _correct(
    house: House, loaded: Loaded, wanted: Mapping[str, Wanted], said: Mapping[str, Said], now: Moment
) -> int:
    """Add a line for every key where the ledger says something else; the lines before stay as they are.

    Another process that computes at the same time adds the same steps: its rows stand, ours are given up, and the
    next run looks again.
    """
    rows = [
        _line(loaded, now, entry, said.get(key))
        for key, entry in wanted.items()
        if key not in said or (said[key].amount_micro, said[key].newest.reason) != (entry.amount_micro, entry.reason)
    ]
    rows += [
        _withdrawn(loaded, now, before)
        for key, before in said.items()
        if key not in wanted and before.newest.kind != "grant" and before.newest.reason != "withdrawn"
    ]
    added = 0
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        try:
            house.ledger.transact(lambda session, chunk=chunk: _add(session, chunk), durable=True)  # type: ignore[misc]
        except IntegrityError:
            return added
        added += len(chunk)
    return added


def _add(session: Session, rows: Sequence[dict[str, object]]) -> None:
    session.execute(insert(AwardLineRow), list(rows))


def _line(loaded: Loaded, now: Moment, entry: Wanted, before: Said | None) -> dict[str, object]:
    revision = loaded.newest.revision
    if before is None:
        cause = "passed" if entry.kind == "claim" else "closed"
    elif before.newest.revision != revision:
        cause = f"revision {revision}"
    elif before.newest.reason == "withdrawn":
        cause = "new verdict"
    else:
        cause = "other completions changed"
    return {
        "campaign": loaded.slug,
        "revision": revision,
        "key": entry.key,
        "step": before.steps if before else 0,
        "claim": entry.claim,
        "kind": entry.kind,
        "slug": entry.slug,
        "participant": entry.participant,
        "task": entry.task,
        "amount_micro": entry.amount_micro - (before.amount_micro if before else 0),
        "reason": entry.reason,
        "working": dict(entry.working),
        "cause": cause,
        "corrects": before.newest.id if before else None,
        "position": entry.position,
        "computed_ns": now,
    }


def _withdrawn(loaded: Loaded, now: Moment, before: Said) -> dict[str, object]:
    """The line of a key that gets nothing any more: its claim has no passing verdict now."""
    newest = before.newest
    gone = Wanted(
        key=newest.key,
        kind=newest.kind,
        claim=newest.claim,
        slug=newest.slug,
        participant=newest.participant,
        task=newest.task,
        amount_micro=0,
        reason="withdrawn",
        working={},
        position=newest.position,
    )
    return _line(loaded, now, gone, before) | {"cause": "new verdict"}


def _project(session: Session, slug: str, awards: Awards, holding: frozenset[str], inputs: str, now: Moment) -> None:
    """Replace what place-holding claims would get, and note what all this was computed from."""
    session.execute(delete(ProvisionalLineRow).where(ProvisionalLineRow.campaign == slug))
    rows = [
        {
            "campaign": slug,
            "claim": line.claim,
            "participant": line.participant,
            "task": line.task,
            "amount_micro": line.amount_micro,
            "reason": line.reason,
            "working": dict(line.working),
            "position": position,
        }
        for position, line in enumerate(awards.lines)
        if line.claim in holding
    ]
    if rows:
        session.execute(insert(ProvisionalLineRow), rows)
    replace_rows(session, RewardRunRow, [{"campaign": slug, "inputs": inputs, "computed_ns": now}])
