"""`audit verify`: everything in an archive worked again, with no database and no network."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from services.archive.awards import Archived, check_awards
from services.archive.campaigns import read_people, read_rules
from services.archive.container import ArchiveRefused, Limits, unpack
from services.archive.decisions import read_decisions
from services.archive.evidence import Evidence, NotThere
from services.archive.format import APPEALS, REVIEW_STEPS
from services.archive.judging import Judging, Verdicts, read_claims
from services.archive.ledger_lines import check_totals, read_ledger
from services.archive.originals import check_days, check_submissions
from services.archive.reading import Contents
from services.archive.report import Report
from tasks.moment import Moment, format_moment


def verify_archive(path: Path, limits: Limits | None = None) -> Report:
    """Work everything in the archive again; what can't be read at all is a difference too.

    The archive is unpacked into a folder of its own for the time of this, one line is in memory at a time.
    """
    report = Report()
    with tempfile.TemporaryDirectory(prefix="waymark-verify-") as folder:
        try:
            unpacked = unpack(path, Path(folder), limits)
            report.sha256, report.is_sealed = unpacked.digest, unpacked.is_sealed
            contents = Contents(unpacked.files, report)
            contents.open()
        except ArchiveRefused as refused:
            report.differ("the file", str(refused))
            return report
        _verify(contents)
    return report


def _verify(contents: Contents) -> None:
    evidence = Evidence(contents)
    evidence.read()
    rules = read_rules(contents)
    if rules is None:
        return
    people = read_people(contents, rules)
    verdicts = read_claims(contents, rules, people)
    Judging(contents, rules, people, evidence).judge_all(verdicts)
    _check_steps(contents, evidence, verdicts)
    _check_appeals(contents, evidence, verdicts)
    check_submissions(contents, evidence, verdicts)
    check_days(contents, evidence)
    evidence.check_used()
    decisions = read_decisions(contents, rules, people)
    ledger = read_ledger(contents, people, decisions)
    check_awards(contents, Archived(rules, people, verdicts, decisions, ledger))
    check_totals(contents, rules, ledger)


def _check_steps(contents: Contents, evidence: Evidence, verdicts: Verdicts) -> None:
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
        try:
            said = json.loads(evidence.observation(line["observation"]).body)
        except (NotThere, ValueError):
            continue  # noted where the observation was read
        wanted = {
            "claim": line["claim"],
            "number": line["number"],
            "act": line["act"],
            "by": line["name"],
            "at": format_moment(Moment(line["at_ns"])),
        }
        for name, value in wanted.items():
            if not isinstance(said, dict) or said.get(name) != value:
                report.differ(place, f"{name} is not what its observation says")
    evidence.check_steps(steps)


def _check_appeals(contents: Contents, evidence: Evidence, verdicts: Verdicts) -> None:
    for place, line in contents.lines(APPEALS):
        contents.report.counts["appeals"] += 1
        if line["claim"] not in verdicts.claims:
            contents.report.differ(place, "its claim is missing")
        if line["observation"] is not None:
            evidence.use([line["observation"]], place)
