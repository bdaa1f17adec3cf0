"""The figures against an independent brute-force count over made-up lease sets; days by block time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.base import Ledger
from ledger.chain import BlockRow, CursorRow, DeploymentRow, GroupRow, LeaseRow
from ledger.upgrading import upgrade
from services.boundaries import midnights
from services.clock import StoppedClock
from services.concurrency import Held, course
from services.figures import DayFigures, per_day, stats
from services.house import House
from services.settings import Settings
from tasks.moment import SECOND, Moment, parse_moment

CHAIN = "local-1"
BLOCK = 6 * SECOND
START = parse_moment("2023-06-20T22:00:00Z")  # block 1; the first midnight is block 1201
MIDNIGHT = 1201

heights = st.integers(1, 30)
leases = st.lists(
    st.builds(
        lambda opened, length, gpus: Held(opened, None if length is None else opened + length, gpus),
        heights,
        st.none() | st.integers(0, 12),
        st.integers(0, 8),
    ),
    max_size=25,
)


def brute(held: list[Held], height: int, last: int) -> int:
    """GPUs at a height, asked of each lease by itself."""
    return sum(one.gpus for one in held if one.opened <= height and height <= last and (one.closed or 10**9) > height)


@given(leases, st.integers(1, 45), st.integers(1, 45), st.integers(1, 45))
def test_course__any_leases__is_the_brute_force_count(held: list[Held], last: int, first: int, end: int) -> None:
    made = course(held, last)
    for height in range(1, last + 1):
        assert made.at(height) == brute(held, height, last)
    assert max(made.values, default=0) == max(brute(held, height, last) for height in range(1, last + 1))
    expected = max((brute(held, height, last) for height in range(first, min(end, last + 1))), default=0)
    if end <= last + 1:
        assert made.peak(first, end) == expected


def test_course__closes_and_opens_at_one_height__close_first() -> None:
    assert max(course([Held(1, 5, 8), Held(5, 9, 8)], 20).values) == 8


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("2023-06-20T00:00:00Z", "2023-06-20T00:00:00Z", 1),
        ("2023-06-20T00:00:00.000000001Z", "2023-06-21T23:59:59Z", 1),
        ("2023-06-20T05:00:00Z", "2023-06-20T23:00:00Z", 0),
        ("2023-06-20T16:00:00Z", "2023-07-19T07:00:00Z", 29),
    ],
    ids=["on it", "just after", "within a day", "the 2023 testnet"],
)
def test_midnights__between(start: str, end: str, count: int) -> None:
    assert len(midnights(parse_moment(start), parse_moment(end))) == count


Fill = Callable[..., House]


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """Writes an index as a follower would have left it, and gives a house on it."""
    made: list[Ledger] = []

    def build(rows: list[tuple[int, int | None, list[int]]], last: int, known: tuple[int, ...] = ()) -> House:
        url = f"sqlite:///{tmp_path}/{len(made)}.db"
        upgrade(url)
        ledger = Ledger(url)
        made.append(ledger)
        with ledger.write() as session:
            values: dict[str, object] = dict.fromkeys(column.key for column in CursorRow.__mapper__.columns)
            values |= {"chain_id": CHAIN, "stage": "following", "height": last, "time_ns": time(last)}
            values |= {"listing_round": 0, "state": "following", "detail": "", "checked_ns": time(last)}
            session.add(CursorRow(**values))
            for height in known:
                session.add(BlockRow(chain_id=CHAIN, height=height, hash=None, time_ns=time(height)))
            for number, (opened, closed, groups) in enumerate(rows):
                add_deployment(session, number, opened, closed, groups)
        return House(Settings(database_url=url), ledger, StoppedClock(time(last)))

    yield build
    for ledger in made:
        ledger.close()


def time(height: int) -> Moment:
    return Moment(START + (height - 1) * BLOCK)


def add_deployment(session, number: int, opened: int, closed: int | None, groups: list[int]) -> None:
    """One deployment of owner `o<number % 3>`, a lease for each group, opened in the next block."""
    key = {"chain_id": CHAIN, "owner": f"o{number % 3}", "dseq": number}
    read = {"read_height": 99_999, "gpu_models": []}
    session.add(
        DeploymentRow(
            **key, **read, state="active", hash="", created_at=opened, closed_at=None, gpu_units=sum(groups)
        )
    )
    for gseq, gpus in enumerate(groups, 1):
        session.add(GroupRow(**key, **read, gseq=gseq, state="open", gpu_units=gpus, created_at=opened))
        session.add(
            LeaseRow(
                **key, gseq=gseq, oseq=1, provider="p", bseq=0, state="active", price="1", denom="uact",
                created_at=opened + 1, closed_on=closed, reason="", gpu_units=gpus, read_height=99_999,
            )
        )  # fmt: skip


def test_stats__groups_with_and_without_gpus__only_those_with_count(fill: Fill) -> None:
    house = fill([(10, None, [2, 0]), (20, None, [0]), (30, 40, [3]), (35, None, [1])], 100)
    said = stats(house)
    assert (said.gpu_deployment_requests, said.leases_created, said.unique_deployers) == (3, 3, 2)
    assert said.peak_concurrent_gpus == 2 + 3 + 1
    assert said.as_of is not None
    assert (said.as_of.chain_id, said.as_of.height, said.as_of.time) == (CHAIN, 100, time(100))
    assert said.exact


def test_stats__rows_read_beyond_the_cursor__count_as_of_the_cursor(fill: Fill) -> None:
    house = fill([(10, 51, [2]), (20, 45, [4]), (60, None, [8]), (49, None, [1])], 50)
    said = stats(house)
    assert (said.gpu_deployment_requests, said.leases_created, said.peak_concurrent_gpus) == (3, 3, 6)


def test_stats__before_the_first_block__has_no_height(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/none.db"
    upgrade(url)
    house = House(Settings(database_url=url), Ledger(url), StoppedClock(START))
    assert stats(house).as_of is None
    assert per_day(house) == []
    house.ledger.close()


def test_per_day__over_midnight__each_day_by_block_time(fill: Fill) -> None:
    rows = [
        (10, 1300, [2]),
        (1199, MIDNIGHT, [4]),  # its lease runs in the last block of the day only
        (1200, None, [1]),  # its lease opens in the first block of the next day
        (1250, 1260, [8]),
    ]
    house = fill(rows, 1400, (1, 10, MIDNIGHT - 1, MIDNIGHT, 1400))
    assert per_day(house) == [
        DayFigures("2023-06-20", 3, 2, 3, 6, 6),
        DayFigures("2023-06-21", 1, 2, 1, 11, 1),
    ]


def test_per_day__midnight_not_kept__is_reckoned_and_said(fill: Fill) -> None:
    house = fill([(10, None, [2]), (1250, None, [1])], 1400, (10, 1400))
    said = per_day(house)
    assert [(day.date, day.requests, day.exact) for day in said] == [
        ("2023-06-20", 1, False),
        ("2023-06-21", 1, False),
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 2600), st.none() | st.integers(2, 2700), st.lists(st.integers(0, 3), max_size=3)),
        max_size=12,
    )
)
def test_per_day__any_index__sums_up_to_the_stats_and_to_a_count_by_hand(
    fill: Fill, rows: list[tuple[int, int | None, list[int]]]
) -> None:
    last = 2600
    first = min((opened for opened, _closed, groups in rows if sum(groups)), default=1)
    house = fill(rows, last, tuple(sorted({first, 1, MIDNIGHT - 1, MIDNIGHT, last})))
    said, days = stats(house), per_day(house)
    held = [
        Held(opened + 1, closed, gpus)
        for opened, closed, groups in rows
        for gpus in groups
        if gpus and opened + 1 <= last and not (closed is not None and closed <= opened + 1)
    ]
    requests = [(opened, number % 3) for number, (opened, _c, groups) in enumerate(rows) if sum(groups)]
    assert said.gpu_deployment_requests == len(requests) == sum(day.requests for day in days)
    assert said.unique_deployers == len({owner for _, owner in requests})
    assert said.leases_created == sum(day.leases for day in days)
    assert said.peak_concurrent_gpus == max((day.peak_gpus for day in days), default=0)
    assert said.peak_concurrent_gpus == max((brute(held, one.opened, last) for one in held), default=0)
    if days:
        assert days[-1].gpus_at_end == brute(held, last, last)
