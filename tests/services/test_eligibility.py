"""Entries of eligibility: what they do to awards, payment and lists, and how an identity provider's list is taken."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.audit import AuditRow
from services import directory
from services.eligibility import Entered, history, set_eligibility
from services.eligibility_import import ImportRefused, import_eligibility
from services.ending import finalize, publish_results
from services.errors import Conflict, NotFound, Refused
from services.grants import Grant, grant, take_back
from services.house import House
from services.payouts import owed
from services.rewards import compute_awards, compute_if_changed
from tasks.moment import SECOND, Moment
from tests.endings import ANN, BOB, CID, DOT, OPENS, PEOPLE, amounts, at, claimed, make_house, newest_lines

ACTOR = "an organizer"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return at(make_house(tmp_path), "2026-12-03T00:00:00Z")


def states(house: House) -> list[tuple[str, int, str, str]]:
    return [(row.address, row.amount_micro // 1_000_000, row.state, row.reason) for row in owed(house)]


def test_ineligible__before_final__award_is_0_and_the_next_moves_up(house: House) -> None:
    keys = [claimed(house, person, "deploy", 10 + number) for number, person in enumerate((ANN, BOB, CID))]
    compute_awards(house)
    assert [amounts(house)[key] for key in keys] == [10, 10, 0]
    set_eligibility(house, ACTOR, Entered(ANN, "ineligible", "the same person twice"))
    assert "2 lines added" in compute_if_changed(house)
    assert [amounts(house)[key] for key in keys] == [0, 10, 10]
    assert sorted(newest_lines(house, 2)) == sorted(
        [
            (keys[0], -10, "ineligible", "eligibility"),
            (keys[2], 10, "awarded", f"eligibility of claim {keys[0][:12]}"),
        ]
    )
    set_eligibility(house, ACTOR, Entered(ANN, "eligible", "it was a mistake"))
    compute_awards(house)
    assert [amounts(house)[key] for key in keys] == [10, 10, 0]


def test_ineligible__the_working__names_the_entry_and_not_its_text(house: House) -> None:
    claimed(house, ANN, "deploy", 10)
    set_eligibility(house, ACTOR, Entered(ANN, "ineligible", "a secret reason"))
    document = compute_awards(house).document()
    assert "secret" not in str(document)
    assert "decision 1" in str(document)


def test_ineligible__from_a_time__earlier_work_stands(house: House) -> None:
    early, late = claimed(house, ANN, "deploy", 10), claimed(house, ANN, "video", 1000)
    starts = Moment(OPENS + 500 * SECOND)
    set_eligibility(house, ACTOR, Entered(ANN, "ineligible", "a second account", starts))
    compute_awards(house)
    assert (amounts(house)[early], amounts(house)[late]) == (10, 0)


def test_withheld__award_and_place_stand__payment_waits(house: House) -> None:
    keys = [claimed(house, person, "deploy", 10 + number) for number, person in enumerate((ANN, BOB, CID))]
    set_eligibility(house, ACTOR, Entered(ANN, "withheld", "identity open"))
    publish_results(house, ACTOR, "deploy")
    assert [amounts(house)[key] for key in keys] == [10, 10, 0]
    assert states(house) == [
        (BOB, 10, "provisional", "results are not final yet"),
        (ANN, 10, "withheld", "identity open"),
    ]
    later = at(house, "2026-12-05T00:00:00Z")
    finalize(later, ACTOR, "deploy")
    assert states(later)[0] == (BOB, 10, "payable", "results are final")
    set_eligibility(later, ACTOR, Entered(ANN, "eligible", "identity confirmed"))
    assert {state for *_, state, _ in states(later)} == {"payable"}


def test_owed__corrected_after_final__is_set_off(house: House) -> None:
    claimed(house, ANN, "deploy", 10)
    publish_results(house, ACTOR, "deploy")
    later = at(house, "2026-12-05T00:00:00Z")
    finalize(later, ACTOR, "deploy")
    set_eligibility(later, ACTOR, Entered(ANN, "ineligible", "found out late"))
    compute_awards(later)
    assert states(later) == []


@pytest.mark.parametrize(
    ("entered", "error"),
    [
        (Entered(ANN, "banned", "reason"), Refused),
        (Entered(ANN, "withheld", "  "), Refused),
        (Entered(ANN, "withheld", "x" * 4001), Refused),
        (Entered(ANN, "eligible", "nothing to undo"), Refused),
        (Entered("akash1nobody", "withheld", "reason"), NotFound),
    ],
    ids=["word", "no_reason", "long_reason", "nothing_to_undo", "nobody"],
)
def test_set__what_can_not_be__refused(house: House, entered: Entered, error: type[Exception]) -> None:
    with pytest.raises(error):
        set_eligibility(house, ACTOR, entered)
    assert history(house) == []


def test_set__the_same_again__adds_nothing_and_each_entry_is_logged(house: House) -> None:
    for _ in range(2):
        set_eligibility(house, ACTOR, Entered(ANN, "withheld", "identity open"))
    assert [row.number for row in history(house, ANN)] == [1]
    with house.ledger.read() as session:
        assert [row.act for row in session.scalars(select(AuditRow))][1:] == ["eligibility.set"]


def test_set__seen_an_older_entry__conflict(house: House) -> None:
    set_eligibility(house, ACTOR, Entered(ANN, "withheld", "identity open"), after=0)
    with pytest.raises(Conflict):
        set_eligibility(house, "another", Entered(ANN, "ineligible", "two accounts"), after=0)


def test_set__two_operators_at_once__both_who_saw_nothing_one_wins(house: House) -> None:
    answers: list[str] = []

    def act(word: str) -> None:
        try:
            set_eligibility(house, word, Entered(ANN, word, "at the same time"), after=0)
            answers.append("done")
        except Conflict:
            answers.append("conflict")

    rivals = [threading.Thread(target=act, args=(word,)) for word in ("withheld", "ineligible")]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    assert sorted(answers) == ["conflict", "done"]
    assert len(history(house)) == 1


def test_lists__an_excluded_participant__moves_to_the_blocklist(house: House) -> None:
    set_eligibility(house, ACTOR, Entered(ANN, "ineligible", "two accounts"))
    set_eligibility(house, ACTOR, Entered(BOB, "withheld", "identity open"))
    assert list(directory.blocked_addresses(house)) == [ANN]
    assert list(directory.allowed_addresses(house)) == sorted(set(PEOPLE) - {ANN})
    set_eligibility(house, ACTOR, Entered(ANN, "eligible", "it was a mistake"))
    assert list(directory.blocked_addresses(house)) == []


GOOD = f'address,eligibility,reason\n{ANN},withheld,identity open\n{BOB},ineligible,"sanctioned, says the list"\n'


def test_import__a_list__adds_once(house: House) -> None:
    done = import_eligibility(house, "provider", "\ufeff" + GOOD)
    assert (done.added, done.unchanged) == (2, 0)
    again = import_eligibility(house, "provider", GOOD)
    assert (again.added, again.unchanged) == (0, 2)
    assert [row.reason for row in history(house)] == ["identity open", "sanctioned, says the list"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1"),
        ("address,reason\n", "line 1: the columns"),
        ("address,eligibility,reason\n", "no row"),
        (GOOD + f"{CID},maybe,x\n", "line 4: Choose one"),
        (GOOD + "akash1nobody,withheld,x\n", "line 4: Nobody"),
        (GOOD + f"{CID},withheld\n", "line 4: 2 values"),
        (GOOD + f"{ANN},withheld,x\n", "stands on line 2 too"),
        (f"address,eligibility,reason,starts\n{ANN},withheld,x,yesterday\n", "line 2: 'yesterday'"),
    ],
    ids=["empty", "columns", "no_rows", "word", "nobody", "short_row", "twice", "time"],
)
def test_import__a_wrong_list__names_the_line_and_takes_nothing(house: House, text: str, said: str) -> None:
    with pytest.raises(ImportRefused, match=said):
        import_eligibility(house, "provider", text)
    assert history(house) == []


def test_grant__within_the_budget__is_payable_and_undone_by_a_line(house: House) -> None:
    claim = claimed(house, ANN, "deploy", 10)
    granted = grant(house, Grant(ANN, 30_000_000, "an appeal won late", ("Ada", "Ben"), claim))
    assert granted.left_micro == 20_000_000
    assert states(house) == [(ANN, 30, "payable", "results are final")]
    with pytest.raises(Conflict, match="20 USD are left"):
        grant(house, Grant(BOB, 20_000_001, "goodwill", ("Ada", "Ben")))
    assert take_back(house, granted.key, "a mistake", ("Ada", "Ben")).left_micro == 50_000_000
    with pytest.raises(Conflict, match="already"):
        take_back(house, granted.key, "a mistake", ("Ada", "Ben"))
    compute_awards(house)
    assert amounts(house)[granted.key] == 0


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (Grant(ANN, 1, "", ("Ada", "Ben")), Refused),
        (Grant(ANN, 1, "goodwill", ("Ada",)), Refused),
        (Grant(ANN, 1, "goodwill", ("Ada", " ada ")), Refused),
        (Grant(ANN, 0, "goodwill", ("Ada", "Ben")), Refused),
        (Grant(ANN, 1, "goodwill", ("Ada", "Ben"), "no such claim"), Refused),
        (Grant("akash1nobody", 1, "goodwill", ("Ada", "Ben")), NotFound),
    ],
    ids=["no_reason", "one_name", "same_name", "nothing", "claim", "nobody"],
)
def test_grant__what_can_not_be__refused(house: House, given: Grant, error: type[Exception]) -> None:
    with pytest.raises(error):
        grant(house, given)
    assert amounts(house) == {}


def test_grant__two_at_once__never_more_than_the_budget(house: House) -> None:
    answers: list[str] = []

    def act(person: str) -> None:
        try:
            grant(house, Grant(person, 40_000_000, "goodwill", ("Ada", "Ben")))
            answers.append("done")
        except Conflict:
            answers.append("conflict")

    rivals = [threading.Thread(target=act, args=(person,)) for person in (CID, DOT)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    assert sorted(answers) == ["conflict", "done"]
