"""Bootstrap and verification as the jobs do them, with the list of what was asked: one process, timed inside."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import update

from app import build_house
from ledger.claims import ClaimRow
from services import campaigns, claims, following, rewards, verification
from services.errors import NotFound
from services.house import House
from services.settings import load_settings
from verifiers.http import Door, Reply

HEIGHT = "x-cosmos-block-height"


class Recorder:
    """Stands at the door and writes down every request to a node in order."""

    def __init__(self, nodes: tuple[str, ...]) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        get = Door.get
        asked = self.asked

        def noted(
            door: Door, target: str, headers: Mapping[str, str] | None = None, deadline_seconds: float | None = None
        ) -> Reply:
            kept = {name: value for name, value in (headers or {}).items() if name.lower() == HEIGHT}
            if f"http://{door.name}" in nodes:
                asked.append((f"http://{door.name}{target}", kept))
            return get(door, target, headers, deadline_seconds)

        setattr(Door, "get", noted)  # noqa: B010  # a bench may stand at the door


def main(env_file: str, listed: str) -> None:
    """Bootstrap, find, verify and compute on the settings of `env_file`; one line of JSON on stdout."""
    settings = load_settings(Path(env_file))
    recorder = Recorder((*settings.chain_rest, *settings.chain_rpc))
    house = build_house(settings)
    started = time.perf_counter()
    following.follow(house)
    bootstrapped = time.perf_counter()
    claims.find_claims(house)
    loaded = campaigns.current(house)
    if loaded is None:
        raise NotFound("the bench's campaign is not loaded")
    only_the_chain_decides(house)
    count = 0
    while done := verification.verify_batch(house, loaded):
        count += done
    verified = time.perf_counter()
    computed = rewards.compute_awards(house)
    seconds = time.perf_counter() - started
    Path(listed).write_text("".join(json.dumps(each) + "\n" for each in recorder.asked))
    answer = {
        "seconds": seconds,
        "bootstrap_seconds": bootstrapped - started,
        "verify_seconds": verified - bootstrapped,
        "claims": count,
        "lines": computed.lines_added,
        "requests": len(recorder.asked),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(answer) + "\n")


def only_the_chain_decides(house: House) -> None:
    """Leave out claims about which others are asked too (providers, a code host): the bare loop can't ask them."""
    others = update(ClaimRow).where(ClaimRow.kind != "ai_deployment").values(due_ns=None)
    house.ledger.transact(lambda session: session.execute(others))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
