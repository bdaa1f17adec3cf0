"""An SDL written for others on the pages: its text escaped, what is like it side by side, the author's code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ledger.verdicts import take_due
from services import campaigns
from services.author_codes import author_codes
from services.claims import submit
from services.house import House
from services.loading import load_campaign
from services.submitted_texts import side_by_side
from services.verification import LEASE, verify_claims
from tests.houses import later
from tests.submissions import SDL
from tests.web.town import CAMPAIGN, CHAIN, HEIGHT, HOSTILE, OTHER, PARTICIPANT, fill, make_house, sign_in
from verifiers.chain.client import Chain
from verifiers.evidence import ChainPoint
from web.factory import create_web

TASKS = """
  - slug: sdl
    kind: sdl_submission
    title: Write an SDL
    summary: The text alone.
    params: {own_run: false}
    reward: {amount: 1, slots: [{max: 5}]}
  - slug: pull
    kind: sdl_submission
    title: Send a pull request
    summary: To our list.
    params: {repositories: [net/apps]}
    reward: {amount: 1, slots: [{max: 5}]}
"""
REVISED = CAMPAIGN.replace("revision: 1", "revision: 2").rstrip() + TASKS
"""The town's campaign with two more tasks."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = fill(make_house(tmp_path)).house
    change = 'change: {reason: "two tasks more", counts_from: 2026-03-21T00:00:00Z}\n'
    load_campaign(made, REVISED.replace("title: Spring", change + "title: Spring", 1), "a test")
    chain = Chain(("http://127.0.0.1:9",), ("http://127.0.0.1:9",), made.clock)
    yield replace(made, chain=chain)
    made.ledger.close()


def browser(house: House, who: object = None) -> FlaskClient:
    client = create_web(house).test_client()
    if who is not None:
        client.set_cookie("waymark-session", sign_in(house, who))
    return client


def read(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def test_claim_page__hostile_text__is_shown_as_text_to_everybody(house: House) -> None:
    text = SDL.replace("alpaca-7b", HOSTILE)
    made = submit(house, PARTICIPANT.address, "sdl", {"sdl": text})
    html = read(browser(house), f"/claims/{made.claim}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert HOSTILE not in html
    assert "The text that counts" in html


def test_claim_page__own_and_not_passed__offers_another_version(house: House) -> None:
    link = "https://github.com/net/apps/pull/7"
    made = submit(house, PARTICIPANT.address, "pull", {"sdl": SDL, "pull_request": link})
    path = "/tasks/pull/claim?pull_request=https://github.com/net/apps/pull/7"
    assert path in read(browser(house, PARTICIPANT), f"/claims/{made.claim}")
    assert "Send another version" not in read(browser(house, OTHER), f"/claims/{made.claim}")
    assert link in read(browser(house, PARTICIPANT), path)


def test_beside_page__copy__shows_both_with_what_differs_marked(house: House) -> None:
    original = submit(house, OTHER.address, "sdl", {"sdl": SDL})
    copy = submit(later(house, 60), PARTICIPANT.address, "sdl", {"sdl": SDL.replace("2048", HOSTILE)})
    look_here(later(house, 120))
    html = read(browser(house), f"/claims/{copy.claim}")
    path = re.search(r'href="(/claims/\w+/beside/\w+)"', html)
    assert path is not None
    assert path[1] == f"/claims/{copy.claim}/beside/{original.claim}"
    beside = read(browser(house), path[1])
    assert "100 % of images" in beside
    assert beside.count("<mark") == 2
    assert HOSTILE not in beside


def look_here(house: House) -> None:
    """A round of verification on the town's chain."""
    now = house.clock.now()
    taken = house.ledger.transact(lambda session: take_due(session, now, "tests", 200, LEASE))
    mine = [row for row in taken if row.kind == "sdl_submission"]
    verify_claims(house, campaigns.required(house), ChainPoint(CHAIN, HEIGHT, now), mine, "tests")


def test_beside_page__unknown_or_without_an_sdl__is_not_found(house: House) -> None:
    made = submit(house, PARTICIPANT.address, "sdl", {"sdl": SDL})
    for other in ("f" * 32, "<x>"):
        assert browser(house).get(f"/claims/{made.claim}/beside/{other}").status_code == 404


@pytest.mark.parametrize("path", ["/tasks/pull", "/tasks/pull/claim"])
def test_code__signed_in__is_shown_where_it_is_needed(house: House, path: str) -> None:
    (code,) = author_codes(house.settings, "spring-gpu", PARTICIPANT.address)
    assert code in read(browser(house, PARTICIPANT), path)
    (other,) = author_codes(house.settings, "spring-gpu", OTHER.address)
    assert other not in read(browser(house, PARTICIPANT), path)


@pytest.mark.parametrize("path", ["/tasks/sdl", "/tasks/deploy"])
def test_code__task_that_asks_for_none__is_not_shown(house: House, path: str) -> None:
    assert "Your code" not in read(browser(house, PARTICIPANT), path)


def test_code__stranger__sees_none(house: House) -> None:
    assert "Your code" not in read(browser(house), "/tasks/pull")


def test_claim_form__secret__is_refused_at_the_field_and_not_kept(house: House) -> None:
    client = browser(house, PARTICIPANT)
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', read(client, "/tasks/sdl/claim"))[-1]
    text = SDL.replace("MODEL_REVISION=main", "HF_TOKEN=hunter2")
    answer = client.post("/tasks/sdl/claim", data={"csrf_token": token, "sdl": text})
    assert answer.status_code == 422
    assert "holds secrets" in answer.get_data(as_text=True)


def test_side_by_side__texts__stand_in_rows() -> None:
    rows = list(side_by_side("a\nb\nc", "a\nx\nc\nd"))
    assert [(row.left, row.right, row.is_same) for row in rows] == [
        ("a", "a", True),
        ("b", "x", False),
        ("c", "c", True),
        ("", "d", False),
    ]
    assert [row.left_number for row in rows] == [1, 2, 3, None]


def test_side_by_side__very_long__ends_soon() -> None:
    rows = list(side_by_side("a\n" * 30_000, "b\na\n" * 15_000))
    assert len(rows) == 30_000
