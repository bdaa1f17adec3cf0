"""Appeals: a participant contests a result or an award, an organizer decides in public."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.awards import AwardLineRow
from ledger.claims import CheckRow, ClaimRow, VerdictRow
from ledger.observations import store_observations
from ledger.results import final_states
from ledger.reviews import AppealRow, AppealRulingRow
from ledger.rows import in_parts
from services import campaigns
from services.campaigns import Loaded
from services.errors import Conflict, NotAllowed, NotFound, Refused
from services.house import House
from services.paging import Page
from services.results import Stage, of_task
from services.review_steps import VERIFIER, Deed, claim_in, keep_step, not_own, staff_name, written
from services.roles import Role
from tasks.moment import Moment, format_moment
from verifiers.deciding import REVIEW
from verifiers.evidence import Observation, Outcome, Source
from verifiers.reviewing import Act, Done

ORGANIZERS = (Role.ORGANIZER,)
RESULT, AWARD = "result", "award"
WON, LOST = "won", "lost"


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal with its ruling, None while it is open; `about`: result or award."""

    row: AppealRow
    ruling: AppealRulingRow | None

    @property
    def about(self) -> str:
        """What is contested."""
        return RESULT if self.row.verdict_id is not None else AWARD

    @property
    def outcome(self) -> str:
        """open, won or lost."""
        return self.ruling.outcome if self.ruling else "open"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an organizer decides. `waives`: failed checks to be set aside; None: all of them.

    `done`: when the work was done, for a claim whose judge could not say; None: as it was known before, else receipt.
    """

    outcome: str
    reason: str
    waives: Sequence[str] | None = None
    done: Done | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Whether an appeal against one result or award is taken. `until` None: no end is known yet; `over`: why not."""

    until: Moment | None
    over: str = ""

    @property
    def is_open(self) -> bool:
        """Whether one is taken now."""
        return not self.over


def windows(house: House, claim_id: str) -> Mapping[str, Window]:
    """Of a claim: RESULT and AWARD, each where there is something to contest. Raises NotFound."""
    loaded, now = campaigns.required(house), house.clock.now()
    with house.ledger.read() as session:
        claim, found = claim_in(session, loaded.slug, claim_id), {}
        for about in (RESULT, AWARD):
            try:
                found[about] = _window(session, loaded, claim, _contested(session, claim, about), now)
            except Conflict:
                continue
    return found


def _window(
    session: Session, loaded: Loaded, claim: ClaimRow, contested: tuple[int | None, int | None], now: Moment
) -> Window:
    """As long as results wait for their publication, and for the campaign's time for appeals from then; what was
    decided later than that can be contested for as long from its own moment, also when the results are final.
    """
    results = of_task(session, loaded, claim.task, now)
    until = results.appeals_until
    if until is None or results.published is None:
        return Window(None)
    verdict, line = contested
    since = session.get_one(VerdictRow, verdict).decided_ns if line is None else _written_at(session, line)
    if since > results.published:
        until = max(until, Moment(since + loaded.newest.appeals))
    if now < until:
        return Window(until)
    if results.stage is Stage.FINAL:
        return Window(until, "The results are final: appeals are over. Organizers can still help with a grant.")
    return Window(until, f"Appeals were taken until {format_moment(until)}.")


def _written_at(session: Session, line: int) -> int:
    return session.get_one(AwardLineRow, line).computed_ns


