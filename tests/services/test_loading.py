"""Loading revisions: who would gain or lose, what may not be lowered, and what is written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.audit import AuditRow
from ledger.campaigns import CampaignRevisionRow
from ledger.claims import ClaimRow
from services import campaigns
from services.eligibility import Entered, set_eligibility
from services.ending import finalize, publish_results
from services.errors import Conflict
from services.grants import Grant, grant
from services.house import House
from services.loading import load_campaign, preview_file
from services.rewards import compute_awards
from tasks.campaign import CampaignErrors
from tests import houses
from tests.endings import ANN, BOB, CAMPAIGN, CID, DOT, amounts, at, claimed, make_house, newest_lines

BACK = 'revision: 2\nchange: {reason: "found out", reaches_back: true}'
PAST = 'revision: 2\nchange: {reason: "x", counts_from: 2026-11-24T00:00:00Z}'


def revised(*changes: tuple[str, str], head: str = BACK) -> str:
    text = CAMPAIGN.replace("revision: 1", head)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = at(make_house(tmp_path), "2026-11-25T00:00:00Z")
    for number, person in enumerate((ANN, BOB, CID)):
        claimed(house, person, "deploy", 10 + number)
    compute_awards(house)
    return house


def test_preview__more_places_and_less_money__each_participant_and_why(house: House) -> None:
    found = preview_file(house, revised(("amount: 10, slots: [{max: 2}]", "amount: 8, slots: [{max: 3}]")))
    assert found.may_be_loaded
    assert [(s.participant, s.task, s.difference_micro, s.before_reasons, s.after_reasons) for s in found.shifts] == [
        (person, "deploy", micro, reasons, ("awarded",))
        for person, micro, reasons in sorted(
            [(ANN, -2_000_000, ("awarded",)), (BOB, -2_000_000, ("awarded",)), (CID, 8_000_000, ("slots_full",))]
        )
    ]
    assert found.by_task() == {"deploy": 4_000_000}
    assert found.document()["in_force"] == 1
    assert compute_awards(house).lines_added == 0


def test_preview__excused_time__names_the_windows_it_cuts(house: House) -> None:
    excused = 'excused: [{from: 2026-11-19T00:00:00Z, to: 2026-11-21T00:00:00Z, reason: "a halt"}]\ntasks:'
    found = preview_file(house, revised(("tasks:\n  - slug: deploy", f"{excused}\n  - slug: deploy")))
    assert [(cut.task, cut.reason) for cut in found.cuts] == [
        ("deploy", "a halt"),
        ("video", "a halt"),
        ("both", "a halt"),
    ]
    assert found.document()["excused"][0] == {  # type: ignore[index]
        "task": "deploy", "reason": "a halt", "from": "2026-11-19T00:00:00Z", "to": "2026-11-20T00:00:00Z",
    }  # fmt: skip


def test_preview__an_ineligible_participant__is_not_in_it(house: House) -> None:
    set_eligibility(house, "an organizer", Entered(ANN, "ineligible", "two accounts"))
    found = preview_file(house, revised(("amount: 10", "amount: 8")))
    assert {shift.participant for shift in found.shifts} == {BOB, CID}


def test_preview__results_are_final__nothing_of_the_task_moves(house: House) -> None:
    publish_results(house, "an organizer", "deploy")
    later = at(house, "2026-11-28T00:00:00Z")
    finalize(later, "an organizer", "deploy")
    text = revised(("amount: 10", "amount: 8"))
    assert preview_file(later, text).shifts == ()
    before = amounts(later)
    load_campaign(later, text, "an organizer")
    compute_awards(later)
    assert amounts(later) == before


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (revised(("max: 2}", "max: 1}")), "tasks[0].reward.slots[0].max"),
        (revised(("grants: {budget: 50}", "grants: {budget: 5}")), "grants.budget"),
        (
            revised(
                ("amount: 10", "amount: 9"),
                head='revision: 2\nchange: {reason: "x", counts_from: 2026-11-24T00:00:00Z}',
            ),
            "change.counts_from",
        ),
    ],
    ids=["places", "grants", "the_past"],
)
def test_load__lowers_what_is_awarded_or_counts_from_the_past__refused(house: House, text: str, path: str) -> None:
    grant(house, Grant(ANN, 10_000_000, "goodwill", ("Ada", "Ben")))
    found = preview_file(house, text)
    assert not found.may_be_loaded
    assert [mistake.path for mistake in found.mistakes] == [path]
    with pytest.raises(CampaignErrors) as refused:
        load_campaign(house, text, "an organizer")
    assert [mistake.path for mistake in refused.value] == [path]
    with house.ledger.read() as session:
        assert len(session.scalars(select(CampaignRevisionRow)).all()) == 1


def test_load__a_revision__is_written_down_and_the_lines_name_it(house: House) -> None:
    _, is_new = load_campaign(house, revised(("amount: 10", "amount: 8")), "Ada")
    assert is_new
    with house.ledger.read() as session:
        row = session.get_one(CampaignRevisionRow, ("ending-test", 2))
        act = session.scalars(select(AuditRow).order_by(AuditRow.id.desc())).first()
        assert (row.author, row.reason) == ("Ada", "found out")
        assert act is not None
        assert (act.actor, act.act, act.detail["reason"], act.detail["digest"]) == (
            "Ada", "campaign.load", "found out", row.digest,
        )  # fmt: skip
    compute_awards(house)
    assert {(amount, cause) for _, amount, _, cause in newest_lines(house, 2)} == {(-2, "revision 2")}
    assert load_campaign(house, revised(("amount: 10", "amount: 8")), "Ben")[1] is False
    with pytest.raises(Conflict, match="another content"):
        preview_file(house, revised(("amount: 10", "amount: 7")))


def test_load__asks_something_else_of_a_task__what_is_undecided_there_is_judged_again(house: House) -> None:
    waiting, decided = (
        claimed(house, who, "video", 5, what, holds=who == ANN) for who, what in ((ANN, "pending"), (BOB, "passed"))
    )
    other = claimed(house, DOT, "deploy", 30, "pending", holds=True)
    load_campaign(house, revised(("hosts: [video.example]", "hosts: [other.example]")), "Ada")
    with house.ledger.read() as session:
        due = {name: session.get_one(ClaimRow, name).due_ns for name in (waiting, decided, other)}
    assert due == {waiting: house.clock.now(), decided: None, other: None}


def test_undecided__several_campaigns_and_no_setting__says_what_to_set(tmp_path: Path) -> None:
    two = houses.make_house(tmp_path)
    assert campaigns.undecided(two) == ""
    load_campaign(two, houses.CAMPAIGN.replace("small-test", "another-test"), "a test")
    assert campaigns.undecided(two).startswith("Several campaigns are loaded (another-test, small-test)")
    named = replace(two, settings=two.settings.model_copy(update={"campaign": "small-test"}))
    assert campaigns.undecided(named) == ""
