"""Commands about providers."""

from __future__ import annotations

import argparse

from commands.asking import print_json
from verifiers.evidence import Outcome

MARKS = {Outcome.PASSED: "ok", Outcome.FAILED: "no", Outcome.PENDING: "open", Outcome.UNKNOWN: "unknown"}


def provider_check(arguments: argparse.Namespace) -> int:
    """Look at a provider now: the same checks as the official run."""
    from services.provider_check import check_provider

    report = check_provider(arguments.wiring.house(arguments), arguments.address)
    if arguments.json:
        print_json(report.document())
    else:
        print(f"{report.provider} at {_printable(report.host_uri or '(not known)')}")
        print(f"as of block {report.as_of.height} of {report.as_of.chain_id}")
        for check in report.checks:
            print(f"{MARKS[check.outcome]:>8}  {check.name}: {check.expected}\n{'':10}seen: {_printable(check.seen)}")
        print(report.outcome.value)
    return 0 if report.outcome == Outcome.PASSED else 1


def _printable(text: str) -> str:
    """What others wrote, without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
