"""Every award, sum and uakt of the archive, worked again by the rules from the archived verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.archive.campaigns import People
from services.archive.format import AWARD_LINES, TOTALS
from services.archive.judging import Verdicts
from services.archive.reading import Contents, Line
from tasks.moment import Moment
from tasks.payouts import convert
from tasks.revisions import Rules
from tasks.rewards.awards import Awards
from tasks.rewards.completion import Completion, CompletionErrors
from tasks.rewards.engine import compute
from tasks.rewards.lines import PASSED_FOUR
from tasks.rewards.working import amount_from_working
from verifiers.evidence import Outcome

CLAIM, POOL, BONUS, GRANT = "claim", "pool", "bonus", "grant"
WITHDRAWN = "withdrawn"


@dataclass(slots=True)
class Said:
    """What the archived ledger says of one key: the sum of its lines, how many there are, the newest."""

    amount_micro: int
    steps: int
    newest: Line


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the rules say of one key."""

    participant: str
    amount_micro: int
    reason: str


@dataclass(slots=True)
class LedgerLines:
    """The archived award lines by key and summed by participant."""

    by_key: dict[str, Said] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)


def read_ledger(contents: Contents, people: People) -> LedgerLines:
    """Read the lines; each must follow from the one of its key before it and explain its own amount."""
    ledger, report = LedgerLines(), contents.report
    for place, line in contents.lines(AWARD_LINES):
        report.counts["award lines"] += 1
        before = ledger.by_key.get(line["key"])
        for message in _wrong(line, before, people):
            report.differ(place, message)
        amount = line["amount_micro"] + (before.amount_micro if before else 0)
        ledger.by_key[line["key"]] = Said(amount, line["step"] + 1, line)
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
    if line["corrects"] != corrects and line["kind"] != GRANT:
        yield f"it corrects line {line['corrects']}, the line of its key before it is {corrects}"
    for name in ("participant", "task", "claim", "kind", "slug"):
        if before is not None and before.newest[name] != line[name]:
            yield f"{name} is another than in line {before.newest['id']} of the same key"
    if line["kind"] == CLAIM and line["key"] != line["claim"]:
        yield "its key is not its claim"


def _unexplained(line: Line, amount: int) -> str | None:
    """Where the line's own working gives another amount than the key's lines up to it add up to."""
    if line["kind"] != CLAIM or "final_micro" in line["working"]:
        return None
    try:
        explained = amount_from_working(line["working"])
    except ValueError as error:
        return f"its working can't be read: {error}"
    return None if explained == amount else f"its working gives {explained:,} micro, the lines up to it {amount:,}"


def check_awards(contents: Contents, rules: Rules, people: People, verdicts: Verdicts, ledger: LedgerLines) -> None:
    """Work all completions by the rules and hold the ledger against the outcome, key by key."""
    report = contents.report
    completions, holding = _completions(people, verdicts)
    try:
        awards = compute(rules, completions)
    except (CompletionErrors, ArithmeticError) as error:
        report.differ(AWARD_LINES.name, f"the archived completions can't be worked: {error}")
        return
    report.counts["completions worked again"] = len(completions)
    computed = contents.manifest.get("awards_computed_ns")
    with_shares = type(computed) is int and computed >= rules.newest.closes
    wanted = dict(_wanted(awards, _with_held_sets(rules, awards, holding), with_shares=with_shares))
    for key, entry in wanted.items():
        said = ledger.by_key.get(key)
        if said is None:
            report.differ(
                f"award of {key}", f"the rules give {entry.participant} {_money(entry)}, the ledger has no line"
            )
        elif (said.amount_micro, said.newest["reason"]) != (entry.amount_micro, entry.reason):
            words = f"the ledger says {said.amount_micro:,} micro ({said.newest['reason']})"
            report.differ(f"award of {key}", f"the rules give {_money(entry)}, {words}")
        elif said.newest["participant"] != entry.participant:
            report.differ(
                f"award of {key}", f"it is {entry.participant}'s, the ledger says {said.newest['participant']}"
            )
    for key, said in ledger.by_key.items():
        if key in wanted or said.newest["kind"] == GRANT:
            continue
        if said.amount_micro or said.newest["reason"] != WITHDRAWN:
            report.differ(f"award of {key}", f"the rules give nothing, the ledger says {said.amount_micro:,} micro")


def _money(entry: Wanted) -> str:
    return f"{entry.amount_micro:,} micro ({entry.reason})"


def _completions(people: People, verdicts: Verdicts) -> tuple[list[Completion], set[str]]:
    """All claims that passed or hold their place, and the ids of the latter."""
    completions: list[Completion] = []
    holding: set[str] = set()
    for name, claim in verdicts.claims.items():
        newest = verdicts.newest(name)
        if newest is None or newest["at_ns"] is None:
            continue
        has_passed = newest["outcome"] == Outcome.PASSED
        if not (has_passed or newest["holds_place"]):
            continue
        completions.append(
            Completion(
                claim=name,
                participant=claim["participant"],
                task=claim["task"],
                at=Moment(newest["at_ns"]),
                height=newest["height"],
                tx_index=newest["tx_index"],
                subject=claim["subject"],
                attributes=newest["attributes"],
                registered_at=people.registered.get(claim["participant"]),
            )
        )
        if not has_passed:
            holding.add(name)
    return completions, holding


def _with_held_sets(rules: Rules, awards: Awards, holding: set[str]) -> set[str]:
    """`holding`, and the sets that are complete only with a part that holds its place."""
    sets = {task.slug: task.parts for task in rules.newest.tasks if task.parts}
    held = set(holding)
    sure: dict[str, set[str]] = {}
    for line in awards.lines:
        if line.task in sets and not sure.get(line.participant, set()).issuperset(sets[line.task]):
            held.add(line.claim)
        if line.claim not in held and line.reason in PASSED_FOUR:
            sure.setdefault(line.participant, set()).add(line.task)
    return held


def _wanted(awards: Awards, holding: set[str], *, with_shares: bool) -> Iterator[tuple[str, Wanted]]:
    for line in awards.lines:
        if line.claim not in holding:
            yield line.claim, Wanted(line.participant, line.amount_micro, str(line.reason))
    if not with_shares:
        return
    for share in awards.pools:
        yield f"pool/{share.slug}/{share.participant}", Wanted(share.participant, share.amount_micro, POOL)
    for bonus in awards.bonuses:
        key = f"bonus/{bonus.slug}/{bonus.place}/{bonus.participant}"
        yield key, Wanted(bonus.participant, bonus.amount_micro, BONUS)


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
