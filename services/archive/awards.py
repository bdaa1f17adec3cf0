"""Every award of the archive, worked again by the rules from the archived verdicts and decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from services.archive.campaigns import People
from services.archive.decisions import END, SHARES, Decisions
from services.archive.format import AWARD_LINES
from services.archive.judging import Verdicts
from services.archive.ledger_lines import GRANT, LedgerLines, Said
from services.archive.reading import Contents, Line
from tasks.moment import Moment, parse_moment
from tasks.revisions import Rules
from tasks.rewards.awards import Awards
from tasks.rewards.completion import Completion, CompletionErrors
from tasks.rewards.engine import compute
from tasks.rewards.lines import PASSED_FOUR
from verifiers.evidence import Outcome

WITHDRAWN, INELIGIBLE, AFTER_FINAL = "withdrawn", "ineligible", "after_final"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the rules say of one key."""

    participant: str
    amount_micro: int
    reason: str


@dataclass(slots=True)
class _Given:
    """What the engine is given, and the ids of claims that only hold their place."""

    completions: list[Completion] = field(default_factory=list)
    holding: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Archived:
    """All that awards follow from."""

    rules: Rules
    people: People
    verdicts: Verdicts
    decisions: Decisions
    ledger: LedgerLines


def check_awards(contents: Contents, archived: Archived) -> None:
    """Work all completions by the rules and hold the ledger against the outcome, key by key."""
    report = contents.report
    given = _given(archived)
    try:
        awards = compute(archived.rules, given.completions)
    except (CompletionErrors, ArithmeticError) as error:
        report.differ(AWARD_LINES.name, f"the archived completions can't be worked: {error}")
        return
    report.counts["completions worked again"] = len(given.completions)
    computed = contents.manifest.get("awards_computed_ns")
    with_shares = type(computed) is int and computed >= archived.rules.newest.closes
    wanted = dict(
        _wanted(archived, awards, _with_held_sets(archived.rules, awards, given.holding), with_shares=with_shares)
    )
    by_key = archived.ledger.by_key
    for key, entry in wanted.items():
        message = _wrong(entry, by_key.get(key))
        if message is not None:
            report.differ(f"award of {key}", message)
    for key, said in by_key.items():
        is_gone = said.amount_micro == 0 and said.newest["reason"] == WITHDRAWN
        if key not in wanted and said.newest["kind"] != GRANT and not is_gone:
            words = f"{said.amount_micro:,} micro ({said.newest['reason']})"
            report.differ(f"award of {key}", f"the rules give nothing, the ledger says {words}")
    granted = sum(said.amount_micro for said in by_key.values() if said.newest["kind"] == GRANT)
    if granted > archived.rules.newest.grants.budget:
        report.differ(AWARD_LINES.name, f"grants of {granted:,} micro are more than the campaign's budget for them")


def _wrong(entry: Wanted, said: Said | None) -> str | None:
    given = f"the rules give {entry.participant} {entry.amount_micro:,} micro ({entry.reason})"
    if said is None:
        return f"{given}, the ledger has no line"
    if (said.amount_micro, said.newest["reason"]) != (entry.amount_micro, entry.reason):
        return f"{given}, the ledger says {said.amount_micro:,} micro ({said.newest['reason']})"
    if said.newest["participant"] != entry.participant:
        return f"{given}, in the ledger it is {said.newest['participant']}'s"
    return None


def _given(archived: Archived) -> _Given:
    """All claims that passed or hold their place: as they are now, or as they were when results became final."""
    given = _Given()
    for name, claim in archived.verdicts.claims.items():
        final = archived.decisions.final.get(claim["task"])
        verdict = archived.verdicts.newest(name, None if final is None else final["verdicts_to"])
        if verdict is None or verdict["at_ns"] is None:
            continue
        has_passed = verdict["outcome"] == Outcome.PASSED
        if not (has_passed or verdict["holds_place"]):
            continue
        given.completions.append(_completion(archived, claim, verdict, final))
        if not has_passed:
            given.holding.add(name)
    return given


