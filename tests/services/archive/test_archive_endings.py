"""Awards after eligibility, published and final results, grants and revisions: the archive explains them all."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.archive.report import Report
from services.archive.verify import verify_archive
from services.eligibility import Entered, set_eligibility
from services.ending import finalize, publish_results
from services.errors import UseCaseError
from services.grants import Grant, grant, take_back
from services.house import House
from services.loading import load_campaign
from services.rewards import compute_awards
from tests.archives import changed, exported, on_lines, unpacked
from tests.endings import ANN, BOB, CAMPAIGN, CID, DOT, EVE, at, claimed, decide, make_house

ACTOR = "an organizer"
PUBLISHED = "2026-12-03T00:00:00Z"
OVER = "2026-12-05T00:00:00Z"
PEOPLE = (ANN, BOB, CID, DOT, EVE)
ABOUT_AWARDS = ("award", "totals", "eligibility", "results")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = at(make_house(tmp_path), PUBLISHED)
    yield made
    made.ledger.close()


def about_awards(report: Report) -> list[str]:
    """What differs, but for the claims, which tests/endings.py puts in by hand."""
    return [str(finding) for finding in report.differences if finding.place.startswith(ABOUT_AWARDS)]


def final_deploy(house: House) -> House:
    for number, person in enumerate((ANN, BOB, CID)):
        claimed(house, person, "deploy", 10 + number)
    publish_results(house, ACTOR, "deploy")
    later = at(house, OVER)
    finalize(later, ACTOR, "deploy")
    return later


def ineligible_before(house: House) -> House:
    claimed(house, ANN, "deploy", 1)
    set_eligibility(house, ACTOR, Entered(ANN, "ineligible", "two people, one person"))
    claimed(house, BOB, "deploy", 2)
    return house


def withheld(house: House) -> House:
    claimed(house, ANN, "video", 1)
    set_eligibility(house, ACTOR, Entered(ANN, "withheld", "who is this"))
    return house


def ineligible_and_back_after_final(house: House) -> House:
    later = final_deploy(house)
    set_eligibility(later, ACTOR, Entered(ANN, "ineligible", "two people, one person"))
    compute_awards(later)
    set_eligibility(later, ACTOR, Entered(ANN, "eligible", "it was a mistake"))
    return later


def passes_after_final(house: House) -> House:
    late = claimed(house, DOT, "deploy", 1, "failed")
    later = final_deploy(house)
    decide(later, late, "passed")
    return later


def falls_after_final(house: House) -> House:
    claim = claimed(house, DOT, "deploy", 1)
    later = final_deploy(house)
    decide(later, claim, "failed")
    return later


def excepted_passes_after_final(house: House) -> House:
    held = claimed(house, DOT, "deploy", 1, "pending", holds=True)
    claimed(house, ANN, "deploy", 10)
    publish_results(house, ACTOR, "deploy", {held: "its node is away"})
    later = at(house, OVER)
    finalize(later, ACTOR, "deploy")
    decide(later, held, "passed")
    return later


def all_final(house: House) -> House:
    for number, person in enumerate((ANN, BOB, CID)):
        claimed(house, person, "deploy", 10 + number)
        claimed(house, person, "video", 20 + number)
    publish_results(house, ACTOR)
    later = at(house, OVER)
    finalize(later, ACTOR)
    set_eligibility(later, ACTOR, Entered(BOB, "ineligible", "found out late"))
    return later


def set_with_a_held_part(house: House) -> House:
    claimed(house, ANN, "deploy", 1)
    claimed(house, ANN, "video", 2, "pending", holds=True)
    return house


def granted_and_taken_back(house: House) -> House:
    claim = claimed(house, ANN, "video", 1, "failed")
    given = grant(house, Grant(ANN, 5_000_000, "an appeal won late", ("Ada", "Ben"), claim))
    grant(house, Grant(BOB, 7_000_000, "goodwill", ("Ada", "Ben")))
    take_back(house, given.key, "a mistake", ("Ada", "Ben"))
    return house


def revised(house: House) -> House:
    claimed(house, ANN, "video", 1)
    compute_awards(house)
    text = CAMPAIGN.replace("revision: 1", "revision: 2\nchange: {reason: more, reaches_back: true}")
    load_campaign(house, text.replace("amount: 20", "amount: 30"), ACTOR)
    return house


SCENES: list[Callable[[House], House]] = [
    ineligible_before, withheld, ineligible_and_back_after_final, passes_after_final, falls_after_final,
    excepted_passes_after_final, all_final, set_with_a_held_part, granted_and_taken_back, revised,
]  # fmt: skip


@pytest.mark.parametrize("scene", SCENES, ids=[scene.__name__ for scene in SCENES])
def test_verify__scene__every_award_is_worked_again(
    house: House, tmp_path: Path, scene: Callable[[House], House]
) -> None:
    report = verify_archive(exported(scene(house), tmp_path / "x.tar.zst"))
    assert about_awards(report) == []
    assert report.counts["award lines"] > 0
    assert report.counts["completions worked again"] > 0 or scene is granted_and_taken_back


@pytest.mark.parametrize("seed", range(6))
def test_verify__any_season__every_award_is_worked_again(house: House, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    claims: list[str] = []
    for step in range(40):
        now = at(house, PUBLISHED if step < 25 else OVER)
        try:
            season_step(now, draw, claims, step)
        except UseCaseError:
            continue
        if step % 8 == 7:
            compute_awards(now)
    report = verify_archive(exported(at(house, OVER), tmp_path / "x.tar.zst"))
    assert about_awards(report) == []
    assert report.counts["award lines"] > 3


def season_step(house: House, draw: random.Random, claims: list[str], step: int) -> None:
    person, task = draw.choice(PEOPLE), draw.choice(("deploy", "video"))
    match draw.randrange(9):
        case 0 | 1 | 2:
            outcome = draw.choice(("passed", "passed", "failed", "pending"))
            name = f"{person}/{task}"
            if name not in claims:
                claims.append(name)
                claims.append(claimed(house, person, task, step, outcome, holds=outcome == "pending"))
        case 3 | 4 if claims:
            outcome = draw.choice(("passed", "failed"))
            decide(house, draw.choice(claims[1::2]), outcome)
        case 5:
            set_eligibility(house, ACTOR, Entered(person, draw.choice(("ineligible", "withheld", "eligible")), "so"))
        case 6:
            grant(house, Grant(person, 1_000_000, "goodwill", ("Ada", "Ben")))
        case 7:
            publish_results(house, ACTOR, draw.choice((task, None)))
        case 8:
            finalize(house, ACTOR, draw.choice((task, None)))


TAMPERINGS: dict[str, tuple[str, Callable[[list[dict[str, Any]]], Any], str]] = {
    "an entry removed": ("eligibility.jsonl", lambda lines: lines[1:], "the rules give"),
    "an entry turned": (
        "eligibility.jsonl", lambda lines: [{**line, "eligibility": "eligible"} for line in lines], "the rules give",
    ),
    "final results removed": (
        "results.jsonl", lambda lines: [line for line in lines if line["state"] != "final"], "the rules give",
    ),
    "published results removed": (
        "results.jsonl", lambda lines: [line for line in lines if line["state"] == "final"], "being published",
    ),
    "a grant grown": (
        "award_lines.jsonl",
        lambda lines: [{**line, "amount_micro": 60_000_000} if line["kind"] == "grant" else line for line in lines],
        "more than the campaign's budget",
    ),
    "a correction removed": (
        "award_lines.jsonl", lambda lines: [line for line in lines if line["step"] == 0], "the ledger says",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("member", "edit", "words"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_verify__decision_or_line_changed__is_named(
    house: House, tmp_path: Path, member: str, edit: Callable[[list[dict[str, Any]]], Any], words: str
) -> None:
    later = passes_after_final(house)
    grant(later, Grant(ANN, 1_000_000, "goodwill", ("Ada", "Ben")))
    compute_awards(later)
    set_eligibility(later, ACTOR, Entered(BOB, "ineligible", "found out late"))
    archive = exported(later, tmp_path / "x.tar.zst")
    report = verify_archive(changed(archive, tmp_path / "y", {member: on_lines(edit)}, mended=True))
    assert any(words in finding for finding in about_awards(report)), about_awards(report)


def test_export__reasons_of_eligibility__stay_with_the_platform(house: House, tmp_path: Path) -> None:
    claimed(house, ANN, "deploy", 1)
    set_eligibility(house, "akash1theorganizer", Entered(ANN, "ineligible", "secretreason"))
    whole = b"".join(unpacked(exported(house, tmp_path / "x.tar.zst")).values())
    assert b"secretreason" not in whole
    assert b"akash1theorganizer" not in whole
