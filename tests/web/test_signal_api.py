"""Review signals over the API, by everybody who may and may not use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ledger.people import SessionRow
from ledger.signals import SignalDecisionRow
from services import campaigns
from services.house import House
from services.sessions import hash_token
from services.signals import recompute
from tasks.moment import SECOND
from tests.signal_town import ADA, AUDITOR, BEN, CATALOGUE, ELI, ORGANIZER, STRANGER, claim, entered_sdl, make_house
from web.factory import create_web

CAST = {"nobody": None, "ada": ADA, "ben": BEN, "eli": ELI, "reviewer": AUDITOR, "organizer": ORGANIZER}
REASON = "They told us that they share a camera."


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path)
    for person in (ADA, BEN):
        claim(house, person, "https://video.example/watch/1")
    recompute(house, campaigns.required(house))
    return house


@pytest.fixture
def ask(house: House) -> Callable[..., tuple[int, Any]]:
    app, now = create_web(house), house.clock.now()
    for who, address in CAST.items():
        if address is not None:
            with house.ledger.write() as session:
                row = {"created_ns": now, "seen_ns": now, "expires_ns": now + 3600 * SECOND, "csrf_token": "a-token"}
                session.add(SessionRow(token_hash=hash_token(f"token-{who}"), address=address, **row))

    def call(who: str, path: str, body: object = None) -> tuple[int, Any]:
        client = app.test_client()
        if CAST[who] is not None:
            client.set_cookie("waymark-session", f"token-{who}")
        headers = {"X-CSRF-Token": "a-token"}
        sent = client.get if body is None else client.post
        given = {} if body is None else {"json": body}
        response = sent(f"/api/v1/{path}", headers=headers, **given)
        return response.status_code, response.json

    return call


READS = {
    "signals": {"nobody": 401, "ada": 403, "reviewer": 200, "organizer": 200},
    "signals/weak": {"nobody": 401, "ada": 403, "reviewer": 200, "organizer": 200},
    "signals/appeals": {"nobody": 401, "ada": 403, "reviewer": 403, "organizer": 200},
    "me/signals": {"nobody": 401, "ada": 200, "eli": 200, "organizer": 403},
}


@pytest.mark.parametrize(
    ("path", "who", "status"), [(path, who, status) for path, row in READS.items() for who, status in row.items()]
)
def test_reads__each_of_the_cast__get_what_is_theirs(
    ask: Callable[..., tuple[int, Any]], path: str, who: str, status: int
) -> None:
    assert ask(who, path)[0] == status


@pytest.mark.parametrize(("who", "status"), [("nobody", 401), ("ada", 403), ("reviewer", 403)])
def test_decision__by_anybody_but_an_organizer__is_refused(
    house: House, ask: Callable[..., tuple[int, Any]], who: str, status: int
) -> None:
    edge = ask("organizer", "signals")[1]["items"][0]["edges"][0]["id"]
    body = {"edges": [edge], "outcome": "confirmed", "reason": REASON}
    assert ask(who, "signals/decisions", body)[0] == status
    with house.ledger.read() as session:
        assert session.scalars(select(SignalDecisionRow)).all() == []


def test_signals__from_the_table_to_a_won_appeal__by_programs(ask: Callable[..., tuple[int, Any]]) -> None:
    status, found = ask("reviewer", "signals")
    (cluster,) = found["items"]
    assert (status, found["total"], cluster["seriousness"]) == (200, 1, "strong")
    assert cluster["participants"] == sorted([ADA, BEN])
    assert (cluster["signals"], cluster["undecided"]) == (["same_subject"], 1)
    (edge,) = cluster["edges"]
    assert (edge["status"], edge["decision"], edge["strength"], len(edge["evidence"])) == ("open", None, "strong", 2)
    assert ask("ada", "me/signals")[1]["items"] == []

    body = {"edges": [edge["id"]], "outcome": "confirmed", "reason": REASON, "after": 0}
    status, decision = ask("organizer", "signals/decisions", body)
    assert (status, decision["outcome"], decision["edges"]) == (201, "confirmed", [edge["id"]])
    assert decision["decided_by"].startswith("reviewer-")
    assert ask("organizer", "signals/decisions", body | {"after": decision["id"]})[0] == 200
    assert ask("organizer", "signals/decisions", body | {"outcome": "watched"})[0] == 409
    status, problem = ask("organizer", "signals/decisions", body | {"reason": "no"})
    assert (status, problem["field"]) == (422, "reason")
    assert ask("organizer", "signals/decisions", body | {"edges": ["0" * 32], "after": None})[0] == 404

    (notice,) = ask("ada", "me/signals")[1]["items"]
    assert (notice["decision"]["reason"], notice["holds"], notice["appeal"]) == (REASON, True, None)
    assert ask("eli", "me/signals")[1]["items"] == []
    path = f"me/signals/{decision['id']}/appeals"
    assert ask("eli", path, {"text": "This is none of my business."})[0] == 404
    status, appeal = ask("ada", path, {"text": "We made it together, as two people."})
    assert (status, appeal["outcome"]) == (201, "open")
    assert ask("ada", path, {"text": "We made it together, as two people."}) == (200, appeal)
    assert ask("organizer", "signals/appeals")[1]["total"] == 1
    ruling = {"outcome": "won", "reason": "Both can be seen in the video."}
    assert ask("reviewer", f"signals/appeals/{appeal['id']}/ruling", ruling)[0] == 403
    status, ruled = ask("organizer", f"signals/appeals/{appeal['id']}/ruling", ruling)
    assert (status, ruled["outcome"], ruled["reason"]) == (201, "won", ruling["reason"])
    assert ask("organizer", f"signals/appeals/{appeal['id']}/ruling", ruling)[0] == 409
    assert ask("organizer", "signals")[1]["items"] == []
    newest, before = ask("ben", "me/signals")[1]["items"]
    assert (newest["decision"]["outcome"], before["holds"]) == ("dismissed", False)


def test_weak__signs__are_listed_apart(house: House, ask: Callable[..., tuple[int, Any]]) -> None:
    assert ask("organizer", "signals/weak")[1]["items"] == []
    for person, dseq in ((ELI, 1), (STRANGER, 2)):
        entered_sdl(house, person, dseq, CATALOGUE)
    recompute(house, campaigns.required(house))
    (edge,) = ask("reviewer", "signals/weak")[1]["items"]
    assert (edge["signal"], edge["strength"], edge["status"]) == ("same_sdl", "weak", "open")
    assert STRANGER not in str(ask("organizer", "signals")[1])
