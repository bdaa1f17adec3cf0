"""Whatever a code host answers, it is an answer or trouble, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tasks.moment import Moment
from tests.codehost_double import CodeHostDouble, Fault, PullDouble, sending
from tests.nodes import StandingClock
from verifiers.codehost import answers
from verifiers.codehost.client import CodeHost
from verifiers.codehost.links import PullRequest
from verifiers.trouble import Undecodable

PULL = PullRequest("github.com", "net/apps", 12)
REDUCTIONS = (answers.reduced_repository, answers.reduced_pull, answers.reduced_files, answers.reduced_file)
READERS = (answers.read_pull, answers.read_files, answers.read_file)
KEYS = [
    "full_name",
    "number",
    "state",
    "title",
    "body",
    "merged",
    "merged_at",
    "closed_at",
    "head",
    "sha",
    "base",
    "repo",
    "filename",
    "status",
    "path",
    "size",
    "type",
    "encoding",
    "content",
    "files",
    "hashes",
    "codes",
]
WORDS = ["open", "closed", "file", "base64", "2026-01-01T00:00:00Z", "a" * 40, "\ud800", "Zg==", "\u00b2", ""]

leaves = some.none() | some.booleans() | some.integers() | some.floats() | some.text() | some.sampled_from(WORDS)
documents = some.recursive(
    leaves,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.sampled_from(KEYS), inner, max_size=12),
    max_leaves=30,
)


@settings(max_examples=150, deadline=None)
@given(document=documents)
def test_answers__any_json__are_reduced_or_refused(document: object) -> None:
    body = json.dumps(document).encode()
    for work in (*REDUCTIONS, *READERS):
        try:
            work(body)
        except Undecodable:
            continue


@settings(max_examples=100, deadline=None)
@given(body=some.binary(max_size=200))
def test_answers__any_bytes__are_reduced_or_refused(body: bytes) -> None:
    for work in (*REDUCTIONS, *READERS):
        try:
            work(body)
        except Undecodable:
            continue


def test_answers__very_deep__is_refused() -> None:
    with pytest.raises(Undecodable):
        answers.reduced_pull(b"[" * 200_000)


@pytest.fixture
def double() -> Iterator[CodeHostDouble]:
    with CodeHostDouble() as running:
        running.add(PullDouble("net/apps", 12))
        yield running


HEADERS = [
    b'ETag: "one"\r\n two"',
    b'ETag: "' + b"x" * 5_000 + b'"',
    b"ETag: \xb2\xff",
    b"Retry-After: \xb2",
    b"X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: \xb2",
    b"X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: " + b"9" * 5_000,
    b"Date: nonsense\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 5",
]


@pytest.mark.parametrize("header", HEADERS, ids=[header[:40].decode("latin-1") for header in HEADERS])
@pytest.mark.parametrize("status", [200, 403, 429])
def test_headers__hostile__are_an_answer_or_trouble_twice_over(
    double: CodeHostDouble, header: bytes, status: int
) -> None:
    body = json.dumps(double.pulls["net/apps", 12].shown()).encode()
    head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%b\r\nContent-Length: %d\r\n\r\n"
    double.faults = [Fault("/pulls/", raw=sending(head % (status, header, len(body)) + body))]
    host = CodeHost(double.url, StandingClock(Moment(5)))
    for _ in range(2):
        seen = host.pull(PULL)[0]
        assert (seen.trouble is None) == (seen.status == 200)
    host.close()


def test_files__names_that_no_file_has__are_kept_as_text(double: CodeHostDouble) -> None:
    rows = [
        {"filename": name, "status": "added", "sha": "x"} for name in ("../../etc/passwd", "\ud800.yaml", "<b>.yml")
    ]
    double.faults = [Fault("/files", body=json.dumps(rows).encode())]
    host = CodeHost(double.url, StandingClock(Moment(5)))
    (page,) = host.files(PULL)
    names = [file.path for file in answers.read_files(page.body)]
    assert names == ["../../etc/passwd", "?.yaml", "<b>.yml"]
    for name in names:
        assert host.file(PULL, name, "a" * 40).trouble == "repository_hidden"
    host.close()
