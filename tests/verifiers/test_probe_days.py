"""A day of probes: one byte for each slot, what each means, what seals it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.moment import SECOND, Moment
from verifiers.probes import (
    DAY,
    MOST_CAPACITIES,
    NOT_PROBED,
    TOO_MANY,
    ProbeDay,
    Standing,
    State,
    canonical,
    day_of,
    read_day,
)
from verifiers.trouble import Undecodable

OWNER = "akash1provider"
A100, MIXED = State.up({"nvidia/a100": 8}), State.up({"nvidia/a100": 7, "nvidia/t4": 2})

STATES = st.one_of(
    st.sampled_from([A100, MIXED, State.up({})]),
    st.sampled_from(["timeout", "refused", "rate_limited", "server_error", "bad_certificate", "made up"]).map(
        State.down
    ),
    st.sampled_from(["no_control", "own_network", "chain", "made up"]).map(State.unknown),
)


def test_day__five_minutes__has_288_bytes_and_all_are_not_probed() -> None:
    day = ProbeDay.empty(OWNER, 20_000, 300)
    assert len(day.slots) == 288
    assert day.state(17) == State(Standing.UNKNOWN, NOT_PROBED)


@pytest.mark.parametrize(("every", "count"), [(10, 8640), (300, 288), (1000, 87), (86_399, 2), (86_400, 1)])
def test_day__any_length_of_slots__covers_the_day_to_its_end(every: int, count: int) -> None:
    day = ProbeDay.empty(OWNER, 20_000, every)
    assert len(day.slots) == count
    assert day.span(count - 1)[1] == Moment(20_001 * DAY)
    assert day.slot_of(Moment(20_001 * DAY - 1)) == count - 1


@pytest.mark.parametrize("every", [0, 9, 86_401])
def test_day__impossible_length__is_refused(every: int) -> None:
    with pytest.raises(ValueError, match="ten seconds"):
        ProbeDay.empty(OWNER, 1, every)


@given(st.dictionaries(st.integers(0, 287), STATES, max_size=60))
def test_day__states_written_and_read_back__are_the_same(found: dict[int, State]) -> None:
    day = ProbeDay.empty(OWNER, 20_000, 300)
    for slot, state in found.items():
        day = day.with_state(slot, state)
    again = read_day(day.document())
    assert again == day
    assert again.digest == day.digest
    assert {slot: again.state(slot) for slot in found} == found


def test_day__slot_with_a_byte__keeps_it() -> None:
    day = ProbeDay.empty(OWNER, 1, 300).with_state(3, State.down("timeout"))
    assert day.with_state(3, A100) == day


def test_day__capacity_that_never_stays__becomes_unknown_and_never_another_one() -> None:
    day = ProbeDay.empty(OWNER, 1, 300)
    for slot in range(200):
        day = day.with_state(slot, State.up({"nvidia/a100": slot}))
    assert day.state(MOST_CAPACITIES - 1) == State.up({"nvidia/a100": MOST_CAPACITIES - 1})
    assert {day.state(slot).cause for slot in range(MOST_CAPACITIES, 200)} == {TOO_MANY}


def test_up__hostile_inventory__is_bounded() -> None:
    state = State.up({f"nvidia/{'x' * 500}{number}\n": 10**12 for number in range(1000)})
    assert len(state.capacity) <= 32
    assert all(len(label) < 400 and "\n" not in label for label, _ in state.capacity)
    assert len(canonical(dict(state.capacity))) < 10_000


def test_digest__one_byte_or_capacity_changed__is_another() -> None:
    day = ProbeDay.empty(OWNER, 1, 300).with_state(0, A100)
    others = [
        day.with_state(1, A100),
        ProbeDay.empty(OWNER, 1, 300).with_state(0, MIXED),
        ProbeDay.empty(OWNER, 2, 300).with_state(0, A100),
        ProbeDay.empty("akash1other", 1, 300).with_state(0, A100),
    ]
    assert len({day.digest, *(other.digest for other in others)}) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"slots": "AAAA"}, {"slots": "*"}, {"every_seconds": 0}, {"capacities": 3}, {"day": "x"},
        {"capacities": [{"a": "b"}]},
    ],
    ids=["too few slots", "no base64", "no length", "no list", "no day", "no count"],
)  # fmt: skip
def test_read_day__anything_else__is_refused(change: dict[str, object]) -> None:
    document = ProbeDay.empty(OWNER, 1, 300).document() | change
    with pytest.raises(Undecodable):
        read_day(document)


def test_day_of__midnight__belongs_to_the_day_that_begins() -> None:
    assert [day_of(Moment(5 * DAY + each)) for each in (-1, 0, SECOND)] == [4, 5, 5]
