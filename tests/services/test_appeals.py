"""Appeals: who may make and decide them, until when, and what one that is won does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.audit import check_log
from ledger.claims import ClaimRow
from ledger.observations import load_observations
from ledger.verdicts import Decision, record_verdicts, take_due
from services import appeals, campaigns, profiles, reviews, rewards
from services.appeals import AWARD, LOST, RESULT, WON, Ruling
from services.claims import submit
from services.errors import Conflict, NotAllowed, NotFound, Refused, UseCaseError
from services.house import House
from services.reviews import Ballot
from tasks.moment import SECOND, Moment
from tests.houses import NOON
from tests.reviewing import (
    ADA,
    BEN,
    HOUR,
    LINKED_REVIEWER,
    ORGANIZER,
    REVIEWER,
    SECOND_REVIEWER,
    STRANGER,
    claim_of,
    later,
    look,
    make_house,
)
from tests.wallets import Keyholder
from verifiers.evidence import ChainPoint, Check, Outcome, Verdict
from verifiers.reviewing import Done

TEXT = "The video was up all the time."
DAY = 24 * HOUR


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def rejected(house: House) -> str:
    claim = submit(house, ADA.address, "video", {"url": "https://video.example/1"}).claim
    look(house)
    reviews.decide(house, REVIEWER.address, claim, Ballot("reject", "It shows something else.", {}))
    look(house)
    assert claim_of(house, claim).outcome == "failed"
    return claim


def made(house: House, claim: str) -> str:
    return appeals.make(house, ADA.address, claim, RESULT, TEXT)[0].row.id


def test_make__again__gives_the_same_appeal(house: House, rejected: str) -> None:
    first, is_new = appeals.make(house, ADA.address, rejected, RESULT, TEXT)
    again, is_new_again = appeals.make(later(house, 5), ADA.address, rejected, RESULT, "Once more, please look.")
    assert (is_new, is_new_again, again.row.id, again.row.text) == (True, False, first.row.id, TEXT)
    assert first.outcome == "open"


@pytest.mark.parametrize(
    ("who", "about", "text", "days", "error", "field"),
    [
        (BEN, RESULT, TEXT, 0, NotAllowed, None),
        (REVIEWER, RESULT, TEXT, 0, NotAllowed, None),
        (ADA, "nothing", TEXT, 0, Refused, "about"),
        (ADA, RESULT, "no", 0, Refused, "text"),
        (ADA, AWARD, TEXT, 0, Conflict, None),
        (ADA, RESULT, TEXT, 13.4, None, None),
        (ADA, RESULT, TEXT, 13.6, None, None),
    ],
    ids=["another", "reviewer", "about nothing", "too short", "no award", "last day", "results not published"],
)
def test_make__who_what_and_until_when(
    house: House,
    rejected: str,
    who: Keyholder,
    about: str,
    text: str,
    days: float,
    error: type[UseCaseError] | None,
    field: str | None,
) -> None:
    when = later(house, days * DAY)
    if error is None:
        appeals.make(when, who.address, rejected, about, text)
        return
    with pytest.raises(error) as refusal:
        appeals.make(when, who.address, rejected, about, text)
    assert refusal.value.field == field


def test_make__against_a_claim_that_waits__is_refused(house: House) -> None:
    claim = submit(house, ADA.address, "video", {"url": "https://video.example/1"}).claim
    look(house)
    with pytest.raises(Conflict):
        appeals.make(house, ADA.address, claim, RESULT, TEXT)


@pytest.mark.parametrize(
    "who",
    [ADA, BEN, REVIEWER, LINKED_REVIEWER, STRANGER],
    ids=["participant", "another", "reviewer", "linked reviewer", "stranger"],
)
def test_rule__by_anybody_but_an_organizer__is_refused(house: House, rejected: str, who: Keyholder) -> None:
    appeal = made(house, rejected)
    with pytest.raises(NotAllowed):
        appeals.rule(house, who.address, appeal, Ruling(WON, TEXT))
    assert appeals.one(house, appeal).outcome == "open"


def test_rule__not_whole_or_twice__is_refused(house: House, rejected: str) -> None:
    appeal = made(house, rejected)
    for ruling, field in ((Ruling("maybe", TEXT), "outcome"), (Ruling(WON, "no"), "reason"),
                          (Ruling(WON, TEXT, waives=["received"]), "waives")):  # fmt: skip
        with pytest.raises(Refused) as refusal:
            appeals.rule(house, ORGANIZER.address, appeal, ruling)
        assert refusal.value.field == field
    appeals.rule(house, ORGANIZER.address, appeal, Ruling(LOST, TEXT))
    with pytest.raises(Conflict):
        appeals.rule(house, ORGANIZER.address, appeal, Ruling(WON, TEXT))
    with pytest.raises(NotFound):
        appeals.rule(house, ORGANIZER.address, "0" * 32, Ruling(WON, TEXT))


def test_rule__won_against_a_rejection__lets_reviewers_decide_anew_in_its_place(house: House, rejected: str) -> None:
    appeal = made(house, rejected)
    appeals.rule(later(house, HOUR), ORGANIZER.address, appeal, Ruling(WON, "The reviewer saw another video."))
    look(later(house, HOUR))
    row = claim_of(house, rejected)
    assert (row.outcome, row.holds_place, row.at_ns, row.settled) == ("pending", True, NOON, False)
    reviews.decide(later(house, HOUR), SECOND_REVIEWER.address, rejected, Ballot("accept", "It is all there.", {}))
    look(later(house, HOUR))
    row = claim_of(house, rejected)
    assert (row.outcome, row.at_ns) == ("passed", NOON)
    seen, _ = profiles.claim(house, rejected)
    assert [check.name for check in seen.checks][-1] == "appeal"
    assert [each.outcome for each in seen.appeals] == [WON]


def test_rule__lost__changes_nothing_and_is_public(house: House, rejected: str) -> None:
    before = claim_of(house, rejected)
    appeal = made(house, rejected)
    decided = appeals.rule(house, ORGANIZER.address, appeal, Ruling(LOST, "It shows something else, we looked too."))
    look(later(house, HOUR))
    assert claim_of(house, rejected).verdict_id == before.verdict_id
    assert claim_of(house, rejected).due_ns == before.due_ns
    assert decided.ruling is not None
    with house.ledger.read() as session:
        seen = load_observations(session, [decided.ruling.observation])[decided.ruling.observation]
        assert check_log(session) == []
    assert b"we looked too" in seen.body
    assert ORGANIZER.address.encode() not in seen.body
    assert appeals.make(house, ADA.address, rejected, RESULT, TEXT)[1] is False


def test_rule__won_after_a_late_answer__gives_the_old_place_back(house: House) -> None:
    end = later(house, 6 * DAY)
    claim = submit(end, ADA.address, "video", {"url": "https://video.example/1"}).claim
    look(end)
    reviews.decide(end, REVIEWER.address, claim, Ballot("needs_work", "The sound is missing.", {}))
    look(end)
    late = later(end, 4 * DAY)
    reviews.answer(late, ADA.address, claim, {"url": "https://video.example/1"})
    look(late)
    assert claim_of(house, claim).outcome == "failed"
    appeal = appeals.make(late, ADA.address, claim, RESULT, "The request never reached me.")[0].row.id
    appeals.rule(late, ORGANIZER.address, appeal, Ruling(WON, "Our messages were not sent."))
    look(late)
    row = claim_of(house, claim)
    assert (row.outcome, row.holds_place, row.at_ns) == ("pending", True, end.clock.now())
    reviews.decide(late, REVIEWER.address, claim, Ballot("accept", "With sound now.", {}))
    look(late)
    assert claim_of(house, claim).outcome == "passed"


def test_appeal__about_an_award__is_decided_without_touching_the_claim(house: House) -> None:
    claim = submit(house, ADA.address, "video", {"url": "https://video.example/1"}).claim
    look(house)
    reviews.decide(house, REVIEWER.address, claim, Ballot("accept", "It shows what was asked.", {}))
    look(house)
    rewards.compute_awards(house)
    before = claim_of(house, claim)
    appeal, _ = appeals.make(house, ADA.address, claim, AWARD, "I was the first of all.")
    assert appeal.about == AWARD
    appeals.rule(house, ORGANIZER.address, appeal.row.id, Ruling(WON, "Right, a revision mends it."))
    look(later(house, HOUR))
    assert claim_of(house, claim).verdict_id == before.verdict_id


def failed_automatically(house: House, claim: str) -> None:
    """Keep a failed result of an automatic kind, after one that knew when the work was done."""
    point = ChainPoint("local-v2", 900, NOON)
    done = Moment(NOON - 50 * SECOND)
    checks = (Check("app", "an app", "the app", Outcome.PASSED), Check("paid", "paid", "not paid", Outcome.FAILED))
    held = Verdict(Outcome.PENDING, checks[:1], "ai_deployment", 1, point, done, 880, 3, {}, holds_place=True)
    lost = Verdict(Outcome.FAILED, checks, "ai_deployment", 1, point)
    for verdict in (held, lost):
        with house.ledger.write() as session:
            row = session.get_one(ClaimRow, claim)
            row.taken_by, row.due_ns = "tests", NOON
        decision = Decision(claim, verdict, (), None, settled=verdict is lost)
        house.ledger.transact(lambda session, one=decision: record_verdicts(session, [one], "tests", NOON))  # type: ignore[misc]


def test_rule__won_for_an_automatic_kind__keeps_the_height_known_before(house: House) -> None:
    claim = submit(house, ADA.address, "video", {"url": "https://video.example/1"}).claim
    failed_automatically(house, claim)
    appeal = appeals.make(house, ADA.address, claim, RESULT, "It was paid, see the chain.")[0].row.id
    with house.ledger.read() as session:
        row = session.get_one(ClaimRow, claim)
        assert appeals.failed_checks(session, row.verdict_id or 0) == ["paid"]
        assert appeals.done_before(session, claim) == Done(Moment(NOON - 50 * SECOND), 880, 3)
    appeals.rule(house, ORGANIZER.address, appeal, Ruling(WON, "The node had lost it."))
    taken = house.ledger.transact(lambda session: take_due(session, NOON, "others", 9, 60 * SECOND))  # type: ignore[arg-type]
    assert [row.id for row in taken] == [claim]
    assert campaigns.required(house).slug == "reviewed-test"
