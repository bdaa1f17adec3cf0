"""The leaderboard's order, sums and search, and where one participant stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from ledger.awards import AwardLineRow, ProvisionalLineRow
from ledger.people import AddressRow, ParticipantRow, PersonalRow, RegistrationRow
from services.house import House
from services.standings import leaderboard, place_of
from tests.houses import NOON, make_house

CAMPAIGN = "small-test"
MILLION = 1_000_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.ledger.close()


def register(house: House, *people: tuple[str, str | None]) -> None:
    """People with their display names."""
    with house.ledger.write() as session:
        for address, name in people:
            session.add(ParticipantRow(address=address, created_ns=NOON))
            session.flush()
            session.add(AddressRow(address=address, participant=address, proved_ns=NOON, proof="t", linked_ns=NOON))
            session.add(
                RegistrationRow(campaign=CAMPAIGN, participant=address, rules_digest="0" * 64, received_ns=NOON)
            )
            session.add(PersonalRow(participant=address, display_name=name))


def award(house: House, address: str, *amounts: int, campaign: str = CAMPAIGN, task: str | None = "deploy") -> None:
    """Lines of the ledger, one for each amount."""
    with house.ledger.write() as session:
        for step, amount in enumerate(amounts):
            session.add(
                AwardLineRow(
                    campaign=campaign,
                    revision=1,
                    key=f"{campaign}/{address}/{task}",
                    step=step,
                    claim=None,
                    kind="claim" if task else "grant",
                    participant=address,
                    task=task,
                    amount_micro=amount,
                    reason="awarded",
                    working={},
                    cause="passed",
                    position=0,
                    computed_ns=NOON,
                )
            )


def hold(house: House, address: str, amount: int) -> None:
    with house.ledger.write() as session:
        session.add(
            ProvisionalLineRow(
                campaign=CAMPAIGN,
                claim=f"held by {address}",
                participant=address,
                task="deploy",
                amount_micro=amount,
                reason="awarded",
                working={},
                position=0,
            )
        )


def test_leaderboard__nobody__is_an_empty_page(house: House) -> None:
    board = leaderboard(house)
    assert (board.slug, board.unit, list(board.places.items), board.places.total) == (CAMPAIGN, "USD", [], 0)


def test_leaderboard__without_a_campaign__has_no_unit(tmp_path: Path) -> None:
    house = make_house(tmp_path, campaign=None)
    assert leaderboard(house).unit is None
    house.ledger.close()


def test_leaderboard__ties__go_by_amount_then_provisional_then_address(house: House) -> None:
    register(house, *((f"akash1{name}", None) for name in "abcdef"))
    award(house, "akash1c", 5 * MILLION)
    award(house, "akash1e", 9 * MILLION, -4 * MILLION)
    hold(house, "akash1e", 1)
    hold(house, "akash1f", 7 * MILLION)
    award(house, "akash1b", 8 * MILLION, campaign="another")
    places = leaderboard(house).places.items
    assert [(place.rank, place.address[-1], place.amount_micro, place.provisional_micro) for place in places] == [
        (1, "e", 5 * MILLION, 1),
        (2, "c", 5 * MILLION, 0),
        (3, "f", 0, 7 * MILLION),
        (4, "a", 0, 0),
        (5, "b", 0, 0),
        (6, "d", 0, 0),
    ]


def test_leaderboard__amounts_by_task__leave_out_grants(house: House) -> None:
    register(house, ("akash1a", None))
    award(house, "akash1a", 3 * MILLION)
    award(house, "akash1a", 2 * MILLION, task="video")
    award(house, "akash1a", MILLION, task=None)
    place = leaderboard(house).places.items[0]
    assert place.amount_micro == 6 * MILLION
    assert place.tasks == {"deploy": 3 * MILLION, "video": 2 * MILLION}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ada", ["a"]),
        ("ADA", ["a"]),
        ("akash1b", ["b"]),
        ("akash1linked", ["c"]),
        ("100%", ["b"]),
        ("%", ["b"]),
        ("_", ["c"]),
        ("\\", []),
        ("nobody", []),
    ],
)
def test_leaderboard__search__finds_names_and_any_address(house: House, search: str, found: list[str]) -> None:
    register(house, ("akash1a", "Ada"), ("akash1b", "100% Bea"), ("akash1c", "snake_case"))
    award(house, "akash1c", MILLION)
    with house.ledger.write() as session:
        session.add(
            AddressRow(address="akash1linked", participant="akash1c", proved_ns=NOON, proof="t", linked_ns=NOON)
        )
    board = leaderboard(house, search=search)
    assert [place.address[-1] for place in board.places.items] == found
    assert board.places.total == len(found)
    if found == ["b"]:
        assert board.places.items[0].rank == 3, "the rank is the one over all"


def test_leaderboard__pages__cut_one_order(house: House) -> None:
    register(house, *((f"akash1{number:03d}", None) for number in range(25)))
    pages = [leaderboard(house, page=page, per_page=10).places for page in (1, 2, 3, 4)]
    assert [place.rank for page in pages for place in page.items] == list(range(1, 26))
    assert [(page.first, page.last) for page in pages] == [(1, 10), (11, 20), (21, 25), (0, 0)]
    assert pages[0].pages == 3


def test_leaderboard__many_people__needs_a_handful_of_queries(house: House) -> None:
    register(house, *((f"akash1{number:03d}", None) for number in range(60)))
    with house.ledger.read() as session:
        engine = session.get_bind().engine
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *each: asked.append(each[2]))
    leaderboard(house)
    assert len([text for text in asked if text.startswith("SELECT")]) <= 9


def test_place_of__one_participant__is_their_place_over_all(house: House) -> None:
    register(house, ("akash1a", None), ("akash1b", "Bea"))
    award(house, "akash1a", MILLION)
    with house.ledger.read() as session:
        place = place_of(house, session, CAMPAIGN, "akash1b")
        assert place is not None
        assert (place.rank, place.name) == (2, "Bea")
        assert place_of(house, session, CAMPAIGN, "akash1nobody") is None
