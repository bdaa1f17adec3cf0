"""Whether the chain can be relied on now: a halted, lagging or reset chain is shown and judges nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from ledger.chain import CursorRow
from ledger.chain_index import cursor_of, newest_cursor
from services.errors import Unavailable
from tasks.moment import SECOND, Duration, Moment, format_moment
from verifiers.evidence import ChainPoint

HALTED_AFTER = Duration(300 * SECOND)
"""A tip older than this is a halt (akash-chain.md 2.3)."""

SEEN_WITHIN = Duration(300 * SECOND)
"""A follower that has not looked for so long says nothing of now."""

JUDGED_WITHIN = 100
"""Blocks behind the tip at which the state is still read: nodes forget older states, and soon we are there."""

SOUND = frozenset({"following", "bootstrapping"})


@dataclass(frozen=True, slots=True)
class Health:
    """The state of one chain as the follower knows it.

    `point`: the last block applied in full, `tip`: the newest block seen. `detail`: a sentence for people.
    """

    chain_id: str
    state: str
    detail: str
    may_judge: bool
    point: ChainPoint | None
    tip: ChainPoint | None


def chain_health(session: Session, chain_id: str | None, now: Moment) -> Health | None:
    """The health of this chain, or of the one looked at last; `None` before the first look."""
    cursor = newest_cursor(session) if chain_id is None else cursor_of(session, chain_id)
    if cursor is None:
        return None
    state, detail = cursor.state, cursor.detail
    if state in SOUND:
        state, detail = _by_time(cursor, now)
    tip = _point(cursor.chain_id, cursor.tip_height, cursor.tip_time_ns)
    point = _point(cursor.chain_id, cursor.height, cursor.time_ns) if cursor.height else None
    return Health(cursor.chain_id, state, detail, state == "following" and point is not None, point, tip)


def _by_time(cursor: CursorRow, now: Moment) -> tuple[str, str]:
    """What time alone has made of a state that was good when it was written."""
    if now - cursor.checked_ns > SEEN_WITHIN:
        return "unreachable", f"nothing has looked at the chain since {format_moment(Moment(cursor.checked_ns))}"
    halt = halt_of(cursor.tip_time_ns, now)
    return ("halted", halt) if halt else (cursor.state, cursor.detail)


def halt_of(tip_time_ns: int | None, now: Moment) -> str | None:
    """The sentence that says the chain stands still, or `None` where it runs."""
    if tip_time_ns is None or now - tip_time_ns <= HALTED_AFTER:
        return None
    return f"the chain has made no block since {format_moment(Moment(tip_time_ns))}"


def _point(chain_id: str, height: int | None, time_ns: int | None) -> ChainPoint | None:
    return None if height is None or time_ns is None else ChainPoint(chain_id, height, Moment(time_ns))


def judged_point(session: Session, chain_id: str | None, now: Moment) -> ChainPoint | None:
    """The block to look at now: the one the index stands at; `None` before it stands anywhere near the tip.

    Raises Unavailable, with what is wrong, where nothing may be judged.
    """
    health = chain_health(session, chain_id, now)
    if health is None:
        return None
    if health.state not in SOUND:
        raise Unavailable(f"Nothing is judged while {health.chain_id} is {health.state}: {health.detail}.")
    if not health.may_judge or health.point is None or health.tip is None:
        return None
    return health.point if health.tip.height - health.point.height <= JUDGED_WITHIN else None
