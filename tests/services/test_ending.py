"""The end of a campaign: publishing, appeals, final results, and what still may change after them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.audit import AuditRow, check_log
from ledger.people import RoleRow
from services import appeals, task_board
from services.eligibility import Entered, set_eligibility
from services.ending import finalize, publish_results
from services.errors import Conflict, NotFound, Refused
from services.house import House
from services.results import Stage, all_results
from services.rewards import compute_awards
from tests.endings import ANN, BOB, CID, DOT, amounts, at, claimed, decide, make_house, newest_lines

ACTOR = "an organizer"
PUBLISHED = "2026-12-03T00:00:00Z"
OVER = "2026-12-05T00:00:00Z"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return at(make_house(tmp_path), PUBLISHED)


def final_deploy(house: House) -> House:
    """ANN and BOB have the two places of deploy, CID none; its results are final. Two days later."""
    for number, person in enumerate((ANN, BOB, CID)):
        claimed(house, person, "deploy", 10 + number)
    publish_results(house, ACTOR, "deploy")
    later = at(house, OVER)
    finalize(later, ACTOR, "deploy")
    return later


def stage(house: House, task: str) -> Stage:
    found = all_results(house)
    assert found is not None
    return found.tasks[task].stage


def test_publish__task_is_open__refused(house: House) -> None:
    with pytest.raises(Conflict, match="open until"):
        publish_results(at(house, "2026-11-19T00:00:00Z"), ACTOR, "deploy")


def test_publish__campaign_runs__all_refused_one_closed_task_published(house: House) -> None:
    early = at(house, "2026-11-21T00:00:00Z")
    with pytest.raises(Conflict, match="--task"):
        publish_results(early, ACTOR)
    ended = publish_results(early, ACTOR, "deploy")
    assert ended.document() == {
        "state": "provisional",
        "tasks": ["deploy"],
        "pools_and_bonuses": False,
        "at": "2026-11-21T00:00:00Z",
        "appeals_until": "2026-11-23T00:00:00Z",
    }
    assert (stage(early, "deploy"), stage(early, "video")) == (Stage.PROVISIONAL, Stage.OPEN)


@pytest.mark.parametrize("outcome", ["pending", "unknown"])
def test_publish__claim_not_decided__refused_until_named_with_a_reason(house: House, outcome: str) -> None:
    claim = claimed(house, ANN, "deploy", 1, outcome, holds=True)
    with pytest.raises(Conflict, match=claim):
        publish_results(house, ACTOR, "deploy")
    with pytest.raises(Refused, match="why"):
        publish_results(house, ACTOR, "deploy", {claim: " "})
    with pytest.raises(Refused, match="No open claim"):
        publish_results(house, ACTOR, "deploy", {claim: "its node is away", "other": "x"})
    publish_results(house, ACTOR, "deploy", {claim: "its node is away"})
    found = all_results(house)
    assert found is not None
    assert found.tasks["deploy"].excepted == {claim: "its node is away"}


def test_publish__part_of_a_set_is_open__the_set_is_refused(house: House) -> None:
    claimed(house, ANN, "video", 1, "pending")
    with pytest.raises(Conflict, match="video"):
        publish_results(house, ACTOR, "both")


def test_publish__unknown_task__not_found(house: House) -> None:
    with pytest.raises(NotFound):
        publish_results(house, ACTOR, "other")


def test_publish__again__conflict(house: House) -> None:
    publish_results(house, ACTOR, "deploy")
    with pytest.raises(Conflict, match="were published"):
        publish_results(house, ACTOR, "deploy")


def test_publish__all__covers_the_rest_with_pools_and_says_how_late(house: House) -> None:
    publish_results(house, ACTOR, "deploy")
    ended = publish_results(house, ACTOR)
    assert ended.document()["tasks"] == ["video", "both"]
    assert ended.document()["pools_and_bonuses"] is True
    found = all_results(house)
    assert found is not None
    assert found.whole.stage is Stage.PROVISIONAL
    assert found.whole.late_ns == 86_400 * 10**9
    with pytest.raises(Conflict, match="already"):
        publish_results(house, ACTOR)


def test_publish__two_at_once__one_wins(house: House) -> None:
    claimed(house, ANN, "deploy", 1)
    answers: list[str] = []

    def act(name: str) -> None:
        try:
            publish_results(house, name, "deploy")
            answers.append("done")
        except Conflict:
            answers.append("conflict")

    rivals = [threading.Thread(target=act, args=(f"organizer {number}",)) for number in range(2)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    assert sorted(answers) == ["conflict", "done"]
    with house.ledger.read() as session:
        acts = session.scalars(select(AuditRow).where(AuditRow.act == "results.provisional")).all()
        assert len(acts) == 1
        assert check_log(session) == []


def test_finalize__not_published_or_appeals_run__refused(house: House) -> None:
    with pytest.raises(Conflict, match="not published"):
        finalize(house, ACTOR, "deploy")
    publish_results(house, ACTOR, "deploy")
    with pytest.raises(Conflict, match="Appeals on deploy"):
        finalize(at(house, "2026-12-04T23:59:59Z"), ACTOR, "deploy")
    assert finalize(at(house, OVER), ACTOR, "deploy").tasks == ("deploy",)
    with pytest.raises(Conflict, match="final already"):
        finalize(at(house, OVER), ACTOR, "deploy")


def test_finalize__two_at_once__one_wins(house: House) -> None:
    publish_results(house, ACTOR, "deploy")
    later, answers = at(house, OVER), []

    def act() -> None:
        try:
            answers.append(finalize(later, ACTOR, "deploy").state)
        except Conflict:
            answers.append("conflict")

    rivals = [threading.Thread(target=act) for _ in range(3)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    assert sorted(answers) == ["conflict", "conflict", "final"]


def test_finalize__claim_opened_again__refused(house: House) -> None:
    claim = claimed(house, ANN, "deploy", 1)
    publish_results(house, ACTOR, "deploy")
    decide(house, claim, "pending", holds=True)
    with pytest.raises(Conflict, match=claim):
        finalize(at(house, OVER), ACTOR, "deploy")


def test_provisional__appeal_won__is_worked_in_its_place(house: House) -> None:
    first = claimed(house, ANN, "deploy", 1, "failed")
    others = [claimed(house, person, "deploy", 5 + n) for n, person in enumerate((BOB, CID))]
    publish_results(house, ACTOR, "deploy")
    decide(house, first, "passed")
    compute_awards(house)
    assert [amounts(house)[claim] for claim in (first, *others)] == [10, 10, 0]


def test_final__claim_passes_later__gets_nothing_and_takes_nothing(house: House) -> None:
    late = claimed(house, DOT, "deploy", 1, "failed")
    later = final_deploy(house)
    decide(later, late, "passed")
    before = amounts(later)
    compute_awards(later)
    assert amounts(later) == before | {late: 0}
    assert newest_lines(later, 1) == [(late, 0, "after_final", "passed")]
    assert compute_awards(later).lines_added == 0


def test_final__ineligible_later__loses_the_award_and_frees_no_place(house: House) -> None:
    later = final_deploy(house)
    before = amounts(later)
    set_eligibility(later, ACTOR, Entered(ANN, "ineligible", "two people, one person"))
    compute_awards(later)
    ann = next(key for key, amount in before.items() if amount == 10)
    assert sorted(amounts(later).values()) == [0, 0, 10]
    assert newest_lines(later, 1) == [(ann, -10, "ineligible", "eligibility")]
    assert task_board.one(later, "deploy").places.taken == 2
    set_eligibility(later, ACTOR, Entered(ANN, "eligible", "it was a mistake"))
    compute_awards(later)
    assert amounts(later) == before


def test_final__own_verdict_falls__only_that_award_falls(house: House) -> None:
    claim = claimed(house, DOT, "deploy", 1)
    later = final_deploy(house)
    assert sorted(amounts(later).values()) == [0, 0, 10, 10]
    decide(later, claim, "failed")
    compute_awards(later)
    assert sorted(amounts(later).values()) == [0, 0, 0, 10]
    assert newest_lines(later, 1) == [(claim, -10, "withdrawn", "new verdict")]


def test_final__excepted_claim_passes_later__gets_the_place_that_it_held(house: House) -> None:
    held = claimed(house, DOT, "deploy", 1, "pending", holds=True)
    for number, person in enumerate((ANN, BOB)):
        claimed(house, person, "deploy", 10 + number)
    publish_results(house, ACTOR, "deploy", {held: "its node is away"})
    later = at(house, OVER)
    finalize(later, ACTOR, "deploy")
    assert sorted(amounts(later).values()) == [0, 10]
    decide(later, held, "passed")
    compute_awards(later)
    assert amounts(later)[held] == 10
    assert sorted(amounts(later).values()) == [0, 10, 10]


def test_final__all__the_document_says_what_the_ledger_says(house: House) -> None:
    for number, person in enumerate((ANN, BOB, CID)):
        claimed(house, person, "deploy", 10 + number)
        claimed(house, person, "video", 20 + number)
    publish_results(house, ACTOR)
    later = at(house, OVER)
    computed = compute_awards(later).document()
    assert finalize(later, ACTOR).tasks == ("deploy", "video", "both", "")
    assert compute_awards(later).document() == computed
    assert compute_awards(later).lines_added == 0
    set_eligibility(later, ACTOR, Entered(BOB, "ineligible", "found out late"))
    document = compute_awards(later).document()
    totals = document["totals"]
    assert isinstance(totals, dict)
    assert totals[BOB] == 0
    assert totals[ANN] == computed["totals"][ANN]  # type: ignore[index]
    assert sum(totals.values()) + int(str(document["budget_left_micro"])) == 950_000_000


def test_set__a_part_only_holds_its_place__the_set_is_provisional(house: House) -> None:
    claimed(house, ANN, "deploy", 1)
    held = claimed(house, ANN, "video", 2, "pending", holds=True)
    computed = compute_awards(house)
    assert computed.holding == {held, f"both/{ANN}"}
    assert f"both/{ANN}" not in amounts(house)


def test_appeals__from_publication_to_the_end__are_heard_before_results_are_final(house: House) -> None:
    claim = claimed(house, ANN, "deploy", 1, "failed")
    other = claimed(house, BOB, "deploy", 2, "failed")
    text = "The node was away while you looked."
    publish_results(house, ACTOR, "deploy")
    before, over = at(house, "2026-12-04T23:59:59Z"), at(house, OVER)
    with pytest.raises(Conflict, match="were taken until 2026-12-05"):
        appeals.make(over, ANN, claim, appeals.RESULT, text)
    appeal, _ = appeals.make(before, ANN, claim, appeals.RESULT, text)
    with pytest.raises(Conflict, match=appeal.row.id):
        finalize(over, ACTOR, "deploy")
    with over.ledger.write() as session:
        session.add(RoleRow(address=DOT, role="organizer"))
    appeals.rule(over, DOT, appeal.row.id, appeals.Ruling(appeals.LOST, "It was up by what we saw."))
    finalize(over, ACTOR, "deploy")
    with pytest.raises(Conflict, match="final"):
        appeals.make(over, BOB, other, appeals.RESULT, text)
