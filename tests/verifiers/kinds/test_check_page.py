"""What docs/checks.md says of damaged records of ours; the demo's test holds the rest of it to the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tasks.moment import Moment, parse_moment
from tests.check_page import Cell, cell, damaged, shown, told
from tests.healthy_worlds import WORLDS, Healthy
from verifiers import deciding
from verifiers.evidence import ChainPoint, ClaimFacts, Observation, Outcome, Source
from verifiers.kinds import reviewed
from verifiers.reviewing import Act, Step

OURS = {Source.ENTERED, Source.COMPARISON}
TIME = parse_moment("2026-03-10T12:00:00Z")


def posted() -> Healthy:
    """A link that waits for a reviewer."""
    claim = ClaimFacts(
        id="c" * 32, campaign="spring", chain_id="chain", task="video", kind="reviewed", participant="akash1a",
        addresses=("akash1a",), subject="akash1a/1", fields={}, received_at=TIME,
        opens=TIME, closes=Moment(TIME + 10**15),
    )  # fmt: skip
    return Healthy(reviewed, claim, {"fields": (), "reviewers": 1}, [], ChainPoint("chain", 500, TIME))


def healthy() -> Mapping[str, Healthy]:
    """One claim of each kind."""
    return {"reviewed": posted(), **{kind: world(1000) for kind, world in WORLDS.items() if " " not in kind}}


def unknown(one: Healthy, seen: list[Observation]) -> Iterator[str]:
    verdict = deciding.judge(one.verifier, one.claim, seen, one.params, one.point)
    assert verdict.outcome != Outcome.FAILED
    yield from (check.name for check in verdict.checks if check.outcome == Outcome.UNKNOWN)


def with_damage() -> Iterator[Cell]:
    """What becomes unknown where something of ours is gone or can't be read, one after the other."""
    for kind, one in healthy().items():
        said = Step(one.claim.id, 1, Act.ACCEPT, TIME, "ann", "Good.", {}).observed()
        cases = [[*one.seen, replace(said, body=b'{"')]]
        for place, each in enumerate(one.seen):
            if each.source in OURS:
                before, after = one.seen[:place], one.seen[place + 1 :]
                cases += [[*before, *after], [*before, replace(each, body=b'{"'), *after]]
        yield from (cell(kind, name, Outcome.UNKNOWN) for seen in cases for name in unknown(one, list(seen)))


def test_page__records_of_ours_that_are_damaged__are_unknown_where_it_says_so() -> None:
    assert set(with_damage()) - shown() == damaged()


def test_page__healthy_claims__have_no_check_that_it_does_not_name() -> None:
    names = {(kind, check) for kind, check, _ in told()}
    for kind, one in healthy().items():
        verdict = deciding.judge(one.verifier, one.claim, one.seen, one.params, one.point)
        assert {(kind, check.name) for check in verdict.checks} <= names
