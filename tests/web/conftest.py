"""The town, filled once for all tests that only read, and its web application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.wallets import Keyholder
from tests.web.town import Town, fill, make_house, sign_in
from web.factory import create_web


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Filled; nothing may be changed in it but sessions."""
    filled = fill(make_house(tmp_path_factory.mktemp("town")), people=120)
    yield filled
    filled.house.ledger.close()


@pytest.fixture(scope="session")
def town_web(town: Town) -> Flask:
    return create_web(town.house)


@pytest.fixture
def pages(town_web: Flask) -> FlaskClient:
    """A stranger's browser."""
    return town_web.test_client()


@pytest.fixture
def pages_as(town: Town, town_web: Flask) -> Callable[[Keyholder], FlaskClient]:
    """The browser of somebody who is signed in."""

    def browser(who: Keyholder) -> FlaskClient:
        client = town_web.test_client()
        client.set_cookie("waymark-session", sign_in(town.house, who))
        return client

    return browser


@pytest.fixture
def empty_pages(tmp_path: Path) -> Iterator[FlaskClient]:
    """A platform with nothing in it: no campaign, no chain, nobody."""
    house = make_house(tmp_path)
    yield create_web(house).test_client()
    house.ledger.close()
