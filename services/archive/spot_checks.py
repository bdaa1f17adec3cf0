"""Spot checks in an archive: draws worked again from the seed, and what judges were told against the lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from services.archive.evidence import Evidence, NotThere
from services.archive.reading import Contents, Line
from services.archive.spot_members import SPOT_CHECKS, SPOT_SEEDS
from tasks.moment import Moment
from verifiers.chain.answers import decode_block
from verifiers.evidence import Source
from verifiers.onboarding.draws import OPEN_FOR, Drawn, Group, check_id, commitment_to, moment_of
from verifiers.onboarding.spot_record import SPOT_CHECKS as RECORDS
from verifiers.trouble import Undecodable

MISSED = "missed"
_TOLD = ("number", "opens_ns", "gpus", "height", "block_hash")


def check_spot_checks(contents: Contents, evidence: Evidence, campaign: str) -> None:
    """Commitments, ids, moments and blocks of all draws; then each record that a judge was given."""
    seeds = _seeds(contents)
    blocks = _Blocks(evidence)
    lines: dict[str, Line] = {}
    for place, line in contents.lines(SPOT_CHECKS):
        contents.report.counts["spot checks"] += 1
        lines[line["id"]] = line
        for message in _wrong(line, seeds.get(line["task"]), campaign, blocks):
            contents.report.differ(place, message)
        if line["task"] in seeds and seeds[line["task"]]["seed"] is None:
            contents.report.skip(place, "its moment can be worked again once the seed is published, after the close")
    for name in evidence.names(Source.RECORD, RECORDS):
        for message in _record_differs(evidence, name, lines, seeds):
            contents.report.differ(f"observation {name}", message)


def _seeds(contents: Contents) -> dict[str, Line]:
    seeds: dict[str, Line] = {}
    for place, line in contents.lines(SPOT_SEEDS):
        seeds[line["task"]] = line
        if line["seed"] is not None and commitment_to(line["seed"]) != line["commitment"]:
            contents.report.differ(place, "the seed is not the one that was committed to")
    return seeds


def _wrong(line: Line, seed: Line | None, campaign: str, blocks: _Blocks) -> list[str]:
    """What is wrong with one line."""
    group = Group(campaign, line["task"], line["participant"], line["provider"], line["gpu_model"])
    found = []
    if check_id(group, line["number"]) != line["id"]:
        found.append("its id is not the digest of whose GPUs it is about and its number")
    opens = line["opens_ns"]
    if (opens is None) != (line["state"] == MISSED) or (opens is not None and opens < line["moment_ns"]):
        found.append("it opened before its moment, or never")
    if line["over_ns"] is not None and opens is not None and line["over_ns"] < min(opens + OPEN_FOR, line["ends_ns"]):
        found.append("it was over before its 24 hours")
    if seed is None:
        return [*found, f"{SPOT_SEEDS.name} has no commitment of its task"]
    if seed["made_ns"] > line["begins_ns"]:
        found.append("it was drawn from a time before the commitment")
    begins, ends = Moment(line["begins_ns"]), Moment(line["ends_ns"])
    drawn = Drawn(begins, ends, line["parts"], line["chain_id"], line["height"], line["block_hash"])
    return [*found, *_moment_differs(line, seed, group, drawn), *blocks.differ(line)]


def _moment_differs(line: Line, seed: Line, group: Group, drawn: Drawn) -> list[str]:
    if seed["seed"] is None:
        return []
    try:
        moment = moment_of(seed["seed"], group, line["number"], drawn)
    except ValueError:
        return ["its moment can't have been drawn: the seed is no hex, or no part is 24 hours long"]
    return [] if moment == line["moment_ns"] else [f"its moment is {line['moment_ns']}, drawn again it is {moment}"]


class _Blocks:
    """The headers of blocks that judges were given, by height."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._names: dict[str, str] | None = None

    def differ(self, line: Line) -> list[str]:
        """Whether the block of a draw is the one that nodes showed; nothing where no judge was given it."""
        if self._names is None:
            path = "GET /cosmos/base/tendermint/v1beta1/blocks/"
            names = self._evidence.names(Source.CHAIN, path)
            self._names = {self._evidence.observation(name).request.rpartition("/")[2]: name for name in names}
        name = self._names.get(str(line["height"]))
        try:
            block = decode_block(self._evidence.observation(name).body) if name is not None else None
        except (Undecodable, NotThere):
            return []  # noted where the evidence was read, or a judge saw that it was none
        if block is None or block.chain_id != line["chain_id"]:
            return []
        if (block.height, block.hash) != (line["height"], line["block_hash"]) or block.time < line["begins_ns"]:
            return [f"block {line['height']} is not the one that it was drawn from"]
        return []


def _record_differs(evidence: Evidence, name: str, lines: Mapping[str, Line], seeds: Mapping[str, Line]) -> list[str]:
    """What a judge was told of spot checks against the lines."""
    try:
        said: Any = json.loads(evidence.observation(name).body)
        rows = [(row, lines.get(row["id"])) for row in said["checks"]]
        commitments = {line["commitment"] for line in seeds.values()}
        if said["commitment"] not in commitments:
            return [f"its commitment is not in {SPOT_SEEDS.name}"]
        return [
            f"spot check {str(row['id'])[:40]} is not as in {SPOT_CHECKS.name}"
            for row, line in rows
            if line is None or any(row[key] != line[key] for key in _TOLD)
        ]
    except (NotThere, ValueError, KeyError, TypeError, RecursionError):
        return ["it is no record of spot checks"]
