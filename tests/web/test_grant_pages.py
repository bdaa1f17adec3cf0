"""The pages of grants: propose, agree, refuse, take back, and what everybody reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ledger.people import RoleRow
from services.grants import all_grants
from services.house import House
from tasks.moment import parse_moment
from tests.endings import ANN, CAMPAIGN, claimed, make_house
from tests.reviewing import token_in
from tests.web.test_organizing_pages import CAST, ORGANIZER, sent
from tests.web_signing import opened, shown
from web.factory import create_web

SECOND = f"akash1{'n' * 38}"
CAST["second organizer"] = SECOND
WHY = "The faucet was empty for a day."


@pytest.fixture
def house(tmp_path: Path) -> House:
    return staffed(make_house(tmp_path, parse_moment("2026-12-03T00:00:00Z")))


def staffed(house: House) -> House:
    with house.ledger.write() as session:
        session.add_all(RoleRow(address=address, role="organizer") for address in (ORGANIZER, SECOND))
    return house


@pytest.fixture
def browser(house: House) -> Callable[[str], FlaskClient]:
    return lambda who: opened(house, create_web(house), who, CAST[who])


def test_grants__proposed_and_agreed__are_listed_with_what_is_left(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    claim = claimed(house, ANN, "video", 1, "failed")
    first, second = browser("organizer"), browser("second organizer")
    page = shown(first.get("/organize/grants").get_data(as_text=True))
    assert "50.00 USD of 50.00 USD" in page
    assert "Nothing was granted yet" in page
    filled = first.get(f"/organize/grants?address={ANN}&claim={claim}").get_data(as_text=True)
    assert (f'value="{ANN}"' in filled, f'value="{claim}"' in filled) == (True, True)
    entered = {"address": ANN, "amount": "12.5", "reason": WHY, "claim": claim}
    assert sent(first, "/organize/grants", **entered)[0] == 302
    assert sent(first, "/organize/grants", **entered)[0] == 409
    waiting = "/organize/grants/proposals/1"
    assert "another organizer decides" in shown(first.get(waiting).get_data(as_text=True))
    assert sent(first, waiting, outcome="agreed")[0] == 403
    assert "Agree: grant 12.50 USD" in shown(second.get(waiting).get_data(as_text=True))
    assert sent(second, waiting, outcome="agreed")[0] == 302
    assert "agreed by" in shown(second.get(waiting).get_data(as_text=True))
    page = second.get("/organize/grants").get_data(as_text=True)
    assert "37.50 USD of 50.00 USD" in shown(page)
    assert (ORGANIZER in page, SECOND in page) == (True, True)
    public = browser("nobody").get(f"/participants/{ANN}").get_data(as_text=True)
    assert (WHY in shown(public), ORGANIZER in public, SECOND in public) == (True, False, False)


def test_take_back__proposed_and_agreed__says_so(house: House, browser: Callable[[str], FlaskClient]) -> None:
    first, second = browser("organizer"), browser("second organizer")
    sent(first, "/organize/grants", address=ANN, amount="10", reason=WHY)
    sent(second, "/organize/grants/proposals/1", outcome="agreed")
    assert sent(first, "/organize/grants/1/take-back", reason="no")[0] == 422
    assert sent(first, "/organize/grants/1/take-back", reason="It was for somebody else.")[0] == 302
    assert sent(second, "/organize/grants/proposals/2", outcome="agreed")[0] == 302
    assert "taken back" in shown(first.get("/organize/grants").get_data(as_text=True))
    assert "It was taken back" in shown(first.get("/organize/grants/1/take-back").get_data(as_text=True))
    assert all_grants(house).left_micro == 50_000_000
    assert first.get("/organize/grants/7/take-back").status_code == 404


def test_refused__with_a_reason__grants_nothing(house: House, browser: Callable[[str], FlaskClient]) -> None:
    first, second = browser("organizer"), browser("second organizer")
    sent(first, "/organize/grants", address=ANN, amount="10", reason=WHY)
    assert sent(second, "/organize/grants/proposals/1", outcome="refused", reason="")[0] == 422
    assert sent(second, "/organize/grants/proposals/1", outcome="refused", reason="That was not us.")[0] == 302
    assert "That was not us." in shown(first.get("/organize/grants/proposals/1").get_data(as_text=True))
    assert all_grants(house).given == []


@pytest.mark.parametrize(
    ("field", "value", "status", "words"),
    [
        ("address", "akash1nobody", 404, "Nobody has registered"),
        ("amount", "much", 422, "is not an amount"),
        ("amount", "0", 422, "more than nothing"),
        ("amount", "50.000001", 409, "50 USD are left"),
        ("reason", "no", 422, "at least 10 characters"),
        ("claim", "0" * 32, 422, "no such claim"),
    ],
)
def test_propose__wrong__is_said_at_the_field_and_the_rest_is_kept(
    browser: Callable[[str], FlaskClient], field: str, value: str, status: int, words: str
) -> None:
    entered = {"address": ANN, "amount": "10", "reason": WHY, "claim": ""} | {field: value}
    client = browser("organizer")
    assert sent(client, "/organize/grants", **entered)[0] == status
    html = client.post("/organize/grants", data=entered | {"csrf_token": _token(client)}).get_data(as_text=True)
    assert f'id="error-{field}"' in html
    assert words in shown(html)
    assert value in html


def _token(client: FlaskClient) -> str:
    return token_in(client.get("/organize/grants").get_data(as_text=True))


def test_grants__campaign_without_a_budget__says_how_to_get_one(tmp_path: Path) -> None:
    none = CAMPAIGN.replace("grants: {budget: 50}\n", "")
    house = staffed(make_house(tmp_path, parse_moment("2026-12-03T00:00:00Z"), none))
    client = opened(house, create_web(house), "organizer", ORGANIZER)
    assert "no budget for grants" in shown(client.get("/organize/grants").get_data(as_text=True))
