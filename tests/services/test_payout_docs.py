"""docs/payouts.md names every state, every finding and every command that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.payout.lifecycle import BatchState
from verifiers.payout.reconcile import State

TEXT = (Path(__file__).parents[2] / "docs" / "payouts.md").read_text()
COMMANDS = ("owed", "plan", "show", "approve", "export", "check-signed", "broadcast", "reconcile", "settle",
            "balance", "discard", "plan-again")  # fmt: skip


def first_cells() -> set[str]:
    rows = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| ")]
    return {name.strip() for row in rows for name in row.split(",")}


@pytest.mark.parametrize("state", [*BatchState, *State])
def test_docs__states_of_batches_and_of_reconciling__each_has_a_row(state: str) -> None:
    assert str(state) in first_cells()


@pytest.mark.parametrize("command", COMMANDS)
def test_docs__commands__each_is_named(command: str) -> None:
    assert f"payout {command}" in TEXT
