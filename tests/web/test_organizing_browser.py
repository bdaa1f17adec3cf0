"""The organizers' pages in a real browser: they fit, nothing is blocked, and results are published by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from ledger.people import RoleRow, SessionRow
from services.grant_proposals import AGREED, Proposed, decide, propose
from services.house import House
from services.results import all_results
from services.rewards import compute_awards
from services.sessions import hash_token
from tasks.moment import SECOND, parse_moment
from tests.browsers import chromium, served, set_width, troubles
from tests.endings import ANN, BOB, CID, claimed, make_house
from web.factory import create_web

FIRST, OTHER = f"akash1{'l' * 38}", f"akash1{'m' * 38}"
WHY = "The faucet was empty for a day and nobody could work, which was our own fault."


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    with chromium() as chrome:
        yield chrome


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path, parse_moment("2026-12-03T00:00:00Z"))
    now = house.clock.now()
    times = {"created_ns": now, "seen_ns": now, "expires_ns": now + 3600 * SECOND}
    with house.ledger.write() as session:
        session.add_all(RoleRow(address=address, role="organizer") for address in (FIRST, OTHER))
        session.add(SessionRow(token_hash=hash_token("a-token"), address=FIRST, csrf_token="a", **times))
    claimed(house, ANN, "deploy", 1)
    claimed(house, BOB, "video", 2, "pending", holds=True)
    compute_awards(house)
    granted = propose(house, OTHER, Proposed(ANN, 12_500_000, WHY)).row.id
    decide(house, FIRST, granted, AGREED)
    propose(house, OTHER, Proposed(CID, 1_000_000, WHY))
    return house


@pytest.fixture
def site(house: House, chrome: Chrome) -> Iterator[str]:
    with served(create_web(house)) as url:
        chrome.get(f"{url}/healthz")
        chrome.add_cookie({"name": "waymark-session", "value": "a-token"})
        yield url


def test_pages__on_a_phone_and_a_desk__fit_and_nothing_is_blocked(chrome: Chrome, site: str) -> None:
    paths = (
        "/organize", "/organize/publish", "/organize/finalize", "/organize/grants", "/organize/grants/1/take-back",
        "/organize/grants/proposals/2", f"/organize/eligibility?participant={ANN}", "/organize/eligibility/import",
        "/organize/preview",
    )  # fmt: skip
    for width in (390, 1280):
        set_width(chrome, width)
        chrome.get_log("browser")
        for path in paths:
            chrome.get(site + path)
            assert troubles(chrome, width) == [], path


def test_publish__by_keyboard__asks_for_the_reason_at_its_field(chrome: Chrome, site: str, house: House) -> None:
    chrome.get(f"{site}/organize")
    follow(chrome, "Publish all results")
    found_at(chrome, "input[name^=reason-]").send_keys(Keys.ENTER)
    wrong = found_at(chrome, "input[aria-invalid=true]")
    described = chrome.find_element(By.ID, wrong.get_attribute("aria-describedby") or "")
    assert "Write why it stays open" in described.text
    wrong.send_keys("its node is away", Keys.ENTER)
    assert "Published:" in found_at(chrome, ".note-passed").text
    found = all_results(house)
    assert found is not None
    assert found.whole.stage == "provisional"


def follow(chrome: Chrome, label: str) -> None:
    """Open a link by its label, as somebody does who has no mouse."""
    chrome.find_element(By.LINK_TEXT, label).send_keys(Keys.ENTER)


def found_at(chrome: Chrome, selector: str) -> WebElement:
    """The element, once the page that has it is there."""
    return WebDriverWait(chrome, 60).until(lambda browser: browser.find_element(By.CSS_SELECTOR, selector))
