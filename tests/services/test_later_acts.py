"""Acts of the organizers at moments of the past, through the use cases."""

from __future__ import annotations

from pathlib import Path

from services import campaigns
from services.later_acts import LaterPlayer
from tasks.moment import SECOND, Moment
from tests.endings import OPENS, make_house
from verifiers.evidence import ChainPoint


def block(height: int) -> ChainPoint:
    return ChainPoint("local-v2", height, Moment(OPENS + 6 * SECOND * height))


def test_revise__twice_and_for_another_reason__each_reason_makes_one_revision(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    player = LaterPlayer(house, block)
    for height, reason, old, new in (
        (5, 'it is "gone"', "hosts: [video.example]", "hosts: [other.example]"),
        (5, 'it is "gone"', "hosts: [video.example]", "hosts: [other.example]"),
        (9, "it is there", "hosts: [other.example]", "hosts: [third.example]"),
    ):
        player.revise(height, "an organizer", reason, [(old, new)])
    rules = campaigns.required(house).rules
    said = [
        (each.revision, each.change and each.change.reason, each.tasks[1].params["fields"])
        for each in rules.revisions
    ]
    assert [(number, reason) for number, reason, _ in said] == [(1, None), (2, 'it is "gone"'), (3, "it is there")]
    assert [fields[0]["hosts"] for _, _, fields in said] == [
        ("video.example",),
        ("other.example",),
        ("third.example",),
    ]
    assert all(each.change.reaches_back for each in rules.revisions[1:] if each.change)
