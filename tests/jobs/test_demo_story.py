"""The demo's story, played to its end: every reason for an award, every kind with every outcome, all by verdicts."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devnet.story.library import Story, story
from jobs.demo import DAY, open_demo
from services.clock import SystemClock
from tasks.moment import Moment
from tasks.rewards.lines import Reason
from tests.check_page import Cell, cell, shown

ROOT = Path(__file__).resolve().parents[2]
TOLD_BY = 403_200
CLOSED = 412_300
GIVE_UP_SECONDS = 280
BY_PEOPLE = {"grant", "withdrawn", "after_final"}
"""Reasons of lines that follow on what people decide once awards are there."""


@dataclass
class Played:
    """A demo that was played up to a height, and what it printed."""

    told: Story
    database: sqlite3.Connection
    printed: dict[str, Any]
    said: str

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.database.execute(sql).fetchall()

    def cells(self) -> set[Cell]:
        """Which check of which kind has which outcome in the verdicts that hold now."""
        held = "FROM claims c JOIN checks k ON k.verdict = c.verdict_id"
        return {cell(*row) for row in self.rows(f"SELECT DISTINCT c.kind, k.name, k.outcome {held}")}

    def outcomes(self) -> set[tuple[str, str]]:
        return set(self.rows("SELECT kind, outcome FROM claims"))

    def reasons(self) -> set[str]:
        return {reason for (reason,) in self.rows("SELECT reason FROM award_lines")}


def played(folder: Path, scale: str, height: int) -> Iterator[Played]:
    """Begun a day ago, so that the story's close lies behind us."""
    open_demo(folder, None, Moment(SystemClock().now() - DAY), fresh=False, scale=scale)
    command = [sys.executable, str(ROOT / "app.py"), "demo", "--dir", str(folder), "--until", str(height)]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=GIVE_UP_SECONDS, cwd=folder.parent
    )
    assert done.returncode == 0, done.stderr[-4000:]
    with closing(sqlite3.connect(folder / "waymark.db")) as database:
        told = story("gpu-testnet-2023", scale=scale)
        yield Played(told, database, json.loads(done.stdout), done.stderr)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Everybody of the story but the crowd, at the demo's first block."""
    yield from played(tmp_path_factory.mktemp("told") / "d", "small", TOLD_BY)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The tiny story after its close."""
    yield from played(tmp_path_factory.mktemp("closed") / "d", "tiny", CLOSED)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The whole story at the demo's first block."""
    yield from played(tmp_path_factory.mktemp("whole") / "d", "full", TOLD_BY)


def unexpected(played: Played, crowded: tuple[str, str] | None = None) -> list[str]:
    """What became of the claims that people judge, where it is not what the story expects.

    `crowded`: a task and the reason there that needs the crowd; a smaller story has "awarded" for it.
    """
    seen = {
        (participant, task, subject): outcome
        for participant, task, subject, outcome in played.rows(
            "SELECT participant, task, subject, outcome FROM claims"
        )
    }
    newest = {
        (participant, task, subject): reason
        for participant, task, subject, reason in played.rows(
            "SELECT c.participant, c.task, c.subject, l.reason FROM award_lines l JOIN claims c ON c.id = l.claim "
            "WHERE l.kind = 'claim' ORDER BY l.id"
        )
    }
    wrong = []
    for one in played.told.judged:
        key = one.participant, one.task, one.subject
        found = seen.get(key), newest.get(key, "")
        expected = one.verdict, "awarded" if (one.task, one.reason) == crowded else one.reason
        if found != expected:
            wrong.append(f"{one.name} {one.task}: {found}, expected {expected}")
    return wrong


def unexpected_facts(played: Played) -> list[str]:
    """The same of what the verifiers find out, people of the cast and authors; what was contested is left out."""
    wrong, contested = [], {one.name for one in played.told.judged if one.task in {"deploy", "sdl"}}
    outcomes = dict(played.rows("SELECT subject, outcome FROM claims WHERE task = 'deploy'"))
    sent = {
        (who, task): outcome
        for who, task, outcome in played.rows(
            "SELECT participant, task, outcome FROM claims WHERE kind = 'sdl_submission'"
        )
    }
    for one in played.told.expected:
        found = outcomes.get(f"{one.owner}/{one.app}", "none")
        if one.name not in contested and found != one.verdict:
            wrong.append(f"{one.name} {one.app}: {found}, expected {one.verdict}")
    for author in played.told.authors:
        found = sent.get((author.participant, author.task), "none")
        if author.name not in contested and found != author.verdict:
            wrong.append(f"{author.name}: {found}, expected {author.verdict}")
    return wrong


