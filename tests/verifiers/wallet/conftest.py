"""The people of these tests."""

from __future__ import annotations

import pytest

from tests.wallets import Keyholder


@pytest.fixture
def ada() -> Keyholder:
    return Keyholder("Ada of the tests")


@pytest.fixture
def bob() -> Keyholder:
    return Keyholder("Bob of the tests")


@pytest.fixture
def members() -> list[Keyholder]:
    return [Keyholder(f"member {number}") for number in range(3)]
