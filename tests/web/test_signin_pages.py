"""The pages of signing in without any script, and of registering and linking."""

from __future__ import annotations

import html
import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services import registrations
from services.house import House
from tests.houses import make_house
from tests.wallets import Keyholder, amino_signer, send_amino_bytes, signed_like_cli
from tests.web_signing import sign_in
from web.factory import create_web
from web.security import limiter

ADA = Keyholder("Ada of the tests")
BOB = Keyholder("Bob of the tests")
DEPLOYER = Keyholder("a deployer of Ada")


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


def post(browser: FlaskClient, page: TestResponse, action: str, **fields: str) -> TestResponse:
    """Send the form of `page` whose action begins with `action`, as a browser would."""
    for form in re.findall(r"<form\b.*?</form>", page.text, re.DOTALL):
        url = html.unescape(re.search(r'action="([^"]*)"', form)[1])
        if url.startswith(action):
            hidden = dict(re.findall(r'type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"', form))
            return browser.post(url, data={name: html.unescape(value) for name, value in hidden.items()} | fields)
    raise AssertionError(f"no form for {action}")


def start(browser: FlaskClient, holder: Keyholder, path: str = "/sign-in", action: str = "/sign-in") -> TestResponse:
    """Ask for the text of `holder`; the page with the file to sign."""
    answer = post(browser, browser.get(path), action, address=f" {holder.address} ")
    assert answer.status_code == 302, answer.text
    page = browser.get(answer.location)
    assert page.status_code == 200
    return page


def file_of(browser: FlaskClient, page: TestResponse) -> dict[str, object]:
    answer = browser.get(re.search(r'href="([^"]+proof\.json)"', page.text)[1])
    assert answer.mimetype == "application/json"
    assert 'filename="proof.json"' in answer.headers["Content-Disposition"]
    return json.loads(answer.text)


def signed(holder: Keyholder, unsigned: dict[str, object]) -> str:
    signature = holder.sign(send_amino_bytes(holder.address, unsigned["body"]["memo"]))
    return json.dumps(signed_like_cli(unsigned, amino_signer(holder), signature))


def test_sign_in__command_line__signs_in_and_goes_to_the_account(browser):
    page = start(browser, ADA)
    assert "--chain-id not-a-chain-akash-incentive-proof" in page.text
    assert f"--multisig {ADA.address}" in page.text
    answer = post(browser, page, "/sign-in/", signed_tx=signed(ADA, file_of(browser, page)))
    assert answer.status_code == 302
    assert answer.location.startswith("/account")
    assert ADA.address in browser.get("/account").text
    assert browser.get("/sign-in").status_code == 302


def test_sign_in__next__goes_there_after_all_steps(browser, house):
    registrations_digest(browser, house, ADA)
    page = browser.get("/sign-in?next=/leaderboard")
    answer = post(browser, page, "/sign-in", address=ADA.address)
    page = browser.get(answer.location)
    answer = post(browser, page, "/sign-in/", signed_tx=signed(ADA, file_of(browser, page)))
    assert answer.location == "/leaderboard"


def registrations_digest(browser: FlaskClient, house: House, holder: Keyholder) -> None:
    from services import campaigns

    digest = campaigns.required(house).newest.rules_digest
    registrations.register(house, holder.address, "small-test", digest)


def test_sign_in__bad_address__is_shown_beside_the_field(browser):
    answer = post(browser, browser.get("/sign-in"), "/sign-in", address="akash1nonsense")
    assert answer.status_code == 422
    assert "We cannot take this address" in answer.text
    assert 'value="akash1nonsense"' in answer.text


def test_sign_in__markup_as_address__is_escaped(browser):
    answer = post(browser, browser.get("/sign-in"), "/sign-in", address='"><script>alert(1)</script>')
    assert "<script>alert(1)" not in answer.text


def test_prove__wrong_signature__says_so_and_begins_again(browser):
    page = start(browser, ADA)
    answer = post(browser, page, "/sign-in/", signed_tx=signed(BOB, file_of(browser, page)))
    assert answer.status_code == 302
    assert "The proof was not accepted" in browser.get(answer.location).text


