"""A claimed GPU over a real provider and a real node: entry, looks, probes, the close."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.chain import GroupRow, LeaseRow
from ledger.probes import ProbeChangeRow, ProbeDayRow
from ledger.verdicts import load_verdict
from services import campaigns, probing
from services.claims import candidates, find_claims, submit
from services.house import House
from services.verification import judge_params
from tasks.moment import SECOND, Moment, parse_moment
from tests.houses import NOON
from tests.onboarding_town import TownNode, at, town, verified
from tests.onboarding_worlds import PROVIDER, TENANT, probed
from tests.provider_double import ProviderDouble, node
from verifiers.deciding import judge
from verifiers.kinds import provider_onboarding
from verifiers.probes import State

CLOSES = parse_moment("2026-12-01T00:00:00Z")
FIELDS = {"provider": PROVIDER, "gpu_model": "a100", "count": "2"}
Town = tuple[House, TownNode, ProviderDouble]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as opened:
        yield opened


def _enter(house: House) -> None:
    submit(house, PROVIDER, "onboard", FIELDS)


def test_submit__two_gpus__makes_two_claims_and_again_gives_the_first(place: Town) -> None:
    house, node_, _ = place
    first = submit(house, PROVIDER, "onboard", FIELDS)
    more = submit(house, PROVIDER, "onboard", {**FIELDS, "count": "3"})
    again = submit(house, PROVIDER, "onboard", FIELDS)
    assert (first.is_new, more.is_new, again.is_new) == (True, True, False)
    assert again.claim == first.claim != more.claim
    assert sorted(verified(house, node_)) == ["1", "2", "3"]


def test_verify__one_gpu_shown_of_two__dates_the_first_and_waits_for_the_second(place: Town) -> None:
    house, node_, double = place
    _enter(house)
    rows = verified(house, node_)
    assert (rows["1"].height, rows["1"].holds_place, rows["1"].at_ns) == (500, True, node_.world.time(500))
    assert (rows["2"].at_ns, rows["2"].holds_place, rows["2"].outcome) == (None, False, "pending")
    double.nodes = [node(gpus=[("a100", "80Gi")] * 2)]
    later = at(house, node_, Moment(NOON + 900 * SECOND))
    rows = verified(later, node_)
    assert (rows["2"].height, rows["2"].at_ns) == (None, node_.world.time(node_.tip))
    assert rows["1"].height == 500


def test_probe__job__finds_the_provider_up_then_down_then_up(place: Town) -> None:
    house, node_, double = place
    _enter(house)
    verified(house, node_)
    found = []
    for slot, fault in enumerate(["", "503", "", "hang_up"]):
        double.rest_fault = fault
        now = at(house, node_, Moment(NOON + slot * 300 * SECOND))
        assert "1 of 1" in probing.probe(now)
        found.append(_state(now))
    assert [str(state.standing) for state in found] == ["up", "down", "up", "down"]
    assert [state.cause for state in found] == ["", "server_error", "", "tls"]
    assert found[0].capacity == (("nvidia/a100", 1),)


def test_probe__job__notes_the_chain_whose_record_it_asked(place: Town) -> None:
    house, node_, _ = place
    _enter(house)
    verified(house, node_)
    probing.probe(house)
    with house.ledger.read() as session:
        noted = {row.chain_id for kind in (ProbeDayRow, ProbeChangeRow) for row in session.query(kind)}
    assert noted == {"local-v2"}


def test_probe__chain_stands_still__provider_is_not_known_and_not_down(place: Town) -> None:
    house, node_, _ = place
    _enter(house)
    verified(house, node_)
    halted = house.at(type(house.clock)(Moment(NOON + 900 * SECOND)))
    probing.probe(halted)
    assert _state(halted) == State.unknown("chain")


def test_probe__our_line_is_cut__provider_is_not_known_and_not_down(place: Town) -> None:
    house, node_, double = place
    _enter(house)
    verified(house, node_)
    double.rest_fault = "hang_up"
    gone = house.settings.model_copy(update={"control_probes": ("http://127.0.0.1:9",)})
    cut = at(house, node_, NOON).__class__(**{**vars(house), "settings": gone})
    probing.probe(cut)
    assert _state(cut).standing == "unknown"


def _state(house: House) -> State:
    from tests.probing import state_now

    return state_now(house, PROVIDER)


def _close(house: House, node_: TownNode, rows: dict, found: State | None = None) -> House:
    from ledger.probes import keep_days

    up = State.up({"nvidia/a100": 1})
    days = probed(Moment(rows["1"].at_ns), CLOSES, lambda _: found or up)
    with house.ledger.write() as session:
        keep_days(session, days)
    return at(house, node_, Moment(CLOSES + 60 * SECOND))


@pytest.mark.parametrize(("found", "outcome"), [(None, "passed"), (State.down("timeout"), "failed")])
def test_close__days_of_probes__decide_and_the_provider_is_not_asked_again(
    place: Town, found: State | None, outcome: str
) -> None:
    house, node_, double = place
    submit(house, PROVIDER, "onboard", {**FIELDS, "count": "1"})
    rows = verified(house, node_)
    double.asked.clear()
    closed = _close(house, node_, rows, found)
    rows = verified(closed, node_)
    assert (rows["1"].outcome, rows["1"].settled) == (outcome, True)
    assert double.asked == []


def test_close__verdict_kept__is_what_its_own_observations_say_byte_for_byte(place: Town) -> None:
    house, node_, _ = place
    submit(house, PROVIDER, "onboard", {**FIELDS, "count": "1"})
    closed = _close(house, node_, verified(house, node_))
    row = verified(closed, node_)["1"]
    with house.ledger.read() as session:
        kept = load_verdict(session, row.verdict_id or 0)
    assert kept is not None
    verdict, observations = kept
    loaded = campaigns.required(house)
    from services.verification import claim_facts

    facts = claim_facts(closed, loaded, "local-v2", [row])[0]
    params = judge_params(loaded, loaded.task("onboard"))
    assert judge(provider_onboarding, facts, observations, params, verdict.as_of) == verdict


def _indexed(
    house: House, *, owner: str = TENANT, units: int = 2, model: str = "nvidia/a100", height: int = 500
) -> None:
    name = {"chain_id": "local-v2", "owner": owner, "dseq": 7, "gseq": 1}
    known = {"created_at": 500, "gpu_units": units, "read_height": 1000, "state": "active"}
    lease = {"oseq": 1, "provider": PROVIDER, "bseq": 0, "price": "1", "denom": "uact", "reason": ""}
    with house.ledger.write() as session:
        session.add(GroupRow(**name, **known, gpu_models=[model]))
        session.add(LeaseRow(**name, **known, **lease, closed_on=None))


def test_find__registered_tenant_leased_two__makes_two_claims_once(place: Town) -> None:
    house, node_, _ = place
    _indexed(house)
    assert find_claims(house) == "2 new claims"
    assert find_claims(house) == "0 new claims"
    rows = verified(house, node_)
    assert (rows["1"].found, rows["1"].height, rows["2"].at_ns) == (True, 500, None)


def test_find__tenant_leased_more_than_was_entered__tells_the_keeper_and_claims_nothing_more(place: Town) -> None:
    house, _, _ = place
    submit(house, PROVIDER, "onboard", {**FIELDS, "count": "1"})
    _indexed(house, units=3)
    assert find_claims(house) == "0 new claims"
    found = candidates(house, PROVIDER)
    assert [each.subject for each in found] == [f"{PROVIDER}/a100/{number}" for number in (2, 3)]
    assert "enter 3 to claim this one too" in found[1].needs
    submit(house, PROVIDER, "onboard", {**FIELDS, "count": "3"})
    assert candidates(house, PROVIDER) == []


@pytest.mark.parametrize(
    "index",
    [{"owner": "akash1nobody"}, {"model": "nvidia/rtx9999"}, {"model": "nvidia/*"}],
    ids=["tenant not registered", "model not listed", "any model"],
)
def test_find__lease_that_proves_nothing__makes_no_claim(place: Town, index: dict) -> None:
    house, _, _ = place
    _indexed(house, **index)
    assert find_claims(house) == "0 new claims"
