"""One real chain for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.paynets import Paynet, go, running


@pytest.fixture(scope="session")
def paynet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paynet]:
    """The chain, built where that was not done before. Skips the test where Go is not installed."""
    if go() is None:
        pytest.skip("Go is not installed")
    with running(tmp_path_factory.mktemp("paynet")) as net:
        yield net