def test_prove__empty__keeps_the_page(browser):
    page = start(browser, ADA)
    answer = post(browser, page, "/sign-in/", signed_tx="")
    assert answer.status_code == 422
    assert "Paste what the command wrote" in answer.text


def test_prove_page__another_browser__is_not_found(app, browser):
    page = start(browser, ADA)
    url = re.search(r'href="([^"]+proof\.json)"', page.text)[1]
    assert app.test_client().get(url).status_code == 404


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/account/register", "/account/link", "/account/personal"])
def test_forms__without_a_token__are_refused(browser, path):
    sign_in(browser, ADA)
    assert browser.post(path, data={"address": ADA.address}).status_code in {400, 403}


def test_account__nobody__is_sent_to_sign_in_and_back(browser):
    answer = browser.get("/account")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=/account"


def test_register__terms_accepted__takes_part(browser, house):
    sign_in(browser, ADA)
    page = browser.get("/account")
    assert "Register to take part" in page.text
    refused = post(browser, page, "/account/register", display_name="Ada")
    assert refused.status_code == 422
    assert "Accept the rules" in refused.text
    assert 'value="Ada"' in refused.text
    answer = post(browser, page, "/account/register", display_name="Ada", contact="there", accepted="y")
    assert answer.status_code == 302
    page = browser.get("/account")
    assert "You take part in" in page.text
    assert registrations.personal_of(house, ADA.address) == registrations.Personal("Ada", "there")


def test_register__bad_name__is_shown_beside_the_field(browser):
    sign_in(browser, ADA)
    page = browser.get("/account")
    answer = post(browser, page, "/account/register", display_name="a\u202eb", accepted="y")
    assert answer.status_code == 422
    assert "Leave out control and invisible characters" in answer.text


def test_link__command_line__adds_the_address(browser, house):
    sign_in(browser, ADA)
    registrations_digest(browser, house, ADA)
    page = start(browser, DEPLOYER, "/account", "/account/link")
    unsigned = file_of(browser, page)
    assert ADA.address in unsigned["body"]["memo"]
    answer = post(browser, page, "/sign-in/", signed_tx=signed(DEPLOYER, unsigned))
    assert answer.location == "/account"
    page = browser.get("/account")
    assert "Linked akash1" in page.text
    assert registrations.addresses_of(house, ADA.address) == (ADA.address, DEPLOYER.address)


def test_personal__changed__is_kept(browser, house):
    sign_in(browser, ADA)
    registrations_digest(browser, house, ADA)
    answer = post(browser, browser.get("/account"), "/account/personal", display_name="A.", contact="")
    assert answer.status_code == 302
    assert registrations.personal_of(house, ADA.address) == registrations.Personal("A.", None)


def test_account__linked_address__names_its_account(browser, house):
    sign_in(browser, ADA)
    registrations_digest(browser, house, ADA)
    page = start(browser, DEPLOYER, "/account", "/account/link")
    post(browser, page, "/sign-in/", signed_tx=signed(DEPLOYER, file_of(browser, page)))
    sign_in(browser, DEPLOYER)
    page = browser.get("/account")
    assert "linked to" in page.text
    assert ADA.address in page.text
    assert "/account/register" not in page.text


def test_sign_out__form__ends_the_session(browser):
    sign_in(browser, ADA)
    token = browser.get_cookie("waymark-session").value
    answer = post(browser, browser.get("/account"), "/sign-out")
    assert answer.status_code == 302
    browser.set_cookie("waymark-session", token)
    assert browser.get("/account").status_code == 302


def test_sign_out_everywhere__form__ends_every_session(app, browser):
    sign_in(browser, ADA)
    other = app.test_client()
    sign_in(other, ADA)
    assert post(browser, browser.get("/account"), "/account/sign-out-everywhere").status_code == 302
    assert browser.get("/account").status_code == other.get("/account").status_code == 302
