"""An SDL written for others: its time, its place, its attributes, and what trouble means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tasks.moment import SECOND, Moment
from tests.codehost_double import FAULTS, CodeHostDouble, Fault
from tests.deployed_worlds import OWNER, PROVIDERS, World
from tests.nodes import StandingClock
from tests.submissions import SDL
from tests.submitted_worlds import (
    ALIKE,
    CLOSES,
    CODE,
    COPY,
    HASH,
    PATH,
    RECEIVED,
    REPOSITORY,
    UNLIKE,
    Change,
    Sources,
    chain,
    outcomes,
    params,
    pull,
    seen,
    setting,
    submitted,
    text,
    well,
)
from verifiers.codehost.client import CodeHost
from verifiers.deployed.params import App
from verifiers.evidence import Outcome, Source
from verifiers.http import Limits
from verifiers.kinds import sdl_submission
from verifiers.sdl.submission import reduce_submission

ALL = ["gpu", "images", "exposed", "signed_by", "deployed", "leased", "active", "pull_request", "author", "file",
       "novelty"]  # fmt: skip


@pytest.fixture
def double() -> Iterator[CodeHostDouble]:
    with CodeHostDouble() as running:
        yield running


def test_judge__everything_well__passes_at_the_receipt_and_names_every_check(double: CodeHostDouble) -> None:
    verdict = well(double).judged()
    assert [check.name for check in verdict.checks] == ALL
    assert verdict.outcome == Outcome.PASSED
    assert (verdict.at, verdict.height, verdict.tx_index) == (RECEIVED, None, None)
    assert verdict.attributes == {"gpu_model": "a100"}
    assert seen(verdict, "file") == PATH


def test_judge__no_pull_request_and_no_run_asked__judges_the_text_alone(double: CodeHostDouble) -> None:
    written = well(double)
    written.versions.clear()
    written.link = ""
    task = {"repositories": (), "own_run": False, "signed_by": "allowed"}
    entry = written.version(**task)
    assert entry.subject == HASH
    verdict = written.judged(submitted(subject=HASH), **task)
    assert [check.name for check in verdict.checks] == ["gpu", "images", "exposed", "novelty"]
    assert verdict.outcome == Outcome.PASSED
    assert not double.asked


@pytest.mark.parametrize(
    ("change", "task", "holds"),
    [
        (lambda w: chain(w, World(height=150).deploy(1, hash_hex=HASH).lease(1)), {}, True),
        (lambda w: None, {"state": "merged"}, True),
        (setting("earlier", [COPY]), {}, True),
        (lambda w: w.double.faults.append(Fault("", 500)), {}, True),
        (lambda w: w.chain.trouble("leases/list", "timeout"), {}, True),
        (lambda w: pull(w, body=""), {}, False),
        (lambda w: chain(w, World()), {}, False),
        (lambda w: chain(w, World().deploy(1, hash_hex=HASH)), {}, False),
    ],
    ids=["minutes", "merge", "review", "code host down", "node down", "no code", "not deployed", "no lease"],
)
def test_judge__open_checks__hold_the_place_where_the_author_has_done_everything(
    double: CodeHostDouble, change: Change, task: dict[str, object], holds: bool
) -> None:
    written = well(double)
    change(written)
    verdict = written.judged(**task)
    assert (verdict.holds_place, verdict.at) == (holds, RECEIVED if holds else None)


@pytest.mark.parametrize(
    ("facts", "seen_of_both", "told"),
    [
        ({}, ("no lease yet", "waits for the lease"), "Accept a bid"),
        (
            {"closes": CLOSES},
            ("no lease", "there is no lease"),
            "Before the close this was still to be done: Accept a bid",
        ),
    ],
    ids=["open", "over"],
)
def test_judge__no_lease__is_told_by_whether_one_can_still_come(
    double: CodeHostDouble, facts: dict[str, object], seen_of_both: tuple[str, str], told: str
) -> None:
    written = well(double)
    written.chain = World().deploy(1, hash_hex=HASH)
    verdict = written.judged(submitted(**facts))
    assert (seen(verdict, "leased"), seen(verdict, "active")) == seen_of_both
    assert [sentence[: len(told)] for sentence in verdict.missing] == [told]


def test_judge__newer_version__replaces_the_one_before(double: CodeHostDouble) -> None:
    written = well(double)
    pull(written, files={PATH: SDL.replace("16Gi", "32Gi").encode()})
    assert outcomes(written.judged())["file"] == "failed"
    later = Moment(RECEIVED + 60 * SECOND)
    written.version(SDL.replace("16Gi", "32Gi"), later)
    hashes = reduce_submission(SDL.replace("16Gi", "32Gi"))["hashes"]
    assert isinstance(hashes, list)
    written.chain = World().deploy(2, hash_hex=hashes[0]).lease(2)
    verdict = written.judged()
    assert (verdict.outcome, verdict.at) == (Outcome.PASSED, later)


def test_judge__merged_long_after_the_close__counts_from_the_receipt(double: CodeHostDouble) -> None:
    written = well(double)
    pull(written, state="closed", merged_at="2027-06-01T00:00:00Z")
    verdict = written.judged(submitted(closes=CLOSES), state="merged")
    assert (verdict.outcome, verdict.at) == (Outcome.PASSED, RECEIVED)


def test_judge__alike__names_what_and_how_much(double: CodeHostDouble) -> None:
    written = well(double)
    written.earlier = [ALIKE, UNLIKE]
    verdict = written.judged()
    assert "claim bbbbbbbbbbbb: 100 % of images, 100 % of structure shared" in seen(verdict, "review")
    observation = next(each for each in verdict.checks if each.name == "review").observations
    assert observation


def test_judge__app_of_the_catalogue__is_an_attribute(double: CodeHostDouble) -> None:
    written = well(double)
    written.apps = [App("llm", "An LLM", ("example/llm-server",), frozenset())]
    assert written.judged().attributes["app"] == "llm"


def test_judge__model_by_another_name__is_the_campaigns(double: CodeHostDouble) -> None:
    written = well(double)
    text(written, "[{model: a100}]", "[{model: '4090'}]")
    listed = ({"id": "rtx4090", "aliases": ("4090",), "gpu_class": "consumer", "vram_gib": 24},)
    assert written.judged(campaign_gpu_models=listed).attributes == {"gpu_model": "rtx4090"}
    assert written.judged().attributes == {"gpu_model": "4090"}


def test_judge__several_models__takes_the_one_offered(double: CodeHostDouble) -> None:
    written = well(double)
    text(written, "[{model: a100}]", "[{model: a100}, {model: t4}]")
    written.chain.leases.clear()
    written.chain.lease(1, offered=("t4",))
    assert written.judged().attributes == {"gpu_model": "t4"}


def test_judge__best_address_counts__unknown_before_absent(double: CodeHostDouble) -> None:
    written = well(double)
    written.chain = World().trouble("filters.owner=akash1two", "timeout")
    verdict = written.judged(submitted(addresses=(OWNER, "akash1two"), closes=CLOSES))
    assert verdict.outcome == Outcome.UNKNOWN
    written.chain.deploy(1, hash_hex=HASH).lease(1, PROVIDERS[0])
    verdict = written.judged(submitted(addresses=(OWNER, "akash1two"), closes=CLOSES))
    assert verdict.outcome == Outcome.PASSED


def test_judge__older_hash_at_the_leases_creation__counts(double: CodeHostDouble) -> None:
    written = well(double)
    written.chain = World().deploy(1).lease(1).was(1, 110, HASH)
    assert written.judged().outcome == Outcome.PASSED


def test_gather__same_file_by_its_name_in_git__asks_for_one_file(double: CodeHostDouble) -> None:
    written = well(double)
    others = {f"app{number}/deploy.yaml": b"no: sdl" for number in range(30)}
    pull(written, files={**others, "zzz/last.yaml": SDL.encode()})
    assert seen(written.judged(), "file") == "zzz/last.yaml"
    assert double.count("/contents/") == 1


def test_gather__observations__hold_no_text_of_the_pull_request(double: CodeHostDouble) -> None:
    written = well(double)
    pull(written, body=f"{CODE} <script>alert(1)</script> somebody's words")
    host = CodeHost(double.url, StandingClock(RECEIVED))
    found = sdl_submission.gather(submitted(), params(), Sources(written, host))
    host.close()
    bodies = [each.body for each in found if each.source == Source.CODEHOST]
    assert bodies
    assert not any(b"script" in body or b"words" in body for body in bodies)
    assert all(json.loads(body)["digest"] for body in bodies)
    assert sdl_submission.judge(submitted(), found, params(), written.chain.point).outcome == Outcome.PASSED


CALLS = {"pull": "/pulls/12", "repository": "/repos/net/apps", "files": "/files", "file": "/contents/"}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_judge__fault_of_the_code_host__is_unknown_and_never_failed(
    double: CodeHostDouble, call: str, fault: str
) -> None:
    written = well(double)
    trouble, how = FAULTS[fault]
    if trouble == "timeout":
        written.limits = Limits(deadline_seconds=0.3)
    faults = [replace(how, where=CALLS[call])]
    if call == "repository":
        faults.insert(0, Fault("/pulls/", 404, {}, b'{"message": "Not Found"}'))
    double.faults = faults
    verdict = written.judged(submitted(closes=CLOSES))
    assert verdict.outcome == Outcome.UNKNOWN, verdict.checks
    assert Outcome.FAILED not in {check.outcome for check in verdict.checks}
    assert verdict.holds_place
    double.faults.clear()
    written.limits = Limits(deadline_seconds=5)
    assert written.judged(submitted(closes=CLOSES)).outcome == Outcome.PASSED


@pytest.mark.parametrize("trouble", ["timeout", "pruned", "lagging", "disagree", "wrong_chain", "rate_limited"])
@pytest.mark.parametrize("request_part", ["deployments/list", "leases/list", "blocks/110", "blocks/"])
def test_judge__trouble_of_the_chain__is_never_failed(
    double: CodeHostDouble, request_part: str, trouble: str
) -> None:
    written = well(double)
    written.chain.trouble(request_part, trouble)
    verdict = written.judged(submitted(closes=CLOSES))
    assert verdict.outcome in (Outcome.UNKNOWN, Outcome.PASSED), verdict.checks
    assert REPOSITORY in seen(verdict, "pull_request") or seen(verdict, "pull_request") == "open"


def test_judge__code_missing_for_long__is_looked_at_less_often(double: CodeHostDouble) -> None:
    waits = []
    for height in (200, 2000, 4900):
        written = well(double, height)
        written.chain.leases.clear()
        written.chain.lease(1, created_at=60, closed_on=199)
        pull(written, body="")
        verdict = written.judged()
        assert verdict.next_look is not None
        waits.append((verdict.next_look - written.chain.time(height)) // SECOND)
    assert waits == [600, (2000 - 120) * 6 // 6, 600]
