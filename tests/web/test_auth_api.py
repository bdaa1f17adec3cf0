"""The API of signing in, registering and linking, by the whole cast."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ledger.people import RoleRow
from services import campaigns
from services.house import House
from tests.houses import make_house
from tests.wallets import Keyholder, amino_signer, send_amino_bytes, signed_like_cli
from tests.web_signing import API, challenge, proof, sign_in
from web.factory import create_web
from web.security import limiter

ADA = Keyholder("Ada of the tests")
BOB = Keyholder("Bob of the tests")
OLGA = Keyholder("Olga the organizer of the tests")
DEPLOYER = Keyholder("a deployer of Ada")


@pytest.fixture
def house(tmp_path) -> House:
    house = make_house(tmp_path)
    with house.ledger.write() as session:
        session.add(RoleRow(address=OLGA.address, role="organizer"))
    return house


@pytest.fixture
def app(house) -> Flask:
    app = create_web(house)
    limiter.reset()
    return app


@pytest.fixture
def browser(app) -> FlaskClient:
    return app.test_client()


def registration(house: House, **changes: object) -> dict[str, object]:
    return {"campaign": "small-test", "rules_digest": campaigns.required(house).newest.rules_digest} | changes


def problem(answer) -> dict[str, object]:
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == answer.status_code
    assert answer.json["detail"]
    return answer.json


def test_challenge__address__has_exactly_the_contracts_keys(browser):
    made = challenge(browser, ADA)
    assert set(made) == {
        "challenge_id", "text", "unsigned_tx", "sign_chain_id", "memo", "memo_chain_ids", "expires_at",
    }  # fmt: skip
    assert made["expires_at"] == "2026-11-24T12:05:00Z"
    assert made["unsigned_tx"]["body"]["memo"] == made["memo"]
    assert made["memo"].startswith("waymark-login ")


def test_verify__wallet__signs_in_and_names_nothing_else(browser):
    answer = browser.post(f"{API}/auth/verify", json=proof(ADA, challenge(browser, ADA)))
    assert answer.status_code == 200
    told = dict(answer.json)
    assert told.pop("csrf_token")
    assert told == {"address": ADA.address, "registered": False, "roles": []}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("form", [lambda signed: signed, json.dumps], ids=["object", "text"])
def test_verify__command_line__signs_in(browser, form):
    made = challenge(browser, ADA)
    signature = ADA.sign(send_amino_bytes(ADA.address, made["memo"]))
    signed = signed_like_cli(made["unsigned_tx"], amino_signer(ADA), signature)
    answer = browser.post(
        f"{API}/auth/verify", json={"challenge_id": made["challenge_id"], "signed_tx": form(signed)}
    )
    assert answer.status_code == 200
    assert answer.json["address"] == ADA.address


def test_verify__organizer__gets_the_roles(browser):
    answer = browser.post(f"{API}/auth/verify", json=proof(OLGA, challenge(browser, OLGA)))
    assert answer.json["roles"] == ["organizer"]


def test_verify__in_another_browser__is_refused(app, browser):
    made = challenge(browser, ADA)
    answer = app.test_client().post(f"{API}/auth/verify", json=proof(ADA, made))
    assert answer.status_code == 401
    problem(answer)
    assert browser.post(f"{API}/auth/verify", json=proof(ADA, made)).status_code == 200


def test_verify__used_or_wrong__says_the_same(browser):
    made = challenge(browser, ADA)
    assert browser.post(f"{API}/auth/verify", json=proof(ADA, made)).status_code == 200
    used = browser.post(f"{API}/auth/verify", json=proof(ADA, made))
    wrong = browser.post(f"{API}/auth/verify", json=proof(BOB, challenge(browser, ADA)))
    assert used.status_code == wrong.status_code == 401
    assert problem(used) == problem(wrong)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "challenge_id"),
        ({"challenge_id": "c"}, 422, None),
        ({"challenge_id": "c", "pub_key": "a"}, 422, None),
        ({"challenge_id": "c", "pub_key": "a", "signature": "b", "tx_hash": "c"}, 422, None),
        ({"challenge_id": 5, "tx_hash": "c"}, 422, "challenge_id"),
        ({"challenge_id": "c", "tx_hash": "../x"}, 401, None),
        ({"challenge_id": "c", "signed_tx": "x" * 70_000}, 401, None),
        ({"challenge_id": "c", "signed_tx": {}, "more": 1}, 422, "more"),
        ({"challenge_id": "c" * 101, "signed_tx": {}}, 422, "challenge_id"),
    ],
)
def test_verify__body_that_does_not_fit__says_which_field(browser, body, status, field):
    challenge(browser, ADA)
    answer = browser.post(f"{API}/auth/verify", json=body)
    assert answer.status_code == status
    assert problem(answer).get("field") == field


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"address=x", "application/x-www-form-urlencoded", 415),
        (b" " * 1_100_000, "application/json", 413),
        (b'{"challenge_id":"c","signed_tx":' + b'{"a":' * 400 + b"1" + b"}" * 401, "application/json", 422),
    ],
    ids=["cut", "list", "deep", "no text", "text", "form", "large", "nested"],
)
def test_verify__body_of_another_kind__is_a_clear_problem(browser, data, content_type, status):
    answer = browser.post(f"{API}/auth/verify", data=data, content_type=content_type)
    assert answer.status_code == status
    problem(answer)


def test_challenge__bad_address__names_the_field(browser):
    answer = browser.post(f"{API}/auth/challenge", json={"address": ADA.address.upper()})
    assert answer.status_code == 422
    assert problem(answer)["field"] == "address"
    assert "lower case" in answer.json["detail"]


def test_challenge__asked_again_and_again__is_limited(browser):
    statuses = [browser.post(f"{API}/auth/challenge", json={"address": ADA.address}).status_code for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2


def test_challenge__more_than_the_limit_of_one_host__is_limited(app, browser):
    app.config["SIGN_IN_LIMIT"] = "5 per minute"
    answers = [
        browser.post(f"{API}/auth/challenge", json={"address": Keyholder(str(number)).address}) for number in range(6)
    ]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    problem(answers[-1])
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_verify__chain_asked_too_often__is_limited_apart(app, browser):
    app.config["LOOK_UP_LIMIT"] = "2 per minute"
    made = challenge(browser, ADA)
    by_hash = {"challenge_id": made["challenge_id"], "tx_hash": "ab" * 32}
    assert [browser.post(f"{API}/auth/verify", json=by_hash).status_code for _ in range(3)] == [401, 401, 429]
    assert browser.post(f"{API}/auth/verify", json=proof(ADA, made)).status_code == 200


def test_link_challenge__stranger_and_unregistered__are_told_what_to_do(browser, house):
    body = {"address": DEPLOYER.address, "purpose": "link"}
    assert browser.post(f"{API}/auth/challenge", json=body).status_code == 401
    sign_in(browser, ADA)
    assert browser.post(f"{API}/auth/challenge", json=body).status_code == 403


def test_registrations__participant__is_one_row(browser, house):
    headers = sign_in(browser, ADA)
    first = browser.post(f"{API}/registrations", json=registration(house, display_name="Ada"), headers=headers)
    again = browser.post(f"{API}/registrations", json=registration(house), headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert first.json["address"] == ADA.address
    assert "contact" not in first.json
    assert browser.post(f"{API}/auth/verify", json=proof(ADA, challenge(browser, ADA))).json["registered"]


def test_registrations__stranger__is_asked_to_sign_in(browser, house):
    assert browser.post(f"{API}/registrations", json=registration(house)).status_code == 401


def test_registrations__other_rules__conflict(browser, house):
    headers = sign_in(browser, ADA)
    answer = browser.post(f"{API}/registrations", json=registration(house, rules_digest="0" * 64), headers=headers)
    assert answer.status_code == 409
    assert problem(answer)["field"] == "rules_digest"


def test_link__own_proof__links_and_another_participant_conflicts(app, browser, house):
    headers = sign_in(browser, ADA)
    browser.post(f"{API}/registrations", json=registration(house), headers=headers)
    made = challenge(browser, DEPLOYER, purpose="link")
    assert ADA.address in made["text"]
    assert ADA.address in made["memo"]
    answer = browser.post(f"{API}/addresses/link", json=proof(DEPLOYER, made), headers=headers)
    assert (answer.status_code, answer.json) == (201, {"address": DEPLOYER.address, "linked_to": ADA.address})
    other = app.test_client()
    headers = sign_in(other, BOB)
    other.post(f"{API}/registrations", json=registration(house), headers=headers)
    answer = other.post(
        f"{API}/addresses/link", json=proof(DEPLOYER, challenge(other, DEPLOYER, purpose="link")), headers=headers
    )
    assert answer.status_code == 409
    problem(answer)


def test_link__anothers_session__cannot_use_the_challenge(app, browser, house):
    headers = sign_in(browser, ADA)
    browser.post(f"{API}/registrations", json=registration(house), headers=headers)
    made = challenge(browser, DEPLOYER, purpose="link")
    other = app.test_client()
    headers = sign_in(other, BOB)
    other.post(f"{API}/registrations", json=registration(house), headers=headers)
    assert other.post(f"{API}/addresses/link", json=proof(DEPLOYER, made), headers=headers).status_code == 401
    assert other.post(f"{API}/addresses/link", json=proof(DEPLOYER, made)).status_code == 400
