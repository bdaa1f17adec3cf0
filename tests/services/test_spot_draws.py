"""Spot checks over a real provider and a real node: draw, opening, the run, the end, and what is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.benchmarks import BenchmarkChallengeRow
from ledger.chain import CursorRow
from ledger.claims import CheckRow, ClaimRow, VerdictRow
from ledger.probes import keep_days
from ledger.spot_checks import SpotCardRow, SpotCheckRow, SpotSeedRow
from services import benchmarks, spot_checks
from services.claims import submit
from services.errors import Conflict, NotFound, Refused
from services.house import House
from services.loading import load_campaign
from services.spot_draws import hold
from tasks.moment import SECOND, Moment, format_moment
from tests.houses import NOON
from tests.onboarding_town import TownNode, verified
from tests.onboarding_worlds import PROVIDER, TENANT, probed
from tests.provider_double import node
from tests.spot_town import (
    CLOSES,
    MINUTE,
    TEXT,
    UP,
    Town,
    drawn,
    keep_tip,
    leased_at_once,
    moved,
    only,
    opened,
    result_text,
    spot_town,
)
from tests.spot_worlds import proofs
from verifiers.onboarding.draws import OPEN_FOR, commitment_to, moment_of
from verifiers.probes import State
from verifiers.sdl import check as check_sdl


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    """Two claimed GPUs whose time has begun."""
    with spot_town(tmp_path) as world:
        yield world


def revised(excused: str) -> str:
    """The second revision, which excuses time."""
    change = 'change: {reason: "our fault", reaches_back: true, counts_from: 2026-11-01T00:00:00Z}\n'
    return TEXT.replace("revision: 1\n", f"revision: 2\n{change}").replace("tasks:\n", f"{excused}tasks:\n")


def said(house: House, rows: dict[str, ClaimRow]) -> dict[str, dict[str, str]]:
    """Outcome by check of each claim's newest verdict."""
    with house.ledger.read() as session:
        return {
            number: {check.name: check.outcome for check in session.query(CheckRow).filter_by(verdict=row.verdict_id)}
            for number, row in rows.items()
        }


def test_hold__time_has_begun__draws_from_a_block_after_the_commitment_and_tells_nobody(place: Town) -> None:
    house, node_, _ = place
    row = drawn(house, node_)
    with house.ledger.read() as session:
        seed = session.get_one(SpotSeedRow, ("small-test", "onboard"))
        checks = session.query(CheckRow).filter(CheckRow.name == "spot_check_1").count()
    assert (seed.commitment, seed.made_ns) == (commitment_to(seed.seed), NOON)
    assert row.moment_ns == moment_of(seed.seed, row.group, 1, row.drawn)
    assert NOON <= row.begins_ns <= row.moment_ns <= CLOSES - OPEN_FOR
    assert (row.state, row.opens_ns, checks) == ("drawn", None, 0)
    assert spot_checks.own(house, PROVIDER) == []
    with pytest.raises(NotFound):
        spot_checks.shown(house, PROVIDER, row.id)


def test_hold__again_and_at_once__draws_and_opens_once(place: Town) -> None:
    house, node_, _ = place
    keep_tip(house, node_)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hold, [house] * 4))
    row = only(house)
    later = moved(house, node_, row.moment_ns)
    with ThreadPoolExecutor(4) as pool:
        said_by = list(pool.map(hold, [later] * 4))
    assert sum(line.startswith("1 opened") for line in said_by) == 1
    assert only(house).moment_ns == row.moment_ns


