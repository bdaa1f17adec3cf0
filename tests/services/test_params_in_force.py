"""A revision that asks something else from a time on: work is judged by what was asked when it was done."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.verdicts import CheckRow
from services import campaigns, claims
from services.errors import Refused
from services.house import House
from services.loading import load_campaign
from services.task_board import one
from tasks.judge_params import asked_in_turn
from tasks.moment import SECOND, Moment, format_moment
from tests.houses import NOON, later
from tests.reviewing import ADA, BEN, CAMPAIGN, claim_of, look, make_house

AN_HOUR = 3600
OLD, NEW = "https://video.example/1", "https://film.example/2"


def revised(text: str, number: int, hosts: str, change: str) -> str:
    return text.replace("revision: 1\n", f"revision: {number}\nchange: {{reason: better, {change}}}\n").replace(
        "hosts: [video.example]", f"hosts: {hosts}"
    )


@pytest.fixture
def house(tmp_path: Path) -> House:
    """At noon a revision is loaded that allows other links from one o'clock on."""
    made = make_house(tmp_path)
    at = format_moment(Moment(NOON + AN_HOUR * SECOND))
    load_campaign(made, revised(CAMPAIGN, 2, "[film.example]", f"counts_from: {at}"), "organizer")
    return made


def checks(house: House, claim: str) -> dict[str, str]:
    with house.ledger.read() as session:
        rows = session.scalars(select(CheckRow).where(CheckRow.verdict == claim_of(house, claim).verdict_id))
        return {row.name: row.outcome for row in rows}


def test_claim__before_the_revision_counts__goes_by_what_was_asked_then(house: House) -> None:
    made = claims.submit(house, ADA.address, "video", {"url": OLD})
    look(later(house, 2 * AN_HOUR))
    assert checks(house, made.claim) == {"entered": "passed", "received": "passed", "review": "pending"}
    with pytest.raises(Refused, match=r"must be at video\.example"):
        claims.submit(house, BEN.address, "video", {"url": NEW})


def test_claim__once_it_counts__goes_by_the_revision(house: House) -> None:
    now = later(house, AN_HOUR)
    made = claims.submit(now, BEN.address, "video", {"url": NEW})
    look(later(house, 2 * AN_HOUR))
    assert checks(house, made.claim)["entered"] == "passed"
    with pytest.raises(Refused, match=r"must be at film\.example"):
        claims.submit(now, ADA.address, "video", {"url": OLD})


def test_task__before_and_after__shows_what_it_asks_now(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    text = CAMPAIGN.replace("label: Link to the video", "label: Link to the film")
    at = format_moment(Moment(NOON + AN_HOUR * SECOND))
    load_campaign(house, revised(text, 2, "[film.example]", f"counts_from: {at}"), "organizer")
    shown = [one(each, "video").fields[0].label for each in (house, later(house, AN_HOUR))]
    assert shown == ["Link to the video", "Link to the film"]


def test_asked_in_turn__revisions_that_change_nothing__are_one(house: House) -> None:
    rules = campaigns.required(house).rules
    assert [each.begins for each in asked_in_turn(rules, "bug")] == [None]
    one_o_clock = Moment(NOON + AN_HOUR * SECOND)
    assert [(each.begins, each.ends) for each in asked_in_turn(rules, "video")] == [
        (None, one_o_clock),
        (one_o_clock, None),
    ]


def test_claim__revision_that_reaches_back__goes_by_it_from_the_start(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    made = claims.submit(house, ADA.address, "video", {"url": OLD})
    load_campaign(house, revised(CAMPAIGN, 2, "[film.example]", "reaches_back: true"), "organizer")
    look(later(house, AN_HOUR))
    assert checks(house, made.claim)["entered"] == "failed"
    third = revised(CAMPAIGN, 3, "[film.example, video.example]", "reaches_back: true")
    load_campaign(house, third, "organizer")
    look(later(house, 2 * AN_HOUR))
    assert checks(house, made.claim)["entered"] == "passed", "a failed claim is judged anew by rules that reach back"
