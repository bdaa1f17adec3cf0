"""wallet.js in a real browser, with a wallet whose answers the test gives."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from services import campaigns, registrations
from services.house import House
from tests.browsers import chromium, served
from tests.houses import make_house
from tests.wallets import Keyholder
from web.factory import create_web
from web.security import limiter

ADA = Keyholder("Ada of the tests")
DEPLOYER = Keyholder("a deployer of Ada")

# A wallet as Keplr offers it: it asks, and waits until the test answers.
WALLET = """
window.asked = [];
const ask = (what, ...rest) => new Promise((resolve, reject) => window.asked.push({what, rest, resolve, reject}));
window.answer = (value) => window.asked.shift().resolve(value);
window.refuse = (text) => window.asked.shift().reject(new Error(text));
const wallet = {
  enable: (chain) => ask("enable", chain),
  getKey: (chain) => ask("getKey", chain),
  signArbitrary: (chain, signer, text) => ask("signArbitrary", chain, signer, text),
};
"""


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    with chromium() as chrome:
        yield chrome


@pytest.fixture
def house(tmp_path) -> House:
    return make_house(tmp_path)


@pytest.fixture
def site(house, chrome) -> Iterator[str]:
    app = create_web(house)
    limiter.reset()
    with served(app) as url:
        chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
        yield url


def with_wallet(chrome: Chrome, where: str) -> str:
    """Put the wallet into every page opened from now on."""
    added = chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WALLET + where})
    return added["identifier"]


@pytest.fixture
def keplr(chrome) -> Iterator[None]:
    name = with_wallet(chrome, "window.keplr = wallet;")
    yield
    chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": name})


def asked(chrome: Chrome) -> list[object]:
    """What the page asks the wallet next."""
    first = "return window.asked && window.asked[0] && [window.asked[0].what, ...window.asked[0].rest]"
    return WebDriverWait(chrome, 20).until(lambda _: chrome.execute_script(first))


def answer(chrome: Chrome, value: object) -> None:
    chrome.execute_script("window.answer(arguments[0])", value)


def words(chrome: Chrome, part: str) -> str:
    def told(_: Chrome) -> str | None:
        text = chrome.find_element(By.CSS_SELECTOR, "[data-wallet-words]").text
        return text if part in text else None

    return WebDriverWait(chrome, 20).until(told)


def press(chrome: Chrome, wallet: str = "keplr") -> None:
    find = (By.CSS_SELECTOR, f"button[data-wallet={wallet}]:enabled")
    WebDriverWait(chrome, 20).until(lambda _: chrome.find_elements(*find))[0].click()


def sign(chrome: Chrome, holder: Keyholder, key_type: str = "tendermint/PubKeySecp256k1") -> None:
    """Answer the three questions of the page as the wallet of `holder`."""
    assert asked(chrome) == ["enable", "akashnet-2"]
    answer(chrome, None)
    assert asked(chrome) == ["getKey", "akashnet-2"]
    answer(chrome, {"bech32Address": holder.address, "isNanoLedger": False})
    what, chain, signer, text = asked(chrome)
    assert (what, chain, signer) == ("signArbitrary", "akashnet-2", holder.address)
    key = {"type": key_type, "value": base64.b64encode(holder.public_key).decode()}
    answer(chrome, {"pub_key": key, "signature": base64.b64encode(holder.sign_text(text)).decode()})


def at(chrome: Chrome, path: str) -> None:
    WebDriverWait(chrome, 20).until(lambda _: path in chrome.current_url)


def test_sign_in__wallet_signs__goes_to_the_account(chrome, site, keplr):
    chrome.get(f"{site}/sign-in")
    press(chrome)
    sign(chrome, ADA)
    at(chrome, "/account")
    assert ADA.address in chrome.page_source
    assert not [line for line in chrome.get_log("browser") if line["level"] == "SEVERE"]


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        ("Request rejected", "You cancelled in Keplr"),
        ("Signer mismatched", "changed to another account"),
        ("There is no chain info for akashnet-2", "does not know Akash"),
        ("something else", "could not sign"),
    ],
)
def test_sign_in__wallet_refuses__says_what_to_do_and_can_be_tried_again(chrome, site, keplr, refusal, told):
    chrome.get(f"{site}/sign-in")
    press(chrome)
    assert asked(chrome)[0] == "enable"
    chrome.execute_script("window.refuse(arguments[0])", refusal)
    words(chrome, told)
    press(chrome)
    sign(chrome, ADA)
    at(chrome, "/account")


def test_sign_in__another_kind_of_key_or_address__says_so(chrome, site, keplr):
    chrome.get(f"{site}/sign-in")
    press(chrome)
    sign(chrome, ADA, key_type="ethermint/PubKeyEthSecp256k1")
    words(chrome, "kind of key")
    press(chrome)
    asked(chrome)
    answer(chrome, None)
    asked(chrome)
    answer(chrome, {"bech32Address": "cosmos1qqqsyqcyq5rqwzqfpg9scrgwpugpzysn3y0dpx"})
    words(chrome, "no Akash address")


def test_sign_in__no_wallet__says_what_to_do(chrome, site):
    chrome.get(f"{site}/sign-in")
    words(chrome, "no wallet in this browser")
    assert chrome.find_elements(By.CSS_SELECTOR, "button[data-wallet]") == []


@pytest.mark.parametrize(
    ("name", "where"),
    [("leap", "window.leap = wallet;"), ("cosmostation", "window.cosmostation = {providers: {keplr: wallet}};")],
)
def test_sign_in__other_wallets__are_found(chrome, site, name, where):
    added = with_wallet(chrome, where)
    try:
        chrome.get(f"{site}/sign-in")
        press(chrome, name)
        sign(chrome, ADA)
        at(chrome, "/account")
    finally:
        chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": added})


def test_link__wrong_account_then_the_right_one__links(chrome, site, keplr, house):
    digest = campaigns.required(house).newest.rules_digest
    registrations.register(house, ADA.address, "small-test", digest)
    chrome.get(f"{site}/sign-in")
    press(chrome)
    sign(chrome, ADA)
    at(chrome, "/account")
    press(chrome)
    asked(chrome)
    answer(chrome, None)
    asked(chrome)
    answer(chrome, {"bech32Address": ADA.address})
    words(chrome, "Choose the account to link")
    press(chrome)
    sign(chrome, DEPLOYER)
    WebDriverWait(chrome, 20).until(
        lambda _: registrations.addresses_of(house, ADA.address) == (ADA.address, DEPLOYER.address)
    )