def test_hold__before_the_moment__opens_nothing_at_the_moment_asks_for_every_claimed_gpu(place: Town) -> None:
    house, node_, _ = place
    row = drawn(house, node_)
    assert hold(moved(house, node_, row.moment_ns - MINUTE)) == "0 opened, 0 closed"
    later = moved(house, node_, row.moment_ns + MINUTE)
    hold(later)
    row = only(house)
    assert (row.state, row.gpus, row.opens_ns) == ("open", 2, later.clock.now())
    rows = verified(later, node_)
    assert [checks["spot_check_1"] for checks in said(later, rows).values()] == ["pending", "pending"]
    (seen,) = spot_checks.own(later, PROVIDER)
    assert (seen.gpus, seen.is_open, len(seen.claims)) == (2, True, 2)
    with pytest.raises(NotFound):
        spot_checks.shown(later, TENANT, seen.id)


def test_spot_check__run_in_one_container__passes_both_claims(place: Town) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    check = spot_checks.own(now, PROVIDER)[0]
    prepared = spot_checks.prepare(now, PROVIDER, check.id)
    report = check_sdl(prepared.sdl)
    assert (report.valid, report.gpu_units, report.gpu_models) == (True, 2, ("a100",))
    assert [each.challenge for each in prepared.check.given] == [proofs("two")["challenge"]]
    assert spot_checks.prepare(now, PROVIDER, check.id).sdl == prepared.sdl
    later = moved(now, node_, now.clock.now() + 60 * MINUTE)
    leased_at_once(node_)
    spot_checks.enter(later, PROVIDER, check.id, [result_text("two", ["GPU-a", "GPU-b"])])
    rows = verified(moved(later, node_, later.clock.now() + MINUTE), node_)
    assert [each["spot_check_1"] for each in said(later, rows).values()] == ["passed", "passed"]


@pytest.mark.parametrize(("earlier", "reviewed"), [(True, True), (False, False)], ids=["before", "afterwards"])
def test_spot_check__card_that_answered_for_other_gpus__a_person_looks_at_the_later_one(
    place: Town, earlier: bool, reviewed: bool
) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    check = spot_checks.prepare(now, PROVIDER, spot_checks.own(now, PROVIDER)[0].id).check
    later = moved(now, node_, now.clock.now() + 60 * MINUTE)
    leased_at_once(node_)
    at_ns = now.clock.now() if earlier else later.clock.now() + MINUTE
    with later.ledger.write() as session:
        session.add(SpotCardRow(campaign="small-test", card="GPU-b", spot_check="ab" * 16, received_ns=at_ns))
    spot_checks.enter(later, PROVIDER, check.id, [result_text("two", ["GPU-a", "GPU-b"])])
    rows = verified(moved(later, node_, later.clock.now() + MINUTE), node_)
    checks = said(later, rows)["2"]
    assert checks["spot_check_1"] == "passed"
    assert ("review" in checks) is reviewed


def test_spot_check__two_machines__two_containers_after_a_first_attempt_pass(place: Town) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    check = spot_checks.own(now, PROVIDER)[0]
    spot_checks.prepare(now, PROVIDER, check.id)
    prepared = spot_checks.prepare(now, PROVIDER, check.id, per_container=1)
    assert [each.gpus for each in prepared.check.newest] == [1, 1]
    assert check_sdl(prepared.sdl).gpu_units == 2
    later = moved(now, node_, now.clock.now() + 60 * MINUTE)
    leased_at_once(node_)
    texts = [result_text("first", ["GPU-a"]), result_text("second", ["GPU-b"])]
    spot_checks.enter(later, PROVIDER, check.id, texts)
    rows = verified(moved(later, node_, later.clock.now() + MINUTE), node_)
    assert [each["spot_check_1"] for each in said(later, rows).values()] == ["passed", "passed"]


def test_enter__posted_by_the_runner__is_confirmed_by_its_owner(place: Town) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    check = spot_checks.prepare(now, PROVIDER, spot_checks.own(now, PROVIDER)[0].id).check
    with pytest.raises(Refused, match="No runner has posted"):
        spot_checks.enter(now, PROVIDER, check.id, [])
    challenge = check.given[0].challenge
    from services.benchmark_records import keys_of
    from verifiers.benchmark.challenge import runner_token

    token = runner_token(keys_of(now)[0], challenge)
    benchmarks.deliver(now, challenge, token, result_text("two", ["GPU-a", "GPU-b"]))
    assert [each.posted for each in spot_checks.shown(now, PROVIDER, check.id).given] == [True]
    assert [each.entered for each in spot_checks.enter(now, PROVIDER, check.id, []).given] == [True]


