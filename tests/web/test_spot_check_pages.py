"""Spot checks on pages and over the API, with the cast: participant, other participant, stranger."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from ledger.people import SessionRow
from ledger.spot_checks import SpotSeedRow
from services import spot_checks
from services.house import House
from services.sessions import hash_token
from tasks.moment import SECOND, format_moment
from tests.onboarding_worlds import PROVIDER, TENANT
from tests.spot_town import CLOSES, MINUTE, Town, drawn, moved, only, opened, result_text, spot_town
from tests.spot_worlds import proofs
from web.factory import create_web
from web.pages.spot_checks import results_in

TOKEN = {"X-CSRF-Token": "a-token-for-forms"}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with spot_town(tmp_path) as world:
        yield world


def client(house: House, address: str | None) -> FlaskClient:
    browser = create_web(house).test_client()
    if address is not None:
        token, now = f"token-of-{address}", house.clock.now()
        times = {"created_ns": now, "seen_ns": now, "expires_ns": now + 3600 * SECOND}
        with house.ledger.write() as session:
            session.merge(
                SessionRow(token_hash=hash_token(token), address=address, csrf_token="a-token-for-forms", **times)
            )
        browser.set_cookie("waymark-session", token)
    return browser


def post(browser: FlaskClient, path: str, body: dict[str, Any]) -> Any:
    return browser.post(f"/api/v1/spot-checks/{path}", json=body, headers=TOKEN)


def test_pages_and_api__drawn_and_not_open__nobody_is_told_its_moment(place: Town) -> None:
    house, node_, _ = place
    row = drawn(house, node_)
    with house.ledger.read() as session:
        seed = session.get_one(SpotSeedRow, ("small-test", "onboard"))
    browser = client(house, PROVIDER)
    claim = next(iter(_claims(browser)))
    pages = ["/me", "/tasks/onboard", f"/claims/{claim}", "/providers", f"/providers/{PROVIDER}", "/jobs",
             "/api/v1/me/todo", "/api/v1/spot-checks", "/api/v1/tasks/onboard", f"/api/v1/claims/{claim}",
             f"/api/v1/participants/{PROVIDER}"]  # fmt: skip
    moment = format_moment(row.drawn.begins.__class__(row.moment_ns))
    for page in pages:
        answer = browser.get(page)
        assert answer.status_code == 200, page
        for secret in (seed.seed, row.id, str(row.moment_ns), moment):
            assert secret not in answer.text, page
    assert browser.get(f"/spot-checks/{row.id}").status_code == 404
    assert post(browser, f"{row.id}/challenges", {}).status_code == 404
    assert seed.commitment in browser.get("/tasks/onboard").text


def _claims(browser: FlaskClient) -> list[str]:
    return [claim["id"] for claim in browser.get("/api/v1/me/todo").json["claims"]]


def test_api__participant__gets_the_sdl_and_enters_the_result(place: Town) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    browser = client(now, PROVIDER)
    (listed,) = browser.get("/api/v1/spot-checks").json["items"]
    assert (listed["gpus"], listed["is_open"], len(listed["claims"])) == (2, True, 2)
    made = post(browser, f"{listed['id']}/challenges", {})
    assert made.status_code == 200
    assert proofs("two")["challenge"] in made.json["sdl"]
    result = json.loads(result_text("two", ["GPU-a", "GPU-b"]))
    taken = post(browser, f"{listed['id']}/results", {"results": [result]})
    assert (taken.status_code, taken.json["containers"][0]["entered"]) == (202, True)
    todo = browser.get("/api/v1/me/todo").json["claims"][0]
    assert any("Spot check 1 of 1 is open until" in sentence for sentence in todo["missing"])


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("challenges", {"per_container": 3}, 422, "per_container"),
        ("challenges", {"per_container": 0}, 422, "per_container"),
        ("challenges", {"more": 1}, 422, "more"),
        ("results", {"results": ["{"]}, 422, "results"),
        ("results", {"results": []}, 422, "results"),
        ("results", {}, 422, "results"),
    ],
)
def test_api__something_wrong__names_the_field(
    place: Town, path: str, body: dict[str, Any], status: int, field: str
) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    answer = post(client(now, PROVIDER), f"{only(now).id}/{path}", body)
    assert (answer.status_code, answer.json["field"]) == (status, field)


@pytest.mark.parametrize(("who", "status"), [(TENANT, 404), (None, 401)], ids=["other participant", "stranger"])
def test_api__not_ones_own__is_not_there(place: Town, who: str | None, status: int) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    browser = client(now, who)
    assert post(browser, f"{only(now).id}/challenges", {}).status_code == status
    assert post(browser, f"{only(now).id}/results", {"results": []}).status_code == status
    page = browser.get(f"/spot-checks/{only(now).id}")
    assert page.status_code in {404, 302, 401}
    assert "benchmark-1" not in page.text


def send(browser: FlaskClient, path: str, act: str, **values: str) -> Any:
    """A form of the page, with the token that stands in it."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(path).text)
    assert token is not None
    return browser.post(f"{path}/{act}", data={"csrf_token": token.group(1), **values})


def test_page__from_the_notice_to_the_result(place: Town) -> None:
    house, node_, _ = place
    now = opened(house, node_)
    browser = client(now, PROVIDER)
    path = f"/spot-checks/{only(now).id}"
    assert path in browser.get("/me").text
    claim = f"/claims/{_claims(browser)[0]}"
    assert "Run spot check 1" in browser.get(claim).text
    assert "Run spot check 1" not in client(now, TENANT).get(claim).text
    assert "Enter the results" not in browser.get(path).text
    assert send(browser, path, "sdl", per_container="2").status_code == 302
    assert "WAYMARK_GPUS=2" in browser.get(f"{path}.yaml").text
    wrong = send(browser, path, "results", results="no result")
    assert wrong.status_code == 422
    assert "This is no result" in wrong.text
    text = result_text("two", ["GPU-a", "GPU-b"])
    assert send(browser, path, "results", results=text).status_code == 302
    assert "entered" in browser.get(path).text


def test_task_page__all_is_over__tells_the_seed(place: Town) -> None:
    house, node_, _ = place
    drawn(house, node_)
    closed = moved(house, node_, CLOSES + MINUTE)
    with house.ledger.read() as session:
        seed = session.get_one(SpotSeedRow, ("small-test", "onboard")).seed
    assert seed not in client(closed, None).get("/tasks/onboard").text
    from services.spot_draws import hold

    hold(closed)
    assert seed in client(closed, None).get("/tasks/onboard").text
    told = spot_checks.commitment_of(closed, "onboard")
    assert told is not None
    assert told.seed == seed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ('{"a": 1}', ['{"a": 1}']),
        ('{"a": 1}\n{"b": "}"}', ['{"a": 1}', '{"b": "}"}']),
        ('{"a": 1}, {"b": 2}', ['{"a": 1}', '{"b": 2}']),
        ("https://a.example\nhttps://b.example\n", ["https://a.example", "https://b.example"]),
        ('https://a.example\n{"a":\n1}', ["https://a.example", '{"a":\n1}']),
        ("{broken", ["{broken"]),
        ("[" * 100_000, ["[" * 100_000]),
    ],
)
def test_results_in__several_texts_and_addresses__one_each(text: str, found: list[str]) -> None:
    assert results_in(text) == found
