"""Review signals in a real browser at a phone's width: a decision, and the appeal of those concerned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from ledger.people import SessionRow
from services import campaigns
from services.house import House
from services.sessions import hash_token
from services.signals import recompute
from tasks.moment import SECOND
from tests.browsers import chromium, served, set_width, troubles
from tests.signal_town import ADA, BEN, DEE, ORGANIZER, claim, entered_sdl, make_house
from web.factory import create_web

WIDTH = 390
REASON = "The two share a flat and a machine, as they told us."


@pytest.fixture
def chrome() -> Iterator[Chrome]:
    with chromium() as chrome:
        yield chrome


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, House]]:
    house = make_house(tmp_path)
    for person in (ADA, BEN):
        claim(house, person, f"https://video.example/{'a-very-long-name-' * 8}")
    for person, dseq in ((ADA, 11), (DEE, 22)):
        entered_sdl(house, person, dseq, "ab" * 32)
    recompute(house, campaigns.required(house))
    with served(create_web(house)) as url:
        yield url, house


def sign_in(chrome: Chrome, house: House, url: str, address: str) -> None:
    now = house.clock.now()
    row = {"created_ns": now, "seen_ns": now, "expires_ns": now + 3600 * SECOND, "csrf_token": "a-token"}
    with house.ledger.write() as session:
        session.merge(SessionRow(token_hash=hash_token(f"token-{address}"), address=address, **row))
    chrome.get(f"{url}/healthz")
    chrome.delete_all_cookies()
    chrome.add_cookie({"name": "waymark-session", "value": f"token-{address}"})


def press(chrome: Chrome, found: WebElement) -> None:
    """Click where it stands: the emulated screen is another than the driver's window."""
    chrome.execute_script("arguments[0].click()", found)


def test_signals__from_the_table_to_an_appeal__by_people_in_a_browser(
    chrome: Chrome, site: tuple[str, House]
) -> None:
    url, house = site
    sign_in(chrome, house, url, ORGANIZER)
    set_width(chrome, WIDTH)
    chrome.get(f"{url}/organize/signals")
    assert troubles(chrome, WIDTH) == []
    press(chrome, chrome.find_element(By.PARTIAL_LINK_TEXT, "Evidence and decision"))
    assert troubles(chrome, WIDTH) == []
    boxes = chrome.find_elements(By.NAME, "edges")
    assert [box.is_selected() for box in boxes] == [True, True]
    sdl = next(box for box in boxes if "Same SDL" in (box.get_attribute("aria-label") or ""))
    press(chrome, sdl)
    press(chrome, chrome.find_element(By.CSS_SELECTOR, "input[name=outcome][value=watched]"))
    chrome.find_element(By.NAME, "reason").send_keys(REASON)
    chrome.find_element(By.CSS_SELECTOR, "#decide button").submit()
    page = chrome.find_element(By.TAG_NAME, "main").text
    assert "Those concerned read it on their page" in page
    assert (page.count(REASON), page.count("Not decided")) == (1, 1)

    sign_in(chrome, house, url, BEN)
    chrome.get(f"{url}/me")
    press(chrome, chrome.find_element(By.PARTIAL_LINK_TEXT, "Organizers decided"))
    assert troubles(chrome, WIDTH) == []
    assert REASON in chrome.find_element(By.TAG_NAME, "main").text
    press(chrome, chrome.find_element(By.TAG_NAME, "summary"))
    words = chrome.find_element(By.NAME, "text")
    words.send_keys("We are two people, and both can be seen in it.")
    words.submit()
    assert "Appeal open" in chrome.find_element(By.TAG_NAME, "main").text
    assert troubles(chrome, WIDTH) == []
