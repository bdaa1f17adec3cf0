"""The figures of a testnet: requests, leases, deployers, GPUs at once, participants (DESIGN section 5, "exactly")."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from ledger.chain import BlockRow, CursorRow, DeploymentRow, GroupRow, LeaseRow
from ledger.chain_index import cursor_of
from ledger.people import RegistrationRow
from services import campaigns
from services.boundaries import DAY, Boundary, boundary, first_request, midnights, window_of
from services.chain_time import time_of
from services.concurrency import Course, Held, course
from services.errors import Unavailable
from services.following import expected_chain_id
from services.house import House
from tasks.moment import Moment, format_moment
from verifiers.evidence import ChainPoint


@dataclass(frozen=True, slots=True)
class Stats:
    """The five figures and the block they hold at; `as_of` is None before the chain was read once.

    `exact` is false where a border of the window lies among blocks that no node has any more and is reckoned.
    """

    participants: int
    gpu_deployment_requests: int
    leases_created: int
    unique_deployers: int
    peak_concurrent_gpus: int
    as_of: ChainPoint | None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One UTC day of block time, `date` as 2023-06-20. `deployers`: distinct ones of that day's requests.

    `peak_gpus`: the most at once on that day, those that ran on from the day before included.
    """

    date: str
    requests: int
    leases: int
    deployers: int
    peak_gpus: int
    gpus_at_end: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Counted:
    """What the index holds within the window: heights of requests with their owners, leases, the course of GPUs."""

    cursor: CursorRow
    low: Boundary
    high: Boundary
    requests: Sequence[tuple[int, str]]
    leases: Sequence[Held]
    course: Course


def stats(house: House) -> Stats:
    """The figures in all, at the block the follower stands at. Reads only the ledger."""
    chain_id = expected_chain_id(house)
    with house.ledger.read() as session:
        people = _participants(house, session)
        counted = _count(house, session, chain_id)
    if counted is None:
        return Stats(people, 0, 0, 0, 0, None)
    cursor = counted.cursor
    return Stats(
        participants=people,
        gpu_deployment_requests=len(counted.requests),
        leases_created=len(counted.leases),
        unique_deployers=len({owner for _height, owner in counted.requests}),
        peak_concurrent_gpus=max(counted.course.values, default=0),
        as_of=ChainPoint(cursor.chain_id, cursor.height, Moment(cursor.time_ns or 0)),
        exact=counted.low.exact and counted.high.exact,
    )


def per_day(house: House) -> list[DayFigures]:
    """The figures of each UTC day of the window up to the block the follower stands at, the first day first.

    Without a campaign from the day of the first request. Reads only the ledger.
    """
    chain_id = expected_chain_id(house)
    with house.ledger.read() as session:
        counted = _count(house, session, chain_id)
        if counted is None:
            return []
        window = window_of(house, session)
        start, certain = (window[0], True) if window else _start(session, counted)
        end = Moment(counted.cursor.time_ns or 0)
        if window:
            end = min(end, Moment(window[1] - 1))
        if start is None or end < start:
            return []
        borders = [(moment, boundary(session, counted.cursor, moment)) for moment in midnights(start, end)]
    if not borders or borders[0][0] != start:
        borders.insert(0, (Moment(start // DAY * DAY), Boundary(counted.low.height, counted.low.exact and certain)))
    return _days(counted, borders)


def _days(counted: Counted, borders: Sequence[tuple[Moment, Boundary]]) -> list[DayFigures]:
    firsts = [border.height for _moment, border in borders]
    ends = [*firsts[1:], counted.high.height]
    exact = [border.exact for _moment, border in borders] + [counted.high.exact]
    requests, leases = [0] * len(borders), [0] * len(borders)
    deployers: list[set[str]] = [set() for _ in borders]
    for height, owner in counted.requests:
        day = max(0, bisect_right(firsts, height) - 1)
        requests[day] += 1
        deployers[day].add(owner)
    for lease in counted.leases:
        leases[max(0, bisect_right(firsts, lease.opened) - 1)] += 1
    return [
        DayFigures(
            date=format_moment(moment)[:10],
            requests=requests[day],
            leases=leases[day],
            deployers=len(deployers[day]),
            peak_gpus=counted.course.peak(firsts[day], ends[day]),
            gpus_at_end=counted.course.at(max(firsts[day], ends[day]) - 1),
            exact=exact[day] and exact[day + 1],
        )
        for day, (moment, _border) in enumerate(borders)
    ]


def _start(session: Session, counted: Counted) -> tuple[Moment | None, bool]:
    """Without a campaign: the time of the first request; where it is not kept, of the first later block that is.

    The second says whether it is the former: else the first day holds what lies before it too.
    """
    chain_id, first = counted.cursor.chain_id, first_request(session, counted.cursor.chain_id)
    if first is None:
        return None, True
    time = time_of(session, chain_id, first)
    if time is not None:
        return time, True
    later = select(func.min(BlockRow.time_ns)).where(BlockRow.chain_id == chain_id, BlockRow.height >= first)
    time_ns = session.scalar(later)
    return (None if time_ns is None else Moment(time_ns)), False


def _count(house: House, session: Session, chain_id: str | None) -> Counted | None:
    cursor = cursor_of(session, chain_id) if chain_id is not None else None
    if cursor is None or cursor.height == 0:
        return None
    window = window_of(house, session)
    low = boundary(session, cursor, window[0]) if window else Boundary(0, exact=True)
    high = boundary(session, cursor, window[1]) if window else Boundary(cursor.height + 1, exact=True)
    requests = session.execute(_requests(cursor.chain_id, low.height, high.height)).all()
    leases = [Held(*row) for row in session.execute(_leases(cursor.chain_id, low.height, high.height))]
    heights = [(height, owner) for height, owner in requests]
    return Counted(cursor, low, high, heights, leases, course(leases, cursor.height))


def _requests(chain_id: str, low: int, high: int) -> Select[int, str]:
    """Deployments with at least one group that asks for GPUs."""
    return select(DeploymentRow.created_at, DeploymentRow.owner).where(
        DeploymentRow.chain_id == chain_id,
        DeploymentRow.gpu_units > 0,
        DeploymentRow.created_at >= low,
        DeploymentRow.created_at < high,
    )


def _leases(chain_id: str, low: int, high: int) -> Select[int, int | None, int]:
    """Every lease of a group that asks for GPUs, with the group's units times count."""
    same_group = and_(
        GroupRow.chain_id == LeaseRow.chain_id,
        GroupRow.owner == LeaseRow.owner,
        GroupRow.dseq == LeaseRow.dseq,
        GroupRow.gseq == LeaseRow.gseq,
    )
    return (
        select(LeaseRow.created_at, LeaseRow.closed_on, GroupRow.gpu_units)
        .join(GroupRow, same_group)
        .where(
            LeaseRow.chain_id == chain_id,
            GroupRow.gpu_units > 0,
            LeaseRow.created_at >= low,
            LeaseRow.created_at < high,
        )
    )


def _participants(house: House, session: Session) -> int:
    """Registrations for the campaign; without one, whoever registered for any."""
    count = select(func.count(RegistrationRow.participant.distinct()))
    try:
        loaded = campaigns.current_in(session, house.settings.campaign)
    except Unavailable:
        loaded = None
    if loaded is not None:
        count = count.where(RegistrationRow.campaign == loaded.slug)
    return session.scalar(count) or 0
