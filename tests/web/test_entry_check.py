"""The pre-flight of a claim: the checks of the official look, nothing kept, limited in rate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from ledger.claims import ClaimRow
from ledger.observations import ObservationRow
from ledger.submissions import SubmittedSdlRow
from services.house import House
from services.loading import load_campaign
from tests.submissions import SDL
from tests.web.test_submission_pages import REVISED
from tests.web.town import PARTICIPANT, fill, make_house, sign_in
from verifiers.chain.client import Chain
from web.factory import create_web


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = fill(make_house(tmp_path)).house
    change = 'change: {reason: "two tasks more", counts_from: 2026-03-21T00:00:00Z}\n'
    load_campaign(made, REVISED.replace("title: Spring", change + "title: Spring", 1), "a test")
    yield replace(made, chain=Chain(("http://127.0.0.1:9",), ("http://127.0.0.1:9",), made.clock))
    made.ledger.close()


@pytest.fixture
def client(house: House) -> FlaskClient:
    made = create_web(house).test_client()
    made.set_cookie("waymark-session", sign_in(house, PARTICIPANT))
    return made


def kept(house: House) -> list[int]:
    with house.ledger.read() as session:
        rows = (ClaimRow, ObservationRow, SubmittedSdlRow)
        return [session.scalar(select(func.count()).select_from(row)) or 0 for row in rows]


def ask(client: FlaskClient, **fields: str) -> tuple[int, dict[str, object]]:
    headers = {"X-CSRF-Token": "a-token-for-forms"}
    answer = client.post("/api/v1/claims/check", json=fields, headers=headers)
    return answer.status_code, answer.get_json()


def test_check__over_the_api__says_what_the_official_look_would_and_keeps_nothing(
    house: House, client: FlaskClient
) -> None:
    before = kept(house)
    status, answer = ask(client, task="sdl", sdl=SDL.replace(":1.4", ":latest"))
    assert status == 200, answer
    assert answer["outcome"] == "failed"
    outcomes = {check["name"]: check["outcome"] for check in answer["checks"]}  # type: ignore[attr-defined]
    assert outcomes == {
        "gpu": "passed", "images": "failed", "exposed": "passed", "signed_by": "passed", "novelty": "passed",
    }  # fmt: skip
    assert answer["missing"]
    assert kept(house) == before


def test_check__deployment__reads_the_chain_with_the_unsent_sdl(house: House, client: FlaskClient) -> None:
    text = SDL.replace("example/llm-server:1.4", "example/whisper:1")
    before = kept(house)
    status, answer = ask(client, task="deploy", owner=PARTICIPANT.address, dseq="7", sdl=text)
    assert (status, answer["outcome"]) == (200, "unknown"), "this town's node does not answer"
    assert kept(house) == before


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"task": "sdl", "sdl": "no"}, 422, "sdl"),
        ({"task": "video", "url": "https://video.example/1"}, 422, "task"),
        ({"task": "none"}, 404, None),
    ],
    ids=["not valid", "no pre-flight", "no such task"],
)
def test_check__refused__says_why(
    client: FlaskClient, fields: dict[str, str], status: int, field: str | None
) -> None:
    answered, answer = ask(client, **fields)
    assert (answered, answer.get("field")) == (status, field)


def test_check__stranger__signs_in_first(house: House) -> None:
    assert create_web(house).test_client().post("/api/v1/claims/check", json={"task": "sdl"}).status_code in {
        400,
        401,
    }


def test_check__often__is_limited(client: FlaskClient) -> None:
    statuses = [ask(client, task="sdl", sdl="no")[0] for _ in range(7)]
    assert statuses == [422] * 6 + [429]


def test_check__on_the_form__shows_the_checks_and_keeps_the_text(house: House, client: FlaskClient) -> None:
    html = client.get("/tasks/sdl/claim").get_data(as_text=True)
    assert 'formaction="/tasks/sdl/claim/check"' in html
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', html)[-1]
    before = kept(house)
    answer = client.post("/tasks/sdl/claim/check", data={"csrf_token": token, "sdl": SDL})
    html = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Nothing of this is kept" in html
    assert "alpaca-7b" in html
    assert kept(house) == before
