"""The spot checks of a claim as the platform has them on record: only those that are open or over (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.moment import Moment
from verifiers.evidence import ChainPoint, Observation, Source
from verifiers.probes import canonical

SPOT_CHECKS = "SPOT CHECKS "
SHARED = "SPOT CHECK CARDS "


@dataclass(frozen=True, slots=True)
class Opened:
    """One spot check that was opened. `gpus`: how many were claimed then, which its lease is to have.

    `challenges`: those given for it so far. `height`, `block_hash`: the block that its moment was drawn from.
    `passing`: the block of the look in which it passed for this claim, `observations` what that look saw of it.
    """

    id: str
    number: int
    opens: Moment
    gpus: int
    height: int
    block_hash: str
    challenges: tuple[str, ...] = ()
    passing: ChainPoint | None = None
    observations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpotRecord:
    """All of them by number. `commitment`: to the seed that moments are drawn with."""

    commitment: str
    opened: tuple[Opened, ...]
    observation: str


def spot_request(claim: str) -> str:
    """How the observation is named."""
    return f"{SPOT_CHECKS}{claim}"


def spot_body(commitment: str, opened: Sequence[Opened]) -> bytes:
    """The observation's body: canonical JSON."""
    return canonical({"commitment": commitment, "checks": [_row(each) for each in opened]})


def _row(each: Opened) -> dict[str, object]:
    point = each.passing
    return {
        "id": each.id,
        "number": each.number,
        "opens_ns": each.opens,
        "gpus": each.gpus,
        "height": each.height,
        "block_hash": each.block_hash,
        "challenges": list(each.challenges),
        "passing": None if point is None else [point.chain_id, point.height, point.time],
        "observations": list(each.observations),
    }


def read_spot_record(claim: str, observations: Sequence[Observation]) -> SpotRecord | None:
    """What is on record of a claim's spot checks; None where there is no such observation."""
    for observation in observations:
        if observation.source == Source.RECORD and observation.request == spot_request(claim):
            document = json.loads(observation.body)
            opened = tuple(_opened(row) for row in document["checks"])
            return SpotRecord(document["commitment"], opened, observation.id)
    return None


def _opened(row: Any) -> Opened:
    point = row["passing"]
    return Opened(
        id=row["id"],
        number=row["number"],
        opens=Moment(row["opens_ns"]),
        gpus=row["gpus"],
        height=row["height"],
        block_hash=row["block_hash"],
        challenges=tuple(row["challenges"]),
        passing=None if point is None else ChainPoint(point[0], point[1], Moment(point[2])),
        observations=tuple(row["observations"]),
    )


def shared_request(claim: str) -> str:
    """How the observation is named that tells of cards which answered for others before."""
    return f"{SHARED}{claim}"


def shared_body(shared: Mapping[str, Sequence[tuple[str, str]]]) -> bytes:
    """Its body. `shared`: by spot check, each card with the other spot check that it answered for before."""
    return canonical({"shared": {name: [list(pair) for pair in pairs] for name, pairs in shared.items()}})


def read_shared(claim: str, observations: Sequence[Observation]) -> dict[str, list[tuple[str, str]]]:
    """What is told of such cards, by spot check; nothing where there are none."""
    for observation in observations:
        if observation.source == Source.COMPARISON and observation.request == shared_request(claim):
            rows = json.loads(observation.body)["shared"]
            return {name: [(str(card), str(other)) for card, other in pairs] for name, pairs in rows.items()}
    return {}
