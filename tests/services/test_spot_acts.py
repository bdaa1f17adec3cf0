"""Spot checks of past moments: held in their order, answered with a shipped result, the same however often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from ledger.benchmarks import BenchmarkChallengeRow
from ledger.claims import CheckRow
from ledger.spot_checks import SpotSeedRow
from services import spot_checks
from services.errors import NotAllowed
from services.house import House
from services.spot_acts import ANSWERED_AFTER, PastSpotChecks
from tasks.moment import Moment
from tests.onboarding_town import TownNode, verified
from tests.onboarding_worlds import PROVIDER
from tests.spot_town import CLOSES, MINUTE, Town, leased_at_once, moved, only, result_text, spot_town
from tests.spot_worlds import proofs
from verifiers.onboarding.draws import OPEN_FOR

KEY = SecretStr("a key that the shipped challenge is not made with")
WHOSE = ("onboard", PROVIDER, PROVIDER, "a100")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with spot_town(tmp_path) as world:
        yield world


def past(house: House) -> PastSpotChecks:
    challenge = str(proofs("two")["challenge"])
    return PastSpotChecks(house, {WHOSE: (challenge, result_text("two", ["GPU-a", "GPU-b"]))})


def at_the_close(house: House, node_: TownNode) -> tuple[House, Moment]:
    """A platform whose own challenges are others than the shipped one, at the close; since when time runs."""
    begins = house.clock.now()
    leased_at_once(node_)
    keyed = replace(house, settings=house.settings.model_copy(update={"secret_keys": (KEY,)}))
    past(keyed).commit(Moment(begins - MINUTE))
    return moved(keyed, node_, CLOSES), begins


def test_hold__past_moments__are_drawn_opened_and_answered_with_what_is_shipped(place: Town) -> None:
    now, begins = at_the_close(*place[:2])
    past(now).hold(begins, Moment(CLOSES - MINUTE))
    row = only(now)
    assert row.opens_ns == row.moment_ns >= begins
    with now.ledger.read() as session:
        (seed,) = session.query(SpotSeedRow)
        assert seed.made_ns == begins - MINUTE <= row.begins_ns
        (given,) = session.query(BenchmarkChallengeRow)
        assert (given.is_shipped, given.issued_ns) == (True, row.opens_ns + ANSWERED_AFTER)
    verdicts = [row.verdict_id for row in verified(now, place[1]).values()]
    with now.ledger.read() as session:
        found = session.query(CheckRow).filter(CheckRow.verdict.in_(verdicts), CheckRow.name == "spot_check_1")
        assert [check.outcome for check in found] == ["passed", "passed"]


def test_hold__again__changes_nothing(place: Town) -> None:
    now, begins = at_the_close(*place[:2])
    for _ in range(2):
        past(now).commit(Moment(begins - MINUTE))
        past(now).hold(begins, Moment(CLOSES - MINUTE))
    assert len(spot_checks.own(now, PROVIDER)) == 1
    assert len(spot_checks.own(now, PROVIDER)[0].given) == 1


def test_answer__after_a_stop_between_opening_and_answer__is_made_up_for(place: Town) -> None:
    now, begins = at_the_close(*place[:2])
    PastSpotChecks(now, {}).hold(begins, Moment(only_moment(now, begins) + MINUTE))
    assert not spot_checks.own(now, PROVIDER)[0].given
    past(now).answer(CLOSES)
    assert [each.entered for each in spot_checks.own(now, PROVIDER)[0].given] == [True]


def only_moment(now: House, begins: Moment) -> Moment:
    PastSpotChecks(now, {}).hold(begins, begins)
    return Moment(only(now).moment_ns)


def test_keep_shipped__on_a_platform_that_others_reach__is_refused(place: Town) -> None:
    now, begins = at_the_close(*place[:2])
    PastSpotChecks(now, {}).hold(begins, Moment(CLOSES - OPEN_FOR))
    public = now.settings.model_copy(update={"public_url": "https://waymark.example"})
    with pytest.raises(NotAllowed):
        spot_checks.keep_shipped(replace(now, settings=public), PROVIDER, only(now).id, "ab" * 16)
