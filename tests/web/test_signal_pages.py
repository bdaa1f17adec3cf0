"""Review signals on the pages: staff see them, a decision has a reason, those concerned read it and may appeal."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from devnet.scenarios import small
from ledger.audit import AuditRow, check_log
from ledger.chain import LeaseRow
from ledger.people import RoleRow
from ledger.signals import SignalAppealRow, SignalDecisionRow, SignalEdgeRow
from services import campaigns, eligibility
from services.house import House
from services.signals import recompute
from tests.reviewing import token_in
from tests.signal_town import ADA, AUDITOR, BEN, DEE, ELI, NORTH, ORGANIZER, claim, entered_sdl, make_house
from tests.web_signing import opened, shown
from web.factory import create_web

CAST = {"nobody": None, "ada": ADA, "ben": BEN, "eli": ELI, "reviewer": AUDITOR, "organizer": ORGANIZER}
REASON = "The two share a flat and a machine, as they told us on the 3rd."
ON_ADA = f"/organize/signals/{ADA}"


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Ada and Ben share a video, Ada and Dee an SDL; everybody else stands apart."""
    house = make_house(tmp_path)
    for person in (ADA, BEN):
        claim(house, person, "https://video.example/watch/1")
    for person, dseq in ((ADA, 11), (DEE, 22)):
        entered_sdl(house, person, dseq, "ab" * 32)
    recompute(house, campaigns.required(house))
    return house


@pytest.fixture
def browser(house: House) -> Callable[[str], FlaskClient]:
    app = create_web(house)
    return lambda who: opened(house, app, who, CAST[who])


def read(client: FlaskClient, page: str) -> str:
    response = client.get(page)
    assert response.status_code == 200, response.status_code
    return shown(response.get_data(as_text=True))


def sent(client: FlaskClient, page: str, to: str = "", **values: object) -> tuple[int, str, str]:
    token = token_in(client.get(page).get_data(as_text=True))
    response = client.post(to or page, data={"csrf_token": token} | values)
    return response.status_code, shown(response.get_data(as_text=True)), response.headers.get("Location", "")


def edges(house: House, signal: str = "") -> list[str]:
    statement = select(SignalEdgeRow.id).order_by(SignalEdgeRow.signal.desc())
    with house.ledger.read() as session:
        return list(session.scalars(statement.where(SignalEdgeRow.signal == signal) if signal else statement))


def decided(browser: Callable[[str], FlaskClient], house: House, act: str, **values: object) -> tuple[int, str, str]:
    given: dict[str, object] = {"edges": edges(house), "outcome": act, "reason": REASON, "after": "0"}
    return sent(browser("organizer"), ON_ADA, **given | values)


# ---------------------------------------------------------------- who sees them


@pytest.mark.parametrize("path", ["/organize/signals", ON_ADA, "/organize/signals?signal=same_sdl&status=open"])
@pytest.mark.parametrize(
    ("who", "status"), [("nobody", 302), ("ada", 403), ("eli", 403), ("reviewer", 200), ("organizer", 200)]
)
def test_pages__each_of_the_cast__only_staff_come_in(
    browser: Callable[[str], FlaskClient], path: str, who: str, status: int
) -> None:
    response = browser(who).get(path)
    assert response.status_code == status
    html = response.get_data(as_text=True)
    assert "style=" not in html
    assert "<script>" not in html


@pytest.mark.parametrize("path", [ON_ADA, "/organize/signals/appeals/ab"])
@pytest.mark.parametrize(("who", "status"), [("nobody", 401), ("ada", 403), ("reviewer", 403)])
def test_acts__by_anybody_else__are_refused(
    house: House, browser: Callable[[str], FlaskClient], path: str, who: str, status: int
) -> None:
    answer = browser(who).post(path, data={"edges": edges(house), "outcome": "dismissed", "reason": REASON})
    assert answer.status_code == status
    with house.ledger.read() as session:
        assert session.scalars(select(SignalDecisionRow)).all() == []


