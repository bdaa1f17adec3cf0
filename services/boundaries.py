"""The heights at which a campaign's window and each UTC day begin; looked up once, kept for good."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.chain import BlockRow, CursorRow, DeploymentRow
from ledger.chain_index import blocks_around
from services import campaigns
from services.chain_time import fetched_block, first_known_from, height_at, time_of
from services.errors import Unavailable
from services.house import House
from tasks.moment import SECOND, Moment
from verifiers.chain.client import Chain, TipStatus
from verifiers.chain.trouble import Pruned

DAY = 86_400 * SECOND
AT_ONCE = 60
"""Boundaries looked up in one step at most."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """The first height from a moment on. `exact` is false where it is reckoned from the blocks around."""

    height: int
    exact: bool


def boundary(session: Session, cursor: CursorRow, moment: Moment) -> Boundary:
    """The first height from `moment` on; the height after the cursor where no followed block is so late.

    What is not kept is reckoned in proportion between the kept blocks around it.
    """
    beyond = cursor.height + 1
    if cursor.time_ns is None or moment > cursor.time_ns:
        return Boundary(beyond, exact=True)
    known = first_known_from(session, cursor.chain_id, moment)
    if known is not None:
        return Boundary(min(known, beyond), exact=True)
    before, after = blocks_around(session, cursor.chain_id, moment)
    if after is None:
        return Boundary(beyond, exact=False)
    if before is None:
        before, after = after, BlockRow(height=cursor.height, time_ns=cursor.time_ns)
        if after.height <= before.height:
            return Boundary(before.height, exact=False)
    span, time = after.height - before.height, max(1, after.time_ns - before.time_ns)
    reckoned = before.height + -(-(moment - before.time_ns) * span // time)
    return Boundary(min(max(reckoned, 1), beyond), exact=False)


def midnights(start: Moment, end: Moment) -> list[Moment]:
    """Every UTC midnight in `[start, end]`."""
    first = -(-start // DAY)
    return [Moment(day * DAY) for day in range(first, end // DAY + 1)]


def window_of(house: House, session: Session) -> tuple[Moment, Moment] | None:
    """The campaign's `[opens, closes)`; `None` without a campaign: the whole chain."""
    try:
        loaded = campaigns.current_in(session, house.settings.campaign)
    except Unavailable:
        return None
    return None if loaded is None else (loaded.newest.opens, loaded.newest.closes)


def first_request(session: Session, chain_id: str) -> int | None:
    """The height of the first deployment that asked for GPUs."""
    mine = select(func.min(DeploymentRow.created_at)).where(DeploymentRow.chain_id == chain_id)
    return session.scalar(mine.where(DeploymentRow.gpu_units > 0))


def learn_boundaries(house: House, chain: Chain, cursor: CursorRow, tip: TipStatus, limit: int = AT_ONCE) -> int:
    """Look up boundaries that the figures need and that are not kept yet, `limit` at most; returns how many.

    What lies among blocks that the node has no more is left to reckoning. Raises the chain client's troubles.
    """
    if cursor.time_ns is None:
        return 0
    with house.ledger.read() as session:
        window = window_of(house, session)
        first = first_request(session, cursor.chain_id)
        begins = window[0] if window else None if first is None else time_of(session, cursor.chain_id, first)
    if begins is None:
        if first is None:
            return 0
        begins = _time_or_earliest(house, chain, cursor.chain_id, first, tip)
    end = Moment(cursor.time_ns)
    wanted = [*(moment for moment in (window or ()) if moment <= end)]
    wanted += midnights(begins, min(end, window[1]) if window else end)
    looked = 0
    for moment in wanted:
        if looked >= limit:
            break
        with house.ledger.read() as session:
            if not _worth_asking(session, cursor.chain_id, moment, tip):
                continue
        try:
            height_at(house, cursor.chain_id, moment)
        except Pruned:
            continue
        looked += 1
    return looked


def _time_or_earliest(house: House, chain: Chain, chain_id: str, height: int, tip: TipStatus) -> Moment:
    """The time of a block, or of the earliest one there is where that is gone."""
    try:
        return fetched_block(house, chain, chain_id, max(height, tip.earliest_height)).time
    except Pruned as error:
        return fetched_block(house, chain, chain_id, error.lowest or tip.height).time


def _worth_asking(session: Session, chain_id: str, moment: Moment, tip: TipStatus) -> bool:
    """Not known yet, and not below all that the node still has."""
    if first_known_from(session, chain_id, moment) is not None:
        return False
    before, after = blocks_around(session, chain_id, moment)
    return before is not None or after is None or after.height > tip.earliest_height
