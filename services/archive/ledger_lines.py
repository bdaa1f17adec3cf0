"""The archived reward ledger: each line against the one before it and its own working; the published totals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.archive.campaigns import People
from services.archive.decisions import SHARES, Decisions
from services.archive.format import AWARD_LINES, TOTALS
from services.archive.reading import Contents, Line
from tasks.payouts import convert
from tasks.revisions import Rules
from tasks.rewards.working import amount_from_working

CLAIM, GRANT = "claim", "grant"


@dataclass(slots=True)
class Said:
    """What the archived ledger says of one key: the sum of its lines, how many there are, the newest."""

    amount_micro: int
    steps: int
    newest: Line


@dataclass(slots=True)
class LedgerLines:
    """The archived award lines by key and summed by participant.

    `by_key`: as the ledger is now; `when_final`: the keys whose results are final, as they were then.
    """

    by_key: dict[str, Said] = field(default_factory=dict)
    when_final: dict[str, Said] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)


def read_ledger(contents: Contents, people: People, decisions: Decisions) -> LedgerLines:
    """Read the lines; each must follow from the one of its key before it and explain its own amount."""
    ledger, report = LedgerLines(), contents.report
    for place, line in contents.lines(AWARD_LINES):
        report.counts["award lines"] += 1
        before = ledger.by_key.get(line["key"])
        for message in _wrong(line, before, people):
            report.differ(place, message)
        amount = line["amount_micro"] + (before.amount_micro if before else 0)
        said = ledger.by_key[line["key"]] = Said(amount, line["step"] + 1, line)
        final = decisions.final.get(line["task"] or SHARES) if line["kind"] != GRANT else None
        if final is not None and line["id"] <= final["lines_to"]:
            ledger.when_final[line["key"]] = said
        ledger.sums[line["participant"]] = ledger.sums.get(line["participant"], 0) + line["amount_micro"]
        unexplained = _unexplained(line, amount)
        if unexplained is not None:
            report.differ(place, unexplained)
    return ledger


def _wrong(line: Line, before: Said | None, people: People) -> Iterator[str]:
    """How a line fails to follow from the newest one of its key."""
    if line["participant"] not in people.registered:
        yield f"its participant {line['participant']} is missing among the registrations"
    step = before.steps if before else 0
    if line["step"] != step:
        yield f"it is step {line['step']} of {line['key']}, where step {step} must come: a line is missing"
    corrects = before.newest["id"] if before else None
    if line["corrects"] != corrects:
        yield f"it corrects line {line['corrects']}, the line of its key before it is {corrects}"
    for name in ("participant", "task", "claim", "kind", "slug"):
        if before is not None and before.newest[name] != line[name]:
            yield f"{name} is another than in line {before.newest['id']} of the same key"
    if line["kind"] == CLAIM and line["key"] != line["claim"]:
        yield "its key is not its claim"


def _unexplained(line: Line, amount: int) -> str | None:
    """Where the line's own working gives another amount than the key's lines up to it add up to."""
    if line["kind"] != CLAIM:
        return None
    try:
        explained = 0 if "final_micro" in line["working"] else amount_from_working(line["working"])
    except ValueError as error:
        return f"its working can't be read: {error}"
    return None if explained == amount else f"its working gives {explained:,} micro, the lines up to it {amount:,}"


def check_totals(contents: Contents, rules: Rules, ledger: LedgerLines) -> None:
    """The published sums and their uakt against the lines."""
    report, rate = contents.report, rules.newest.reward.rate
    parts = convert(ledger.sums, rate).parts if rate is not None else {}
    left = dict(ledger.sums)
    for place, line in contents.lines(TOTALS):
        report.counts["totals"] += 1
        total = left.pop(line["participant"], None)
        if total is None:
            report.differ(place, "the ledger has no line of this participant")
            continue
        if total != line["amount_micro"]:
            report.differ(place, f"the lines add up to {total:,} micro, not {line['amount_micro']:,}")
        uakt = parts.get(line["participant"])
        if uakt != line["uakt"]:
            report.differ(place, f"its part is {uakt} uakt at the campaign's rate, not {line['uakt']}")
    for participant in sorted(left):
        report.differ(
            f"{TOTALS.name} ({participant})", f"it is missing; the lines add up to {left[participant]:,} micro"
        )
