"""The local code host: pull requests as time passes, read by the platform's own client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from devnet.codehost import SECOND, CodeHost
from devnet.story.authors import PullTold
from tests.nodes import StandingClock
from tests.submissions import SDL
from verifiers.codehost import client
from verifiers.codehost.answers import read_file, read_files, read_pull
from verifiers.codehost.links import PullRequest
from verifiers.sdl import check

CODE = "waymark-abcdefgh234567ab"
TOLD = PullTold("net/apps", 90001, "Add an SDL", "akash1author", {"llm/deploy.yaml": SDL, "README.md": "# llm\n"})
PULLS = (
    TOLD,
    replace(TOLD, number=90002, code_of="", merged_at=200),
    replace(TOLD, number=90003, closed_at=200),
    replace(TOLD, number=90004, is_failing=True),
)


class Now:
    """A height that can be moved."""

    height = 100

    def nanoseconds(self) -> int:
        return self.height * 6 * SECOND


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def asked(now: Now) -> Iterator[client.CodeHost]:
    host = CodeHost(PULLS, {"akash1author": CODE}, lambda height: height * 6 * SECOND, now.nanoseconds)
    asking = client.CodeHost(host.url, StandingClock(now.nanoseconds()))  # type: ignore[arg-type]
    yield asking
    asking.close()
    host.close()


def named(number: int, repository: str = "net/apps") -> PullRequest:
    return PullRequest("github.com", repository, number)


def test_pull__own__carries_the_authors_code_and_the_sdl(asked: client.CodeHost) -> None:
    pull = read_pull(asked.pull(named(90001))[0].body)
    assert (pull.codes, pull.is_open) == ((CODE,), True)
    (page,) = asked.files(named(90001))
    assert [file.path for file in read_files(page.body)] == ["llm/deploy.yaml", "README.md"]
    found = read_file(asked.file(named(90001), "llm/deploy.yaml", pull.head).body)
    assert set(check(SDL).manifest_hashes) == found.hashes


def test_pull__merged_or_closed__is_so_from_its_height_on(asked: client.CodeHost, now: Now) -> None:
    def states() -> list[tuple[bool, bool]]:
        shown = [read_pull(asked.pull(named(number))[0].body) for number in (90002, 90003)]
        return [(pull.is_open, pull.merged_at is not None) for pull in shown]

    assert states() == [(True, False), (True, False)]
    now.height = 200
    assert states() == [(False, True), (False, False)]


def test_pull__unknown__is_clearly_absent_while_its_repository_is_there(asked: client.CodeHost) -> None:
    assert [seen.status for seen in asked.pull(named(90099))] == [404, 200]
    assert asked.pull(named(1, "net/other"))[-1].trouble == "repository_hidden"


def test_pull__failing__is_trouble(asked: client.CodeHost) -> None:
    assert asked.pull(named(90004))[0].trouble == "server_error"