@pytest.mark.parametrize(
    ("text", "said_to_be"),
    [
        ("{", "This is no result"),
        ("[]", "This is no result"),
        ('{"challenge": "' + "ab" * 16 + '"}', "no challenge of this spot check"),
    ],
)
def test_enter__no_result_of_this_check__is_refused(place: Town, text: str, said_to_be: str) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    check = spot_checks.own(now, PROVIDER)[0]
    spot_checks.prepare(now, PROVIDER, check.id)
    with pytest.raises(Refused, match=said_to_be):
        spot_checks.enter(now, PROVIDER, check.id, [text])


def test_enter__more_addresses_than_anybody_waits_for__is_refused(place: Town) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    check = spot_checks.prepare(now, PROVIDER, only(now).id).check
    with pytest.raises(Refused, match="at most 8 addresses"):
        spot_checks.enter(now, PROVIDER, check.id, ["https://gpu.example.org/result.json"] * 9)


def test_enter__address_that_is_not_the_providers__is_refused(place: Town) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    check = spot_checks.prepare(now, PROVIDER, only(now).id).check
    with pytest.raises(Refused, match="no address of this provider"):
        spot_checks.enter(now, PROVIDER, check.id, ["https://elsewhere.example.org/result.json"])


def test_challenge_of_a_spot_check__used_as_a_benchmark__is_none_of_its_owner(place: Town) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    check = spot_checks.prepare(now, PROVIDER, spot_checks.own(now, PROVIDER)[0].id).check
    assert benchmarks.own(now, PROVIDER) == []
    with pytest.raises(NotFound):
        benchmarks.issued(now, PROVIDER, check.given[0].challenge)


def _halted(house: House, node_: TownNode) -> House:
    with house.ledger.write() as session:
        cursor = session.get_one(CursorRow, "local-v2")
        cursor.tip_time_ns = cursor.time_ns = house.clock.now() - 20 * MINUTE
    return house


def _cut_off(house: House, node_: TownNode) -> House:
    settings = house.settings.model_copy(update={"control_probes": ("http://127.0.0.1:9",)})
    return House(**{**vars(house), "settings": settings})


@pytest.mark.parametrize("trouble", [_halted, _cut_off], ids=["chain halted", "our way out is closed"])
def test_hold__moment_comes_in_trouble_of_ours__is_moved(place: Town, trouble: object) -> None:
    house, node_, _ = place
    row = drawn(house, node_)
    troubled = trouble(moved(house, node_, row.moment_ns), node_)  # type: ignore[operator]
    assert "waits:" in hold(troubled)
    assert only(house).state == "drawn"
    better = moved(house, node_, row.moment_ns + 600 * MINUTE)
    hold(better)
    assert (only(house).state, only(house).opens_ns) == ("open", better.clock.now())


def test_hold__moment_in_excused_time__opens_after_it(place: Town) -> None:
    house, node_, _ = place
    row = drawn(house, node_)
    begins, ends = Moment(row.moment_ns - MINUTE), Moment(row.moment_ns + 90 * MINUTE)
    excused = f'excused: [{{from: {format_moment(begins)}, to: {format_moment(ends)}, reason: "a fault of ours"}}]\n'
    load_campaign(house, revised(excused), "tests")
    assert "this time is excused" in hold(moved(house, node_, row.moment_ns + MINUTE))
    assert only(house).state == "drawn"
    hold(moved(house, node_, ends))
    assert (only(house).state, only(house).opens_ns) == ("open", ends)


