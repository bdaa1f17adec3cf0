"""`audit verify`: everything in an archive worked again, with no database and no network."""

from __future__ import annotations

import tempfile
from pathlib import Path

from services.archive.awards import Archived, check_awards
from services.archive.campaigns import read_people, read_rules
from services.archive.container import ArchiveRefused, Limits, unpack
from services.archive.decided import check_appeals, check_steps
from services.archive.decisions import read_decisions
from services.archive.evidence import Evidence
from services.archive.judging import Judging, read_claims
from services.archive.ledger_lines import check_totals, read_ledger
from services.archive.originals import check_days, check_submissions
from services.archive.payouts import check_payouts
from services.archive.reading import Contents
from services.archive.report import Report
from services.archive.spot_checks import check_spot_checks


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
    check_steps(contents, evidence, verdicts)
    check_appeals(contents, evidence, verdicts)
    check_submissions(contents, evidence, verdicts)
    check_days(contents, evidence)
    check_spot_checks(contents, evidence, rules.newest.slug)
    evidence.check_used()
    decisions = read_decisions(contents, rules, people)
    ledger = read_ledger(contents, people, decisions)
    check_awards(contents, Archived(rules, people, verdicts, decisions, ledger))
    check_totals(contents, rules, ledger)
    check_payouts(contents, rules.newest.slug, people)