def test_acts__without_the_token__are_refused(browser: Callable[[str], FlaskClient]) -> None:
    assert browser("organizer").post(ON_ADA).status_code == 400


def test_undecided__signs__are_nowhere_for_those_concerned(browser: Callable[[str], FlaskClient]) -> None:
    assert "Nothing was decided" in read(browser("ada"), "/me/signals")
    for path in ("/me", f"/participants/{ADA}"):
        assert "/me/signals" not in browser("ada").get(path).get_data(as_text=True)
    for path in (f"/participants/{ADA}", f"/api/v1/participants/{ADA}", "/jobs"):
        text = browser("nobody").get(path).get_data(as_text=True)
        assert "signals/" not in text
        assert "Both claimed" not in text


# ---------------------------------------------------------------- what they see


def test_overview__two_kinds_of_signs__rank_and_say_why(browser: Callable[[str], FlaskClient]) -> None:
    text = read(browser("organizer"), "/organize/signals")
    assert "1 cluster" in text
    assert "look here first" in text
    assert "2 not decided" in text
    assert "Nothing joins participants here" in read(browser("reviewer"), "/organize/signals?signal=fee_grant")
    assert "1 cluster" in read(browser("reviewer"), "/organize/signals?signal=no_such_thing")


def test_cluster__of_anybody_in_it__shows_every_sign_with_its_evidence(browser: Callable[[str], FlaskClient]) -> None:
    html = browser("reviewer").get(f"/organize/signals/{DEE}").get_data(as_text=True)
    text = shown(html)
    assert "Both claimed the same thing." in text
    assert "Both entered the same SDL." in text
    links = set(re.findall(r'href="(/(?:claims|observations)/[0-9a-f]+)"', html))
    assert len(links) == 4
    for link in links:
        assert browser("reviewer").get(link).status_code == 200
    assert 'name="edges"' not in html  # reviewers read, organizers decide
    assert "No cluster" in read(browser("organizer"), f"/organize/signals/{ELI}")
    assert browser("organizer").get("/organize/signals/akash1nobody").status_code == 404


# ---------------------------------------------------------------- decisions


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({"reason": "no"}, 422, "at least 10 characters"),
        ({"outcome": "banned"}, 422, "Choose one of"),
        ({"edges": []}, 422, "Choose at least one sign"),
        ({"edges": ["ab" * 16]}, 404, "not there"),
    ],
    ids=["no_reason", "no_outcome", "no_sign", "no_such_sign"],
)
def test_decision__that_is_not_complete__is_refused_with_its_field(
    house: House, browser: Callable[[str], FlaskClient], values: dict[str, object], status: int, words: str
) -> None:
    answered, text, _ = decided(browser, house, "dismissed", **values)
    assert (answered, words in text) == (status, True)
    with house.ledger.read() as session:
        assert session.scalars(select(SignalDecisionRow)).all() == []


