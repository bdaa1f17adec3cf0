"""Reviews and appeals over the API, by everybody who may and may not use them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ledger.people import SessionRow
from services.claims import submit
from services.house import House
from services.sessions import hash_token
from tasks.moment import SECOND
from tests.houses import NOON
from tests.reviewing import (
    ADA,
    BEN,
    LINKED_REVIEWER,
    ORGANIZER,
    REVIEWER,
    SECOND_REVIEWER,
    STRANGER,
    claim_of,
    look,
    make_house,
)
from tests.wallets import Keyholder
from web.factory import create_web

REASON = "We could reproduce it."
CAST: dict[str, Keyholder | None] = {
    "nobody": None, "stranger": STRANGER, "participant": ADA, "other": BEN, "linked reviewer": LINKED_REVIEWER,
    "reviewer": REVIEWER, "organizer": ORGANIZER,
}  # fmt: skip


class Caller:
    """Somebody's program."""

    def __init__(self, house: House, app: Flask, who: Keyholder | None) -> None:
        self.client: FlaskClient = app.test_client()
        self.headers: dict[str, str] = {}
        if who is not None:
            token = f"token-of-{who.address}"
            with house.ledger.write() as session:
                row = {"created_ns": NOON, "seen_ns": NOON, "expires_ns": NOON + 3600 * SECOND}
                hashed = hash_token(token)
                session.merge(SessionRow(token_hash=hashed, address=who.address, csrf_token="a-token", **row))
            self.client.set_cookie("waymark-session", token)
            self.headers = {"X-CSRF-Token": "a-token"}

    def get(self, path: str) -> tuple[int, Any]:
        response = self.client.get(f"/api/v1/{path}")
        return response.status_code, response.json

    def post(self, path: str, **body: object) -> tuple[int, Any]:
        response = self.client.post(f"/api/v1/{path}", json=body, headers=self.headers)
        return response.status_code, response.json


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def calls(house: House) -> dict[Keyholder | None, Caller]:
    app = create_web(house)
    return {who: Caller(house, app, who) for who in (*CAST.values(), SECOND_REVIEWER)}


@pytest.fixture
def bug(house: House) -> str:
    made = submit(house, ADA.address, "bug", {"words": "It stops when I look at it."})
    look(house)
    return made.claim


def test_claim__entered_over_the_api__is_judged_by_people_to_its_award(
    house: House, calls: dict[Keyholder | None, Caller]
) -> None:
    status, made = calls[ADA].post("claims", task="bug", words="It stops.")
    assert (status, made["verdict"], made["decisions"], made["appeals"]) == (201, "pending", [], [])
    assert calls[ADA].post("claims", task="bug", words="It stops.")[0] == 200
    look(house)
    _, waiting = calls[REVIEWER].get("reviews")
    assert [(each["claim"], each["is_own"]) for each in waiting["items"]] == [(made["id"], False)]
    for who in (REVIEWER, SECOND_REVIEWER):
        status, seen = calls[who].post(
            f"claims/{made['id']}/decisions", act="accept", reason=REASON, decided={"severity": "high"}
        )
        assert status == 201
    assert [each["act"] for each in seen["decisions"]] == ["accept", "accept"]
    look(house)
    _, seen = calls[None].get(f"claims/{made['id']}")
    assert (seen["verdict"], seen["attributes"], seen["at"]) == ("passed", {"severity": "high"}, made["received_at"])
    assert len({each["by"] for each in seen["decisions"]}) == 2
    assert REVIEWER.address not in str(seen)
    _, kept = calls[None].get(f"observations/{seen['decisions'][0]['observation']}")
    assert kept["source"] == "reviewer"


@pytest.mark.parametrize(
    ("path", "body", "allowed"),
    [
        ("decisions", {"act": "accept", "reason": REASON, "decided": {"severity": "low"}}, {"reviewer", "organizer"}),
        ("reopen", {"reason": REASON}, set()),
        ("answer", {"fields": {"words": "More."}}, set()),
        ("appeals", {"about": "result", "text": REASON}, set()),
    ],
)
@pytest.mark.parametrize("who", CAST)
def test_posts__of_each_of_the_cast(
    calls: dict[Keyholder | None, Caller], bug: str, who: str, path: str, body: dict[str, object], allowed: set[str]
) -> None:
    status, problem = calls[CAST[who]].post(f"claims/{bug}/{path}", **body)
    if who in allowed:
        assert status == 201
        return
    # what a person may do here at all is refused for the claim's state only
    state = {"reopen": {"reviewer", "organizer"}, "answer": {"participant"}, "appeals": {"participant"}}
    wanted = 409 if who in state.get(path, ()) else 401 if who == "nobody" else 403
    assert (status, problem["status"]) == (wanted, wanted)


