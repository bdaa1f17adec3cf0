"""What the ledger should say against what it says: the lines that make the difference, each with its cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow
from ledger.claims import ClaimRow, VerdictRow
from ledger.results import SHARES, ResultStateRow
from ledger.reviews import ReviewStepRow
from services.campaigns import Loaded
from services.completions import ClaimNow, Worked
from tasks.eligibility import Standing
from tasks.moment import Moment, format_moment, parse_moment
from tasks.rewards.awards import Awards
from tasks.rewards.pools import Bonus, PoolShare
from verifiers.evidence import Outcome
from verifiers.reviewing import Act

GRANT = "grant"
INELIGIBLE, WITHDRAWN, AFTER_FINAL = "ineligible", "withdrawn", "after_final"
"""`withdrawn`: no passing verdict any more; `after_final`: it passed when the results were final already."""


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
    """What the ledger says of one key: the sum of its lines and its newest line, now or at a moment before."""

    amount_micro: int
    steps: int
    newest: AwardLineRow


@dataclass(frozen=True)
class Kept:
    """The whole ledger by key: as it is now, and, where results are final, as it was then.

    `appealed`: claims of which an appeal was won, each with the moment of its newest verdict.
    """

    now: Mapping[str, Said]
    then: Mapping[str, Said]
    appealed: Mapping[str, int] = field(default_factory=dict)


def read_kept(session: Session, campaign: str, final: Mapping[str, ResultStateRow]) -> Kept:
    """All lines of a campaign, summed up."""
    now: dict[str, Said] = {}
    then: dict[str, Said] = {}
    statement = select(AwardLineRow).where(AwardLineRow.campaign == campaign).order_by(AwardLineRow.id)
    for line in session.scalars(statement):
        before = now.get(line.key)
        now[line.key] = Said(line.amount_micro + (before.amount_micro if before else 0), line.step + 1, line)
        state = final.get(line.task or SHARES) if line.kind != GRANT else None
        if state is not None and line.id <= state.lines_to:
            then[line.key] = now[line.key]
    appealed = (
        select(ReviewStepRow.claim, VerdictRow.decided_ns)
        .join(ClaimRow, ClaimRow.id == ReviewStepRow.claim)
        .join(VerdictRow, VerdictRow.id == ClaimRow.verdict_id)
        .where(ClaimRow.campaign == campaign, ReviewStepRow.act == Act.APPEAL_WON)
    )
    return Kept(now, then, {claim: decided for claim, decided in session.execute(appealed)})  # noqa: C416 - rows


def wanted(awards: Awards, worked: Worked, kept: Kept, *, with_shares: bool) -> Iterable[Wanted]:
    """What the ledger should say: the engine's word, but where results are final what was final then."""
    held_then: dict[str, Wanted] = {}
    for position, line in enumerate(awards.lines):
        entry = Wanted(
            line.claim, "claim", line.claim, None, line.participant, line.task, line.amount_micro,
            line.reason, line.working, position,
        )  # fmt: skip
        if line.task in worked.final:
            held_then[line.claim] = entry
        elif line.claim not in worked.holding:
            yield entry
    yield from _final(worked, kept, held_then)
    if not with_shares or SHARES in worked.final:
        return
    for share in awards.pools:
        yield _share("pool", f"pool/{share.slug}/{share.participant}", share, len(awards.lines))
    for bonus in awards.bonuses:
        key = f"bonus/{bonus.slug}/{bonus.place}/{bonus.participant}"
        yield _share("bonus", key, bonus, len(awards.lines))


def _share(kind: str, key: str, share: PoolShare | Bonus, position: int) -> Wanted:
    return Wanted(
        key, kind, None, share.slug, share.participant, None, share.amount_micro, kind, share.to_json(), position
    )


def _final(worked: Worked, kept: Kept, held_then: Mapping[str, Wanted]) -> Iterable[Wanted]:
    """Nobody else's work changes what was final; one's own claim may fall, and places are not given again."""
    for key, then in kept.then.items():
        if then.newest.reason == WITHDRAWN and key in worked.now:
            continue
        yield _as_final(key, then, worked)
    for claim, now in worked.now.items():
        then_said = kept.then.get(claim)
        if now.outcome != Outcome.PASSED or (then_said is not None and then_said.newest.reason != WITHDRAWN):
            continue
        entry = held_then.get(claim) if claim in worked.holding else None
        if entry is None:
            entry = _late(now, worked)
        yield entry if now.standing.eligible else _lowered(entry, INELIGIBLE, now.standing)