def _completion(archived: Archived, claim: Line, verdict: Line, final: Line | None) -> Completion:
    at = Moment(verdict["at_ns"])
    up_to = None if final is None else final["eligibility_to"]
    standing = archived.decisions.standing(claim["participant"], at, up_to)
    return Completion(
        claim=claim["id"],
        participant=claim["participant"],
        task=claim["task"],
        at=at,
        height=verdict["height"],
        tx_index=verdict["tx_index"],
        subject=claim["subject"],
        attributes=verdict["attributes"],
        eligible=standing.eligible,
        ineligible_reason="" if standing.eligible else standing.reason,
        registered_at=archived.people.registered.get(claim["participant"]),
    )


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


def _wanted(
    archived: Archived, awards: Awards, holding: set[str], *, with_shares: bool
) -> Iterator[tuple[str, Wanted]]:
    """What the ledger should say: the engine's word, but where results are final what was final then."""
    final = archived.decisions.final
    held_then: dict[str, Wanted] = {}
    for line in awards.lines:
        entry = Wanted(line.participant, line.amount_micro, str(line.reason))
        if line.task not in final:
            if line.claim not in holding:
                yield line.claim, entry
        elif line.claim in holding:
            held_then[line.claim] = entry
    yield from _kept(archived)
    yield from _later(archived, held_then)
    if not with_shares or SHARES in final:
        return
    for share in awards.pools:
        yield f"pool/{share.slug}/{share.participant}", Wanted(share.participant, share.amount_micro, "pool")
    for bonus in awards.bonuses:
        key = f"bonus/{bonus.slug}/{bonus.place}/{bonus.participant}"
        yield key, Wanted(bonus.participant, bonus.amount_micro, "bonus")


def _kept(archived: Archived) -> Iterator[tuple[str, Wanted]]:
    """What was final stands; only the claim's own failing or the participant's ineligibility takes it away."""
    for key, then in archived.ledger.when_final.items():
        claim = archived.verdicts.claims.get(key)
        if then.newest["reason"] == WITHDRAWN and claim is not None:
            continue
        entry = Wanted(then.newest["participant"], then.amount_micro, then.newest["reason"])
        now = archived.verdicts.newest(key)
        at = _own_time(then.newest["working"]) if claim is None else _time_of(now)
        if not archived.decisions.standing(entry.participant, at).eligible and entry.reason != INELIGIBLE:
            entry = replace(entry, amount_micro=0, reason=INELIGIBLE)
        elif now is not None and now["outcome"] == Outcome.FAILED:
            entry = replace(entry, amount_micro=0, reason=WITHDRAWN)
        yield key, entry


def _later(archived: Archived, held_then: Mapping[str, Wanted]) -> Iterator[tuple[str, Wanted]]:
    """Claims of final tasks that passed since: one that held its place then gets it, any other gets nothing."""
    for name, claim in archived.verdicts.claims.items():
        now, then = archived.verdicts.newest(name), archived.ledger.when_final.get(name)
        if claim["task"] not in archived.decisions.final or now is None or now["outcome"] != Outcome.PASSED:
            continue
        if then is not None and then.newest["reason"] != WITHDRAWN:
            continue
        entry = held_then.get(name, Wanted(claim["participant"], 0, AFTER_FINAL))
        if not archived.decisions.standing(claim["participant"], _time_of(now)).eligible:
            entry = replace(entry, amount_micro=0, reason=INELIGIBLE)
        yield name, entry


def _time_of(verdict: Line | None) -> Moment:
    return END if verdict is None or verdict["at_ns"] is None else Moment(verdict["at_ns"])


def _own_time(working: Line) -> Moment:
    """When a set was completed; pools and bonuses go by the participant as a whole."""
    try:
        return parse_moment(working["at"])
    except (KeyError, TypeError, ValueError):
        return END
