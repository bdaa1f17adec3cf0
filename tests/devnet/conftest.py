"""The recorded play of a real node, as acts: devnet plays it again and is asked the recorded questions."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import zstandard

from devnet import acts
from devnet.generation import V1, V2
from devnet.network import Devnet, serve

FIXTURES = Path(__file__).parents[1] / "fixtures"
START = 1_795_520_258 * 10**9


@dataclass
class StillClock:
    """A clock that a test sets."""

    moment: int

    def now(self) -> int:
        """The moment it was set to."""
        return self.moment


def read_play(generation: str) -> acts.Scenario:
    """The recorded play of a generation as a scenario."""
    told = json.loads((FIXTURES / "devnet" / f"play-{generation}.json").read_text())
    sdls = {path.name: path.read_text() for path in (FIXTURES / "sdl-recorded" / generation).glob("*.yaml")}
    people = [
        acts.Person(each["name"], each["address"], base64.b64decode(each["public_key"])) for each in told["people"]
    ]
    return acts.Scenario(
        generation, told["chain_id"], [_act(each) for each in told["acts"]], people, sdls, seconds_per_block=1
    )


def _act(told: dict[str, Any]) -> acts.Act:
    fields = {name: value for name, value in told.items() if name not in {"act", "fails"}}
    if "bid" in fields:
        owner, dseq, gseq, oseq, provider = fields["bid"]
        fields["bid"] = acts.BidId(acts.OrderId(owner, dseq, gseq, oseq), provider)
    for name in ("attributes", "keys"):
        if name in fields:
            fields[name] = tuple(tuple(each) if isinstance(each, list) else each for each in fields[name])
    for name in ("pem", "public_key_pem"):
        if name in fields:
            fields[name] = base64.b64decode(fields[name])
    if "hash" in fields:
        fields["hash"] = bytes.fromhex(fields["hash"])
    act: acts.Act = getattr(acts, told["act"])(**fields)
    if "fails" in told:
        code, codespace, log = told["fails"]
        return acts.Failed(height=act.height, of=act, code=code, codespace=codespace, log=log)
    return act


def recorded(folder: str, name: str) -> list[dict[str, Any]]:
    """The recorded answers of one file."""
    packed = (FIXTURES / folder / f"{name}.jsonl.zst").read_bytes()
    text = zstandard.ZstdDecompressor().decompressobj().decompress(packed).decode()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="session")
def plays() -> Iterator[dict[str, Devnet]]:
    """Devnet after the recorded play of each generation, at the height of the recorded questions."""
    running = {}
    for name, generation, height in (("v1", V1, 2440), ("v2", replace(V2, min_reclamation_seconds=5), 605)):
        clock = StillClock(START + (height - 1) * 10**9)
        running[name] = serve(read_play(name), start=START, clock=clock, generation=generation)
    yield running
    for devnet in running.values():
        devnet.stop()