def test_dismissed__with_a_reason__leaves_the_clusters_and_is_read_by_those_concerned(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    subject = edges(house, "same_subject")
    assert decided(browser, house, "dismissed", edges=subject)[0] == 302
    text = read(browser("organizer"), "/organize/signals")
    assert "look here first" not in text
    assert "1 dismissed sign" in text
    for who, reads in (("ada", True), ("ben", True), ("eli", False)):
        assert (REASON in read(browser(who), "/me/signals")) is reads
        assert ("Organizers decided" in read(browser(who), "/me")) is reads
    assert "Appeal against this decision" not in read(browser("ben"), "/me/signals")
    with house.ledger.read() as session:
        acts = session.scalars(select(AuditRow).where(AuditRow.act == "signal.dismissed")).all()
        assert [(row.actor, row.detail["edges"]) for row in acts] == [(ORGANIZER, subject)]
        assert check_log(session) == []


def test_decision__twice__is_one_and_another_replaces_it(house: House, browser: Callable[[str], FlaskClient]) -> None:
    assert decided(browser, house, "watched")[0] == 302
    assert decided(browser, house, "watched", after="1")[0] == 302
    assert decided(browser, house, "dismissed", after="0")[0] == 409
    assert decided(browser, house, "dismissed", after="1")[0] == 302
    with house.ledger.read() as session:
        assert [row.outcome for row in session.scalars(select(SignalDecisionRow))] == ["watched", "dismissed"]
    text = read(browser("ada"), "/me/signals")
    assert "a later decision has replaced it" in text


def test_decision__on_one_sign_after_another__needs_no_second_look(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    assert decided(browser, house, "watched", edges=edges(house, "same_subject"))[0] == 302
    html = browser("organizer").get(ON_ADA).get_data(as_text=True)
    assert re.search(r'name="after"[^>]*value="1"', html)
    assert decided(browser, house, "confirmed", edges=edges(house, "same_sdl"), after="1")[0] == 302


def test_dismissed__by_mistake__is_taken_back_from_the_participants_page(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    assert decided(browser, house, "dismissed")[0] == 302
    html = browser("organizer").get(ON_ADA).get_data(as_text=True)
    assert "No cluster" in shown(html)
    given = re.findall(r'name="edges"[^>]*value="([0-9a-f]+)"', html)
    assert sorted(given) == sorted(edges(house))
    assert decided(browser, house, "watched", after="1")[0] == 302
    assert "1 cluster" in read(browser("organizer"), "/organize/signals")


def test_subject__that_is_hostile__is_shown_as_text(house: House, browser: Callable[[str], FlaskClient]) -> None:
    for person in (DEE, ELI):
        claim(house, person, "https://x.example/<script>alert(1)</script>")
    recompute(house, campaigns.required(house))
    html = browser("organizer").get(f"/organize/signals/{DEE}").get_data(as_text=True)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_decision__on_a_sign_that_grew_stronger__is_open_again(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    decided(browser, house, "dismissed")
    assert "Nothing joins participants here" in read(browser("organizer"), "/organize/signals")
    with house.ledger.write() as session:
        row = session.scalars(select(SignalEdgeRow).where(SignalEdgeRow.signal == "same_sdl")).one()
        row.strength = "strong"
    assert "1 not decided" in read(browser("organizer"), "/organize/signals")


def test_confirmed__leads_to_eligibility__with_the_reason_filled_in_and_no_effect(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    status, _, location = decided(browser, house, "confirmed")
    assert (status, location) == (302, f"/organize/eligibility?participant={ADA}&decision=1")
    assert eligibility.history(house) == []
    html = browser("organizer").get(location).get_data(as_text=True)
    assert REASON in unescape(html)
    assert "same subject" in html
    assert f'value="{ADA}"' in html
    page = browser("organizer").get(ON_ADA).get_data(as_text=True)
    for person in (ADA, BEN, DEE):
        assert f"/organize/eligibility?participant={person}&amp;decision=1" in page
    assert decided(browser, house, "confirmed", edges=edges(house, "same_sdl"), after="1")[0] == 302
    entered = {"address": ADA, "eligibility": "ineligible", "reason": f"{REASON} (decision 1)", "after": "0"}
    assert sent(browser("organizer"), location, "/organize/eligibility", **entered)[0] == 302
    assert [row.participant for row in eligibility.history(house)] == [ADA]


def test_confirmed__a_sign_of_others_in_the_cluster__leads_to_them(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    page = f"/organize/signals/{DEE}"
    given = {"edges": edges(house, "same_subject"), "outcome": "confirmed", "reason": REASON, "after": "0"}
    status, _, location = sent(browser("organizer"), page, **given)
    assert (status, location) == (302, f"/organize/eligibility?participant={min(ADA, BEN)}&decision=1")


def test_cluster__with_leases_between_them__counts_them_as_a_hint(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    assert "Leases between them" not in read(browser("organizer"), ON_ADA)
    with house.ledger.write() as session:
        for number, owner in enumerate((ADA, ADA, ELI)):
            session.add(
                LeaseRow(
                    chain_id=small.CHAIN_ID, owner=owner, dseq=100 + number, gseq=1, oseq=1, provider=NORTH, bseq=0,
                    state="closed", price="1", denom="uact", created_at=9, reason="", gpu_units=1, read_height=9,
                )
            )  # fmt: skip
    text = read(browser("reviewer"), ON_ADA)
    assert "Leases between them" in text
    assert re.search(r"Leases akash1\S+ Copy address akash1\S+ Copy address 2 ", text)


def test_decision__of_an_organizer_whom_it_concerns__is_refused(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    with house.ledger.write() as session:
        session.add(RoleRow(address=ADA, role="organizer"))
    given = {"edges": edges(house), "outcome": "dismissed", "reason": REASON, "after": "0"}
    client = browser("ada")
    assert "This concerns you" in read(client, ON_ADA)
    status, text, _ = sent(client, "/organize/eligibility", ON_ADA, **given)
    assert (status, "somebody else decides it" in text) == (403, True)


# ---------------------------------------------------------------- appeals


def appealed(browser: Callable[[str], FlaskClient], who: str, number: int = 1) -> tuple[int, str, str]:
    return sent(browser(who), "/me/signals", f"/me/signals/{number}/appeal", text="My brother lent me his camera.")


def appeals(house: House) -> list[SignalAppealRow]:
    with house.ledger.read() as session:
        return list(session.scalars(select(SignalAppealRow).order_by(SignalAppealRow.made_ns)))


def test_appeal__by_each_of_the_cast__is_for_those_concerned(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    decided(browser, house, "confirmed", edges=edges(house, "same_subject"))
    assert browser("nobody").post("/me/signals/1/appeal").status_code == 401
    assert appealed(browser, "ben")[0] == 302
    assert appealed(browser, "ben")[0] == 302  # again: the same one
    assert browser("eli").get("/me/signals").status_code == 200
    token = {"csrf_token": "a-token", "text": "A text that is long enough."}
    assert browser("eli").post("/me/signals/1/appeal", data=token).status_code in {400, 404}
    (row,) = appeals(house)
    assert (row.participant, row.decision) == (BEN, 1)
    assert "1 appeal waiting" in read(browser("organizer"), "/organize/signals")
    assert browser("reviewer").get(f"/organize/signals/appeals/{row.id}").status_code == 403


@pytest.mark.parametrize(("outcome", "words", "open_ones"), [("won", "Appeal won", 0), ("lost", "Appeal lost", 1)])
def test_ruling__won_or_lost__is_read_by_the_participant_and_has_its_effect_on_the_signs_only(
    house: House, browser: Callable[[str], FlaskClient], outcome: str, words: str, open_ones: int
) -> None:
    decided(browser, house, "confirmed", edges=edges(house, "same_subject"))
    appealed(browser, "ben")
    page = f"/organize/signals/appeals/{appeals(house)[0].id}"
    assert "My brother" in read(browser("organizer"), page)
    assert sent(browser("organizer"), page, outcome=outcome, reason="short")[0] == 422
    answered = {"outcome": outcome, "reason": "We saw the camera and the brother."}
    assert sent(browser("organizer"), page, **answered)[0] == 302
    assert sent(browser("organizer"), "/organize/eligibility", page, **answered)[0] == 409
    text = read(browser("ben"), "/me/signals")
    assert words in text
    assert "We saw the camera" in text
    clusters = read(browser("organizer"), "/organize/signals?signal=same_subject")
    assert ("cluster:" in clusters) is bool(open_ones)
    assert eligibility.history(house) == []
    with house.ledger.read() as session:
        assert check_log(session) == []


def test_appeal__against_what_was_replaced_or_dismissed__is_refused(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    subject = edges(house, "same_subject")
    decided(browser, house, "confirmed", edges=subject)
    decided(browser, house, "watched", edges=subject, after="1")
    status, text, _ = appealed(browser, "ben", 1)
    assert (status, "A later decision has replaced this one" in text) == (409, True)
    assert appealed(browser, "ben", 2)[0] == 302
    decided(browser, house, "dismissed", edges=subject, after="2")
    assert appeals(house)[0].decision == 2
