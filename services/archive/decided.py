"""What people decided on claims: review steps and appeals against the observations that they became."""

from __future__ import annotations

import json
from collections.abc import Mapping

from services.archive.evidence import Evidence, NotThere
from services.archive.format import APPEALS, REVIEW_STEPS
from services.archive.judging import Verdicts
from services.archive.reading import Contents, Line
from tasks.moment import Moment, format_moment
from verifiers.reviewing import Act

WON = "won"


def check_steps(contents: Contents, evidence: Evidence, verdicts: Verdicts) -> None:
    """Each step against the observation that judges read, and its number against the one before."""
    report = contents.report
    numbers: dict[str, int] = {}
    steps: set[str] = set()
    for place, line in contents.lines(REVIEW_STEPS):
        report.counts["review steps"] += 1
        evidence.use([line["observation"]], place)
        steps.add(line["observation"])
        if line["claim"] not in verdicts.claims:
            report.differ(place, "its claim is missing")
        number = numbers.get(line["claim"], 0) + 1
        if line["number"] != number:
            report.differ(place, f"step {number} of the claim is missing")
        numbers[line["claim"]] = line["number"]
        wanted = {
            "claim": line["claim"],
            "number": line["number"],
            "act": line["act"],
            "by": line["name"],
            "at": format_moment(Moment(line["at_ns"])),
        }
        _compare(contents, place, evidence, line["observation"], wanted)
    evidence.check_steps(steps)


def check_appeals(contents: Contents, evidence: Evidence, verdicts: Verdicts) -> None:
    """Each appeal's claim and verdict, and each ruling against its observation."""
    report = contents.report
    for place, line in contents.lines(APPEALS):
        report.counts["appeals"] += 1
        if line["claim"] not in verdicts.claims:
            report.differ(place, "its claim is missing")
        against = line["verdict_id"]
        if against is not None and all(each["id"] != against for each in verdicts.by_claim.get(line["claim"], ())):
            report.differ(place, f"its claim has no verdict {against}")
        ruled = {line[name] is not None for name in ("outcome", "name", "reason", "ruled_ns", "observation")}
        if len(ruled) > 1:
            report.differ(place, "it is half decided: a part of the ruling is missing")
        elif ruled == {True}:
            evidence.use([line["observation"]], place)
            _compare(contents, place, evidence, line["observation"], _ruling(line, evidence))


def _ruling(line: Line, evidence: Evidence) -> Mapping[str, object]:
    """What the ruling's observation must say: a step of the claim where an appeal changed something of it, which one
    won on a result always does, and one won on an award where it moved the time of the work.
    """
    common = {
        "claim": line["claim"],
        "by": line["name"],
        "reason": line["reason"],
        "at": format_moment(Moment(line["ruled_ns"])),
    }
    if line["outcome"] == WON and (line["verdict_id"] is not None or _is_step(line, evidence)):
        return {**common, "act": str(Act.APPEAL_WON)}
    return {**common, "appeal": line["id"], "about": line["about"], "outcome": line["outcome"]}


def _is_step(line: Line, evidence: Evidence) -> bool:
    try:
        return evidence.observation(line["observation"]).request.startswith(f"REVIEW {line['claim']}/")
    except NotThere:
        return False


def _compare(contents: Contents, place: str, evidence: Evidence, name: str, wanted: Mapping[str, object]) -> None:
    try:
        said = json.loads(evidence.observation(name).body)
    except (NotThere, ValueError, RecursionError):
        return  # noted where the observation was read
    for key, value in wanted.items():
        if not isinstance(said, dict) or said.get(key) != value:
            contents.report.differ(place, f"{key} is not what its observation says")
