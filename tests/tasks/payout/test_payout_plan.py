"""Who is paid what of what is owed, and who is not and why."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.payout.lines import LineState, NotPaid, OwedLine, Payee
from tasks.payout.plan import Plan, plan
from tasks.rewards.money import NotWhole, parse_rate
from tests.payout_lines import MODULE, PAYER, line, payees, person, terms
from verifiers.payout.recipients import refusals

REFUSED = refusals(PAYER, [MODULE])
UNIT = 1_000_000


def made(lines: list[OwedLine], known: dict[str, Payee] | None = None, **given_terms: object) -> Plan:
    return plan(lines, payees(range(9)) if known is None else known, terms(**given_terms), REFUSED)  # type: ignore[arg-type]


def reasons(found: Plan) -> dict[str, NotPaid]:
    return {each.participant: each.reason for each in found.unpaid}


def test_plan__two_lines_of_one__one_row_with_both() -> None:
    found = made([line(1, 1, 40 * UNIT), line(2, 1, 2 * UNIT), line(3, 2, UNIT)], rate="2")
    assert {(row.participant, row.amount_micro, row.amount_uakt, row.lines) for row in found.rows} == {
        (person(1), 42 * UNIT, 21 * UNIT, (1, 2)),
        (person(2), UNIT, UNIT // 2, (3,)),
    }
    assert found.unpaid == ()


def test_plan__sums_that_do_not_divide__parts_sum_exactly_by_largest_remainder() -> None:
    found = made([line(number, number, 100) for number in range(3)], rate="3")
    assert found.total_uakt == 100
    assert sorted(row.amount_uakt for row in found.rows) == [33, 33, 34]
    first = min(found.rows, key=lambda row: row.participant)
    assert first.amount_uakt == 34


@pytest.mark.parametrize(
    ("lines", "given_terms", "expected"),
    [
        ([line(1, 1, 5, state=LineState.PROVISIONAL)], {}, NotPaid.NOT_FINAL),
        ([line(1, 1, 5, state=LineState.WITHHELD)], {}, NotPaid.WITHHELD),
        ([line(1, 1, 5), line(2, 1, -5)], {}, NotPaid.SET_OFF),
        ([line(1, 1, 40), line(2, 1, -60, task="other")], {"task": "deploy"}, NotPaid.SET_OFF),
        ([line(1, 1, 99)], {"minimum": 100}, NotPaid.BELOW_MINIMUM),
        ([line(1, 1, 1)], {"rate": "2"}, NotPaid.BELOW_ONE_UAKT),
        ([line(1, 77, 5)], {}, NotPaid.NO_ADDRESS),
    ],
    ids=["not-final", "withheld", "set-off", "set-off-elsewhere", "minimum", "dust", "no-address"],
)
def test_plan__not_to_be_paid__listed_with_its_reason(
    lines: list[OwedLine], given_terms: dict[str, object], expected: NotPaid
) -> None:
    found = made(lines, **given_terms)
    assert found.rows == ()
    assert set(reasons(found).values()) == {expected}
    assert [number for each in found.unpaid for number in each.lines] == [each.line for each in lines]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (PAYER, "paying account"),
        (MODULE, "module"),
        ("akash1notanaddress", "cannot occur"),
        (person(1).upper(), "lower case"),
        (f" {person(1)}", "white space"),
        ("cosmos1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqnrql8a", "akash1"),
        ("", "empty"),
    ],
    ids=["payer", "module", "no-bech32", "upper-case", "space", "other-prefix", "empty"],
)
def test_plan__address_that_fails_a_batch__left_out_with_what_is_wrong(address: str, said: str) -> None:
    found = made([line(1, 1, UNIT), line(2, 2, UNIT)], payees([2]) | {person(1): Payee(person(1), address)})
    assert [row.participant for row in found.rows] == [person(2)]
    assert reasons(found) == {person(1): NotPaid.REFUSED_ADDRESS}
    assert said in found.unpaid[0].detail


def test_plan__overpaid_elsewhere__set_off_against_this_task() -> None:
    lines = [line(1, 1, 40), line(2, 1, -10, task="other"), line(3, 1, 7, task="third")]
    found = made(lines, task="deploy", rate="1")
    assert [(row.amount_micro, row.amount_uakt, row.lines) for row in found.rows] == [(30, 30, (1, 2))]
    assert found.unpaid == ()


def test_plan__correction_before_payment__nets_inside_its_own_task_only() -> None:
    lines = [line(1, 1, 40), line(2, 1, 100, task="other"), line(3, 1, -30, task="other")]
    assert [row.lines for row in made(lines, task="deploy", rate="1").rows] == [(1,)]


def test_plan__other_participants_dust__shared_by_nobody() -> None:
    found = made([line(1, 1, 1000), line(2, 2, 1), line(3, 3, 1)], rate="2")
    assert [(row.participant, row.amount_uakt) for row in found.rows] == [(person(1), 500)]
    assert set(reasons(found).values()) == {NotPaid.BELOW_ONE_UAKT}


def test_plan__float_amount__refused() -> None:
    with pytest.raises(NotWhole):
        made([line(1, 1, 1.5)])  # type: ignore[arg-type]


def test_digest__anything_changed__another_digest() -> None:
    lines = [line(1, 1, UNIT), line(2, 2, UNIT)]
    found = {
        made(lines).digest(["a"]),
        made(lines).digest(["b"]),
        made(lines, rate="0.86").digest(["a"]),
        made(lines, minimum=1).digest(["a"]),
        made(lines[:1]).digest(["a"]),
        made([*lines, line(3, 1, 1)]).digest(["a"]),
        made(lines, payees([1])).digest(["a"]),
    }
    assert len(found) == 7
    assert made(list(reversed(lines))).digest(["a"]) == made(lines).digest(["a"])


_lines = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.integers(-3000, 9000),
        st.sampled_from(["deploy", "bench", None]),
        st.sampled_from(LineState),
    ),
    max_size=40,
)


@given(_lines, st.sampled_from(["0.85", "3", "0.000001", "123456.789"]), st.sampled_from(["deploy", None]))
def test_plan__any_lines__nothing_lost_and_exact(
    drawn: list[tuple[int, int, str | None, LineState]], rate: str, task: str | None
) -> None:
    lines = [line(place, who, amount, task=of, state=state) for place, (who, amount, of, state) in enumerate(drawn)]
    found = made(lines, payees(range(7)), rate=rate, task=task, minimum=50)
    amounts = {each.line: each.amount_micro for each in lines}
    numbers = [number for row in found.rows for number in row.lines] + [
        number for each in found.unpaid for number in each.lines
    ]
    assert len(numbers) == len(set(numbers))
    if task is None:
        assert sorted(numbers) == sorted(amounts)
    for row in found.rows:
        assert row.amount_uakt > 0
        assert row.amount_micro == sum(amounts[number] for number in row.lines) >= 50
        exact = Fraction(row.amount_micro) * Fraction(parse_rate(rate).denominator, parse_rate(rate).numerator)
        assert abs(row.amount_uakt - exact) < 2
    assert found.total_uakt == parse_rate(rate).uakt(found.total_micro)
    assert len({row.participant for row in found.rows}) == len(found.rows)
