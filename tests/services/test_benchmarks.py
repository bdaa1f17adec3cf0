"""Challenges, the interactive proof, results of runners and owners, the public data set."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.benchmarks import BenchmarkChallengeRow, BenchmarkRunRow
from ledger.claims import ClaimRow
from services import benchmark_data, benchmarks, claims
from services.benchmark_source import KeptBenchmarks
from services.errors import Conflict, NotAllowed, NotFound, Refused, TooMany
from services.house import House
from tasks.moment import Moment
from tests.benchmark_town import (
    CAMPAIGN,
    OTHER,
    PARTICIPANT,
    PROVIDER,
    STRANGER,
    accepted_run,
    enter,
    make,
    result_for,
)
from tests.benchmark_worlds import gpu
from tests.houses import later
from verifiers.benchmark.challenge import Challenge, is_genuine, runner_token, server_keys
from verifiers.benchmark.record import find_comparison, find_record
from verifiers.sdl import check


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make(tmp_path)
    yield made
    made.ledger.close()


def test_issue__registered_participant__gives_a_bound_challenge_and_a_valid_sdl(house: House) -> None:
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER, "H100")
    challenge = issued.challenge
    assert (challenge.participant, challenge.provider, challenge.campaign) == (
        PARTICIPANT.address,
        PROVIDER,
        "bench-test",
    )
    assert challenge.expires_at - challenge.issued_at == 7200 * 10**9
    assert is_genuine(server_keys([]), challenge)
    report = check(issued.sdl)
    assert report.valid
    assert not report.warnings
    assert report.gpu_models == ("h100",)
    assert challenge.id in issued.sdl
    with house.ledger.read() as session:
        row = session.get(BenchmarkChallengeRow, challenge.id)
    assert row is not None
    assert row.sdl_hashes == list(report.manifest_hashes)


def test_issue__another_key__is_not_genuine(house: House) -> None:
    challenge = benchmarks.issue(house, PARTICIPANT.address, PROVIDER).challenge
    assert not is_genuine(server_keys(["some other secret"]), challenge)


def test_issue__public_platform__names_it_in_the_sdl(tmp_path: Path) -> None:
    house = make(tmp_path, public_url="https://waymark.example", secret_keys=("a long random text",))
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    assert "WAYMARK_URL=https://waymark.example" in issued.sdl
    assert check(issued.sdl).valid
    assert "--url https://waymark.example" in issued.command
    house.ledger.close()


@pytest.mark.parametrize(
    ("provider", "model", "field"),
    [
        ("", None, "provider"),
        ("akash1nonsense", None, "provider"),
        (PROVIDER, "h100 }", "gpu_model"),
        (PROVIDER, "x" * 41, "gpu_model"),
        (PROVIDER, "a\nb", "gpu_model"),
    ],
)
def test_issue__something_wrong__names_the_field(house: House, provider: str, model: str | None, field: str) -> None:
    with pytest.raises(Refused) as refused:
        benchmarks.issue(house, PARTICIPANT.address, provider, model)
    assert refused.value.field == field


def test_issue__not_registered__is_refused(house: House) -> None:
    with pytest.raises(NotAllowed):
        benchmarks.issue(house, STRANGER.address, PROVIDER)


def test_issue__outside_the_time__is_a_conflict(house: House) -> None:
    with pytest.raises(Conflict):
        benchmarks.issue(later(house, 30 * 86400), PARTICIPANT.address, PROVIDER)


def test_issue__too_many_unused__waits(house: House) -> None:
    for number in range(benchmarks.MOST_OPEN):
        benchmarks.issue(later(house, number), PARTICIPANT.address, PROVIDER)
    with pytest.raises(TooMany):
        benchmarks.issue(later(house, 60), PARTICIPANT.address, PROVIDER)
    benchmarks.issue(later(house, 60), OTHER.address, PROVIDER)
    benchmarks.issue(later(house, 7300), PARTICIPANT.address, PROVIDER)


def test_issued__own_again__is_the_same_and_nobody_elses(house: House) -> None:
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    assert benchmarks.issued(later(house, 100), PARTICIPANT.address, issued.challenge.id) == issued
    with pytest.raises(NotFound):
        benchmarks.issued(house, OTHER.address, issued.challenge.id)


# ---- the interactive proof ----


def test_interactive__start_then_commit__measures_the_time_and_draws_afterwards(house: House) -> None:
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    name, token = issued.challenge.id, issued.token
    seed = benchmarks.start(later(house, 10), name, token, 4096)
    again = benchmarks.start(later(house, 20), name, token, 4096)
    assert seed != again
    draw = benchmarks.commit(later(house, 23), name, token, "ab" * 32)
    assert len(draw) == 64
    with house.ledger.read() as session:
        row = session.get(BenchmarkChallengeRow, name)
    assert row is not None
    assert (row.seed, row.root, row.draw, row.size) == (again, "ab" * 32, draw, 4096)
    assert row.started_ns is not None
    assert row.committed_ns is not None
    assert row.committed_ns - row.started_ns == 3 * 10**9
    with pytest.raises(Conflict):
        benchmarks.commit(later(house, 24), name, token, "cd" * 32)
    with pytest.raises(Conflict):
        benchmarks.start(later(house, 24), name, token, 4096)


def test_interactive__misuse__is_refused(house: House) -> None:
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    name, token = issued.challenge.id, issued.token
    with pytest.raises(NotAllowed):
        benchmarks.start(house, name, runner_token(b"another", name), 4096)
    with pytest.raises(NotAllowed):
        benchmarks.start(house, name, "é" * 10, 4096)
    with pytest.raises(NotFound):
        benchmarks.start(house, "00" * 16, token, 4096)
    with pytest.raises(Refused):
        benchmarks.start(house, name, token, 4095)
    with pytest.raises(Conflict):
        benchmarks.commit(house, name, token, "ab" * 32)
    with pytest.raises(Refused):
        benchmarks.commit(house, name, token, "AB" * 32)
    with pytest.raises(Conflict):
        benchmarks.start(later(house, 7200), name, token, 4096)


# ---- results ----


def test_submit__result_of_the_owner__becomes_a_claim_with_its_record(house: House) -> None:
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    name = issued.challenge.id
    made = enter(later(house, 60), PARTICIPANT, issued)
    kept = KeptBenchmarks(house).record(name)
    assert kept is not None
    record, _ = find_record([kept], name)
    assert record is not None
    assert record.challenge.genuine
    assert record.delivered_by == "owner"
    assert record.received - house.clock.now() == 60 * 10**9
    assert record.result.challenge == name
    with house.ledger.read() as session:
        run = session.get(BenchmarkRunRow, name)
    assert run is not None
    assert (run.claim, run.variant, run.gpu_model) == (made, "a100 sxm 80GB", "a100")


def test_submit__again__is_the_same_claim_and_the_first_result_stays(house: House) -> None:
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    first = enter(house, PARTICIPANT, issued)
    before = KeptBenchmarks(house).record(issued.challenge.id)
    assert enter(later(house, 9), PARTICIPANT, issued, took_seconds=1) == first
    assert KeptBenchmarks(house).record(issued.challenge.id) == before


def test_submit__challenge_used_in_another_task__is_refused(tmp_path: Path) -> None:
    second = CAMPAIGN[CAMPAIGN.index("  - slug: benchmark") :].replace("slug: benchmark", "slug: benchmark-again")
    house = make(tmp_path, campaign=CAMPAIGN + second)
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    enter(house, PARTICIPANT, issued)
    with pytest.raises(Refused) as refused:
        claims.submit(house, PARTICIPANT.address, "benchmark-again", {"challenge": issued.challenge.id})
    assert refused.value.field == "challenge"
    with house.ledger.read() as session:
        assert session.query(ClaimRow).count() == 1
    house.ledger.close()


def test_submit__challenge_of_somebody_else__names_the_field(house: House) -> None:
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    with pytest.raises(Refused) as refused:
        enter(house, OTHER, issued)
    assert refused.value.field == "challenge"


def test_submit__result_of_another_challenge__names_the_field(house: House) -> None:
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    text = json.dumps(result_for("ab" * 16))
    with pytest.raises(Refused) as refused:
        claims.submit(house, PARTICIPANT.address, "benchmark", {"challenge": issued.challenge.id, "result": text})
    assert refused.value.field == "result"


def test_deliver__by_the_runner__waits_for_its_owner(house: House) -> None:
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    name = issued.challenge.id
    with pytest.raises(Refused) as refused:
        claims.submit(house, PARTICIPANT.address, "benchmark", {"challenge": name})
    assert refused.value.field == "result"
    benchmarks.deliver(later(house, 30), name, issued.token, json.dumps(result_for(name)))
    with pytest.raises(Conflict):
        benchmarks.deliver(later(house, 31), name, issued.token, json.dumps(result_for(name)))
    assert KeptBenchmarks(house).record(name) is None
    claims.submit(later(house, 90), PARTICIPANT.address, "benchmark", {"challenge": name})
    kept = KeptBenchmarks(house).record(name)
    assert kept is not None
    record, _ = find_record([kept], name)
    assert record is not None
    assert record.delivered_by == "runner"
    assert record.received - house.clock.now() == 30 * 10**9


def test_submit__own_text__takes_the_place_of_what_was_posted(house: House) -> None:
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    name = issued.challenge.id
    benchmarks.deliver(house, name, issued.token, json.dumps(result_for(name, gpu=gpu("NVIDIA H100 PCIe", 80))))
    enter(later(house, 5), PARTICIPANT, issued)
    with house.ledger.read() as session:
        run = session.get(BenchmarkRunRow, name)
    assert run is not None
    assert (run.delivered_by, run.gpu_model) == ("owner", "a100")


# ---- comparison and data set ----


def test_comparison__accepted_runs_of_the_variant__give_medians(house: House) -> None:
    for number, took in enumerate((5_000_000, 6_000_000, 9_000_000)):
        accepted_run(later(house, number), OTHER, "NVIDIA A100-SXM4-80GB", 80, took)
    accepted_run(later(house, 7), OTHER, "NVIDIA A100-PCIE-40GB", 40, 1_000_000)
    issued = benchmarks.issue(later(house, 9), PARTICIPANT.address, PROVIDER)
    enter(later(house, 20), PARTICIPANT, issued)
    accepted_run(later(house, 30), OTHER, "NVIDIA A100-SXM4-80GB", 80, 100)
    seen = KeptBenchmarks(house).comparison(issued.challenge.id)
    assert seen is not None
    comparison, _ = find_comparison([seen], issued.challenge.id)
    assert comparison is not None
    assert comparison.variant == "a100 sxm 80GB"
    median = comparison.medians["hf_Bert fp16 batch=32"]
    assert (median.runs, median.milli_per_second) == (3, 32 * 10**12 // 6_000_000)


def test_comparison__same_numbers_of_another__are_named(house: House) -> None:
    first = accepted_run(house, OTHER, "NVIDIA A100-SXM4-80GB", 80)
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    enter(later(house, 1), PARTICIPANT, issued, gpu=gpu("NVIDIA H100 PCIe", 80))
    seen = KeptBenchmarks(house).comparison(issued.challenge.id)
    assert seen is not None
    comparison, _ = find_comparison([seen], issued.challenge.id)
    assert comparison is not None
    assert comparison.same_output == (first,)
    of_the_first = KeptBenchmarks(house).comparison(first)
    assert of_the_first is not None
    assert b'"same_output":[]' in of_the_first.body  # who copies can't cast doubt on the original


def test_comparison__own_earlier_run__is_no_copy(house: House) -> None:
    accepted_run(house, PARTICIPANT, "NVIDIA A100-SXM4-80GB", 80)
    issued = benchmarks.issue(later(house, 1), PARTICIPANT.address, PROVIDER)
    enter(house, PARTICIPANT, issued)
    seen = KeptBenchmarks(house).comparison(issued.challenge.id)
    assert seen is not None
    assert b'"same_output":[]' in seen.body


def test_data__accepted_runs_alone__are_public(house: House) -> None:
    accepted = accepted_run(house, OTHER, "NVIDIA A100-SXM4-80GB", 80)
    enter(house, PARTICIPANT, benchmarks.issue(house, PARTICIPANT.address, PROVIDER))
    page = benchmark_data.page(house, 1, 50)
    assert [each.run.challenge for each in page.items] == [accepted]
    assert page.total == 1


def test_csv__columns__are_those_of_the_dictionary(house: House) -> None:
    accepted_run(house, OTHER, "=HYPERLINK(1)", 80)
    rows = list(csv.DictReader(io.StringIO(benchmark_data.csv_text(house))))
    assert list(rows[0]) == list(benchmark_data.DICTIONARY)
    assert len(rows) == 9
    assert {row["gpu_name"] for row in rows} == {"'=HYPERLINK(1)"}
    bert = next(row for row in rows if row["test"] == "hf_Bert")
    assert bert["per_second"] == "5333.333"


def test_medians__variants__are_never_put_together(house: House) -> None:
    for number, (name, gib) in enumerate(
        [
            ("NVIDIA A100-SXM4-80GB", 80),
            ("NVIDIA A100-SXM4-40GB", 40),
            ("NVIDIA A100-PCIE-40GB", 40),
            ("NVIDIA  A100-PCIE-40GB ", 40),
        ]
    ):
        accepted_run(later(house, number), OTHER, name, gib)
    found = {(each.variant, each.runs) for each in benchmark_data.medians(house) if each.test == "resnet50"}
    assert found == {("a100 sxm 80GB", 1), ("a100 sxm 40GB", 1), ("a100 pcie 40GB", 2)}


def test_shipped__on_loopback__is_marked_in_the_record(house: House) -> None:
    now = house.clock.now()
    shipped = Challenge("5e" * 16, "bench-test", PARTICIPANT.address, PROVIDER, now, Moment(now + 10**12))
    benchmarks.keep_shipped(house, shipped)
    benchmarks.keep_shipped(house, shipped)
    text = json.dumps(result_for(shipped.id))
    claims.submit(house, PARTICIPANT.address, "benchmark", {"challenge": shipped.id, "result": text})
    kept = KeptBenchmarks(house).record(shipped.id)
    assert kept is not None
    record, _ = find_record([kept], shipped.id)
    assert record is not None
    assert (record.challenge.shipped, record.challenge.genuine) == (True, False)


def test_shipped__public_platform__takes_none(tmp_path: Path) -> None:
    house = make(tmp_path, public_url="https://waymark.example", secret_keys=("a long random text",))
    now = house.clock.now()
    shipped = Challenge("5e" * 16, "bench-test", PARTICIPANT.address, PROVIDER, now, Moment(now + 10**12))
    with pytest.raises(NotAllowed):
        benchmarks.keep_shipped(house, shipped)
    house.ledger.close()
