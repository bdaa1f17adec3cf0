"""The recorded multisig paid three times; played again, devnet answers every recorded question about it alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from devnet import acts
from devnet.network import Devnet, serve
from tests.payouts import ACCOUNT_NUMBER, CHAINS, FILES, PAYERS, SETS
from verifiers.payout.files import read_signed

from .conftest import START, StillClock, recorded
from .payday_chain import ask_rpc, ask_with, broadcast

PLAYED = {
    "v1": (("r7-0001", 1582), ("r7-0002-insufficient", 1584), ("r7-0006", 1596)),
    "v2": (("r7-0001", 220), ("r7-0002-insufficient", 221), ("r7-0006", 231)),
}
ASKED = re.compile(
    r"tx: payout|tx by hash r7|multisig (balance|account)|(balances|account) of payout|(tx|_results|block): payout"
)
FEW_UNITS = 60


@contextmanager
def after_the_play(files: str) -> Iterator[Devnet]:
    """The chain after the three payouts, each in the block that it was recorded in."""
    payer = acts.Person("payout", PAYERS[files], number=ACCOUNT_NUMBER, balances=(("uakt", 50_000_000),))
    paid = {
        output["address"]
        for name, _ in PLAYED[files]
        for message in json.loads((FILES / files / f"{name}.unsigned.json").read_text())["body"]["messages"]
        for output in message["outputs"]
    }
    people = [payer, *(acts.Person(address, address) for address in sorted(paid))]
    story = acts.Scenario(files, CHAINS[files], [], people, seconds_per_block=1)
    with serve(story, start=START, clock=StillClock(START), generation=files) as devnet:
        for name, height in PLAYED[files]:
            devnet.settings.tip = height - 1
            assert (
                broadcast(devnet, read_signed((FILES / files / f"{name}.signed.json").read_bytes()).raw)["code"] == 0
            )
        devnet.settings.tip = PLAYED[files][-1][1] + 10
        yield devnet


def _comparable(value: Any) -> Any:
    """A JSON value without what hangs on the clock and the rest of the chain; gas in steps."""
    if isinstance(value, dict):
        left = {"timestamp", "finalize_block_events", "app_hash", "block_id", "header", "sdk_block", "last_commit"}
        return {name: _comparable(item) for name, item in value.items() if name not in left | {"gas_used"}}
    return [_comparable(item) for item in value] if isinstance(value, list) else value


def _gas(value: Any) -> Iterator[int]:
    if isinstance(value, Mapping):
        if "gas_used" in value:
            yield int(value["gas_used"])
        for item in value.values():
            yield from _gas(item)
    elif isinstance(value, list):
        for item in value:
            yield from _gas(item)


@pytest.mark.parametrize("files", ["v1", "v2"])
def test_recorded_question_about_the_multisig__asked_after_the_play__answered_alike(files: str) -> None:
    asked_count = 0
    with after_the_play(files) as devnet:
        for file in ("rest-txs", "rest-bank-auth", "rpc"):
            for asked in recorded(SETS[files], file):
                if asked["status"] == 404 or not ASKED.match(asked["name"]):
                    continue
                asked_count += 1
                if asked["api"] == "rpc":
                    status, mine = ask_rpc(devnet, asked["path"])
                else:
                    status, mine = ask_with(devnet, asked["path"], asked["request_headers"])
                real = json.loads(asked["body"])
                assert status == asked["status"], asked["name"]
                assert _comparable(mine) == _comparable(real), asked["name"]
                differences = [abs(a - b) for a, b in zip(_gas(mine), _gas(real), strict=True)]
                assert max(differences, default=0) <= FEW_UNITS, asked["name"]
    assert asked_count > 15
