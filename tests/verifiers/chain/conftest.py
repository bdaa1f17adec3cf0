"""Nodes on loopback and clients that ask them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tasks.moment import SECOND, Moment
from tests.nodes import BIRTH, Node, StandingClock, Stopwatch
from verifiers.chain.client import Chain
from verifiers.http import Limits


@pytest.fixture
def nodes() -> Iterator[Callable[..., Node]]:
    """Starts nodes, stops them after the test."""
    with ExitStack() as stack:
        yield lambda *args, **rest: stack.enter_context(Node(*args, **rest))


@pytest.fixture
def make() -> Iterator[Callable[..., Chain]]:
    """Makes clients of the nodes given, closes them after the test."""
    made: list[Chain] = []

    def build(*hosts: Node, **rest: object) -> Chain:
        urls = [host.url for host in hosts]
        watch = rest.pop("watch", None) or Stopwatch()
        clock = rest.pop("clock", None) or StandingClock(Moment(BIRTH + 600 * SECOND))
        rest.setdefault("limits", Limits(deadline_seconds=3))
        chain = Chain(urls, urls, clock, monotonic=watch.monotonic, sleep=watch.sleep, **rest)  # type: ignore[arg-type,attr-defined]
        made.append(chain)
        return chain

    yield build
    for chain in made:
        chain.close()
