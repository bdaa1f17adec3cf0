"""The API as DESIGN section 5 promises it, and as its own OpenAPI document describes it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.wallets import Keyholder
from tests.web.town import HEIGHT, HOSTILE, LINKED, OTHER, PARTICIPANT, PROVIDER, STRANGER, Town

Browser = Callable[[Keyholder], FlaskClient]

READS = (
    "campaign",
    "tasks",
    "tasks/deploy",
    "tasks/onboard",
    "stats",
    "leaderboard",
    "leaderboard?page=2&per_page=3&search=extra",
    f"participants/{PARTICIPANT.address}",
    f"participants/{OTHER.address}",
    f"claims/{0:032x}",
    f"claims/{3:032x}",
    "providers",
    f"providers/{PROVIDER.address}",
)


def read(client: FlaskClient, path: str) -> Any:
    """The JSON of a good answer."""
    response = client.get(f"/api/v1/{path}")
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.json


def operation_of(document: dict[str, Any], path: str) -> dict[str, Any]:
    """The described GET of a path, templates included."""
    parts = path.split("?", maxsplit=1)[0].split("/")
    for template, methods in document["paths"].items():
        wanted = template.strip("/").split("/")
        if len(wanted) == len(parts) and all(
            one == other or one.startswith("{") for one, other in zip(wanted, parts, strict=True)
        ):
            found: dict[str, Any] = methods["get"]
            return found
    raise AssertionError(f"{path} is not described")


def test_openapi__document__is_valid_and_describes_every_route(pages: FlaskClient, town_web: Any) -> None:
    document = read(pages, "openapi.json")
    validate(document)
    described = set(document["paths"])
    routes = {
        re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
        for rule in town_web.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
    }
    assert routes - described == {"/openapi.json", "/allowlist.txt", "/blocklist.txt", "/benchmarks.csv"}


@pytest.mark.parametrize("path", READS)
def test_read__each__is_as_described(pages: FlaskClient, path: str) -> None:
    document = read(pages, "openapi.json")
    schema = operation_of(document, path)["responses"]["200"]["content"]["application/json"]["schema"]
    text = json.dumps(schema).replace("#/components/schemas/", "#/$defs/")
    definitions = json.loads(
        json.dumps(document["components"]["schemas"]).replace("#/components/schemas/", "#/$defs/")
    )
    Draft202012Validator(json.loads(text) | {"$defs": definitions}).validate(read(pages, path))


@pytest.mark.parametrize("path", READS)
def test_read__again_with_its_etag__is_304(pages: FlaskClient, path: str) -> None:
    first = pages.get(f"/api/v1/{path}")
    again = pages.get(f"/api/v1/{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""


@pytest.mark.parametrize("path", READS)
def test_read__contact__is_never_there(pages: FlaskClient, path: str) -> None:
    assert "never@shown.example" not in pages.get(f"/api/v1/{path}").get_data(as_text=True)


def test_campaign__answer__has_the_promised_names(pages: FlaskClient) -> None:
    found = read(pages, "campaign")
    assert found["slug"] == "spring-gpu"
    assert found["opens"] == "2026-03-01T00:00:00Z"
    assert len(found["rules_digest"]) == 64
    assert set(found) == {
        "slug",
        "revision",
        "title",
        "opens",
        "closes",
        "chain_id",
        "payout_chain_id",
        "rules_digest",
        "terms",
    }


def test_task__fields_places_decay__are_told(pages: FlaskClient) -> None:
    found = read(pages, "tasks/deploy")
    assert [(field["name"], field["type"], field["required"]) for field in found["fields"]] == [
        ("owner", "address", True),
        ("dseq", "number", True),
        ("sdl", "sdl", True),
        ("app", "choice", False),
    ]
    assert found["places"] == {"taken": 1, "held": 1, "left": 18}
    assert found["decay"] == {"percent": 50, "next_at": "2026-03-22T08:00:00Z", "next_percent": 25}


def test_stats__figures__hold_at_a_block(pages: FlaskClient) -> None:
    found = read(pages, "stats")
    assert found["participants"] == 123
    assert found["as_of"] == {"chain_id": "waymark-test-1", "height": str(HEIGHT), "time": "2026-03-20T11:59:54Z"}


def test_leaderboard__paging__cuts_one_ranking(pages: FlaskClient) -> None:
    whole = read(pages, "leaderboard?per_page=200")
    assert [item["rank"] for item in whole["items"]] == list(range(1, 124))
    parts = [read(pages, f"leaderboard?per_page=50&page={page}")["items"] for page in (1, 2, 3, 4)]
    assert [item for part in parts for item in part] == whole["items"]
    assert (whole["page"], whole["per_page"], whole["total"]) == (1, 200, 123)
    first = whole["items"][0]
    assert first["address"] == PARTICIPANT.address
    assert (first["amount_micro"], first["provisional_micro"], first["unit"]) == (20_000_000, 20_000_000, "USD")
    assert first["tasks"] == {"deploy": 20_000_000}


@pytest.mark.parametrize(
    ("query", "field"),
    [("page=0", "page"), ("page=one", "page"), ("per_page=201", "per_page"), ("per_page=٣", "per_page")],
)
def test_list__query_out_of_bounds__names_the_field(pages: FlaskClient, query: str, field: str) -> None:
    response = pages.get(f"/api/v1/leaderboard?{query}")
    assert response.status_code == 422
    assert response.mimetype == "application/problem+json"
    assert response.json is not None
    assert response.json["field"] == field


def test_participant__by_a_linked_address__is_the_same(pages: FlaskClient) -> None:
    found = read(pages, f"participants/{LINKED.address}")
    assert found["address"] == PARTICIPANT.address
    assert found["addresses"] == [PARTICIPANT.address, LINKED.address]
    claim = next(each for each in found["claims"] if each["verdict"] == "passed")
    assert claim == read(pages, f"claims/{claim['id']}")
    assert [award["amount_micro"] for award in claim["awards"]] == [36_000_000, -16_000_000]
    assert claim["at"] == "2026-03-19T12:00:00Z"
    assert claim["height"] == "385600"
    assert claim["checks"][0] == claim["checks"][0] | {
        "name": "deployment_exists",
        "outcome": "passed",
        "height": str(HEIGHT),
    }


def test_claim__pending__says_what_is_missing_and_when_we_look(pages: FlaskClient) -> None:
    found = read(pages, f"claims/{1:032x}")
    assert found["missing"] == ["Lease on the third provider: 4 minutes of 10 so far."]
    assert found["next_look"] == "2026-03-20T12:07:00Z"
    assert [award["provisional"] for award in found["awards"]] == [True]


def test_observation__public__has_its_raw_body(pages: FlaskClient, town: Town) -> None:
    found = read(pages, f"observations/{town.observation}")
    body = base64.b64decode(found["body"])
    assert hashlib.sha256(body).hexdigest() == found["body_digest"]
    assert found["size_bytes"] == len(body)
    assert found["height"] == str(HEIGHT)


def test_observation__restricted__has_no_body(pages: FlaskClient, town: Town) -> None:
    found = read(pages, f"observations/{town.restricted}")
    assert found["restricted"] is True
    assert found["body"] is None


def test_providers__hostile_attributes__are_plain_data(pages: FlaskClient) -> None:
    found = read(pages, "providers")["items"][0]
    assert found["gpu_models"] == ["h100", "rtx4090"]
    assert found["organization"] == HOSTILE
    assert found["created_height"] is None
    assert found["not_later_than"] == str(HEIGHT)


@pytest.mark.parametrize(
    "path", ["tasks/none", "participants/none", "claims/none", "observations/none", "providers/none", "nowhere"]
)
def test_read__unknown__is_a_problem(pages: FlaskClient, path: str) -> None:
    response = pages.get(f"/api/v1/{path}")
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"
    assert response.json is not None
    assert set(response.json) == {"type", "title", "status", "detail"}


def test_campaign__none_loaded__says_how_to_load_one(empty_pages: FlaskClient) -> None:
    response = empty_pages.get("/api/v1/campaign")
    assert response.status_code == 404
    assert "campaign load" in response.get_data(as_text=True)
    assert read(empty_pages, "stats")["as_of"] is None
    assert read(empty_pages, "leaderboard") == {"items": [], "page": 1, "per_page": 50, "total": 0}


@pytest.mark.parametrize(
    ("who", "status"), [(None, 401), (STRANGER, 403)], ids=["nobody signed in", "stranger not registered"]
)
@pytest.mark.parametrize(("method", "path"), [("GET", "me/todo"), ("POST", "claims")])
def test_own_things__of_somebody_else__are_refused(
    pages: FlaskClient, pages_as: Browser, who: Keyholder | None, status: int, method: str, path: str
) -> None:
    client = pages if who is None else pages_as(who)
    response = client.open(
        f"/api/v1/{path}", method=method, json={"task": "deploy"}, headers={"X-CSRF-Token": "a-token-for-forms"}
    )
    assert response.status_code == status


def test_todo__participant__sees_their_own_claims(pages_as: Browser) -> None:
    found = read(pages_as(PARTICIPANT), "me/todo")
    assert {claim["id"] for claim in found["claims"]} == {f"{0:032x}", f"{1:032x}"}
    assert all(set(claim) >= {"id", "task", "verdict", "missing", "next_look"} for claim in found["claims"])
    assert isinstance(found["candidates"], list)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"task": "none"}, 404, None),
        ({}, 422, "task"),
        ({"task": 7}, 422, "task"),
        ({"task": "video", "url": "https://other.example/1"}, 422, "url"),
        ({"task": "deploy", "colour": "red"}, 422, "colour"),
        ({"task": "deploy", "owner": ["a"]}, 422, "owner"),
    ],
    ids=["unknown-task", "no-task", "task-no-text", "wrong-host", "unknown-field", "field-no-text"],
)
def test_claim__entered_wrongly__names_the_field(
    pages_as: Browser, body: dict[str, object], status: int, field: str | None
) -> None:
    response = pages_as(PARTICIPANT).post("/api/v1/claims", json=body, headers={"X-CSRF-Token": "a-token-for-forms"})
    assert response.status_code == status, response.json
    assert response.json is not None
    assert response.json.get("field") == field


def test_claim__without_the_token__is_refused(pages_as: Browser) -> None:
    assert pages_as(PARTICIPANT).post("/api/v1/claims", json={"task": "deploy"}).status_code == 400
