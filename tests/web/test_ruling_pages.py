"""The page where an organizer decides an appeal about an award: worked in its place, or on to a grant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ledger.people import RoleRow
from ledger.reviews import ReviewStepRow
from services import appeals
from services.appeals import AWARD
from services.clock import StoppedClock
from services.ending import finalize, publish_results
from services.house import House
from services.rewards import compute_awards
from tasks.moment import parse_moment
from tests.endings import ANN, claimed, decide, make_house
from tests.reviewing import token_in
from tests.web.test_organizing_pages import ORGANIZER
from tests.web_signing import opened, shown
from web.factory import create_web

TEXT = "I was there before all of them, see the block."
REASON = "Right: it was block 105."


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path, parse_moment("2026-12-03T00:00:00Z"))
    with house.ledger.write() as session:
        session.add(RoleRow(address=ORGANIZER, role="organizer"))
    return house


def test_ruling__before_final__takes_another_time_of_the_work(house: House) -> None:
    claim = claimed(house, ANN, "deploy", 10)
    compute_awards(house)
    appeal = appeals.make(house, ANN, claim, AWARD, TEXT)[0].row.id
    client = opened(house, create_web(house), "organizer", ORGANIZER)
    path = f"/review/appeals/{appeal}"
    html = client.get(path).get_data(as_text=True)
    assert 'value="2026-11-01T00:00:10Z"' in html
    assert "worked in its place" in shown(html)
    entered = {"csrf_token": token_in(html), "outcome": "won", "reason": REASON}
    assert client.post(path, data=entered | {"done_at": "soon"}).status_code == 422
    assert (
        client.post(path, data=entered | {"done_at": "2026-11-01T00:00:05Z", "done_height": "105"}).status_code == 302
    )
    with house.ledger.read() as session:
        assert session.get_one(ReviewStepRow, (claim, 1)).act == "appeal_won"
    assert "Appeal won" in shown(client.get(f"/claims/{claim}").get_data(as_text=True))


def test_ruling__the_time_is_left_as_it_was__moves_nothing(house: House) -> None:
    claim = claimed(house, ANN, "deploy", 10)
    compute_awards(house)
    path = f"/review/appeals/{appeals.make(house, ANN, claim, AWARD, TEXT)[0].row.id}"
    client = opened(house, create_web(house), "organizer", ORGANIZER)
    entered = {"csrf_token": token_in(client.get(path).get_data(as_text=True)), "outcome": "won", "reason": REASON}
    same = {"done_at": "2026-11-01T00:00:10Z", "done_height": "110"}
    assert client.post(path, data=entered | same).status_code == 302
    with house.ledger.read() as session:
        assert session.get(ReviewStepRow, (claim, 1)) is None


def test_ruling__after_final__leads_to_the_grant_filled_in(house: House) -> None:
    late = claimed(house, ANN, "deploy", 10, "failed")
    publish_results(house, ORGANIZER, "deploy")
    over = replace(house, clock=StoppedClock(parse_moment("2026-12-05T00:00:00Z")))
    finalize(over, ORGANIZER, "deploy")
    decide(over, late, "passed")
    compute_awards(over)
    appeal = appeals.make(over, ANN, late, AWARD, TEXT)[0].row.id
    client = opened(over, create_web(over), "organizer", ORGANIZER)
    path = f"/review/appeals/{appeal}"
    html = client.get(path).get_data(as_text=True)
    assert "you go on to the form of a grant" in shown(html)
    assert "done_at" not in html
    response = client.post(path, data={"csrf_token": token_in(html), "outcome": "won", "reason": REASON})
    assert response.status_code == 302
    asked = urlsplit(response.headers["Location"])
    assert (asked.path, parse_qs(asked.query)) == (
        "/organize/grants", {"address": [ANN], "claim": [late], "reason": [f"Appeal won: {REASON}"]},
    )  # fmt: skip
    form = client.get(response.headers["Location"]).get_data(as_text=True)
    assert (f'value="{ANN}"' in form, f'value="{late}"' in form, REASON in form) == (True, True, True)
    assert "Propose the grant" in shown(client.get(path).get_data(as_text=True))


def test_ruling__lost_after_final__leads_to_no_grant(house: House) -> None:
    late = claimed(house, ANN, "deploy", 10, "failed")
    publish_results(house, ORGANIZER, "deploy")
    over = replace(house, clock=StoppedClock(parse_moment("2026-12-05T00:00:00Z")))
    finalize(over, ORGANIZER, "deploy")
    decide(over, late, "passed")
    compute_awards(over)
    path = f"/review/appeals/{appeals.make(over, ANN, late, AWARD, TEXT)[0].row.id}"
    client = opened(over, create_web(over), "organizer", ORGANIZER)
    token = token_in(client.get(path).get_data(as_text=True))
    response = client.post(path, data={"csrf_token": token, "outcome": "lost", "reason": "It was the rule."})
    assert response.headers["Location"] == "/review/appeals"
    assert "Propose the grant" not in client.get(path).get_data(as_text=True)