def make(house: House, participant: str, claim_id: str, about: str, text: str) -> tuple[Appeal, bool]:
    """Appeal against the claim's result or its award as they are now; the same again gives the existing appeal.

    Returns the appeal and whether it is new. Raises NotAllowed for another's claim, Conflict where there is nothing
    to contest or the time is over, Refused with the field.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    words = written(text, "text")
    if about not in (RESULT, AWARD):
        raise Refused(f"Choose {RESULT} or {AWARD}.", "about")

    def store(session: Session) -> tuple[Appeal, bool]:
        claim = claim_in(session, loaded.slug, claim_id)
        if claim.participant != participant:
            raise NotAllowed("This is another participant's claim: only they can appeal.")
        verdict, line = contested = _contested(session, claim, about)
        window = _window(session, loaded, claim, contested, now)
        if not window.is_open:
            raise Conflict(window.over)
        key = f"{about}/{verdict if line is None else line}"
        name = hashlib.sha256(f"{claim.id}\n{key}".encode()).hexdigest()[:32]
        before = session.get(AppealRow, name)
        if before is not None:
            return Appeal(before, session.get(AppealRulingRow, name)), False
        row = AppealRow(
            id=name,
            campaign=loaded.slug,
            claim=claim.id,
            participant=participant,
            about=key,
            verdict_id=verdict,
            line=line,
            text=words,
            made_ns=now,
        )
        session.add(row)
        append_act(session, now, participant, "appeal.make", name, {"claim": claim.id, "about": key})
        return Appeal(row, None), True

    return house.ledger.transact(store)


def _contested(session: Session, claim: ClaimRow, about: str) -> tuple[int | None, int | None]:
    if about == RESULT:
        if claim.outcome != Outcome.FAILED or claim.verdict_id is None:
            raise Conflict("This claim has not failed: there is no result to appeal against.")
        return claim.verdict_id, None
    newest = select(func.max(AwardLineRow.id)).where(
        AwardLineRow.campaign == claim.campaign, AwardLineRow.claim == claim.id, AwardLineRow.kind == "claim"
    )
    line = session.scalar(newest)
    if line is None:
        raise Conflict("This claim has no award yet: there is none to appeal against.")
    return None, line


def rule(house: House, actor: str, appeal_id: str, ruling: Ruling) -> Appeal:
    """Decide an appeal, once and in public. One won against a result opens the claim again at once.

    One won against an award before the results are final is worked in its place, where `done` says that the work was
    done at another time; else, and after they are final, the reason says what follows (`needs_grant`).
    Raises NotAllowed for anybody but an organizer and for one's own appeal, NotFound, Conflict where it is decided,
    Refused with the field.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    if ruling.outcome not in (WON, LOST):
        raise Refused(f"Choose {WON} or {LOST}.", "outcome")
    reason = written(ruling.reason)

    def store(session: Session) -> Appeal:
        name = staff_name(session, loaded.slug, actor, ORGANIZERS)
        row = _row(session, loaded, appeal_id)
        claim = claim_in(session, loaded.slug, row.claim)
        not_own(session, claim, actor)
        if session.get(AppealRulingRow, appeal_id) is not None:
            raise Conflict("This appeal is decided already.")
        if ruling.outcome == WON and row.verdict_id is not None:
            observation = _reopened(session, claim, row.verdict_id, now, actor, name, ruling, reason)
        elif ruling.outcome == WON and ruling.done is not None:
            _refuse_moving(session, loaded, claim)
            deed = Deed(Act.APPEAL_WON, actor, name, reason, done=ruling.done)
            observation = keep_step(session, claim, now, deed).observed().id
        else:
            observation = _noted(session, row, now, name, ruling.outcome, reason)
        decided = AppealRulingRow(
            appeal=appeal_id,
            outcome=ruling.outcome,
            actor=actor,
            name=name,
            reason=reason,
            at_ns=now,
            observation=observation,
        )
        session.add(decided)
        append_act(session, now, actor, f"appeal.{ruling.outcome}", appeal_id, {"claim": claim.id})
        return Appeal(row, decided)

    return house.ledger.transact(store)


def _reopened(
    session: Session, claim: ClaimRow, verdict: int, now: Moment, actor: str, name: str, ruling: Ruling, reason: str
) -> str:
    failed = failed_checks(session, verdict)
    waives = tuple(failed if ruling.waives is None else ruling.waives)
    wrong = set(waives) - set(failed)
    if wrong:
        raise Refused(f"{', '.join(sorted(wrong))} did not fail: choose among {', '.join(failed)}.", "waives")
    done = ruling.done or done_before(session, claim.id)
    deed = Deed(Act.APPEAL_WON, actor, name, reason, waives=waives, done=done if waives else ruling.done)
    return keep_step(session, claim, now, deed).observed().id


def _refuse_moving(session: Session, loaded: Loaded, claim: ClaimRow) -> None:
    if claim.task in final_states(session, loaded.slug):
        raise Refused(
            "The results are final: nothing moves any more. Leave the time as it is; a grant helps.", "done_at"
        )
    if claim.outcome != Outcome.PASSED:
        raise Refused("This claim has not passed: its time decides nothing now.", "done_at")


