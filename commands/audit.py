"""Commands about the archive: publish it, and work everything in one again."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, TextIO

from commands.asking import CommandError, print_json

if TYPE_CHECKING:
    from services.archive.report import Finding, Report

Arguments = argparse.Namespace
SHOWN = 40


def audit_export(arguments: Arguments) -> int:
    """Publish the campaign's archive as one file; the same state gives the same bytes."""
    from services.archive_export import export_archive

    try:
        exported = export_archive(arguments.wiring.house(arguments), arguments.file)
    except OSError as error:
        raise CommandError(f"{arguments.file} cannot be written: {error.strerror}") from error
    if arguments.json:
        print_json(exported.document())
        return 0
    for name, count in exported.lines.items():
        print(f"{count:>10,}  {name}")
    print(f"{exported.path}: {exported.size_bytes:,} bytes. Publish its SHA-256 beside it: {exported.digest}")
    return 0


def audit_verify(arguments: Arguments) -> int:
    """Work everything in an archive again: no database, no network."""
    from services.archive.verify import verify_archive

    report = verify_archive(arguments.file)
    if arguments.json:
        print_json(report.document())
    else:
        _print(report)
    return 0 if report.is_ok else 1


def _print(report: Report) -> None:
    for name, count in sorted(report.counts.items()):
        print(f"{count:>10,}  {name}")
    for what, count in sorted(report.trusted.items()):
        print(f"{count:>10,}  taken as they are: {what}")
    _print_some(report.not_recomputable, report.not_recomputable_count, "Not to be worked again", sys.stdout)
    if report.sha256 and not report.is_sealed:
        print(
            "It was packed again since it was exported: the file's own bytes are not sealed, its members are checked."
        )
    if report.sha256:
        print(f"SHA-256 {report.sha256}: compare it with the one that the organizers published.")
    if report.is_ok:
        print("Everything that can be worked again gives what the archive says.")
        return
    _print_some(report.differences, report.difference_count, "Different", sys.stderr)


def _print_some(findings: list[Finding], count: int, what: str, out: TextIO) -> None:
    if not count:
        return
    print(f"{what} ({count:,}):", file=out)
    for finding in findings[:SHOWN]:
        print(f"  {finding}", file=out)
    if count > SHOWN:
        print(f"  … and {count - SHOWN:,} more; --json names the first thousand", file=out)
