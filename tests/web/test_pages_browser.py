"""The pages in a real browser: nothing scrolls sideways, nothing is blocked, light and dark, charts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.browsers import chromium, served, set_width, troubles
from tests.web.town import PARTICIPANT, PROVIDER, Town, sign_in

PATHS = (
    "/",
    "/tasks",
    "/tasks/deploy",
    "/leaderboard",
    f"/participants/{PARTICIPANT.address}",
    f"/claims/{1:032x}",
    "/figures",
    "/providers",
    f"/providers/{PROVIDER.address}",
    "/rules",
    "/how-we-check",
    "/jobs",
    "/payouts",
    "/me",
    "/tasks/deploy/claim",
)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    with chromium() as chrome:
        yield chrome


@pytest.fixture(scope="module")
def site(town_web: Flask, town: Town, chrome: Chrome) -> Iterator[str]:
    with served(town_web) as url:
        chrome.get(f"{url}/healthz")
        chrome.add_cookie({"name": "waymark-session", "value": sign_in(town.house, PARTICIPANT)})
        yield url


def look(chrome: Chrome, width: int, scheme: str) -> None:
    chrome.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    set_width(chrome, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages__each_width_and_scheme__fit_and_nothing_is_blocked(
    chrome: Chrome, site: str, width: int, scheme: str
) -> None:
    look(chrome, width, scheme)
    chrome.get_log("browser")
    for path in PATHS:
        chrome.get(site + path)
        colour = chrome.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (colour == "rgb(255, 255, 255)") == (scheme == "light"), path
        assert troubles(chrome, width) == [], path


@pytest.mark.parametrize(("width", "scheme", "name"), [(390, "dark", "dark-narrow"), (1280, "light", "light-wide")])
def test_figures__each_reader__gets_the_chart_that_fits(
    chrome: Chrome, site: str, width: int, scheme: str, name: str
) -> None:
    look(chrome, width, scheme)
    chrome.get(f"{site}/figures")
    for picture in chrome.find_elements(By.CSS_SELECTOR, ".chart img"):
        chrome.execute_script("arguments[0].scrollIntoView()", picture)
        WebDriverWait(chrome, 20).until(
            lambda driver, picture=picture: driver.execute_script("return arguments[0].naturalWidth", picture) > 0
        )
        assert name in str(chrome.execute_script("return arguments[0].currentSrc", picture))


def test_times__script_allowed__have_the_readers_own_in_the_title(chrome: Chrome, site: str) -> None:
    look(chrome, 1280, "light")
    chrome.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    chrome.get(f"{site}/")
    moment = chrome.find_element(By.CSS_SELECTOR, "time[datetime='2026-03-01T00:00:00Z']")
    assert moment.text == "2026-03-01 00:00 UTC"
    assert "9:00:00" in (moment.get_attribute("title") or "")
    assert "your time" in (moment.get_attribute("title") or "")


def test_phone__table__becomes_rows_that_carry_their_headers(chrome: Chrome, site: str) -> None:
    look(chrome, 390, "light")
    chrome.get(f"{site}/leaderboard")
    cell = chrome.find_element(By.CSS_SELECTOR, "td[data-label='Confirmed']")
    label = chrome.execute_script("return getComputedStyle(arguments[0], '::before').content", cell)
    assert label == '"Confirmed"'


def test_keyboard__first_tab__skips_to_the_content(chrome: Chrome, site: str) -> None:
    look(chrome, 1280, "light")
    chrome.get(f"{site}/rules")
    first = chrome.execute_script(
        "return [...document.querySelectorAll('a, button, input, summary')][0].getAttribute('href')"
    )
    assert first == "#content"
    missing = chrome.execute_script(
        "return [...document.querySelectorAll('main img:not([alt]), main input:not([type=hidden]), main select')]"
        ".filter(e => e.tagName == 'IMG' || !e.labels.length).length"
    )
    assert missing == 0
