"""Payouts in the archive: everything is worked again, whatever is altered is found, and exports repeat."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from ledger.payouts import PayoutRecipientRow
from services.archive import payout_members
from services.archive.member import Member
from services.archive.report import Report
from services.archive.verify import verify_archive
from services.eligibility import Entered, set_eligibility
from services.house import House
from services.payout_export import export
from services.payout_moves import free_lines, move
from services.payout_planning import plan_again
from services.payout_records import batch, payout
from tasks.payout.lifecycle import Act
from tests.archives import changed, exported, line_of, mended_manifest, on_lines, packed, unpacked
from tests.payout_houses import APPROVER, FACTS, TREASURER, approved, drafted, earn, make_house, register
from tests.payout_lines import person

Lines = list[dict[str, Any]]


def moved(house: House, name: str, act: Act, tx: str | None = None) -> None:
    seen = {"found": "included", "tx_hash": tx, "tx_height": 1_100, "tx_time_ns": 5} if tx else {}
    found = batch(house, name).id
    house.ledger.transact(lambda session: move(session, house.clock.now(), found, act, "waymark", values=seen))


def on_the_way(house: House, number: int) -> None:
    approved(house, payout(house, number))
    export(house, "operator", number, FACTS)


def lived_in(folder: Path) -> House:
    """One payout in two batches, paid at the second attempt; one partly paid; a draft that is nobody's business."""
    house = make_house(folder, ())
    register(house, [*range(50), 60])
    earn(house, [*((number, 3 + number % 5) for number in range(50)), (60, 9)], kind="grant")
    set_eligibility(house, "organizer", Entered(person(60), "withheld", "he asked for PRIVATE papers"))
    drafted(house, has_ledger=True, rate="0.37")
    on_the_way(house, 1)
    moved(house, "p1-0001", Act.FIND_PAID, "A" * 64)
    moved(house, "p1-0002", Act.FIND_DEAD)
    plan_again(house, "operator", 1)
    on_the_way(house, 1)
    moved(house, "p1-0002.2", Act.FIND_PAID, "B" * 64)
    earn(house, [(1, 5), (2, 6), (3, -1)], kind="grant")
    drafted(house, as_sends=True)
    on_the_way(house, 2)
    moved(house, "p2-0001", Act.FIND_QUESTION)

    def said(session: Any) -> None:
        found, at = batch(house, "p2-0001").id, house.clock.now()
        values = {"found": "partly foreign", "tx_hash": "C" * 64, "tx_height": 1_200, "tx_time_ns": 6}
        move(session, at, found, Act.SAY_PARTLY, "treasurer", values=values)
        free_lines(session, found, at, [0])

    house.ledger.transact(said)
    earn(house, [(4, 7)], kind="grant")
    drafted(house)
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = lived_in(tmp_path_factory.mktemp("house"))
    yield made
    made.ledger.close()


