"""One probe over real sockets: what a short look at a host that was silent leads to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from services.house import House
from services.probe_looks import Certificates, LiveProber
from tests.houses import make_house
from tests.nodes import StandingClock
from tests.provider_double import NOW, OWNER, ProviderDouble, StubChain, made
from verifiers.evidence import Observation
from verifiers.guard import Guard
from verifiers.probes import Standing, State
from verifiers.provider.client import ProviderLimits, Providers

SHORT = ProviderLimits(look_seconds=3.0, question_seconds=1.0, connect_seconds=1.0)
FULL = ProviderLimits(look_seconds=60.0, question_seconds=30.0, connect_seconds=5.0)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made_one = make_house(tmp_path)
    yield made_one
    made_one.ledger.close()


@pytest.fixture
def double() -> Iterator[ProviderDouble]:
    with ProviderDouble() as one:
        yield one


class Unwanted(Providers):
    """Nobody is to be asked by it."""

    def look(self, *_: object, **__: object) -> Sequence[Observation]:  # type: ignore[override]
        raise AssertionError("a full look was taken")


def probed(house: House, double: ProviderDouble, full: type[Providers]) -> State:
    guard, clock = Guard(("127.0.0.0/8",)), StandingClock(NOW)
    brief, whole = Providers(clock, guard, limits=SHORT), full(clock, guard, limits=FULL)
    prober = LiveProber(house, Certificates(StubChain(made().row())), full=whole, brief=brief)
    state, _ = prober.probe(OWNER, double.host_uri, is_brief=True)
    return state


def test_short_look__provider_is_back_but_slow__has_the_time_that_everybody_has(
    house: House, double: ProviderDouble
) -> None:
    double.rest_fault = "slow_body"
    assert probed(house, double, Providers).standing is Standing.UP


def test_short_look__provider_is_back__is_enough(house: House, double: ProviderDouble) -> None:
    assert probed(house, double, Unwanted).standing is Standing.UP


def test_short_look__nobody_there__is_all_that_is_spent(house: House, double: ProviderDouble) -> None:
    double.rest_fault = double.grpc_fault = "silent"
    assert probed(house, double, Unwanted) == State.down("timeout")
    assert not double.asked
