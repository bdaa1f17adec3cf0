"""The organizers' API: the end of a campaign, eligibility, grants, revisions, by everybody who may and may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from ledger.people import RoleRow, SessionRow
from services.eligibility import history
from services.grants import all_grants
from services.house import House
from services.results import all_results
from services.rewards import compute_awards
from services.sessions import hash_token
from tasks.campaign import load
from tasks.moment import SECOND, parse_moment
from tests.endings import ANN, BOB, CAMPAIGN, at, claimed, make_house
from web.factory import create_web

ORGANIZER, SECOND_ONE, REVIEWER = (f"akash1{letter * 38}" for letter in "lmn")
ROLES = ((ORGANIZER, "organizer"), (SECOND_ONE, "organizer"), (REVIEWER, "reviewer"))
WHY = "The faucet was empty for a day."
REVISION = CAMPAIGN.replace("revision: 1", 'revision: 2\nchange: {reason: "half", reaches_back: true}').replace(
    "{amount: 10,", "{amount: 4,"
)

POSTS: list[tuple[str, dict[str, object]]] = [
    ("results/publish", {}),
    ("results/finalize", {}),
    ("eligibility", {"address": ANN, "eligibility": "withheld", "reason": "identity open"}),
    ("eligibility/preview", {"csv": "address,eligibility,reason\n"}),
    ("eligibility/import", {"csv": f"address,eligibility,reason\n{ANN},withheld,x\n", "seen": "0" * 64}),
    ("grants/proposals", {"address": ANN, "amount_micro": 1, "reason": WHY}),
    ("grants/proposals/1/decision", {"outcome": "agreed"}),
    ("grants/1/take-back", {"reason": WHY}),
    ("campaign/preview", {"text": REVISION}),
    ("campaign/revisions", {"text": REVISION, "digest": "0" * 64, "reason": WHY}),
]
GETS = ("results/before", "eligibility", "grants", "grants/proposals")


class Caller:
    """Somebody's program."""

    def __init__(self, house: House, app: Flask, address: str | None) -> None:
        self.client, self.headers = app.test_client(), {}
        if address is not None:
            now = house.clock.now()
            times = {"created_ns": now, "seen_ns": now, "expires_ns": now + 3600 * SECOND}
            with house.ledger.write() as session:
                session.merge(
                    SessionRow(token_hash=hash_token(address), address=address, csrf_token="a-token", **times)
                )
            self.client.set_cookie("waymark-session", address)
            self.headers = {"X-CSRF-Token": "a-token"}

    def get(self, path: str) -> tuple[int, Any]:
        response = self.client.get(f"/api/v1/{path}")
        return response.status_code, response.json

    def post(self, path: str, **body: object) -> tuple[int, Any]:
        response = self.client.post(f"/api/v1/{path}", json=body, headers=self.headers)
        return response.status_code, response.json


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path, parse_moment("2026-12-03T00:00:00Z"))
    with house.ledger.write() as session:
        session.add_all(RoleRow(address=address, role=role) for address, role in ROLES)
    return house


def caller(house: House, address: str | None = ORGANIZER) -> Caller:
    return Caller(house, create_web(house), address)


@pytest.mark.parametrize(
    ("address", "status"), [(None, 401), (ANN, 403), (REVIEWER, 403)], ids=["nobody", "participant", "reviewer"]
)
def test_every_way__of_anybody_else__is_refused_and_nothing_is_written(
    house: House, address: str | None, status: int
) -> None:
    theirs = caller(house, address)
    for path, body in POSTS:
        assert theirs.post(path, **body)[0] == status, path
    for path in GETS:
        assert theirs.get(path)[0] == status, path
    assert history(house) == []
    assert all_grants(house).given == []


def test_posts__without_the_token__are_refused(house: House) -> None:
    ours = caller(house)
    ours.headers = {}
    assert {ours.post(path, **body)[0] for path, body in POSTS} == {400}