def unexpected_racks(played: Played) -> list[str]:
    """The same of GPUs in the made-up racks: verdict, and every check that is not passed."""
    wrong = []
    rows = played.rows("SELECT task, participant, subject, outcome, verdict_id FROM claims")
    claims = {row[:3]: row[3:] for row in rows}
    for one in played.told.racks:
        outcome, verdict = claims.get((one.task, one.participant, one.subject), ("none", 0))
        checks = played.rows(f"SELECT name, outcome FROM checks WHERE verdict = {verdict} AND outcome != 'passed'")
        if (outcome, dict(checks)) != (one.verdict, dict(one.not_passed)):
            wrong.append(
                f"{one.task} {one.subject}: {outcome} {dict(checks)}, expected {one.verdict} {one.not_passed}"
            )
    return wrong


@pytest.mark.timeout(600)
def test_story__at_the_first_block__every_check_of_every_kind_has_every_outcome(told: Played) -> None:
    """docs/checks.md names what can't be, with the reason."""
    assert shown() - told.cells() == set(), "the demo lacks these"
    assert told.cells() - shown() == set(), "the page lacks these"
    assert unexpected(told, crowded=("deploy", "slots_full")) == []
    assert unexpected_facts(told) == []
    assert unexpected_racks(told) == []
    assert len(told.told.racks) > 10


@pytest.mark.timeout(600)
def test_story__after_the_close__every_reason_occurs(closed: Played) -> None:
    assert closed.reasons() == {*map(str, Reason), *BY_PEOPLE, "pool", "bonus"}
    assert {line["reason"] for line in closed.printed["lines"]} == {*map(str, Reason), "after_final"}
    assert closed.printed["pools"]
    assert len(closed.printed["bonuses"]) == 3


def test_story__what_people_judge__ends_as_told(closed: Played) -> None:
    assert unexpected(closed) == []


def test_story__acts__are_refused_only_where_the_story_wants_it(closed: Played) -> None:
    refused = [line for line in closed.said.splitlines() if "somebody was told" in line]
    assert all("This SDL holds secrets" in line for line in refused), refused


def test_story__kinds__pass_and_fail_after_the_close(closed: Played) -> None:
    kinds = {"ai_deployment", "benchmark_run", "provider_onboarding", "reviewed"}
    assert closed.outcomes() >= {(kind, outcome) for kind in kinds for outcome in ("passed", "failed")}
    assert "made-up-newcomer" in {line["task"] for line in closed.printed["lines"]}, "a set is complete"


@pytest.mark.parametrize(
    ("table", "kinds"),
    [
        ("review_steps", {"accept", "needs_work", "answer", "reject", "reopen", "appeal_won"}),
        ("appeal_rulings", {"won", "lost", None}),
        ("eligibility_entries", {"withheld", "ineligible", "eligible"}),
        ("result_states", {"provisional", "final"}),
    ],
)
def test_story__people__do_everything_that_they_can(closed: Played, table: str, kinds: set[str | None]) -> None:
    said = {
        "review_steps": "SELECT act FROM review_steps",
        "appeal_rulings": "SELECT r.outcome FROM appeals a LEFT JOIN appeal_rulings r ON r.appeal = a.id",
        "eligibility_entries": "SELECT eligibility FROM eligibility_entries",
        "result_states": "SELECT state FROM result_states",
    }
    assert {value for (value,) in closed.rows(said[table])} == kinds


@pytest.mark.long
@pytest.mark.timeout(600)
def test_story__whole__every_kind_has_every_outcome(whole: Played) -> None:
    kinds = ("ai_deployment", "benchmark_run", "provider_onboarding", "sdl_submission")
    facts = {(kind, outcome) for kind in kinds for outcome in ("passed", "failed", "pending", "unknown")}
    people = {("reviewed", outcome) for outcome in ("passed", "failed", "pending")}
    assert whole.outcomes() == facts | people
    assert whole.cells() == shown()
    assert unexpected(whole) == []
    assert unexpected_facts(whole) == []
    assert unexpected_racks(whole) == []
    assert whole.reasons() == {*map(str, Reason), *BY_PEOPLE}
