"""Batches, their files, and the books that must balance."""

from __future__ import annotations

import csv
import hashlib
import io
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.payout.batches import BatchError, batch, batch_name, cut
from tasks.payout.double_entry import OutOfBalance, books, payout_book, total
from tasks.payout.lines import LineState
from tasks.payout.plan import PlanRow, plan
from tasks.payout.tables import harmless, human_csv, machine_csv
from tests.payout_lines import PAYER, line, payees, person, terms
from verifiers.payout.export import Fee, export
from verifiers.payout.gas import gas_limit
from verifiers.payout.recipients import refusals
from verifiers.payout.reconcile import ApprovedBatch, Search, State, conclude
from verifiers.payout.seen import Seen

REFUSED = refusals(PAYER, [])


def rows(count: int) -> list[PlanRow]:
    lines = [line(number, number, 1_000 + number) for number in range(count)]
    return list(plan(lines, payees(range(count)), terms(), REFUSED).rows)


@pytest.mark.parametrize(
    ("count", "most", "sizes"), [(1, 200, [1]), (200, 200, [200]), (401, 200, [200, 200, 1]), (41, 40, [40, 1])]
)
def test_cut__rows__batches_of_at_most_that_size(count: int, most: int, sizes: list[int]) -> None:
    given_rows = rows(count)
    batches = cut("falcon-7", 3, given_rows, most)
    assert [len(made.rows) for made in batches] == sizes
    assert [row for made in batches for row in made.rows] == given_rows
    assert [made.name for made in batches] == [batch_name(3, number) for number in range(1, len(sizes) + 1)]


def test_canonical__rows__are_the_machine_file_and_its_hash_is_in_the_memo() -> None:
    made = batch("falcon-7", "p3-0001", [PlanRow("x", person(1), 5, 7, (4, 9)), PlanRow("y", person(2), 5, 8, (12,))])
    expected = (
        "recipient,amount_uakt,denom,batch,award_ids\n"
        f'{person(1)},7,uakt,p3-0001,"4,9"\n'
        f"{person(2)},8,uakt,p3-0001,12\n"
    )
    assert made.canonical == expected.encode() == machine_csv([made])
    assert made.memo == f"waymark/1/falcon-7/p3-0001/{hashlib.sha256(expected.encode()).hexdigest()[:16]}"


def test_memo__any_row_changed__another_memo() -> None:
    given_rows = rows(3)
    changed = [
        given_rows,
        [given_rows[1], given_rows[0], given_rows[2]],
        given_rows[:2],
        [replace(given_rows[0], amount_uakt=1), *given_rows[1:]],
        [replace(given_rows[0], recipient=person(99)), *given_rows[1:]],
        [replace(given_rows[0], lines=(5,)), *given_rows[1:]],
    ]
    assert len({batch("falcon-7", "p1-0001", each).memo for each in changed}) == len(changed)


@pytest.mark.parametrize(
    ("campaign", "name", "row"),
    [
        ("Falcon", "p1-0001", PlanRow("x", person(1), 1, 1, (1,))),
        ("falcon", "p1/0001", PlanRow("x", person(1), 1, 1, (1,))),
        ("falcon", "-p1", PlanRow("x", person(1), 1, 1, (1,))),
        ("falcon", "p1-0001", PlanRow("x", "=cmd()", 1, 1, (1,))),
        ("falcon", "p1-0001", PlanRow("x", person(1), 1, 0, (1,))),
        ("falcon", "p1-0001", PlanRow("x", person(1), 1, 1, ())),
    ],
    ids=["campaign", "slash", "dash-first", "formula", "zero", "no-award"],
)
def test_batch__what_makes_none__refused(campaign: str, name: str, row: PlanRow) -> None:
    with pytest.raises(BatchError):
        batch(campaign, name, [row])


