"""Planning: who is paid how much, who is not and why, what is refused; drafts hold their lines until given up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ledger.audit import AuditRow, check_log
from services.eligibility import Entered, set_eligibility
from services.errors import Conflict, NotFound, Refused
from services.house import House
from services.payout_export import export
from services.payout_moves import move
from services.payout_planning import discard, draft, plan_again, preview
from services.payout_records import all_rows, approved_batch, payments, payout, payouts, rows
from services.payouts import owed
from tasks.moment import Moment
from tasks.payout.lifecycle import Act
from tests.payout_houses import (
    BLOCK,
    FACTS,
    NOW,
    PAYER,
    WANTED,
    approved,
    drafted,
    earn,
    make_final,
    make_house,
    register,
    state,
)
from tests.payout_lines import MODULE, person
from verifiers.chain.answers import BlockLimits


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


def amounts(house: House, number: int = 1) -> dict[str, tuple[int, int]]:
    return {row.participant: (row.amount_micro, row.amount_uakt) for row in rows(house, number, per_page=200).items}


def states(house: House) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for row in owed(house):
        found.setdefault(row.address, []).append((row.amount_micro // 1_000_000, row.state))
    return found


def acts(house: House) -> list[str]:
    with house.ledger.read() as session:
        assert check_log(session) == []
        return [row.act for row in session.scalars(select(AuditRow).order_by(AuditRow.id)) if "payout" in row.act]


def test_draft__final_lines__pays_each_the_sum_at_the_rate_and_holds_the_lines(house: House) -> None:
    earn(house, [(0, 5)])
    view = drafted(house)
    assert amounts(house) == {
        person(0): (15_000_000, 30_000_000),
        person(1): (20_000_000, 40_000_000),
        person(2): (30_000_000, 60_000_000),
    }
    assert (view.total_micro, view.total_uakt, view.payees, str(view.state)) == (
        65_000_000,
        130_000_000,
        3,
        "planned",
    )
    assert states(house) == {person(n): [(each, "in payout")] for n, each in enumerate((15, 20, 30))}
    assert acts(house) == ["payout.plan"]


def test_draft__thirds__the_parts_sum_to_the_total_exactly(tmp_path: Path) -> None:
    house = make_house(tmp_path, (1, 1, 1))
    view = drafted(house, rate="0.7")
    assert view.total_uakt == 3_000_000 * 10 // 7 == sum(uakt for _, uakt in amounts(house).values())


def test_draft__preview_before__stores_what_was_shown_and_refuses_anything_else(house: House) -> None:
    seen = preview(house, WANTED, FACTS, BLOCK)
    assert seen.plan.total_uakt == 120_000_000
    assert payouts(house).total == 0
    earn(house, [(0, 1)])
    with pytest.raises(Conflict, match="changed since you looked"):
        draft(house, "operator", WANTED, FACTS, BLOCK, seen.key)
    again = preview(house, WANTED, FACTS, BLOCK)
    assert draft(house, "operator", WANTED, FACTS, BLOCK, again.key).total_uakt == again.plan.total_uakt


def test_draft__again__only_what_no_payout_holds(house: House) -> None:
    drafted(house)
    with pytest.raises(Conflict, match="nothing is owed that no payout holds"):
        drafted(house)
    earn(house, [(1, 7)])
    assert drafted(house).number == 2
    assert amounts(house, 2) == {person(1): (7_000_000, 14_000_000)}


def test_draft__one_task__leaves_the_others_owed(house: House) -> None:
    earn(house, [(0, 9)], task="video")
    make_final(house, "video")
    drafted(house, task="video")
    assert amounts(house) == {person(0): (9_000_000, 18_000_000)}
    assert states(house)[person(0)] == [(10, "payable"), (9, "in payout")]


def test_draft__whoever_is_not_payable__is_listed_with_the_reason_and_stays_owed(house: House) -> None:
    register(house, [3])
    earn(house, [(3, 8)])
    earn(house, [(2, 4)], task="video")
    set_eligibility(house, "organizer", Entered(person(0), "withheld", "asks for papers"))
    made = drafted(house, minimum_micro=25_000_000)
    told = {(each.participant, str(each.reason), each.detail) for each in made.unpaid}
    assert told == {
        (person(0), "withheld: not payable", "asks for papers"),
        (person(1), "below the plan's minimum", ""),
        (person(2), "results are not final yet", "results are not final yet"),
        (person(3), "below the plan's minimum", ""),
    }
    assert list(amounts(house)) == [person(2)]
    assert states(house)[person(0)] == [(10, "withheld")]
    assert states(house)[person(1)] == [(20, "payable")]


def test_draft__overpaid_elsewhere__is_set_off(house: House) -> None:
    earn(house, [(0, -4)], task="video")
    make_final(house, "video")
    drafted(house, task="deploy")
    assert amounts(house)[person(0)] == (6_000_000, 12_000_000)
    with house.ledger.read() as session:
        assert len(payments(session, [1, 4])) == 2


def test_draft__more_overpaid_than_owed__nothing_is_paid_and_it_stays_overpaid(tmp_path: Path) -> None:
    house = make_house(tmp_path, (10, 20))
    earn(house, [(0, -12)])
    made = drafted(house)
    assert [(each.participant, str(each.reason)) for each in made.unpaid] == [
        (person(0), "set off against what was overpaid")
    ]
    assert states(house)[person(0)] == [(-2, "overpaid")]


def test_draft__module_account_or_payer_or_no_proof__not_paid(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    facts = replace(FACTS, module_accounts=frozenset({MODULE, person(1)}))
    made = draft(house, "operator", WANTED, facts, BLOCK)
    assert [(each.participant, str(each.reason)) for each in made.unpaid] == [
        (person(1), "the payout address can't be paid")
    ]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        pytest.param({"payer": "akash1nobody"}, "payer", id="payer is no address"),
        pytest.param({"payer": MODULE}, "payer", id="facts of another account"),
        pytest.param({"rate": "0"}, "rate", id="rate is nothing"),
        pytest.param({"rate": "-1"}, "rate", id="rate below nothing"),
        pytest.param({"rate": "1,5"}, "rate", id="rate with a comma"),
        pytest.param({"rate_source": "  "}, "rate_source", id="no source"),
        pytest.param({"rate_source": "x" * 201}, "rate_source", id="long source"),
        pytest.param({"rate_at": Moment(NOW + 1)}, "rate_at", id="rate of the future"),
        pytest.param({"minimum_micro": -1}, "minimum", id="minimum below nothing"),
    ],
)
def test_draft__terms_that_cannot_be__refused_with_the_field(
    house: House, changed: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        drafted(house, **changed)
    assert refused.value.field == field
    assert payouts(house).total == 0


def test_draft__unknown_task__not_found(house: House) -> None:
    with pytest.raises(NotFound, match="Its tasks are"):
        drafted(house, task="nothing")


@pytest.mark.parametrize(
    ("wanted", "block", "sizes"),
    [
        pytest.param({}, BLOCK, [200, 50], id="200 a batch"),
        pytest.param({"has_ledger": True}, BLOCK, [40] * 6 + [10], id="40 with a Ledger"),
        pytest.param({}, BlockLimits(22_020_096, 3_000_000), [95, 95, 60], id="fewer by gas"),
        pytest.param({}, BlockLimits(6_000, -1), [56] * 4 + [26], id="fewer by bytes"),
        pytest.param({"as_sends": True}, BlockLimits(22_020_096, 3_000_000), [55] * 4 + [30], id="sends need more"),
    ],
)
def test_draft__limits_of_blocks__batches_fit(
    tmp_path: Path, wanted: dict[str, Any], block: BlockLimits, sizes: list[int]
) -> None:
    house = make_house(tmp_path, [1] * 250)
    view = draft(house, "operator", replace(WANTED, **wanted), FACTS, block)
    assert [batch.size for batch in view.batches] == sizes
    assert [batch.name for batch in view.batches] == [f"p1-{number:04d}" for number in range(1, len(sizes) + 1)]


def test_draft__not_even_one_row_fits__refused(house: House) -> None:
    with pytest.raises(Conflict, match="not even one row fits"):
        draft(house, "operator", WANTED, FACTS, BlockLimits(100, -1))


def test_preview__poor_payer__warns(house: House) -> None:
    found = preview(house, WANTED, replace(FACTS, balance_uakt=120_000_000), BLOCK)
    assert len(found.warnings) == 1
    assert "fund it" in found.warnings[0]
    assert preview(house, WANTED, replace(FACTS, balance_uakt=120_000_000 + found.fee_uakt), BLOCK).warnings == ()


def test_discard__draft__lines_are_owed_again_and_a_new_number_comes_next(house: House) -> None:
    drafted(house)
    assert str(discard(house, "operator", 1).state) == "discarded"
    assert states(house)[person(0)] == [(10, "payable")]
    assert drafted(house).number == 2
    assert acts(house) == ["payout.plan", "payout.discard", "payout.plan"]


def test_discard__exported__refused(house: House) -> None:
    approved(house, drafted(house))
    export(house, "operator", 1, FACTS)
    with pytest.raises(Conflict, match="provably dead"):
        discard(house, "operator", 1)


def test_discard__unknown_number__says_which_there_are(house: House) -> None:
    with pytest.raises(NotFound, match="None is planned yet"):
        discard(house, "operator", 1)
    drafted(house)
    with pytest.raises(NotFound, match="There are 1 to 1"):
        discard(house, "operator", 2)


def die(house: House, number: int = 1) -> None:
    """Its exported batches are found dead."""

    def found(session: Any) -> None:
        for batch in payout(house, number).current:
            move(session, house.clock.now(), batch.id, Act.FIND_DEAD, "reconcile")

    house.ledger.transact(found)


def test_plan_again__dead_batch__same_rows_new_name_signed_anew(house: House) -> None:
    first = approved(house, drafted(house))
    export(house, "operator", 1, FACTS)
    die(house)
    assert state(house) == "dead"
    assert states(house)[person(0)] == [(10, "payable")]
    again = plan_again(house, "operator", 1)
    assert [(batch.name, str(batch.state)) for batch in again.batches] == [
        ("p1-0001", "dead"),
        ("p1-0001.2", "planned"),
    ]
    assert again.approvals == ()
    assert again.digest != first.digest
    approved(house, again)
    export(house, "operator", 1, replace(FACTS, height=50_000))
    with house.ledger.read() as session:
        old, new = (approved_batch(session, batch.id) for batch in payout(house, 1).batches)
        assert old.rows == new.rows
        assert old.memo != new.memo
        assert {row.batch for row in all_rows(session, payout(house, 1))} == {"p1-0001.2"}
    assert states(house)[person(0)] == [(10, "in payout")]


@pytest.mark.parametrize("change", ["planned elsewhere", "corrected", "withheld", "earned more"])
def test_plan_again__owed_changed_since__refused(house: House, change: str) -> None:
    approved(house, drafted(house))
    export(house, "operator", 1, FACTS)
    die(house)
    match change:
        case "planned elsewhere":
            drafted(house)
        case "corrected":
            earn(house, [(0, -1)])
        case "withheld":
            set_eligibility(house, "organizer", Entered(person(0), "withheld", "asks for papers"))
        case _:
            earn(house, [(0, 1)])
    with pytest.raises(Conflict, match=r"in payout 2 already|changed since"):
        plan_again(house, "operator", 1)


def test_plan_again__nothing_dead__refused(house: House) -> None:
    drafted(house)
    with pytest.raises(Conflict, match="is dead"):
        plan_again(house, "operator", 1)


def test_payer__is_paid_itself__left_out(house: House) -> None:
    assert PAYER not in {row.recipient for row in rows(house, drafted(house).number).items}
