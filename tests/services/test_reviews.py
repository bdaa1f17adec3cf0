"""Reviews: who may decide what, needs-work in time and late, two reviewers, the queue, the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.audit import AuditRow, check_log
from ledger.claims import ClaimRow
from ledger.reviews import ReviewStepRow
from services import campaigns, profiles, review_queue, reviews, rewards
from services.acts import Player
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
    PLAYING_REVIEWER,
    REVIEWER,
    SECOND_REVIEWER,
    STRANGER,
    claim_of,
    later,
    look,
    make_house,
)
from tests.wallets import Keyholder
from verifiers.evidence import ChainPoint

REASON = "It shows what was asked."


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.ledger.close()


def video(house: House, who: Keyholder = ADA, path: str = "1") -> str:
    made = submit(house, who.address, "video", {"url": f"https://video.example/{path}"})
    look(house)
    return made.claim


def bug(house: House, who: Keyholder = ADA, words: str = "It stops when I look at it.") -> str:
    made = submit(house, who.address, "bug", {"words": words})
    look(house)
    return made.claim


def ballot(act: str = "accept", **decided: str) -> Ballot:
    return Ballot(act, REASON, decided)


def test_submit__address__is_the_subject_and_the_same_again_is_the_same_claim(house: House) -> None:
    first = submit(house, ADA.address, "video", {"url": "http://VIDEO.example/1/#end"})
    again = submit(later(house, 5), ADA.address, "video", {"url": "https://video.example/1"})
    assert (first.is_new, again.is_new, again.claim) == (True, False, first.claim)
    assert claim_of(house, first.claim).subject == "https://video.example/1"


def test_submit__without_an_address__is_numbered_and_a_second_click_is_no_second_claim(house: House) -> None:
    made = [
        submit(later(house, n), ADA.address, "bug", {"words": words}) for n, words in enumerate(("a1", "b2", "a1"))
    ]
    assert [each.is_new for each in made] == [True, True, False]
    assert made[2].claim == made[0].claim
    subjects = [claim_of(house, each.claim).subject for each in made[:2]]
    assert subjects == [f"{ADA.address}/1", f"{ADA.address}/2"]


def test_submit__too_many_open_ones__waits(house: House) -> None:
    for number in range(20):
        submit(house, ADA.address, "bug", {"words": f"bug {number}"})
    with pytest.raises(Conflict, match="not decided yet"):
        submit(house, ADA.address, "bug", {"words": "one more"})


@pytest.mark.parametrize(
    ("task", "fields", "error", "field"),
    [
        ("video", {"url": "https://other.example/1"}, Refused, "url"),
        ("video", {}, Refused, "url"),
        ("bug", {"words": "x", "severity": "high"}, Refused, "severity"),
        ("both", {}, Refused, "task"),
    ],
)
def test_submit__wrong__names_the_field(
    house: House, task: str, fields: dict[str, str], error: type[UseCaseError], field: str
) -> None:
    with pytest.raises(error) as refusal:
        submit(house, ADA.address, task, fields)
    assert refusal.value.field == field


def test_submit__after_the_close__is_refused(house: House) -> None:
    with pytest.raises(Conflict, match="closed at"):
        submit(later(house, 7 * 24 * HOUR), ADA.address, "video", {"url": "https://video.example/1"})


def test_accept__claim__passes_with_its_receipt_and_is_awarded(house: House) -> None:
    claim = video(house)
    assert (claim_of(house, claim).outcome, claim_of(house, claim).holds_place) == ("pending", True)
    reviews.decide(later(house, HOUR), REVIEWER.address, claim, ballot())
    assert claim_of(house, claim).due_ns is not None
    look(later(house, HOUR))
    row = claim_of(house, claim)
    assert (row.outcome, row.at_ns, row.height, row.settled) == ("passed", NOON, None, True)
    seen, _ = profiles.claim(house, claim)
    assert [check.name for check in seen.checks] == ["entered", "received", "review"]
    assert REASON in seen.checks[2].seen
    assert seen.steps[0].observation in seen.checks[2].observations
    assert rewards.compute_awards(later(house, HOUR)).awards.totals[ADA.address] == 60_000_000


def test_decide__while_a_verifier_works_on_the_claim__is_not_lost(house: House) -> None:
    claim = submit(house, ADA.address, "video", {"url": "https://video.example/1"}).claim
    look(house)
    with house.ledger.write() as session:
        row = session.get_one(type(claim_of(house, claim)), claim)
        row.taken_by, row.taken_until_ns = "somebody", NOON + 600 * SECOND
    reviews.decide(later(house, 60), REVIEWER.address, claim, ballot())
    look(later(house, 60))
    assert claim_of(house, claim).outcome == "passed"


@pytest.mark.parametrize(
    ("who", "error"),
    [
        (ADA, NotAllowed),
        (BEN, NotAllowed),
        (STRANGER, NotAllowed),
        (LINKED_REVIEWER, NotAllowed),
        (REVIEWER, None),
        (PLAYING_REVIEWER, None),
        (ORGANIZER, None),
    ],
    ids=["participant", "another", "stranger", "linked reviewer", "reviewer", "playing reviewer", "organizer"],
)
@pytest.mark.parametrize("act", ["take", "decide", "reopen"])
def test_acts__of_each_of_the_cast(house: House, who: Keyholder, error: type[UseCaseError] | None, act: str) -> None:
    claim = video(house)
    if act == "reopen":
        reviews.decide(house, SECOND_REVIEWER.address, claim, ballot())
        look(house)

    def perform() -> None:
        if act == "take":
            reviews.take(house, who.address, claim)
        elif act == "decide":
            reviews.decide(house, who.address, claim, ballot())
        else:
            reviews.reopen(house, who.address, claim, "It was not looked at whole.")

    if error is None:
        perform()
        return
    with pytest.raises(error):
        perform()
    with house.ledger.read() as session:
        assert session.query(ReviewStepRow).count() == (act == "reopen")


def test_decide__own_claim_of_a_reviewer__is_refused(house: House) -> None:
    claim = video(house, PLAYING_REVIEWER)
    with pytest.raises(NotAllowed, match="your own"):
        reviews.decide(house, PLAYING_REVIEWER.address, claim, ballot())


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Ballot("accept", "short", {}), "reason"),
        (Ballot("accept", "   \n          ", {}), "reason"),
        (Ballot("accept", "x" * 5000, {}), "reason"),
        (Ballot("approve", REASON, {}), "act"),
        (Ballot("reopen", REASON, {}), "act"),
        (Ballot("accept", REASON, {}), "severity"),
        (Ballot("accept", REASON, {"severity": "awful"}), "severity"),
        (Ballot("accept", REASON, {"severity": "high", "words": "mine"}), "words"),
    ],
)
def test_decide__not_whole__names_the_field(house: House, given: Ballot, field: str) -> None:
    claim = bug(house)
    with pytest.raises(Refused) as refusal:
        reviews.decide(house, REVIEWER.address, claim, given)
    assert refusal.value.field == field


def test_decide__unknown_claim__is_not_found(house: House) -> None:
    with pytest.raises(NotFound):
        reviews.decide(house, REVIEWER.address, "0" * 32, ballot())


def test_decide__twice__needs_a_reopening_between(house: House) -> None:
    claim = video(house)
    reviews.decide(house, REVIEWER.address, claim, ballot())
    with pytest.raises(Conflict, match="decided already"):
        reviews.decide(house, SECOND_REVIEWER.address, claim, ballot("reject"))
    look(house)
    with pytest.raises(Conflict, match="decided already"):
        reviews.decide(house, SECOND_REVIEWER.address, claim, ballot("reject"))
    reviews.reopen(later(house, 5), SECOND_REVIEWER.address, claim, "The video was taken down.")
    with pytest.raises(Conflict, match="open already"):
        reviews.reopen(later(house, 5), SECOND_REVIEWER.address, claim, "The video was taken down.")
    look(later(house, 5))
    assert (claim_of(house, claim).outcome, claim_of(house, claim).holds_place) == ("pending", True)
    reviews.decide(later(house, 9), SECOND_REVIEWER.address, claim, ballot("reject"))
    look(later(house, 9))
    assert claim_of(house, claim).outcome == "failed"
    rewards.compute_awards(later(house, 9))


def test_two_reviewers__the_same_twice_or_unlike_fields__do_not_agree(house: House) -> None:
    claim = bug(house, BEN)
    for who in (REVIEWER, REVIEWER):
        reviews.decide(house, who.address, claim, ballot(severity="high"))
    look(house)
    assert claim_of(house, claim).outcome == "pending"
    reviews.decide(house, SECOND_REVIEWER.address, claim, ballot(severity="low"))
    look(house)
    assert claim_of(house, claim).outcome == "pending"
    reviews.decide(house, REVIEWER.address, claim, ballot(severity="low"))
    look(house)
    row = claim_of(house, claim)
    assert (row.outcome, row.attributes) == ("passed", {"severity": "low"})
    with house.ledger.read() as session:
        names = {row.name for row in session.query(ReviewStepRow)}
    assert len(names) == 2
    assert all(name.startswith("reviewer-") for name in names)


@pytest.mark.parametrize(("hours", "counted"), [(24, 0), (25.5, 25.5)], ids=["in time", "late"])
def test_answer__to_a_request_for_changes__keeps_the_place_only_in_time(
    house: House, hours: float, counted: float
) -> None:
    claim = bug(house)
    reviews.decide(later(house, HOUR), REVIEWER.address, claim, ballot("needs_work"))
    look(later(house, HOUR))
    row = claim_of(house, claim)
    assert (row.outcome, row.holds_place, row.at_ns) == ("pending", True, NOON)
    assert row.due_ns is not None
    assert row.due_ns > NOON + 25 * HOUR * SECOND
    look(later(house, 25.1 * HOUR))
    assert claim_of(house, claim).holds_place is False
    reviews.answer(
        later(house, hours * HOUR), ADA.address, claim, {"words": "Now with steps.", "note": "as you asked"}
    )
    look(later(house, 26 * HOUR))
    row = claim_of(house, claim)
    assert (row.outcome, row.holds_place) == ("pending", True)
    assert row.at_ns == NOON + int(counted * HOUR) * SECOND
    for who in (REVIEWER, SECOND_REVIEWER):
        reviews.decide(later(house, 27 * HOUR), who.address, claim, ballot(severity="high"))
    look(later(house, 27 * HOUR))
    assert claim_of(house, claim).outcome == "passed"
    assert claim_of(house, claim).at_ns == NOON + int(counted * HOUR) * SECOND


def test_answer__not_asked_for_or_not_theirs__is_refused(house: House) -> None:
    claim = bug(house)
    with pytest.raises(Conflict):
        reviews.answer(house, ADA.address, claim, {"words": "Now with steps."})
    reviews.decide(house, REVIEWER.address, claim, ballot("needs_work"))
    with pytest.raises(NotAllowed):
        reviews.answer(house, BEN.address, claim, {"words": "Now with steps."})
    with pytest.raises(Refused) as refusal:
        reviews.answer(house, ADA.address, claim, {"words": ""})
    assert refusal.value.field == "words"


def test_answer__text__stays_with_us_and_its_digest_is_evidence(house: House) -> None:
    claim = bug(house)
    reviews.decide(house, REVIEWER.address, claim, ballot("needs_work"))
    step = reviews.answer(house, ADA.address, claim, {"words": "A secret of mine."})
    assert b"secret" not in step.observed().body
    assert b"sha256:" in step.observed().body
    assert ADA.address.encode() not in step.observed().body


def test_take__by_one__keeps_others_away_for_a_while(house: House) -> None:
    claim = video(house)
    reviews.take(house, REVIEWER.address, claim)
    for act in (
        lambda when: reviews.take(when, SECOND_REVIEWER.address, claim),
        lambda when: reviews.decide(when, SECOND_REVIEWER.address, claim, ballot()),
    ):
        with pytest.raises(Conflict, match="Another reviewer"):
            act(later(house, 60))
    reviews.take(later(house, 60), REVIEWER.address, claim)
    reviews.release(later(house, 70), SECOND_REVIEWER.address, claim)
    assert review_queue.queue(later(house, 71), REVIEWER.address, 1, 50).items[0].is_mine_now
    reviews.release(later(house, 72), REVIEWER.address, claim)
    reviews.decide(later(house, 73), SECOND_REVIEWER.address, claim, ballot())


def test_queue__shows_what_waits_for_whom(house: House) -> None:
    first, second = video(house, ADA), video(later(house, 5), BEN, "2")
    mine = review_queue.queue(house, LINKED_REVIEWER.address, 1, 50)
    assert [(each.row.id, each.is_own) for each in mine.items] == [(first, True), (second, False)]
    reviews.decide(house, REVIEWER.address, first, ballot("needs_work"))
    look(house)
    assert [each.row.id for each in review_queue.queue(house, REVIEWER.address, 1, 50).items] == [second]
    waiting = review_queue.queue(house, REVIEWER.address, 1, 50, review_queue.FOR_PARTICIPANTS)
    assert [each.row.id for each in waiting.items] == [first]
    reviews.decide(house, REVIEWER.address, second, ballot())
    look(house)
    assert review_queue.queue(house, REVIEWER.address, 1, 50).total == 0


def test_case__same_things_of_others__are_shown_beside(house: House) -> None:
    claim = video(house, ADA)
    same = video(later(house, 5), BEN)
    own = video(later(house, 9), ADA, "other")
    case = review_queue.case(house, REVIEWER.address, claim)
    assert [(each.row.id, each.why) for each in case.compared] == [
        (same, "the same subject"),
        (own, "another claim of this participant"),
    ]
    assert (case.is_open, case.is_own, case.can_reopen) == (True, False, False)
    assert case.entered == {"url": "https://video.example/1"}


def test_all_of__both_parts_accepted__is_completed_by_the_rules(house: House) -> None:
    first, second = video(house), bug(house)
    reviews.decide(house, REVIEWER.address, first, ballot())
    for who in (REVIEWER, SECOND_REVIEWER):
        reviews.decide(house, who.address, second, ballot(severity="low"))
    look(house)
    awards = rewards.compute_awards(later(house, 1)).awards
    assert awards.totals[ADA.address] == (60 + 10 + 40) * 1_000_000
    found = profiles.profile(house, ADA.address)
    assert any(line.task == "both" for line in found.other_lines)
    assert campaigns.is_built(campaigns.required(house).task("both"))


def test_log__of_all_acts__is_whole(house: House) -> None:
    claim = bug(house)
    reviews.decide(house, REVIEWER.address, claim, ballot("needs_work"))
    reviews.answer(house, ADA.address, claim, {"words": "Now with steps."})
    reviews.decide(house, REVIEWER.address, claim, ballot("reject"))
    with house.ledger.read() as session:
        rows = session.query(AuditRow).order_by(AuditRow.id).all()
        assert check_log(session) == []
    assert [(row.actor, row.act, row.subject) for row in rows] == [
        ("tests", "campaign.load", "reviewed-test"),
        (REVIEWER.address, "claim.needs_work", claim),
        (ADA.address, "claim.answer", claim),
        (REVIEWER.address, "claim.reject", claim),
    ]


def test_player__decisions_of_the_past_before_any_look__hold_and_change_nothing_again(house: House) -> None:
    def block(height: int) -> ChainPoint:
        return ChainPoint("local-v2", height, Moment(NOON + height * 6 * SECOND))

    player = Player(house, {}.__getitem__, block)
    subject = f"{ADA.address}/1"
    for _ in range(2):
        player.appoint(STRANGER.address, "reviewer")
        player.submit(10, ADA.address, "bug", {"words": "It stops."})
        player.decide(20, STRANGER.address, ADA.address, "bug", subject, ballot("needs_work"))
        player.answer(30, ADA.address, "bug", subject, {"words": "It stops at noon."})
        for who in (STRANGER, REVIEWER):
            player.decide(40 + (who is REVIEWER), who.address, ADA.address, "bug", subject, ballot(severity="low"))
    look(later(house, 600))
    with house.ledger.read() as session:
        row = session.query(ClaimRow).one()
        assert session.query(ReviewStepRow).count() == 4
    assert (row.outcome, row.at_ns, row.attributes) == ("passed", block(10).time, {"severity": "low"})
