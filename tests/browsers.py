"""A served application and a headless Chromium to look at it with."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from werkzeug.serving import make_server

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--window-size=1200,900",
)


PHONE = 500
"""Narrower windows are phones'."""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve `app` on a free loopback port; gives its address without a slash at the end."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A headless Chromium. Without one the test is skipped, in CI it fails."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        if os.environ.get("CI"):
            pytest.fail("Chromium and chromium-driver are needed: .ci/run installs them")
        pytest.skip("no Chromium here")
    options = ChromeOptions()
    options.binary_location = browser
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=ChromeService(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def set_width(chrome: Chrome, width: int) -> None:
    """Look through a window of so many CSS pixels; a narrow one is a phone's."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < PHONE}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def troubles(chrome: Chrome, width: int) -> list[str]:
    """What is wrong with the page on show: wider than the window's `width`, or the browser complained.

    Empties the browser's log. The window's own word counts for nothing: a phone's grows with what is too wide.
    """
    found = [str(entry["message"]) for entry in chrome.get_log("browser")]
    takes = int(chrome.execute_script("return document.documentElement.scrollWidth"))
    return [*found, f"{takes} px wide in a window of {width}"] if takes > width else found