def test_results__published_and_final_by_a_program(house: House) -> None:
    claim = claimed(house, ANN, "video", 1, "pending", holds=True)
    ours = caller(house)
    status, seen = ours.get("results/before?state=provisional")
    assert (status, [each["claim"] for each in seen["claims"]], seen["refused"]) == (200, [claim], None)
    assert ours.post("results/publish")[0] == 409
    assert ours.post("results/publish", excepted={"other": "x"})[0] == 422
    status, ended = ours.post("results/publish", excepted={claim: "its node is away"})
    assert (status, ended["state"], ended["appeals_until"]) == (201, "provisional", "2026-12-05T00:00:00Z")
    assert ours.post("results/finalize", task="video")[0] == 409
    assert "2026-12-05" in ours.get("results/before?state=final&task=video")[1]["refused"]
    assert ours.get("results/before?state=soon")[0] == 422
    assert ours.get("results/before?task=nothing")[0] == 404
    later = at(house, "2026-12-05T00:00:00Z")
    theirs = caller(later)
    assert [each["claim"] for each in theirs.get("results/before?state=final")[1]["left_open"]] == [claim]
    assert theirs.post("results/finalize")[0] == 201
    found = all_results(later)
    assert found is not None
    assert found.whole.stage == "final"


def test_eligibility__decided_and_imported_by_a_program(house: House) -> None:
    ours = caller(house)
    decision = {"address": ANN, "eligibility": "withheld", "reason": "identity open", "after": 0}
    assert ours.post("eligibility", **decision)[0] == 201
    assert ours.post("eligibility", **decision)[0] == 409
    assert ours.post("eligibility", **decision | {"after": None})[0] == 200
    assert ours.post("eligibility", **decision | {"starts": "soon", "after": None})[1]["field"] == "starts"
    text = f"address,eligibility,reason\n{ANN},withheld,identity open\n{BOB},ineligible,two names\n"
    _, seen = ours.post("eligibility/preview", csv=text)
    assert ([each["participant"] for each in seen["changes"]], seen["unchanged"]) == ([BOB], 1)
    assert ours.post("eligibility/import", csv=text, seen="0" * 64)[0] == 409
    assert ours.post("eligibility/import", csv=text, seen=seen["seen"]) == (201, {"added": 1, "unchanged": 1})
    wrong = text + "akash1gone,withheld,who\n"
    status, refused = ours.post("eligibility/import", csv=wrong, seen=seen["seen"])
    assert (status, "line 4" in refused["detail"]) == (422, True)
    items = ours.get("eligibility")[1]["items"]
    assert [(each["participant"], each["eligibility"], each["by"]) for each in items] == [
        (BOB, "ineligible", ORGANIZER),
        (ANN, "withheld", ORGANIZER),
    ]


def test_grants__proposed_and_decided_by_programs(house: House) -> None:
    ours, theirs = caller(house), caller(house, SECOND_ONE)
    status, made = ours.post("grants/proposals", address=ANN, amount_micro=5_000_000, reason=WHY)
    assert (status, made["outcome"]) == (201, "open")
    path = f"grants/proposals/{made['proposal']}/decision"
    assert ours.post(path, outcome="agreed")[0] == 403
    status, made = theirs.post(path, outcome="agreed")
    assert (status, made["outcome"], made["decided_by"]) == (201, "agreed", SECOND_ONE)
    _, seen = ours.get("grants")
    names = seen["grants"][0]["names"]
    assert (seen["left_micro"], len(set(names)), ORGANIZER in names) == (45_000_000, 2, False)
    status, undo = theirs.post("grants/1/take-back", reason="It was for somebody else.")
    assert (status, undo["takes_back"]) == (201, made["grant"])
    ours.post(f"grants/proposals/{undo['proposal']}/decision", outcome="agreed")
    assert ours.get("grants")[1]["grants"][0]["taken_back_at"] == "2026-12-03T00:00:00Z"
    assert ours.get("grants/proposals")[1]["total"] == 2
    assert ours.post("grants/7/take-back", reason=WHY)[0] == 404


def test_revision__looked_at_and_loaded_by_a_program(house: House) -> None:
    claimed(house, ANN, "deploy", 1)
    compute_awards(house)
    ours = caller(house)
    _, seen = ours.post("campaign/preview", text=REVISION)
    assert seen["preview"]["participants"] == {ANN: -6_000_000}
    digest = load(REVISION).digest
    assert ours.post("campaign/revisions", text=REVISION, digest="0" * 64, reason=WHY)[0] == 409
    assert ours.post("campaign/revisions", text=REVISION, digest=digest, reason=" ")[1]["field"] == "reason"
    assert ours.post("campaign/revisions", text=REVISION, digest=digest, reason=WHY)[0] == 201
    assert ours.post("campaign/revisions", text=REVISION, digest=digest, reason=WHY)[0] == 200
    status, refused = ours.post("campaign/preview", text="nothing")
    assert (status, refused["field"]) == (422, "text")