def test_hold__platform_was_down_until_less_than_a_day_is_left__is_missed_and_costs_nobody(place: Town) -> None:
    house, node_, _ = place
    drawn(house, node_)
    late = moved(house, node_, CLOSES - 60 * MINUTE)
    hold(late)
    assert only(house).state == "missed"
    rows = verified(late, node_)
    with late.ledger.write() as session:
        keep_days(session, probed(Moment(rows["1"].at_ns or 0), CLOSES, lambda _: UP))
    closed = moved(late, node_, CLOSES + MINUTE)
    rows = verified(closed, node_)
    assert {each["review"] for each in said(closed, rows).values()} == {"pending"}
    assert {row.holds_place for row in rows.values()} == {True}


@pytest.mark.parametrize(("known", "state"), [(True, "over"), (False, "open")], ids=["probed", "not probed"])
def test_hold__a_day_later__is_over_where_our_probes_know_the_time(place: Town, known: bool, state: str) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    opens = now.clock.now()
    if known:
        with now.ledger.write() as session:
            keep_days(session, probed(opens, Moment(opens + OPEN_FOR + 10 * MINUTE), lambda _: UP))
    later = moved(now, node_, opens + OPEN_FOR + 5 * MINUTE)
    hold(later)
    assert only(later).state == state
    if known:
        assert only(later).over_ns == opens + OPEN_FOR
        with pytest.raises(Conflict):
            spot_checks.enter(later, PROVIDER, only(later).id, ["{}"])


def test_hold__gpu_claimed_after_the_last_one__gets_one_of_its_own(place: Town) -> None:
    house, node_, double = place
    now = opened(house, node_)
    opens = now.clock.now()
    if CLOSES - opens < 3 * OPEN_FOR:
        pytest.fail("the draw of this world leaves time for a second one")
    with now.ledger.write() as session:
        keep_days(session, probed(opens, Moment(opens + OPEN_FOR + 10 * MINUTE), lambda _: UP))
    later = moved(now, node_, opens + OPEN_FOR + 10 * MINUTE)
    double.nodes = [node(gpus=[("a100", "80Gi")] * 3)]
    submit(later, PROVIDER, "onboard", {"provider": PROVIDER, "gpu_model": "a100", "count": "3"})
    rows = verified(later, node_)
    assert rows["3"].at_ns is not None
    hold(later)
    hold(moved(later, node_, later.clock.now() + MINUTE))
    with later.ledger.read() as session:
        second = session.query(SpotCheckRow).filter_by(number=2).one()
    assert (second.state, second.gpus, second.begins_ns) == ("drawn", 3, opens + OPEN_FOR)


def test_load__a_revision_excuses_the_time__failed_claims_are_judged_again(place: Town) -> None:
    house, node_, _ = place
    rows = verified(house, node_)
    begins = Moment(rows["1"].at_ns or 0)
    down = Moment(begins + 24 * 3600 * SECOND)
    with house.ledger.write() as session:
        keep_days(session, probed(begins, CLOSES, lambda moment: State.down("timeout") if moment < down else UP))
        session.query(SpotCheckRow).delete()
    closed = moved(house, node_, CLOSES + MINUTE)
    rows = verified(closed, node_)
    assert (rows["1"].outcome, rows["1"].settled) == ("failed", True)
    excused = 'excused: [{from: 2026-11-24T00:00:00Z, to: 2026-11-26T00:00:00Z, reason: "a fault of ours"}]\n'
    load_campaign(closed, revised(excused), "tests")
    rows = verified(closed, node_)
    checks = said(closed, rows)["1"]
    assert checks["uptime"] == "passed"
    assert rows["1"].outcome == "pending"  # no spot check could be held in this world: a person decides


def test_rows__of_these_tests__are_those_of_the_shipped_proofs(place: Town) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    spot_checks.prepare(now, PROVIDER, only(now).id)
    with now.ledger.read() as session:
        (row,) = session.query(BenchmarkChallengeRow)
        assert row.id == proofs("two")["challenge"]
        assert session.query(VerdictRow).count() > 0