def needs_grant(house: House, appeal: Appeal) -> bool:
    """Whether only a grant can make up for what an appeal won: the results are final, and nothing comes back by the
    rules. (A claim whose own final award fell gets it back when its result is mended.)
    """
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        claim = claim_in(session, loaded.slug, appeal.row.claim)
        final = final_states(session, loaded.slug).get(claim.task)
        if final is None or appeal.row.verdict_id is None:
            return final is not None
        mine = VerdictRow.claim == claim.id, VerdictRow.id <= final.verdicts_to
        then = session.scalars(select(VerdictRow).where(*mine).order_by(VerdictRow.id.desc()).limit(1)).first()
        return then is None or not (then.outcome == Outcome.PASSED or then.holds_place)


def failed_checks(session: Session, verdict: int) -> list[str]:
    """The names of the checks that failed in a result; a rejection is not among them, it is reviewed anew."""
    failed = CheckRow.verdict == verdict, CheckRow.outcome == Outcome.FAILED, CheckRow.name != REVIEW
    return list(session.scalars(select(CheckRow.name).where(*failed).order_by(CheckRow.position)))


def done_before(session: Session, claim: str) -> Done | None:
    """When the work was done as the newest result says that knew it, None where none ever did."""
    known = select(VerdictRow).where(VerdictRow.claim == claim, VerdictRow.at_ns.is_not(None))
    row = session.scalars(known.order_by(VerdictRow.id.desc()).limit(1)).first()
    return Done(Moment(row.at_ns), row.height, row.tx_index) if row is not None and row.at_ns is not None else None


def _noted(session: Session, row: AppealRow, now: Moment, name: str, outcome: str, reason: str) -> str:
    document = {
        "appeal": row.id,
        "about": row.about,
        "at": format_moment(now),
        "by": name,
        "claim": row.claim,
        "outcome": outcome,
        "reason": reason,
    }
    seen = Observation(
        source=Source.REVIEWER,
        request=f"APPEAL {row.id}",
        body=json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(),
        host="review",
        seen_at=now,
    )
    store_observations(session, [seen], VERIFIER)
    return seen.id


def _row(session: Session, loaded: Loaded, appeal_id: str) -> AppealRow:
    row = session.get(AppealRow, appeal_id)
    if row is None or row.campaign != loaded.slug:
        raise NotFound("There is no such appeal. The claim's page lists those of the claim.")
    return row


def one(house: House, appeal_id: str) -> Appeal:
    """One appeal. Raises NotFound."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        return Appeal(_row(session, loaded, appeal_id), session.get(AppealRulingRow, appeal_id))


def at_issue(house: House, appeal: Appeal) -> tuple[list[str], Done | None]:
    """The failed checks that a ruling may set aside, and when the work was done as far as it was ever known."""
    with house.ledger.read() as session:
        failed = failed_checks(session, appeal.row.verdict_id) if appeal.row.verdict_id is not None else []
        return failed, done_before(session, appeal.row.claim)


def listed(house: House, page: int, per_page: int, *, only_open: bool) -> Page[Appeal]:
    """Appeals of the campaign, the oldest first where only open ones are asked for, else the newest."""
    loaded = campaigns.required(house)
    statement = select(AppealRow, AppealRulingRow).outerjoin(AppealRulingRow, AppealRulingRow.appeal == AppealRow.id)
    statement = statement.where(AppealRow.campaign == loaded.slug)
    if only_open:
        statement = statement.where(AppealRulingRow.appeal.is_(None))
    order = AppealRow.made_ns if only_open else AppealRow.made_ns.desc()
    with house.ledger.read() as session:
        total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
        rows = session.execute(statement.order_by(order, AppealRow.id).limit(per_page).offset((page - 1) * per_page))
        return Page([Appeal(row, ruling) for row, ruling in rows], page, per_page, total)


def of_claims(session: Session, claims: Sequence[str]) -> Mapping[str, list[Appeal]]:
    """The appeals of these claims, the oldest first."""
    statement = select(AppealRow, AppealRulingRow).outerjoin(AppealRulingRow, AppealRulingRow.appeal == AppealRow.id)
    found: dict[str, list[Appeal]] = {}
    for part in in_parts(claims):
        for row, ruling in session.execute(statement.where(AppealRow.claim.in_(part)).order_by(AppealRow.made_ns)):
            found.setdefault(row.claim, []).append(Appeal(row, ruling))
    return found