def _as_final(key: str, then: Said, worked: Worked) -> Wanted:
    newest = then.newest
    entry = Wanted(
        key, newest.kind, newest.claim, newest.slug, newest.participant, newest.task, then.amount_micro,
        newest.reason, newest.working, newest.position,
    )  # fmt: skip
    now = worked.now.get(key)
    standing = now.standing if now else worked.eligibilities.of(newest.participant, *_worked_at(newest))
    if not standing.eligible and newest.reason != INELIGIBLE:
        return _lowered(entry, INELIGIBLE, standing)
    if now is not None and now.outcome == Outcome.FAILED:
        return _lowered(entry, WITHDRAWN, standing)
    return entry


def _worked_at(line: AwardLineRow) -> tuple[Moment, ...]:
    """When a set was completed; nothing for pools and bonuses, which go by the participant as a whole."""
    at = line.working.get("at")
    return (parse_moment(at),) if isinstance(at, str) else ()


def _lowered(entry: Wanted, reason: str, standing: Standing) -> Wanted:
    working: dict[str, object] = {"final_micro": entry.amount_micro}
    if reason == INELIGIBLE:
        working["ineligible_reason"] = standing.reason
    return replace(entry, amount_micro=0, reason=reason, working=working)


def _late(now: ClaimNow, worked: Worked) -> Wanted:
    working = {"final_at": format_moment(Moment(worked.final[now.task].at_ns))}
    return Wanted(now.id, "claim", now.id, None, now.participant, now.task, 0, AFTER_FINAL, working, 0)


def corrections(loaded: Loaded, now: Moment, entries: Mapping[str, Wanted], kept: Kept) -> list[dict[str, object]]:
    """The rows that bring the ledger in step, empty where it is. The lines before stay as they are."""
    changed = [
        (entry, kept.now.get(key))
        for key, entry in entries.items()
        if key not in kept.now
        or (kept.now[key].amount_micro, kept.now[key].newest.reason) != (entry.amount_micro, entry.reason)
    ]
    changed += [
        (_gone(before), before)
        for key, before in kept.now.items()
        if key not in entries and before.newest.kind != GRANT and before.newest.reason != WITHDRAWN
    ]
    causes = _Causes(loaded.newest.revision, kept.appealed, changed)
    return [_row(loaded, now, entry, before, causes.of(entry, before)) for entry, before in changed]


def _gone(before: Said) -> Wanted:
    """What gets nothing any more: its claim has no passing verdict now."""
    newest = before.newest
    return Wanted(
        newest.key, newest.kind, newest.claim, newest.slug, newest.participant, newest.task, 0, WITHDRAWN, {},
        newest.position,
    )  # fmt: skip


def _row(loaded: Loaded, now: Moment, entry: Wanted, before: Said | None, cause: str) -> dict[str, object]:
    return {
        "campaign": loaded.slug,
        "revision": loaded.newest.revision,
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


class _Causes:
    """Why each line of one computation is there: a new verdict, an appeal, eligibility, a revision, or whose."""

    def __init__(
        self, revision: int, appealed: Mapping[str, int], changed: Sequence[tuple[Wanted, Said | None]]
    ) -> None:
        self._revision, self._appealed = revision, appealed
        own = ((entry, self._own(entry, before)) for entry, before in changed if entry.claim is not None)
        self._sources = [(entry, cause) for entry, cause in own if cause is not None]

    def of(self, entry: Wanted, before: Said | None) -> str:
        """The cause of one line."""
        if before is None:
            return "passed" if entry.kind == "claim" else "closed"
        own = self._own(entry, before)
        if own is not None:
            return own
        if before.newest.revision != self._revision:
            return f"revision {self._revision}"
        near = [source for source in self._sources if source[0].task == entry.task] or self._sources
        if not near:
            return "new verdict"
        source, cause = min(near, key=lambda each: (each[0].position > entry.position, each[0].position, each[0].key))
        return f"{cause} of claim {source.key[:12]}"

    def _own(self, entry: Wanted, before: Said | None) -> str | None:
        """The cause that lies in the claim itself; None where others' work moved it."""
        verdict = "appeal" if entry.claim in self._appealed else "new verdict"
        if before is None:
            return verdict
        reasons = {entry.reason, before.newest.reason}
        if INELIGIBLE in reasons:
            return "eligibility"
        if reasons & {WITHDRAWN, AFTER_FINAL}:
            return verdict
        # what passed before and after: the appeal said that the work was done at another time
        decided = self._appealed.get(entry.claim or "")
        return "appeal" if decided is not None and decided >= before.newest.computed_ns else None
