"""Forged requests, fixed and stolen sessions, cookies, and what nobody declared."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.house import House
from tests.houses import make_house
from tests.wallets import Keyholder
from tests.web_signing import sign_in
from web.factory import create_web
from web.security import SAFE_METHODS, access_of, limiter, own_path

ADA = Keyholder("Ada of the tests")
LOGOUT = "/api/v1/auth/logout"
CHALLENGE = "/api/v1/auth/challenge"


@pytest.fixture
def house(tmp_path) -> House:
    return make_house(tmp_path)


@pytest.fixture
def app(house) -> Flask:
    app = create_web(house)
    limiter.reset()
    return app


@pytest.fixture
def browser(app) -> FlaskClient:
    return app.test_client()


def test_every_unsafe_route__is_declared(app):
    undeclared = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.methods - SAFE_METHODS and access_of(app.view_functions[rule.endpoint]) is None
    ]
    assert undeclared == []


def test_every_unsafe_route__signed_in_without_a_token__is_refused(app, browser):
    sign_in(browser, ADA)
    let_in = {}
    for rule in app.url_map.iter_rules():
        for method in rule.methods - SAFE_METHODS:
            access = access_of(app.view_functions[rule.endpoint])
            if access.is_handshake:
                continue
            with app.test_request_context():
                url = rule.build(dict.fromkeys(rule.arguments, "1"), append_unknown=False)[1]
            status = browser.open(url, method=method, json={}).status_code
            if status not in {400, 403}:
                let_in[rule.endpoint] = status
    assert let_in == {}


@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
def test_logout__without_the_right_token__keeps_the_session(browser, token):
    headers = sign_in(browser, ADA)
    wrong = {} if token is None else {"X-CSRF-Token": token}
    assert browser.post(LOGOUT, headers=wrong).status_code == 400
    assert browser.post(LOGOUT, headers=headers).status_code == 200


def test_logout__copied_cookie__is_dead(app, browser):
    headers = sign_in(browser, ADA)
    copied = browser.get_cookie("waymark-session").value
    assert browser.post(LOGOUT, headers=headers).status_code == 200
    assert browser.get_cookie("waymark-session") is None
    thief = app.test_client()
    thief.set_cookie("waymark-session", copied)
    assert thief.post("/api/v1/registrations", json={}, headers=headers).status_code == 401


def test_sign_in__id_fixed_before__is_dead_after(app, browser):
    browser.set_cookie("waymark-session", "fixed by somebody")
    sign_in(browser, ADA)
    first = browser.get_cookie("waymark-session").value
    assert first != "fixed by somebody"
    headers = sign_in(browser, ADA)
    assert browser.get_cookie("waymark-session").value != first
    thief = app.test_client()
    for old in ("fixed by somebody", first):
        thief.set_cookie("waymark-session", old)
        assert thief.post("/api/v1/registrations", json={}, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:8000"}, 200),
        ({"Origin": "http://localhost", "Host": "localhost"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "nonsense"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:9"}, 403),
        ({"Origin": "http://evil.example", "Host": "evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_challenge__request_from_elsewhere__is_refused(browser, headers, status):
    answer = browser.post(CHALLENGE, json={"address": ADA.address}, headers=headers)
    assert answer.status_code == status


def test_cookies__loopback__are_plain_and_closed_to_scripts(browser):
    answer = browser.post(CHALLENGE, json={"address": ADA.address})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("waymark-browser=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_cookies__https__are_secure_and_bound_to_the_host(tmp_path):
    house = make_house(tmp_path, public_url="https://waymark.example", secret_keys="a long random text")
    browser = create_web(house).test_client()
    limiter.reset()
    answer = browser.post(CHALLENGE, json={"address": ADA.address}, base_url="https://waymark.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-waymark-browser=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    assert answer.json["text"].startswith("waymark.example wants you")


def test_challenge__forged_host_header__does_not_reach_the_text(browser):
    answer = browser.post(CHALLENGE, json={"address": ADA.address}, headers={"Host": "evil.example"})
    assert answer.json["text"].startswith("127.0.0.1:8000 wants you")


@pytest.mark.parametrize(
    ("path", "goes_to"),
    [
        ("/tasks?x=1", "/tasks?x=1"),
        (None, "/home"),
        ("", "/home"),
        ("//evil.example", "/home"),
        ("/\\evil.example", "/home"),
        ("https://evil.example", "/home"),
        ("javascript:alert(1)", "/home"),
        ("/a\nb", "/home"),
    ],
)
def test_own_path__text_of_a_request__never_leads_elsewhere(path, goes_to):
    assert own_path(path, "/home") == goes_to
