"""The demo's probes of the days before it began: by the story's faults, beside what really was probed."""

from __future__ import annotations

from pathlib import Path

from commands.story_probes import probe_performances, told_day
from devnet.providers.faults import ProviderFault
from devnet.providers.hosted import GIB, Card, Hosted, Machine
from ledger.probes import keep_days, load_days
from services.clock import StoppedClock
from tasks.moment import SECOND, Moment
from tests.houses import NOON, make_house
from verifiers.evidence import ChainPoint
from verifiers.probes import ProbeDay, Standing, State, day_of

OWNER = "akash1host"
OPENS = Moment(NOON - 2 * 86_400 * SECOND)
CLOSES = 2 * 14_400 + 1
UP = State.up({"nvidia/a100": 2})


def block(height: int) -> ChainPoint:
    return ChainPoint("demo", height, Moment(OPENS + (height - 1) * 6 * SECOND))


def host(*faults: ProviderFault, shows: str = "") -> Hosted:
    machine = Machine("one", 32, 256 * GIB, (Card("a100", "80Gi"), Card("a100", "80Gi")))
    return Hosted(OWNER, "host.example", (machine,), shows=shows, faults=faults)


def share(hosted: Hosted, standing: Standing) -> float:
    day = told_day(hosted, day_of(NOON) - 1, OPENS, NOON)
    states = [day.state(slot).standing for slot in range(288)]
    return states.count(standing) / 288


def test_told_day__no_faults__is_up_with_its_cards() -> None:
    day = told_day(host(), day_of(NOON) - 1, OPENS, NOON)
    assert {day.state(slot) for slot in range(288)} == {UP}


def test_told_day__before_the_beginning_and_after_the_end__is_not_told() -> None:
    assert sum(map(bool, told_day(host(), day_of(OPENS), OPENS, NOON).slots)) == 144
    assert sum(map(bool, told_day(host(), day_of(NOON), OPENS, NOON).slots)) == 144


def test_told_day__faults__are_down_where_a_probe_meets_them() -> None:
    assert share(host(ProviderFault("refuse", every=600, lasts=60)), Standing.DOWN) == 2 / 12
    assert share(host(ProviderFault("no_kubernetes")), Standing.DOWN) == 0
    assert share(host(ProviderFault("status", api="rest", path="/version")), Standing.DOWN) == 0
    assert share(host(ProviderFault("status", api="rest")), Standing.DOWN) == 1
    assert share(host(ProviderFault("not_ready")), Standing.DOWN) == 1
    assert share(host(shows="akash1other"), Standing.DOWN) == 1


def test_performances__each_day__fills_gaps_and_keeps_what_was_probed(tmp_path: Path) -> None:
    house = make_house(tmp_path, campaign=None)
    real = ProbeDay.empty(OWNER, day_of(NOON) - 1, 300).with_state(7, State.down("timeout"))
    with house.ledger.write() as session:
        keep_days(session, [real])
    acts = probe_performances(house, block, [host()], CLOSES)
    assert [act.height for act in acts] == [1, 7181, 21581, 28781]
    for act in (*acts, *acts):
        act.run()
    with house.ledger.read() as session:
        days = [day for day, _ in load_days(session, OWNER, 0, 10**6)]
    assert [sum(map(bool, day.slots)) for day in days] == [144, 288, 144]
    assert len(days) == 3
    assert [days[1].state(slot) for slot in (6, 7, 8)] == [UP, State.down("timeout"), UP]


def test_performances__first__fills_all_up_to_now_before_anybody_is_judged(tmp_path: Path) -> None:
    house = make_house(tmp_path, campaign=None).at(StoppedClock(Moment(NOON - 86_400 * SECOND)))
    probe_performances(house, block, [host()], CLOSES)[0].run()
    with house.ledger.read() as session:
        days = [day for day, _ in load_days(session, OWNER, 0, 10**6)]
    assert [sum(map(bool, day.slots)) for day in days] == [144, 144]
