"""Rounds of probes: who is asked, what is kept, what a broken line or a killed round leaves."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from ledger.claims import ClaimRow
from ledger.observations import load_observations
from ledger.probes import ProbeChangeRow, ProbeDayRow, keep_days, load_days, open_days
from services import campaigns, probing
from services.house import House
from services.probe_controls import WayOut
from tasks.moment import SECOND, Moment
from tests.houses import NOON, later
from tests.probing import FIVE_MINUTES, UP, FakeProber, names, probing_house, run, state_now, today
from verifiers.probes import DAY, NO_CONTROL, ProbeDay, State, day_of

DOWN = State.down("timeout")
ONE, TWO, THREE = names(3)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return probing_house(tmp_path, [ONE, TWO, THREE])


def changes(house: House) -> list[ProbeChangeRow]:
    with house.ledger.read() as session:
        return list(session.scalars(select(ProbeChangeRow).order_by(ProbeChangeRow.at_ns, ProbeChangeRow.provider)))


def test_round__providers_with_live_claims__get_one_byte_each(house: House) -> None:
    prober = FakeProber({TWO: DOWN, THREE: State.unknown("chain")})
    run(house, prober)
    assert [state_now(house, name) for name in (ONE, TWO, THREE)] == [UP, DOWN, State.unknown("chain")]
    assert sum(byte > 0 for byte in today(house, ONE).slots) == 1


def test_round__same_slot_again__asks_nobody(house: House) -> None:
    run(house, FakeProber())
    again = FakeProber({ONE: DOWN})
    run(later(house, 60), again)
    assert again.asked == []
    assert state_now(house, ONE) == UP


CLOSED, NEAR, OPEN = WayOut
SILENCE = [State.down(cause) for cause in ("timeout", "name_unknown", "refused", "bad_certificate")]


@pytest.mark.parametrize(
    "controls", [[CLOSED], [OPEN, CLOSED], [CLOSED, CLOSED], [NEAR, CLOSED]], ids=["before", "after", "both", "near"]
)
def test_round__control_probes_fail__nobody_is_down(house: House, controls: list[WayOut]) -> None:
    run(house, FakeProber({TWO: DOWN, THREE: State.unknown("own_network")}, controls=controls))
    assert state_now(house, TWO) == State.unknown(NO_CONTROL)
    assert state_now(house, THREE) == State.unknown("own_network")
    assert state_now(house, ONE) == UP


@pytest.mark.parametrize("silence", SILENCE, ids=lambda state: state.cause)
def test_round__only_our_own_network_answers_and_no_provider__nobody_is_down(house: House, silence: State) -> None:
    said = run(house, FakeProber(dict.fromkeys((ONE, TWO, THREE), silence), control=NEAR))
    assert {state_now(house, name) for name in (ONE, TWO, THREE)} == {State.unknown(NO_CONTROL)}
    assert [row.cause for row in changes(house)] == [NO_CONTROL] * 3
    assert "WAYMARK_CONTROL_PROBES" in said


@pytest.mark.parametrize(
    "answer",
    [UP, *(State.down(cause) for cause in ("server_error", "not_ready", "rate_limited", "undecodable"))],
    ids=lambda state: state.cause or "up",
)
def test_round__only_our_own_network_answers_and_one_provider__silent_ones_are_down(
    house: House, answer: State
) -> None:
    run(house, FakeProber({ONE: DOWN, TWO: DOWN, THREE: answer}, control=NEAR))
    assert [state_now(house, name) for name in (ONE, TWO, THREE)] == [DOWN, DOWN, answer]
    assert len(changes(house)) == 3


def test_round__only_our_own_network_answers__two_silent_ones_are_no_sign(tmp_path: Path) -> None:
    house = probing_house(tmp_path, [ONE, TWO])
    run(house, FakeProber(dict.fromkeys((ONE, TWO), DOWN), control=NEAR))
    assert {state_now(house, name) for name in (ONE, TWO)} == {DOWN}


def test_round__providers_of_our_own_network__are_controlled_by_it_and_prove_nothing(tmp_path: Path) -> None:
    near, out = names(5)[:2], names(5)[2:]
    house = probing_house(tmp_path, [*near, *out])
    run(house, FakeProber(dict.fromkeys((near[0], *out), DOWN), control=NEAR, near=frozenset(near)))
    assert [state_now(house, name) for name in near] == [DOWN, UP]
    assert {state_now(house, name) for name in out} == {State.unknown(NO_CONTROL)}


def test_round__all_providers_in_our_own_network__needs_no_public_target(house: House) -> None:
    everybody = (ONE, TWO, THREE)
    said = run(house, FakeProber(dict.fromkeys(everybody, DOWN), control=NEAR, near=frozenset(everybody)))
    assert {state_now(house, name) for name in everybody} == {DOWN}
    assert "WAYMARK_CONTROL_PROBES" not in said


def test_round__many_silent_ones_before_the_first_answer__are_down_once_each(tmp_path: Path) -> None:
    providers = names(200)
    house = probing_house(tmp_path, providers)
    lonely = FakeProber(dict.fromkeys(providers, DOWN), control=NEAR)
    lonely.states[_asked_last(house)] = UP
    assert "200 of 200" in run(house, lonely)
    found = [state_now(house, name) for name in providers]
    assert (found.count(DOWN), found.count(UP)) == (199, 1)
    assert len(changes(house)) == 200


def _asked_last(house: House) -> str:
    loaded = campaigns.required(house)
    slot = probing.slot_at(probing.onboarding_tasks(loaded), house.clock.now())
    return probing._in_turn(probing.due_targets(house, loaded, slot), slot, 0.0)[-1][1].provider


def test_round__way_out_is_lost_while_it_runs__silent_ones_before_it_are_not_down(tmp_path: Path) -> None:
    providers = names(probing.KEEP_AT_ONCE * 2)
    house = probing_house(tmp_path, providers)
    run(house, FakeProber(dict.fromkeys(providers, DOWN), controls=[NEAR, NEAR, CLOSED]))
    found = [state_now(house, name) for name in providers]
    assert set(found) == {State.unknown(NO_CONTROL)}


@pytest.mark.parametrize(
    "values",
    [{"settled": True}, {"at_ns": None}, {"at_ns": NOON + 1}, {"task": "another"}, {"outcome": "failed"}],
    ids=["decided", "not passed", "counts later", "another task", "began too late"],
)
def test_targets__claim_that_needs_no_probe__is_not_asked(house: House, values: dict) -> None:
    with house.ledger.write() as session:
        session.execute(update(ClaimRow).where(ClaimRow.id == ONE).values(**values))
    prober = FakeProber()
    run(house, prober)
    assert sorted(name for name, _ in prober.asked) == [TWO, THREE]


def test_targets__task_closed__nobody_is_asked(house: House) -> None:
    prober = FakeProber()
    run(later(house, 7 * 86_400), prober)
    assert prober.asked == []


def test_round__no_record_in_the_index__is_ours(house: House) -> None:
    loaded = campaigns.required(house)
    slot = probing.slot_at(probing.onboarding_tasks(loaded), house.clock.now())
    probing.run_round(house, FakeProber(), slot, [probing.Target(ONE, None)])
    assert state_now(house, ONE) == State.unknown("no_record")


def test_round__slot_is_over__the_rest_is_left_to_the_next(house: House) -> None:
    loaded, now = campaigns.required(house), house.clock.now()
    slot = probing.Slot(day_of(now), 300, 144, now)
    prober = FakeProber()
    probing.run_round(house, prober, slot, [probing.Target(ONE, "https://one.example")])
    assert prober.asked == []
    assert today_or_none(house, ONE, loaded) is None


def today_or_none(house: House, provider: str, _: object) -> ProbeDay | None:
    with house.ledger.read() as session:
        found = load_days(session, provider, 0, 10**6)
    return found[0][0] if found else None


def test_round__killed_in_the_middle__keeps_what_it_had_and_the_next_goes_on(tmp_path: Path) -> None:
    providers = names(200)
    house = probing_house(tmp_path, providers)
    with pytest.raises(KeyboardInterrupt):
        run(house, FakeProber(dict.fromkeys(providers, DOWN), look_seconds=0.01, stops_after=150))
    kept = [name for name in providers if any(today(house, name).slots)]
    assert 0 < len(kept) <= 150
    rest = FakeProber()
    run(later(house, 30), rest)
    assert sorted(name for name, _ in rest.asked) == sorted(set(providers) - set(kept))
    assert {state_now(house, name) for name in kept} == {DOWN}


def test_changes__first_probe_and_each_change__are_kept_with_what_was_seen(house: House) -> None:
    fewer = State.up({"nvidia/a100": 0})
    for slot, state in enumerate([UP, UP, fewer, fewer, DOWN, DOWN, UP]):
        run(later(house, slot * 300), FakeProber({ONE: state}))
    mine = [row for row in changes(house) if row.provider == ONE]
    assert [(row.standing, row.cause) for row in mine] == [("up", ""), ("up", ""), ("down", "timeout"), ("up", "")]
    with house.ledger.read() as session:
        assert all(load_observations(session, row.observations) for row in mine)
    assert len([row for row in changes(house) if row.provider == TWO]) == 1


def test_changes__state_that_flaps_all_day__stores_a_bounded_number_of_observations(house: House) -> None:
    for slot in range(60):
        state = State.up({"nvidia/a100": slot})
        run(later(house, slot * 300), FakeProber({ONE: state}))
    mine = [row for row in changes(house) if row.provider == ONE]
    assert len(mine) == 60
    assert sum(bool(row.observations) for row in mine) == probing.MOST_STORED


def test_back_off__silent_for_three_slots__gets_a_short_look_and_a_byte(house: House) -> None:
    brief = []
    for slot in range(14):
        prober = FakeProber({ONE: DOWN, TWO: State.down("server_error")})
        moment = later(house, slot * 300)
        run(moment, prober)
        brief.append(dict(prober.asked)[ONE])
        assert state_now(moment, ONE) == DOWN
        assert dict(prober.asked)[TWO] is False
    assert brief[:4] == [False, False, False, True]
    assert brief.count(False) == 3 + sum(1 for slot in range(3, 14) if (144 + slot) % probing.FULL_EVERY == 0)


def test_seal__day_over__is_sealed_and_takes_no_more_bytes(house: House) -> None:
    run(house, FakeProber())
    before = today(house, ONE)
    next_day = later(house, 12 * 3600 + 301)
    assert probing.seal_days(next_day, campaigns.required(house)) == 3
    with house.ledger.write() as session:
        keep_days(session, [before.with_state(200, DOWN)])
    with house.ledger.read() as session:
        row = session.get(ProbeDayRow, (ONE, day_of(NOON)))
        assert row is not None
        assert (row.sealed, row.digest) == (True, bytes.fromhex(before.digest))
        assert load_days(session, ONE, 0, 10**6) == [(before, True)]
    assert probing.seal_days(next_day, campaigns.required(house)) == 0


def test_seal__just_after_midnight__waits_for_a_round_that_began_before(house: House) -> None:
    run(house, FakeProber())
    assert probing.seal_days(later(house, 12 * 3600 + 200), campaigns.required(house)) == 0


def test_seal__last_task_closed__seals_the_day_that_still_runs(house: House) -> None:
    almost = later(house, 6 * 86_400 + 12 * 3600 - 300)
    run(almost, FakeProber())
    closed = house.at(later(house, 6 * 86_400 + 12 * 3600).clock)
    assert probing.seal_days(closed, campaigns.required(house)) == 3


def test_jitter__order__is_another_in_each_slot_and_the_same_for_the_same(tmp_path: Path) -> None:
    targets = [probing.Target(name, "https://x.example") for name in names(40)]
    orders = [
        [target.provider for _, target in probing._in_turn(targets, probing.Slot(1, 300, slot, Moment(0)), 15.0)]
        for slot in (1, 1, 2)
    ]
    assert orders[0] == orders[1] != orders[2]
    spread = [due for due, _ in probing._in_turn(targets, probing.Slot(1, 300, 1, Moment(0)), 15.0)]
    assert min(spread) < 2 < 13 < max(spread) < 15


def test_round__500_providers_a_tenth_hanging__stays_far_below_a_minute(tmp_path: Path) -> None:
    providers = names(500)
    # a tenth of the real deadline, so a tenth of a minute
    prober = FakeProber(hanging=frozenset(providers[::10]), hang_seconds=1.0, look_seconds=0.01)
    house = probing_house(tmp_path, providers)
    began = time.monotonic()
    run(house, prober)
    assert time.monotonic() - began < 15  # 2.3 s on a quiet machine
    assert [state_now(house, name) for name in providers[:2]] == [DOWN, UP]
    assert len(prober.asked) == 500


def test_size__500_providers_for_30_days__about_four_megabytes(tmp_path: Path) -> None:
    house = probing_house(tmp_path, [])
    chance = random.Random(4)
    first = day_of(NOON)
    empty = _size(house)
    addresses = [f"akash1{hashlib.sha256(name.encode()).hexdigest()[:38]}" for name in names(500)]
    for number in range(30):
        days = [_lively(name, first + number, chance) for name in addresses]
        for start in range(0, 500, 250):
            with house.ledger.write() as session:
                keep_days(session, days[start : start + 250])
        for start in range(0, 500, 250):
            with house.ledger.write() as session:
                keep_days(session, days[start : start + 250], sealed=True)
    assert _size(house) - empty < 4_600_000


def _lively(provider: str, number: int, chance: random.Random) -> ProbeDay:
    """A day with outages and capacities that come and go, more than a real one has."""
    slots = bytearray([128]) * 288
    for _ in range(chance.randrange(6)):
        begin, byte = chance.randrange(288), chance.choice([1, 2, 9, 64, 129, 0])
        for slot in range(begin, min(288, begin + chance.randrange(1, 40))):
            slots[slot] = byte
    capacities = ((("nvidia/a100", 8),), (("nvidia/a100", 7),))
    return ProbeDay(provider, number, 300, bytes(slots), capacities)


def _size(house: House) -> int:
    with house.ledger.write() as session:
        session.connection().exec_driver_sql("SELECT 1")
    path = house.ledger.url.database or ""
    with house.ledger.read() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        size = session.connection().exec_driver_sql("PRAGMA page_size").scalar_one()
    assert Path(path).exists()
    return int(pages) * int(size)


def test_slot__campaign_asks_for_another_length__is_kept_for_the_day(house: House) -> None:
    assert probing.slot_at([], Moment(NOON)).every_seconds == probing.DEFAULT_EVERY_SECONDS
    slot = probing.slot_at([], Moment(NOON + 299 * SECOND))
    assert (slot.number, slot.ends) == (144, Moment(NOON + FIVE_MINUTES))
    last = probing.slot_at([], Moment(NOON + DAY // 2 - 1))
    assert (last.number, last.ends) == (287, Moment(NOON + DAY // 2))


CHILD = """
import sys
from pathlib import Path
from tests.houses import reopened
from tests.probing import FakeProber, run
run(reopened(Path(sys.argv[1])), FakeProber(look_seconds=0.4))
"""


def test_round__killed_for_real__the_next_goes_on_and_no_byte_is_lost(tmp_path: Path) -> None:
    providers = names(150)
    house = probing_house(tmp_path, providers)
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], cwd=Path(__file__).parents[2])
    kept: list[str] = []
    while not kept and child.poll() is None:
        time.sleep(0.02)
        kept = [name for name in providers if any(today(house, name).slots)] if changes(house) else []
    child.kill()
    child.wait()
    kept = [name for name in providers if any(today(house, name).slots)]
    assert 0 < len(kept) < 150
    rest = FakeProber()
    run(later(house, 30), rest)
    assert sorted(name for name, _ in rest.asked) == sorted(set(providers) - set(kept))
    assert len(changes(house)) == 150


def test_days__probed_for_another_chain__say_nothing_of_this_one(tmp_path: Path) -> None:
    house = probing_house(tmp_path, [ONE])
    day = day_of(NOON)
    with house.ledger.write() as session:
        begun = open_days(session, [ONE], day, 300, "chain-1")[ONE]
        keep_days(session, [begun.with_state(0, DOWN)])
        assert open_days(session, [ONE], day, 300, "chain-2") == {}
        assert load_days(session, ONE, day, day, "chain-2") == []
        assert [kept.state(0) for kept, _ in load_days(session, ONE, day, day, "chain-1")] == [DOWN]
