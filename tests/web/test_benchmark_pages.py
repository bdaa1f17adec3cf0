"""Benchmarks in the browser and over the API, with the cast: participant, other participant, stranger."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from services import benchmarks
from services.benchmark_source import KeptBenchmarks
from services.clock import SystemClock
from services.house import House
from tests.benchmark_runs import run_once
from tests.benchmark_town import CAMPAIGN, OTHER, PARTICIPANT, PROVIDER, accepted_run, make, result_for, sign_in
from tests.houses import later
from tests.wallets import Keyholder
from verifiers.benchmark.challenge import packed_runner
from verifiers.benchmark.record import find_record
from web.factory import create_web

TOKEN = {"X-CSRF-Token": "a-token-for-forms"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def app(house: House) -> Flask:
    return create_web(house)


def client(app: Flask, house: House, who: Keyholder | None = None) -> FlaskClient:
    browser = app.test_client()
    if who is not None:
        browser.set_cookie("waymark-session", sign_in(house, who))
    return browser


def post(browser: FlaskClient, path: str, body: dict[str, Any]) -> Any:
    return browser.post(f"/api/v1/{path}", json=body, headers=TOKEN)


def test_challenge__participant__gets_one_with_its_sdl(house: House, app: Flask) -> None:
    answer = post(client(app, house, PARTICIPANT), "benchmarks/challenge", {"provider": PROVIDER})
    assert answer.status_code == 201
    assert set(answer.json) == {"challenge", "task", "provider", "expires_at", "token", "sdl", "command"}
    assert answer.json["task"] == "benchmark"
    assert answer.json["challenge"] in answer.json["sdl"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"provider": "akash1x"}, 422, "provider"),
        ({}, 422, "provider"),
        ({"provider": PROVIDER, "gpu_model": "} {"}, 422, "gpu_model"),
        ({"provider": PROVIDER, "more": 1}, 422, "more"),
    ],
)
def test_challenge__something_wrong__names_the_field(
    house: House, app: Flask, body: dict[str, Any], status: int, field: str
) -> None:
    answer = post(client(app, house, PARTICIPANT), "benchmarks/challenge", body)
    assert (answer.status_code, answer.json["field"]) == (status, field)


def test_challenge__stranger__must_sign_in(house: House, app: Flask) -> None:
    assert post(client(app, house), "benchmarks/challenge", {"provider": PROVIDER}).status_code == 401
    assert client(app, house).get("/benchmarks/run").status_code == 302


def test_runner__whole_way__ends_in_a_claim_of_its_owner(house: House, app: Flask) -> None:
    mine = client(app, house, PARTICIPANT)
    asked = post(mine, "benchmarks/challenge", {"provider": PROVIDER}).json
    name, token, runner = asked["challenge"], asked["token"], client(app, house)
    assert len(post(runner, f"benchmarks/{name}/start", {"token": token, "n": 4096}).json["seed"]) == 64
    drawn = post(runner, f"benchmarks/{name}/commit", {"token": token, "root": "ab" * 32})
    assert len(drawn.json["draw"]) == 64
    sent = post(runner, f"benchmarks/{name}/result", {"token": token, "result": result_for(name)})
    assert (sent.status_code, sent.json) == (202, {"challenge": name})
    entered = post(mine, "claims", {"task": "benchmark", "challenge": name})
    assert entered.status_code == 201
    assert entered.json["subject"] == name
    assert entered.json["verdict"] == "pending"
    assert post(mine, "claims", {"task": "benchmark", "challenge": name}).status_code == 200


@pytest.mark.parametrize("form", ["text", "object"])
def test_claim__result_as_text_or_object__is_taken(house: House, app: Flask, form: str) -> None:
    mine = client(app, house, PARTICIPANT)
    name = post(mine, "benchmarks/challenge", {"provider": PROVIDER}).json["challenge"]
    result: Any = result_for(name)
    body = {"task": "benchmark", "challenge": name, "result": result if form == "object" else json.dumps(result)}
    answer = post(mine, "claims", body)
    assert answer.status_code == 201
    assert post(client(app, house, OTHER), "claims", body).json["field"] == "challenge"


@pytest.mark.parametrize("act", ["start", "commit", "result"])
def test_runner__wrong_token_or_challenge__is_refused(house: House, app: Flask, act: str) -> None:
    name = benchmarks.issue(house, PARTICIPANT.address, PROVIDER).challenge.id
    more = {"start": {"n": 4096}, "commit": {"root": "ab" * 32}, "result": {"result": result_for(name)}}[act]
    runner = client(app, house)
    assert post(runner, f"benchmarks/{name}/{act}", {"token": "x", **more}).status_code == 403
    assert post(runner, f"benchmarks/{name}/{act}", more).status_code == 422
    missing = post(runner, f"benchmarks/{'0' * 32}/{act}", {"token": "x", **more})
    assert missing.status_code == (422 if act == "result" else 404)


def test_data__json_csv_medians__say_the_same(house: House, app: Flask) -> None:
    name = accepted_run(house, OTHER, "NVIDIA A100-SXM4-80GB", 80)
    stranger = client(app, house)
    listed = stranger.get("/api/v1/benchmarks").json
    assert (listed["total"], listed["items"][0]["run"]) == (1, name)
    bert = next(each for each in listed["items"][0]["measurements"] if each["test"] == "hf_Bert")
    assert bert["per_second"] == "5333.333"
    medians = stranger.get("/api/v1/benchmarks/medians?per_page=200").json["items"]
    assert next(each for each in medians if each["test"] == "hf_Bert")["median"] == "5333.333"
    csv = stranger.get("/api/v1/benchmarks.csv")
    assert csv.mimetype == "text/csv"
    assert f"\n{name}," in csv.get_data(as_text=True)
    claim = listed["items"][0]["claim"]
    assert stranger.get(f"/api/v1/claims/{claim}").json["subject"] == name
    head, first, *_ = csv.get_data(as_text=True).splitlines()
    assert head.endswith(",warmup,repetitions,claim,delivered_by"), "columns are only ever added, at the end"
    assert first.endswith(f",{claim},owner")
    again = stranger.get("/api/v1/benchmarks.csv", headers={"If-None-Match": csv.headers["ETag"]})
    assert again.status_code == 304


def test_pages__everything__can_be_read_and_copied(house: House, app: Flask) -> None:
    accepted_run(house, OTHER, "<script>alert(1)</script>", 80)
    accepted_run(later(house, 1), OTHER, "NVIDIA A100-SXM4-80GB", 80)
    stranger, mine = client(app, house), client(app, house, PARTICIPANT)
    data = stranger.get("/benchmarks").get_data(as_text=True)
    assert "a100 sxm 80GB" in data
    assert "<script>alert(1)" not in data
    assert "What each column means" in data
    only = stranger.get("/benchmarks?variant=a100+sxm+80GB").get_data(as_text=True)
    assert only.count("hf_Bert fp16") == 1
    task = stranger.get("/tasks/benchmark").get_data(as_text=True)
    assert "How to run it" in task
    assert "which card did the work" in task
    assert "Get a challenge" in mine.get("/tasks/benchmark").get_data(as_text=True)
    runner = stranger.get("/benchmarks/runner.py")
    assert runner.mimetype == "text/plain"
    assert runner.get_data(as_text=True).startswith("#!/usr/bin/env python3")


def test_pages__no_run_yet__say_what_to_do(house: House, app: Flask) -> None:
    assert "No run has been accepted yet" in client(app, house).get("/benchmarks").get_data(as_text=True)


def test_run_page__form__leads_to_the_challenge_and_its_sdl(house: House, app: Flask) -> None:
    mine = client(app, house, PARTICIPANT)
    first = mine.get(f"/benchmarks/run?provider={PROVIDER}").get_data(as_text=True)
    assert f'value="{PROVIDER}"' in first
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', first)
    assert found is not None
    token = {"csrf_token": found[1]}
    wrong = mine.post("/benchmarks/run", data={"provider": "akash1x", **token})
    assert wrong.status_code == 422
    assert "field-error" in wrong.get_data(as_text=True)
    made = mine.post("/benchmarks/run", data={"provider": PROVIDER, "gpu_model": "a100", **token})
    assert made.status_code == 302
    page = mine.get(made.headers["Location"]).get_data(as_text=True)
    assert "WAYMARK_CHALLENGE" in page
    assert "--challenge" in page
    sdl = mine.get(made.headers["Location"] + ".yaml")
    assert "model: a100" in sdl.get_data(as_text=True)
    assert client(app, house, OTHER).get(made.headers["Location"]).status_code == 404
    assert "Enter its result" in mine.get("/benchmarks/run").get_data(as_text=True)
    form = mine.get(f"/tasks/benchmark/claim?challenge={made.headers['Location'][-32:]}").get_data(as_text=True)
    assert made.headers["Location"][-32:] in form


def test_runner__for_real__proves_in_the_measured_time(tmp_path: Path) -> None:
    """The runner, started as a container starts it, against this platform on loopback."""
    text = CAMPAIGN.replace("2026-11-01", "2020-01-01").replace("2026-12-01", "2099-01-01")
    house = make(tmp_path, campaign=text).at(SystemClock())
    server = make_server("127.0.0.1", 0, create_web(house), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
        said = run_once(
            ["-c", packed_runner()],
            WAYMARK_CHALLENGE=issued.challenge.id,
            WAYMARK_URL=f"http://127.0.0.1:{server.port}",
            WAYMARK_RUNNER=issued.token,
        )
    finally:
        server.shutdown()
        server.server_close()
    assert "the platform measured the time" in said
    client_of_owner = client(create_web(house), house, PARTICIPANT)
    entered = post(client_of_owner, "claims", {"task": "benchmark", "challenge": issued.challenge.id})
    assert entered.status_code == 201, entered.json
    kept = KeptBenchmarks(house).record(issued.challenge.id)
    assert kept is not None
    record, _ = find_record([kept], issued.challenge.id)
    assert record is not None
    assert record.measured is not None
    assert record.delivered_by == "runner"
    assert (record.measured.seed, record.measured.root) == (record.result.proof.seed, record.result.proof.root)
    assert 0 < record.measured.took_ns < 60 * 10**9
    house.ledger.close()