@pytest.fixture(scope="module")
def archive(house: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(house, tmp_path_factory.mktemp("archive") / "a.tar.zst")


def about_payouts(report: Report) -> list[str]:
    """What differs about payouts; the award lines of this house were put in by hand."""
    return [str(finding) for finding in report.differences if finding.place.startswith("payout")]


def test_verify__payouts_of_every_kind__nothing_differs(archive: Path) -> None:
    report = verify_archive(archive)
    assert about_payouts(report) == []
    assert report.counts["payouts"] == 2
    assert report.trusted["transactions of payouts, as the payout chain showed them"] == 3


def test_export__again__the_same_bytes(house: House, archive: Path, tmp_path: Path) -> None:
    assert exported(house, tmp_path / "b.tar.zst").read_bytes() == archive.read_bytes()


def test_export__who_signed_and_why_somebody_is_withheld__stays_here(archive: Path) -> None:
    members = unpacked(archive)
    everything = b"".join(members.values())
    for secret in (TREASURER.address, APPROVER.address, "PRIVATE"):
        assert secret.encode() not in everything
    assert members["payout_signatures.jsonl"].count(b"\n") == 6
    assert b"withheld: not payable" in members["payouts.jsonl"]


def first(**values: object) -> Callable[[Lines], None]:
    return lambda lines: lines[0].update(values)


def moved_uakt(lines: Lines) -> None:
    lines[0]["amount_uakt"] += 1
    lines[1]["amount_uakt"] -= 1


def one_line_twice(lines: Lines) -> None:
    """The second payout's row takes a line of the first's."""
    later = next(line for line in lines if line["payout"] == 2)
    later["lines"] = next(
        line["lines"] for line in lines if line["payout"] == 1 and line["participant"] == later["participant"]
    )


def last_state(state: str) -> Callable[[Lines], None]:
    return lambda lines: lines[0].update(state=state)


def without(count: int) -> Callable[[Lines], Lines]:
    return lambda lines: lines[count:]


ROWS, BATCHES, SIGNED, PLANS = (
    f"{name}.jsonl" for name in ("payout_rows", "payout_batches", "payout_signatures", "payouts")
)


@pytest.mark.parametrize(
    ("member", "edit"),
    [
        pytest.param(ROWS, moved_uakt, id="one uakt moved"),
        pytest.param(ROWS, first(amount_micro=1), id="other amount"),
        pytest.param(ROWS, first(recipient=person(99)), id="other recipient"),
        pytest.param(ROWS, first(participant=person(1)), id="other participant"),
        pytest.param(ROWS, first(lines=[]), id="no lines"),
        pytest.param(ROWS, first(lines=[999_999]), id="unknown line"),
        pytest.param(ROWS, one_line_twice, id="line in two batches"),
        pytest.param(ROWS, without(1), id="row missing"),
        pytest.param(PLANS, first(rate="0.38"), id="other rate"),
        pytest.param(PLANS, first(rate="nothing"), id="no rate"),
        pytest.param(PLANS, first(rate_at_ns=2**62), id="other time"),
        pytest.param(PLANS, first(payer=person(1)), id="other payer"),
        pytest.param(PLANS, first(chain_id="akashnet-2"), id="other chain"),
        pytest.param(PLANS, first(total_uakt=1), id="other total"),
        pytest.param(PLANS, first(third_above_uakt=1), id="a third was needed"),
        pytest.param(PLANS, first(unpaid=[]), id="who was not paid"),
        pytest.param(PLANS, first(digest="0" * 64), id="other digest"),
        pytest.param(PLANS, without(1), id="payout missing"),
        pytest.param(BATCHES, first(rows_hash="0" * 64), id="other hash"),
        pytest.param(BATCHES, first(memo="waymark/1/x"), id="other memo"),
        pytest.param(BATCHES, first(size=3), id="other size"),
        pytest.param(BATCHES, first(first_place=-1), id="odd place"),
        pytest.param(BATCHES, first(sha256="0" * 64), id="other file"),
        pytest.param(BATCHES, first(timeout_height=2**62), id="other timeout"),
        pytest.param(BATCHES, first(fee_uakt=-1), id="odd fee"),
        pytest.param(BATCHES, first(sha256=None, timeout_height=None, fee_uakt=None, gas_limit=None,
                                    exported_height=None), id="paid without export"),
        pytest.param(BATCHES, first(tx_hash=None), id="paid by nothing"),
        pytest.param(BATCHES, first(tx_hash="B" * 64), id="one transaction for two"),
        pytest.param(BATCHES, first(state="dead"), id="dead and holding"),
        pytest.param(BATCHES, first(released=[0]), id="paid and not holding"),
        pytest.param(BATCHES, without(1), id="batch missing"),
        pytest.param(SIGNED, without(1), id="planner missing"),
        pytest.param(SIGNED, lambda lines: lines[:1] + lines[2:], id="approver missing"),
        pytest.param(SIGNED, first(digest="0" * 64), id="another digest signed"),
        pytest.param(SIGNED, first(part="approver"), id="nobody planned"),
    ],
)  # fmt: skip
def test_verify__altered_and_packed_again__found(
    archive: Path, tmp_path: Path, member: str, edit: Callable[[Lines], Any]
) -> None:
    altered = changed(archive, tmp_path / "altered.tar.zst", {member: on_lines(edit)}, mended=True)
    assert about_payouts(verify_archive(altered))


def test_verify__row_missing_in_the_tables__said_and_no_exception(tmp_path: Path) -> None:
    house = lived_in(tmp_path)
    with house.ledger.write() as session:
        session.execute(delete(PayoutRecipientRow).where(PayoutRecipientRow.place == 49))
    assert about_payouts(verify_archive(exported(house, tmp_path / "a.tar.zst")))


ODD: list[Any] = [
    *(None, True, -1, 0, 7, 2**62, -(2**63), "", "x", "\x00", [], [None], [-1], [2**62], {}, [{}], [{"lines": 1}])
]


@given(
    member=st.sampled_from([payout_members.PAYOUTS, payout_members.PAYOUT_ROWS, payout_members.PAYOUT_BATCHES,
                            payout_members.PAYOUT_SIGNATURES]),
    data=st.data(),
    odd=st.sampled_from(ODD),
)  # fmt: skip
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_verify__any_value_in_any_place__answered_without_an_exception(
    archive: Path, tmp_path: Path, member: Member, data: st.DataObject, odd: object
) -> None:
    members = unpacked(archive)
    lines = [json.loads(line) for line in members[member.name].splitlines()]
    line = data.draw(st.sampled_from(lines[:3]))
    line[data.draw(st.sampled_from([column.name for column in member.columns]))] = odd
    members[member.name] = b"".join(map(line_of, lines))
    members["manifest.json"] = mended_manifest(members)
    verify_archive(packed(members, tmp_path / "odd.tar.zst"))
