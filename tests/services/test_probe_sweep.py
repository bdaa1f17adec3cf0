"""A whole probe round over real endpoints: TLS, certificates on a chain, REST and gRPC, some of them silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.probes import sweep


def test_sweep__a_tenth_hanging__finds_each_in_its_state(tmp_path: Path) -> None:
    found = sweep(tmp_path, 12, 2, probe_seconds=6)
    assert found.states == {"up": 10, "down timeout": 2}


@pytest.mark.long
def test_sweep__500_providers_a_tenth_hanging__takes_less_than_a_minute(tmp_path: Path) -> None:
    found = sweep(tmp_path, 500, 50)
    assert found.states == {"up": 450, "down timeout": 50}
    assert found.seconds < 60