def test_cut__nothing_fits__refused() -> None:
    with pytest.raises(BatchError, match="fits a block"):
        cut("falcon-7", 1, rows(1), 0)


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_human_csv__name_that_is_a_formula__harmless(start: str) -> None:
    found = plan([line(1, 1, 10_000_000), line(2, 2, 5)], payees([1]), terms(), REFUSED)
    text = human_csv(found, cut("falcon-7", 1, found.rows, 200), {person(1): start, person(2): 'Ada, "the" tester'})
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read[1][1] == f"'{start}" == harmless(start)
    assert read[2][1] == 'Ada, "the" tester'
    assert read[2][6] == "no payout address confirmed"
    assert read[1][3:6] == ["10", "11.764705", "p1-0001"]


_amounts = st.lists(
    st.tuples(st.integers(0, 5), st.integers(-500, 900), st.sampled_from(LineState), st.sampled_from("oop")),
    max_size=30,
)


@given(_amounts)
def test_books__any_lines__balance(drawn: list[tuple[int, int, LineState, str]]) -> None:
    earned: dict[str, int] = {}
    owed, paid, live = [], [], []
    for number, (who, amount, state, where) in enumerate(drawn):
        earned[person(who)] = earned.get(person(who), 0) + amount
        row = PlanRow(person(who), person(who), amount, 1, (number,))
        if where == "p" and amount > 0:
            (paid if number % 2 else live).append(row)
        else:
            owed.append(line(number, who, amount, state=state))
    made = books(earned, owed, live, paid)
    for book in (*made.values(), total(made)):
        assert book.is_balanced
        assert min(book.paid, book.open, book.withheld, book.overpaid) >= 0
    assert total(made).earned == sum(earned.values())


def test_books__line_lost__said() -> None:
    with pytest.raises(OutOfBalance, match=person(1)):
        books({person(1): 5}, [line(1, 1, 4)], [], [])


def test_books__paid_then_corrected__overpaid() -> None:
    made = books({person(1): 30}, [line(2, 1, -10)], [], [PlanRow(person(1), person(1), 40, 40, (1,))])
    assert (made[person(1)].paid, made[person(1)].overpaid, made[person(1)].open) == (40, 10, 0)


def test_payout_book__batches_of_another_plan__out_of_balance() -> None:
    lines = [line(number, number, 1_000_000) for number in range(5)]
    found = plan(lines, payees(range(5)), terms(), REFUSED)
    one, two, three = cut("falcon-7", 1, found.rows, 2)
    assert payout_book(found, [one], [two], [three]).is_balanced
    with pytest.raises(OutOfBalance):
        payout_book(found, [one], [two], [two, three])


def test_plan_export_reconcile__ten_thousand_payees__in_bounded_time() -> None:
    people = range(10_000)
    lines = [line(2 * who + half, who, 1_000_003 + who * 7) for who in people for half in (0, 1)]
    known = payees(people)
    began = time.perf_counter()
    found = plan(lines, known, terms(), REFUSED)
    batches = cut("falcon-7", 1, found.rows, 200)
    files = [export(PAYER, made.transfers, made.memo, 5_000, Fee(1, gas_limit(len(made.rows)))) for made in batches]
    size = (
        sum(len(each.file) + len(each.body_bytes) for each in files)
        + len(machine_csv(batches))
        + len(human_csv(found, batches))
    )
    seen = [
        Seen(f"{number:064X}", 9, 0, "", "", None, made.memo, 5_000, 1, each.messages)
        for number, (made, each) in enumerate(zip(batches, files, strict=True))
    ]
    search = Search("payout-1", (5_001, 5_001), 1, 5_001)
    for number, made in enumerate(batches):
        asked = ApprovedBatch(made.transfers, made.memo, PAYER, "payout-1", 5, 5_000, {f"{number:064X}": 1})
        assert conclude(asked, seen, search).state is State.INCLUDED
    books({each: 2 * (1_000_003 + who * 7) for who, each in enumerate(known)}, [], found.rows, [])
    assert time.perf_counter() - began < 30  # 1.3 s on a quiet machine; the bound leaves room for a busy one
    assert len(files) == 50
    assert size > 2_000_000
    assert sum(made.total_uakt for made in batches) == found.total_uakt