@pytest.mark.parametrize("who", CAST)
def test_lists__are_for_staff(calls: dict[Keyholder | None, Caller], bug: str, who: str) -> None:
    refused = 401 if who == "nobody" else 403
    is_staff = who in {"linked reviewer", "reviewer", "organizer"}
    assert calls[CAST[who]].get("reviews")[0] == (200 if is_staff else refused)
    assert calls[CAST[who]].get("appeals")[0] == (200 if who == "organizer" else refused)


def test_decision__not_whole__names_the_field(calls: dict[Keyholder | None, Caller], bug: str) -> None:
    for body, field in (
        ({"act": "approve", "reason": REASON}, "act"),
        ({"act": "accept", "reason": "ok"}, "reason"),
        ({"act": "accept", "reason": REASON}, "severity"),
        ({"act": "accept", "reason": REASON, "decided": {"severity": "awful"}}, "severity"),
        ({"act": "reject"}, "reason"),
        ({"act": "reject", "reason": REASON, "by": "me"}, "by"),
    ):
        status, problem = calls[REVIEWER].post(f"claims/{bug}/decisions", **body)
        assert (status, problem["field"]) == (422, field)
    assert calls[REVIEWER].get("reviews?for=me")[1]["field"] == "for"


def test_answer_and_appeal__to_their_ends(house: House, calls: dict[Keyholder | None, Caller], bug: str) -> None:
    calls[REVIEWER].post(f"claims/{bug}/decisions", act="needs_work", reason="Which version was it?")
    look(house)
    assert calls[REVIEWER].get("reviews")[1]["total"] == 0
    assert calls[REVIEWER].get("reviews?for=participants")[1]["items"][0]["answer_until"] == "2026-11-25T12:00:00Z"
    status, seen = calls[ADA].post(f"claims/{bug}/answer", fields={"words": "Version two."}, note="as asked")
    assert (status, seen["decisions"][-1]["act"], seen["decisions"][-1]["by"]) == (201, "answer", None)
    assert "Version two" not in str(seen)
    look(house)
    for who in (REVIEWER, SECOND_REVIEWER):
        calls[who].post(f"claims/{bug}/decisions", act="reject", reason="It is no bug at all.")
    look(house)
    assert claim_of(house, bug).outcome == "failed"
    status, appeal = calls[ADA].post(f"claims/{bug}/appeals", about="result", text="It is one, see the log.")
    assert (status, appeal["outcome"]) == (201, "open")
    assert calls[ADA].post(f"claims/{bug}/appeals", about="result", text="It is one, see the log.")[0] == 200
    ruling = {"outcome": "won", "reason": "We saw the log."}
    for who, holder in CAST.items():
        if who != "organizer":
            assert calls[holder].post(f"appeals/{appeal['id']}/ruling", **ruling)[0] in {401, 403}
    assert calls[ORGANIZER].post(f"appeals/{appeal['id']}/ruling", **ruling, height=5)[1]["field"] == "at"
    assert calls[ORGANIZER].post(f"appeals/{appeal['id']}/ruling", **ruling, at="noon")[1]["field"] == "at"
    status, decided = calls[ORGANIZER].post(f"appeals/{appeal['id']}/ruling", **ruling)
    assert (status, decided["outcome"], decided["reason"]) == (201, "won", "We saw the log.")
    look(house)
    _, seen = calls[None].get(f"claims/{bug}")
    assert (seen["verdict"], seen["appeals"][0]["outcome"]) == ("pending", "won")
    assert "see the log." not in str(seen)
    status, _ = calls[REVIEWER].post(
        f"claims/{bug}/decisions", act="accept", reason=REASON, decided={"severity": "low"}
    )
    assert status == 201
    calls[SECOND_REVIEWER].post(f"claims/{bug}/decisions", act="accept", reason=REASON, decided={"severity": "low"})
    look(house)
    assert calls[REVIEWER].post(f"claims/{bug}/reopen", reason="It was fixed before.")[0] == 201
