"""Asking a code host: reduced answers, caches, limits, and every way of failing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tasks.moment import Moment
from tests.codehost_double import FAULTS, HEAD, CodeHostDouble, Fault, PullDouble
from tests.nodes import StandingClock, Stopwatch
from tests.submissions import SDL
from verifiers.codehost.answers import read_file, read_files, read_pull
from verifiers.codehost.client import CodeHost
from verifiers.codehost.links import PullRequest
from verifiers.evidence import Source
from verifiers.http import Limits

PULL = PullRequest("github.com", "net/apps", 12)
CODE = "waymark-abcdefgh234567ab"
USED_UP = {"x-ratelimit-remaining": "0"}
SHORT = Limits(deadline_seconds=0.3)


@pytest.fixture
def double() -> Iterator[CodeHostDouble]:
    with CodeHostDouble() as running:
        running.add(
            PullDouble("net/apps", 12, f"A model.\n\n{CODE.upper()}", files={"llm/deploy.yaml": b"version: x"})
        )
        yield running


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def host(double: CodeHostDouble, watch: Stopwatch) -> Iterator[CodeHost]:
    made = CodeHost(
        double.url, StandingClock(Moment(5)), limits=Limits(deadline_seconds=5), monotonic=watch.monotonic
    )
    yield made
    made.close()


def test_pull__there__is_reduced_with_the_digest_of_the_original(host: CodeHost) -> None:
    (seen,) = host.pull(PULL)
    assert (seen.source, seen.status, seen.trouble) == (Source.CODEHOST, 200, None)
    assert seen.request == "GET /repos/net/apps/pulls/12"
    pull = read_pull(seen.body)
    assert (pull.number, pull.is_open, pull.merged_at, pull.head, pull.codes) == (12, True, None, HEAD, (CODE,))
    document = json.loads(seen.body)
    assert len(document["digest"]) == 64
    assert b"somebody" not in seen.body, "names of people are left out"
    assert b"A model" not in seen.body, "the text is left out"


def test_pull__absent__shows_the_repository_too(host: CodeHost) -> None:
    absent, repository = host.pull(replace(PULL, number=99))
    assert (absent.status, absent.trouble) == (404, None)
    assert (repository.status, json.loads(repository.body)["full_name"]) == (200, "net/apps")


def test_pull__repository_absent__is_trouble_and_no_answer(host: CodeHost) -> None:
    _, repository = host.pull(replace(PULL, repository="net/moved"))
    assert repository.trouble == "repository_hidden"


def test_pull__host_not_served__asks_nobody(host: CodeHost, double: CodeHostDouble) -> None:
    (seen,) = host.pull(replace(PULL, host="git.example"))
    assert seen.trouble == "not_connected"
    assert not double.asked


def test_files__many__come_page_by_page(host: CodeHost, double: CodeHostDouble) -> None:
    double.pulls["net/apps", 12].files = {f"f{number}.yaml": b"" for number in range(230)}
    pages = host.files(PULL)
    assert [len(read_files(page.body)) for page in pages] == [100, 100, 30]
    assert pages[0].request == "GET /repos/net/apps/pulls/12/files?page=1&per_page=100"


def test_files__second_page_fails__ends_with_the_trouble(host: CodeHost, double: CodeHostDouble) -> None:
    double.pulls["net/apps", 12].files = {f"f{number}.yaml": b"" for number in range(230)}
    double.faults.append(Fault("page=2", 500))
    assert [page.trouble for page in host.files(PULL)] == [None, "server_error"]


def test_file__sdl_or_not__is_read_as_hashes(host: CodeHost, double: CodeHostDouble) -> None:
    double.pulls["net/apps", 12].files = {
        "a b/ä.yaml": SDL.encode(),
        "no.yaml": b"hello: you",
        "big.yaml": b"x" * 70_000,
    }
    assert len(read_file(host.file(PULL, "a b/ä.yaml", HEAD).body).hashes) >= 1
    assert read_file(host.file(PULL, "no.yaml", HEAD).body).hashes == frozenset()
    assert read_file(host.file(PULL, "big.yaml", HEAD).body).hashes == frozenset()


def test_file__asked_again__is_known_for_good(host: CodeHost, double: CodeHostDouble) -> None:
    first, second = (host.file(PULL, "llm/deploy.yaml", HEAD) for _ in range(2))
    assert first.id == second.id
    assert double.count("/contents/") == 1


def test_pull__unchanged__is_asked_with_its_etag(host: CodeHost, double: CodeHostDouble) -> None:
    first = host.pull(PULL)[0]
    second = host.pull(PULL)[0]
    assert first.id == second.id
    assert double.asked[1][1]["If-None-Match"].startswith('"')
    double.pulls["net/apps", 12].state = "closed"
    assert not read_pull(host.pull(PULL)[0].body).is_open


def test_token__given__goes_to_the_host_and_into_no_observation(double: CodeHostDouble) -> None:
    host = CodeHost(double.url, StandingClock(Moment(5)), token="s3cret-token")
    seen = host.pull(PULL)[0]
    host.close()
    assert double.asked[0][1]["Authorization"] == "Bearer s3cret-token"
    assert "s3cret" not in repr(seen)


@pytest.mark.parametrize(
    ("headers", "status", "waits"),
    [
        ({"retry-after": "30"}, 429, 30),
        ({"retry-after": "999999"}, 429, 3600),
        ({}, 429, 60),
        ({**USED_UP, "x-ratelimit-reset": "1000000120", "date": "Sun, 09 Sep 2001 01:46:40 GMT"}, 403, 120),
        ({**USED_UP, "x-ratelimit-reset": "nonsense"}, 403, 60),
    ],
    ids=["retry-after", "bounded", "no word", "reset by their clock", "nonsense"],
)  # fmt: skip
def test_limit__reached__asks_nothing_until_it_is_over(
    host: CodeHost, double: CodeHostDouble, watch: Stopwatch, headers: dict[str, str], status: int, waits: int
) -> None:
    double.faults.append(Fault("/pulls/", status, headers, b"{}"))
    assert host.pull(PULL)[0].trouble == "rate_limited"
    double.faults.clear()
    watch.seconds += waits - 1
    assert host.pull(PULL)[0].trouble == "rate_limited"
    assert len(double.asked) == 1
    watch.seconds += 2
    assert host.pull(PULL)[0].trouble is None


def test_limit__used_up_by_an_answer__that_answer_counts_and_the_next_waits(
    host: CodeHost, double: CodeHostDouble
) -> None:
    double.headers = {"x-ratelimit-remaining": "0", "retry-after": "10"}
    assert host.pull(PULL)[0].trouble is None
    assert host.files(PULL)[0].trouble == "rate_limited"


CALLS = ("pull", "repository", "files", "file")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_call__with_fault__is_trouble_and_never_an_answer(double: CodeHostDouble, call: str, fault: str) -> None:
    trouble, how = FAULTS[fault]
    where = {"pull": "/pulls/12", "repository": "/repos/net/apps", "files": "/files", "file": "/contents/"}[call]
    deadline = SHORT if trouble == "timeout" else Limits(deadline_seconds=5)
    host = CodeHost(double.url, StandingClock(Moment(5)), limits=deadline)
    if call == "repository":
        # the pull request is clearly absent: only the repository is asked with the fault
        double.faults = [Fault("/pulls/", 404, {}, b'{"message": "Not Found"}'), replace(how, where=where)]
        seen = host.pull(PULL)[-1]
    else:
        double.faults = [replace(how, where=where)]
        seen = {
            "pull": lambda: host.pull(PULL)[0],
            "files": lambda: host.files(PULL)[-1],
            "file": lambda: host.file(PULL, "llm/deploy.yaml", HEAD),
        }[call]()
    host.close()
    assert (seen.trouble, seen.status, seen.body) == (trouble, None, b"")
    assert not any("169.254" in path for path, _ in double.asked)
