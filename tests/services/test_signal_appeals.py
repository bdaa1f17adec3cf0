"""When one may appeal against a decision about review signals, and what waits for the answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.claims import ClaimRow
from ledger.people import RoleRow
from ledger.results import ResultStateRow
from ledger.signals import SignalEdgeRow
from services import campaigns, signal_appeals
from services.archive.verify import verify_archive
from services.ending import finalize, publish_results
from services.errors import Conflict, NotAllowed, NotFound, Refused
from services.house import House
from services.signal_decisions import Decided, decide, notices
from services.signals import recompute
from tasks.moment import parse_moment
from tests.archives import exported, lived_in_house, unpacked
from tests.endings import ANN, BOB, CID, DOT, at, claimed, make_house

ORGANIZER, OTHER = f"akash1{'l' * 38}", f"akash1{'m' * 38}"
REASON = "Their accounts of it do not fit together."
TEXT = "We sat side by side, that is all."


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A closed campaign; Ann and Bob made the same video, and the second organizer is Dot."""
    house = make_house(tmp_path, parse_moment("2026-12-01T12:00:00Z"))
    for person, seconds in ((ANN, 1), (BOB, 2), (CID, 3)):
        claimed(house, person, "video", seconds)
    with house.ledger.write() as session:
        session.add_all(RoleRow(address=name, role="organizer") for name in (ORGANIZER, OTHER, BOB))
        for row in session.scalars(select(ClaimRow).where(ClaimRow.participant.in_([ANN, BOB]))):
            row.subject = "https://video.example/1"
    recompute(house, campaigns.required(house))
    return house


def edge_ids(house: House) -> list[str]:
    with house.ledger.read() as session:
        return list(session.scalars(select(SignalEdgeRow.id)))


def confirmed(house: House, outcome: str = "confirmed") -> int:
    row, _ = decide(house, ORGANIZER, Decided(edge_ids(house), outcome, REASON))
    return row.id


def test_appeal__while_it_waits__lets_no_results_become_final(house: House) -> None:
    number = confirmed(house)
    appeal, _ = signal_appeals.make(house, ANN, number, TEXT)
    publish_results(house, ORGANIZER)
    evening = at(house, "2026-12-04T00:00:00Z")
    with pytest.raises(Conflict, match="1 appeal against a decision about review signals waits"):
        finalize(evening, ORGANIZER)
    signal_appeals.rule(evening, OTHER, appeal.id, "lost", "We asked the neighbours.")
    finalize(evening, ORGANIZER)
    with house.ledger.read() as session:
        assert "final" in session.scalars(select(ResultStateRow.state)).all()


@pytest.mark.parametrize("when", ["2026-12-03T11:59:59Z", "2026-12-03T12:00:00Z", "2026-12-20T00:00:00Z"])
def test_appeal__before_results_are_final__is_taken_at_any_time(house: House, when: str) -> None:
    number = confirmed(house)
    assert signal_appeals.make(at(house, when), ANN, number, TEXT)[1]


@pytest.mark.parametrize(
    ("decided", "when", "is_taken"),
    [
        ("2026-12-04T00:00:00Z", "2026-12-05T23:59:59Z", True),
        ("2026-12-04T00:00:00Z", "2026-12-06T00:00:00Z", False),
        ("2026-12-08T00:00:00Z", "2026-12-09T00:00:00Z", True),
    ],
    ids=["in_the_last_second", "over", "decided_after_the_end"],
)
def test_appeal__once_results_are_final__is_taken_for_the_stated_time(
    house: House, decided: str, when: str, is_taken: bool
) -> None:
    publish_results(house, ORGANIZER)
    number = 0
    if decided < "2026-12-05":
        number = confirmed(at(house, decided))
    finalize(at(house, "2026-12-04T12:00:00Z"), ORGANIZER)
    number = number or confirmed(at(house, decided))
    if is_taken:
        assert signal_appeals.make(at(house, when), ANN, number, TEXT)[1]
    else:
        with pytest.raises(Conflict, match="were taken until 2026-12-06T00:00:00Z"):
            signal_appeals.make(at(house, when), ANN, number, TEXT)


def test_appeal__by_whom_it_does_not_concern__is_of_no_decision(house: House) -> None:
    number = confirmed(house)
    for who, which in ((CID, number), (ANN, number + 1)):
        with pytest.raises(NotFound):
            signal_appeals.make(house, who, which, TEXT)
    with pytest.raises(Refused):
        signal_appeals.make(house, ANN, number, "why")
    assert notices(house, CID) == []


def test_appeal__against_a_dismissal__has_nothing_to_win(house: House) -> None:
    with pytest.raises(Conflict, match="nothing is held against you"):
        signal_appeals.make(house, ANN, confirmed(house, "dismissed"), TEXT)


def test_ruling__by_an_organizer_whom_it_concerns_or_a_stranger__is_refused(house: House) -> None:
    appeal, _ = signal_appeals.make(house, ANN, confirmed(house), TEXT)
    for who in (BOB, DOT):
        with pytest.raises(NotAllowed):
            signal_appeals.rule(house, who, appeal.id, "won", "They are friends of mine.")
    with pytest.raises(Refused):
        signal_appeals.rule(house, OTHER, appeal.id, "maybe", "We do not know yet.")
    assert signal_appeals.one(house, appeal.id).outcome == "open"


def test_archive__with_signals_decided_and_appealed__is_the_same_and_is_verified(tmp_path: Path) -> None:
    house = lived_in_house(tmp_path)
    with house.ledger.write() as session:
        session.merge(RoleRow(address=ORGANIZER, role="organizer"))
        claims = session.scalars(select(ClaimRow).order_by(ClaimRow.received_ns)).all()
        one, other = sorted({row.participant for row in claims})[:2]
        session.add(
            SignalEdgeRow(
                id="e" * 32, campaign=claims[0].campaign, signal="same_subject", one=one, other=other, key="k",
                strength="strong", said="Both claimed the same thing.", traces=[], holds=True, first_seen_ns=1,
                changed_ns=1,
            )
        )  # fmt: skip
    before = unpacked(exported(house, tmp_path / "before.tar.zst"))
    row, _ = decide(house, ORGANIZER, Decided(["e" * 32], "confirmed", REASON))
    signal_appeals.make(house, one, row.id, TEXT)
    after = exported(house, tmp_path / "after.tar.zst")
    assert {name for name, body in unpacked(after).items() if body != before[name]} <= {"manifest.json"}
    assert verify_archive(after).differences == []
