"""The pages of spot checks in a real browser: nothing scrolls sideways, nothing is blocked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome

from ledger.people import SessionRow
from services import spot_checks
from services.clock import SystemClock
from services.sessions import hash_token
from tasks.moment import SECOND
from tests.browsers import chromium, served, set_width, troubles
from tests.onboarding_worlds import PROVIDER
from tests.spot_town import only, opened, spot_town
from web.factory import create_web


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    with chromium() as chrome:
        yield chrome


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chrome: Chrome) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The platform with an open spot check whose SDL was asked for, and the paths to look at."""
    with spot_town(tmp_path_factory.mktemp("town")) as (house, node_, _):
        now = opened(house, node_)
        check = spot_checks.prepare(now, PROVIDER, only(now).id, per_container=1).check
        times = {"created_ns": now.clock.now(), "seen_ns": now.clock.now()}
        expires = max(now.clock.now(), SystemClock().now()) + 3600 * SECOND
        with now.ledger.write() as session:
            session.add(
                SessionRow(
                    token_hash=hash_token("a-token"), address=PROVIDER, csrf_token="c", expires_ns=expires, **times
                )
            )
        with served(create_web(now)) as url:
            chrome.get(f"{url}/healthz")
            chrome.add_cookie({"name": "waymark-session", "value": "a-token"})
            yield url, (f"/spot-checks/{check.id}", "/me", "/tasks/onboard", f"/claims/{check.claims[0]}")


@pytest.mark.parametrize("width", [390, 1280])
def test_pages__each_width__fit_and_nothing_is_blocked(
    chrome: Chrome, site: tuple[str, tuple[str, ...]], width: int
) -> None:
    url, paths = site
    set_width(chrome, width)
    chrome.get_log("browser")
    for path in paths:
        chrome.get(url + path)
        chrome.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
        assert troubles(chrome, width) == [], path
    chrome.get(url + paths[0])
    assert "benchmark-2" in chrome.page_source
