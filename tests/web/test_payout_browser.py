"""A payout in a real browser: planned, approved by a second person, exported, signed by two, checked, sent, found."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from services.payout_records import batch, payout
from tests.browsers import chromium, served, set_width, troubles
from tests.payout_houses import APPROVER, TREASURER
from tests.payout_lines import person
from tests.payout_sites import TREASURY, Site, payout_site, signed_by_two
from tests.wallets import Keyholder
from web.factory import create_web
from web.security import limiter

# A wallet as Keplr offers it: it asks, and waits until the test answers.
WALLET = """
window.asked = [];
const ask = (what, ...rest) => new Promise((resolve, reject) => window.asked.push({what, rest, resolve, reject}));
window.answer = (value) => window.asked.shift().resolve(value);
window.keplr = {
  enable: (chain) => ask("enable", chain),
  getKey: (chain) => ask("getKey", chain),
  signArbitrary: (chain, signer, text) => ask("signArbitrary", chain, signer, text),
};
"""
PHONE_WIDTH = 390
EXPLORER = "https://explorer.example/tx/{tx}"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    with chromium() as chrome:
        chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WALLET})
        yield chrome


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with payout_site(tmp_path, payout_explorer_url=EXPLORER) as made:
        yield made


@pytest.fixture
def url(site: Site, chrome: Chrome) -> Iterator[str]:
    app = create_web(site.house)
    limiter.reset()
    with served(app) as url:
        chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
        yield url


class Visitor:
    """Somebody at the browser, who finds things by their visible words."""

    def __init__(self, chrome: Chrome, url: str) -> None:
        self.chrome, self.url = chrome, url

    def _wait(self, look: object) -> object:
        # A page that is just being left answers with all kinds of errors.
        patient = WebDriverWait(self.chrome, 20, ignored_exceptions=[WebDriverException])
        return patient.until(look)  # type: ignore[arg-type]

    def _found(self, path: str) -> WebElement:
        shown = self._wait(
            lambda chrome: [each for each in chrome.find_elements(By.XPATH, path) if each.is_displayed()]
        )
        return shown[0]  # type: ignore[index, no-any-return]

    def follow(self, words: str) -> None:
        """Click a link or press a button, and wait for the page that it leads to."""
        path = f"//a[normalize-space()='{words}'] | //button[normalize-space()='{words}']"
        self.chrome.execute_script("document.documentElement.dataset.before = 1")
        self.click(path)
        gone = "return document.readyState == 'complete' && !document.documentElement.dataset.before"
        self._wait(lambda chrome: chrome.execute_script(gone))

    def click(self, path: str) -> None:
        found = self._found(path)
        self.chrome.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", found)
        found.click()

    def press_wallet(self) -> None:
        self.click("//button[.='Sign with Keplr']")

    def field(self, label: str) -> WebElement:
        """The input that a label names."""
        name = self._found(f"//label[starts-with(normalize-space(), '{label}')]").get_attribute("for")
        return self.chrome.find_element(By.ID, str(name))

    def enter(self, label: str, text: str) -> None:
        field = self.field(label)
        field.clear()
        field.send_keys(text)

    def reads(self, words: str) -> str:
        """Wait until the page shows the words."""

        def told(chrome: Chrome) -> str | None:
            text = chrome.execute_script("const main = document.querySelector('main'); return main && main.innerText")
            shown = " ".join(str(text).split())
            return shown if words in shown else None

        return str(self._wait(told))

    def _answer(self, expected: str, value: object) -> list[object]:
        first = "return window.asked && window.asked[0] && [window.asked[0].what, ...window.asked[0].rest]"
        asked = self._wait(lambda chrome: chrome.execute_script(first))
        assert isinstance(asked, list)
        assert asked[0] == expected
        if value is not ...:
            self.chrome.execute_script("window.answer(arguments[0])", value)
        return asked

    def wallet(self, holder: Keyholder) -> None:
        """The wallet lets the site see this account."""
        self._answer("enable", None)
        self._answer("getKey", {"bech32Address": holder.address, "isNanoLedger": False})

    def sign(self, holder: Keyholder) -> str:
        """The wallet of `holder` signs what the page shows it; the text."""
        self.wallet(holder)
        text = str(self._answer("signArbitrary", ...)[3])
        key = {"type": "tendermint/PubKeySecp256k1", "value": base64.b64encode(holder.public_key).decode()}
        signature = base64.b64encode(holder.sign_text(text)).decode()
        self.chrome.execute_script("window.answer(arguments[0])", {"pub_key": key, "signature": signature})
        return text

    def sign_in(self, holder: Keyholder) -> None:
        self.chrome.get(f"{self.url}/sign-in?next=/organize/payouts")
        self.click("//button[.='Sign in with Keplr']")
        self.sign(holder)
        self.reads("What is owed")

    def file(self, words: str) -> str:
        """What a link to a file gives."""
        fetched = "const [a, done] = arguments; fetch(a.href).then(r => r.text()).then(done)"
        return str(self.chrome.execute_async_script(fetched, self._found(f"//a[normalize-space()='{words}']")))

    def fits(self) -> None:
        """Nothing scrolls sideways on a phone, nothing was blocked, every input has its label."""
        set_width(self.chrome, PHONE_WIDTH)
        found = troubles(self.chrome, PHONE_WIDTH)
        self.chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        assert found == [], self.chrome.current_url
        unnamed = (
            "return [...document.querySelectorAll('main :is(input:not([type=hidden]), select, textarea)')]"
            ".filter(e => !e.labels.length).map(e => e.name)"
        )
        assert self.chrome.execute_script(unnamed) == []


def test_payout__from_plan_to_participant__by_visible_links(
    chrome: Chrome, site: Site, url: str, tmp_path: Path
) -> None:
    visitor = Visitor(chrome, url)
    visitor.sign_in(TREASURER)
    visitor.fits()
    visitor.follow("Plan a payout")
    visitor.enter("Rate: USD for one AKT", "0.5")
    visitor.enter("Where the rate is from", "noon price of a made-up exchange")
    visitor.enter("Paying account", TREASURY.address)
    visitor.follow("Work it out")
    assert "50.00 USD = 100.000000 AKT to 2 people" in visitor.reads("Payout 1 would be")
    visitor.fits()
    visitor.follow("Store this plan")
    digest = payout(site.house, 1).digest

    visitor.reads("Treasurer: sign the plan")
    visitor.press_wallet()
    text = visitor.sign(TREASURER)
    assert "Plan payout 1 of ending-test: 100000000 uakt" in text
    assert digest in text
    visitor.reads("Waits for approval")
    visitor.fits()
    visitor.follow("Sign out")

    visitor.sign_in(APPROVER)
    visitor.follow("Payout 1")
    visitor.press_wallet()
    visitor.wallet(TREASURER)
    visitor.reads(f"Keplr is on {TREASURER.address}; you are signed in with {APPROVER.address}.")
    visitor.press_wallet()
    assert "Approve payout 1 of ending-test" in visitor.sign(APPROVER)
    visitor.reads("Approved Treasurer: export it")
    assert chrome.find_elements(By.XPATH, "//button[normalize-space()='Export for signing']") == []
    visitor.follow("Sign out")

    visitor.sign_in(TREASURER)
    visitor.follow("Payout 1")
    visitor.follow("Export for signing")
    visitor.reads("The same bytes at every download.")
    visitor.fits()
    unsigned = visitor.file("p1-0001.unsigned.json")
    visitor.follow("The commands that sign, join, check and send them")
    assert f"--multisig {TREASURY.address}" in visitor.reads("akash tx multi-sign")
    visitor.fits()
    visitor.follow("Back to payout 1")
    visitor.follow("p1-0001")

    signed = tmp_path / "p1-0001.signed.json"
    signed.write_text(signed_by_two(unsigned, 0, ["keeper"]))
    visitor.field("The signed file").send_keys(str(signed))
    visitor.follow("Check this file")
    visitor.reads("Let more members sign the same export")
    assert "422" in chrome.get_log("browser")[-1]["message"]
    signed.write_text(signed_by_two(unsigned, 0))
    visitor.field("The signed file").send_keys(str(signed))
    visitor.follow("Check this file")
    visitor.reads("The file is good and stored.")
    visitor.fits()
    visitor.click("//label[starts-with(normalize-space(), 'I have looked')]")
    visitor.follow("Send it")
    visitor.reads("Only a block proves a payment")
    site.pass_blocks(3)
    visitor.follow("Look at the chain now")
    visitor.reads("Included. Nothing: every row is paid.")
    visitor.fits()
    visitor.follow("Sign out")

    (stored,) = batch(site.house, "p1-0001").signed
    chrome.get(f"{url}/participants/{person(0)}")
    assert "Paid with payout 1 on waymark-demo-pay-1" in visitor.reads("Payments")
    links = {each.get_attribute("href") for each in chrome.find_elements(By.CSS_SELECTOR, "main a.copy")}
    assert EXPLORER.replace("{tx}", stored.hash) in links
    visitor.fits()
    visitor.follow("payout 1")
    visitor.reads("Everything of it is paid: 100.000000 AKT to 2 addresses.")
    visitor.fits()
