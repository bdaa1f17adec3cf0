"""What organizers do at the end of a campaign: publish results, and make them final."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.awards import AwardLineRow
from ledger.claims import ClaimRow, VerdictRow
from ledger.results import FINAL, PROVISIONAL, SHARES, ResultStateRow, result_states
from ledger.rows import insert_once
from services import campaigns
from services.campaigns import Loaded
from services.completions import inputs_of
from services.eligibility import newest_id
from services.ending_checks import (
    left_open,
    open_appeals,
    refuse_appeals,
    refuse_open,
    to_finalize,
    to_publish,
    undecided,
)
from services.errors import Conflict, Refused, Unavailable
from services.house import House
from services.results import parts_of
from services.rewards import compute_awards
from services.signal_appeals import refuse_open_signal_appeals
from tasks.moment import Moment, format_moment

TRIES = 5
_Check = Callable[[Session, Loaded, Moment], tuple[list[str], Moment | None]]


@dataclass(frozen=True, slots=True)
class Ended:
    """What one act reached: the tasks (SHARES stands for the pools and bonuses), and until when one may appeal."""

    state: str
    tasks: tuple[str, ...]
    at: Moment
    until: Moment | None

    def document(self) -> dict[str, object]:
        """The answer of the commands."""
        return {
            "state": self.state,
            "tasks": [task for task in self.tasks if task != SHARES],
            "pools_and_bonuses": SHARES in self.tasks,
            "at": format_moment(self.at),
            "appeals_until": None if self.until is None else format_moment(self.until),
        }


def publish_results(
    house: House, actor: str, task: str | None = None, excepted: Mapping[str, str] | None = None
) -> Ended:
    """Publish provisional results of a task, or of all that are not published yet; appeals run from now.

    `excepted`: claims that are not decided and keep their place nevertheless, each with a reason. Raises Conflict
    where a task is not closed, published already, or has further claims that are not decided; Refused for an
    exception that is none; NotFound.
    """
    reasons = {claim: " ".join(reason.split()) for claim, reason in (excepted or {}).items()}
    for claim, reason in reasons.items():
        if not reason:
            raise Refused(f"Say why claim {claim} is left open: CLAIM=REASON.", "except")

    def check(session: Session, loaded: Loaded, now: Moment) -> tuple[list[str], Moment | None]:
        chosen = to_publish(session, loaded, task, now)
        open_claims = undecided(session, loaded, chosen)
        strange = set(reasons) - {each.claim for each in open_claims}
        if strange:
            raise Refused(f"No open claim of these tasks: {', '.join(sorted(strange))}.", "except")
        refuse_open([each for each in open_claims if each.claim not in reasons])
        return [each.slug for each in chosen], Moment(now + loaded.newest.appeals)

    return _reach(house, actor, PROVISIONAL, check, reasons)


def finalize(house: House, actor: str, task: str | None = None) -> Ended:
    """Make the results of a task, or of all that are not final yet, final: from then on they can be paid.

    Raises Conflict where results are not published, the time for appeals runs, an appeal is open (those against
    decisions about review signals too), or a claim was opened again and is not decided; NotFound.
    """

    def check(session: Session, loaded: Loaded, now: Moment) -> tuple[list[str], Moment | None]:
        states = result_states(session, loaded.slug)
        chosen = to_finalize(states, loaded, task, now)
        refuse_appeals(open_appeals(session, loaded, chosen))
        refuse_open_signal_appeals(session, loaded.slug)
        named = left_open(states, chosen)
        refuse_open([each for each in undecided(session, loaded, chosen) if each.claim not in named])
        return [each.slug for each in chosen], None

    return _reach(house, actor, FINAL, check, {})


def _reach(house: House, actor: str, state: str, check: _Check, excepted: Mapping[str, str]) -> Ended:
    """Bring the awards in step, then write the new state, in one transaction with all that it rests on."""
    for _ in range(TRIES):
        computed = compute_awards(house)
        if not computed.is_whole:
            continue
        loaded, now = campaigns.required(house), house.clock.now()

        def store(
            session: Session, loaded: Loaded = loaded, now: Moment = now, inputs: str = computed.inputs
        ) -> Ended | None:
            slugs, until = check(session, loaded, now)
            if inputs_of(session, loaded) != inputs:
                return None
            slugs += _shares_too(session, loaded, state, slugs, now)
            if not slugs:
                raise Conflict("Only pools and bonuses are left: they follow once every task is as far.")
            _write(session, loaded, state, slugs, now, until, actor, excepted)
            return Ended(state, tuple(slugs), now, until)

        ended = house.ledger.transact(store, durable=True)
        if ended is not None:
            if state == FINAL:
                compute_awards(house)
            return ended
    raise Unavailable("Verdicts keep coming in: try again in a minute.")


def _write(
    session: Session,
    loaded: Loaded,
    state: str,
    slugs: Sequence[str],
    now: Moment,
    until: Moment | None,
    actor: str,
    excepted: Mapping[str, str],
) -> None:
    newest = {
        "lines_to": session.scalar(select(func.max(AwardLineRow.id))) or 0,
        "verdicts_to": session.scalar(select(func.max(VerdictRow.id))) or 0,
        "eligibility_to": newest_id(session),
    }
    named = select(ClaimRow.id, ClaimRow.task).where(ClaimRow.id.in_(list(excepted)))
    mine = {claim: task for claim, task in session.execute(named)}  # noqa: C416 - rows are no pairs
    for slug in slugs:
        parts = parts_of(loaded, loaded.task(slug)) if slug != SHARES else frozenset()
        of_task = {claim: reason for claim, reason in excepted.items() if mine.get(claim) in parts}
        row = {"campaign": loaded.slug, "task": slug, "state": state, "actor": actor, "at_ns": now, "until_ns": until}
        if not insert_once(session, ResultStateRow, row | newest | {"excepted": of_task}):
            raise Conflict(f"Somebody else has made {slug or 'the pools and bonuses'} {state} just now.")
        detail = {"state": state, "excepted": of_task, "until_ns": until, **newest}
        append_act(session, now, actor, f"results.{state}", f"{loaded.slug}/{slug}", detail)


def _shares_too(session: Session, loaded: Loaded, state: str, slugs: Sequence[str], now: Moment) -> list[str]:
    """SHARES, where all tasks are as far and the campaign is closed: pools and bonuses rest on all of them."""
    states = result_states(session, loaded.slug)
    if (SHARES, state) in states or now < loaded.newest.closes:
        return []
    reached = {*slugs, *(task for task, kept in states if kept == state)}
    if any(each.slug not in reached for each in loaded.newest.tasks):
        return []
    published = states.get((SHARES, PROVISIONAL))
    if state == FINAL and (published is None or now < (published.until_ns or 0)):
        return []
    return [SHARES]
