"""The page that takes an identity provider's list: first what it would change, then the act."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ledger.people import AddressRow, RoleRow
from services.eligibility import Entered, history, set_eligibility
from services.house import House
from services.rewards import compute_awards
from tasks.moment import parse_moment
from tests.endings import ANN, BOB, CID, DOT, claimed, make_house
from tests.reviewing import token_in
from tests.web.test_organizing_pages import ORGANIZER, hidden
from tests.web_signing import opened, shown
from web.factory import create_web

PAGE = "/organize/eligibility/import"
GOOD = f"""address,eligibility,reason,starts
{ANN},withheld,"identity open, asked twice",
{BOB},ineligible,one person with two names,2026-11-05T00:00:00Z
{CID},withheld,as before,
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path, parse_moment("2026-12-03T00:00:00Z"))
    with house.ledger.write() as session:
        session.add(RoleRow(address=ORGANIZER, role="organizer"))
    set_eligibility(house, "the list", Entered(CID, "withheld", "as before"))
    claimed(house, ANN, "deploy", 1)
    compute_awards(house)
    return house


@pytest.fixture
def client(house: House) -> FlaskClient:
    return opened(house, create_web(house), "organizer", ORGANIZER)


def posted(client: FlaskClient, **values: object) -> tuple[int, str]:
    token = token_in(client.get(PAGE).get_data(as_text=True))
    response = client.post(PAGE, data={"csrf_token": token} | values, content_type="multipart/form-data")
    return response.status_code, response.get_data(as_text=True)


def as_text(text: str) -> dict[str, object]:
    return {"text": text}


def as_file(text: str) -> dict[str, object]:
    return {"file": (io.BytesIO(b"\xef\xbb\xbf" + text.encode()), "list.csv")}


@pytest.mark.parametrize("sending", [as_text, as_file], ids=["text", "file"])
def test_import__looked_at_and_confirmed__counts_only_then(
    house: House, client: FlaskClient, sending: Callable[[str], dict[str, object]]
) -> None:
    status, html = posted(client, **sending(GOOD))
    text = shown(html)
    assert (status, len(history(house))) == (200, 1)
    assert "2 entries would be new; 1 row says what holds already" in text
    assert "ineligible for work from 2026-11-05 00:00 UTC" in text
    assert "10" in text
    confirmed = {"seen": hidden(html, "seen"), "text": hidden(html, "text")}
    assert posted(client, **confirmed)[0] == 302
    assert [(row.participant, row.eligibility, row.actor) for row in history(house)[1:]] == [
        (ANN, "withheld", ORGANIZER),
        (BOB, "ineligible", ORGANIZER),
    ]
    assert "0 entries would be new; 3 rows say" in shown(posted(client, text=GOOD)[1])


def test_import__somebody_decided_in_between__is_looked_at_again(house: House, client: FlaskClient) -> None:
    html = posted(client, text=GOOD)[1]
    set_eligibility(house, "another", Entered(ANN, "ineligible", "found out"))
    status, again = posted(client, seen=hidden(html, "seen"), text=GOOD)
    assert (status, "decided in between" in shown(again)) == (409, True)
    assert len(history(house)) == 2
    assert posted(client, seen=hidden(again, "seen"), text=GOOD)[0] == 302


def test_import__wrong_lines__names_each_and_takes_nothing(house: House, client: FlaskClient) -> None:
    with house.ledger.write() as session:
        session.add(AddressRow(address="akash1linked", participant=ANN, proved_ns=1, proof="text", linked_ns=1))
    wrong = (
        GOOD
        + f"akash1linked,withheld,the same person,\nakash1gone,withheld,who,\n{DOT},maybe,x,\n{DOT},withheld,x,soon\n"
    )
    for values in ({"text": wrong}, {"text": wrong, "seen": "0" * 64}):
        status, html = posted(client, **values)
        text = shown(html)
        assert status == 422
        assert "line 5: akash1linked is the participant of line 2 too" in text
        assert "line 6: Nobody has registered akash1gone" in text
        assert "line 7: Choose one of" in text
        assert "line 8: 'soon' is not a UTC time" in text
        assert len(history(house)) == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": ""}, "line 1: the columns must be"),
        ({"text": "address,eligibility,reason\n"}, "line 1: no row follows the header"),
        ({"file": (io.BytesIO(b"\xff\xfe\x00"), "list.csv")}, "is no UTF-8 text"),
    ],
    ids=["nothing", "header only", "no text"],
)
def test_import__no_list__says_what_is_needed(client: FlaskClient, values: dict[str, object], words: str) -> None:
    status, html = posted(client, **values)
    assert (status, words in shown(html)) == (422, True)
