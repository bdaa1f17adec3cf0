"""The pages of benchmarks in a real browser: nothing scrolls sideways, nothing is blocked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from services import benchmarks
from tests.benchmark_town import OTHER, PARTICIPANT, PROVIDER, accepted_run, make, sign_in
from tests.browsers import chromium, served, set_width, troubles
from tests.houses import later
from web.factory import create_web


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    with chromium() as chrome:
        yield chrome


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chrome: Chrome) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The platform with runs of long names, and the paths to look at."""
    folder: Path = tmp_path_factory.mktemp("benchmarks")
    house = make(folder)
    accepted_run(house, OTHER, "NVIDIA A100-SXM4-80GB", 80)
    accepted_run(later(house, 1), OTHER, "NVIDIA RTX 6000 Ada Generation of a Very Long Name Edition", 48)
    issued = benchmarks.issue(house, PARTICIPANT.address, PROVIDER)
    with served(create_web(house)) as url:
        chrome.get(f"{url}/healthz")
        chrome.add_cookie({"name": "waymark-session", "value": sign_in(house, PARTICIPANT)})
        challenge = f"/benchmarks/run/{issued.challenge.id}"
        yield url, ("/benchmarks", "/benchmarks/run", challenge, "/tasks/benchmark", "/tasks/benchmark/claim")
    house.ledger.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_pages__each_width__fit_and_nothing_is_blocked(
    chrome: Chrome, site: tuple[str, tuple[str, ...]], width: int
) -> None:
    url, paths = site
    set_width(chrome, width)
    chrome.get_log("browser")
    for path in paths:
        chrome.get(url + path)
        assert troubles(chrome, width) == [], path
    chrome.get(url + paths[2])
    chrome.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    assert troubles(chrome, width) == []
