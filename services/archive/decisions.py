"""What organizers decided, as archived: who may earn, and whose results are final."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.archive.campaigns import People
from services.archive.format import ELIGIBILITY, RESULTS
from services.archive.reading import Contents, Line
from tasks.eligibility import Decision, Eligibility, Standing, standing
from tasks.moment import Moment
from tasks.revisions import Rules

PROVISIONAL, FINAL = "provisional", "final"
SHARES = ""
"""In the place of a task's slug: the pools and bonuses."""

END = Moment(2**63 - 1)
"""Later than any work: what holds for the whole participant."""

_WORDS = frozenset(map(str, Eligibility))


@dataclass(slots=True)
class Decisions:
    """`final`: the line of each task (or SHARES) whose results are final."""

    entries: dict[str, list[tuple[int, Decision]]] = field(default_factory=dict)
    final: dict[str, Line] = field(default_factory=dict)

    def standing(self, participant: str, at: Moment = END, up_to: int | None = None) -> Standing:
        """What holds for work done at `at`; `up_to`: as it was when this entry was the newest."""
        entries = self.entries.get(participant, ())
        return standing([decision for number, decision in entries if up_to is None or number <= up_to], at)


def read_decisions(contents: Contents, rules: Rules, people: People) -> Decisions:
    """Both members, each entry following the one before it."""
    decisions, report = Decisions(), contents.report
    for place, line in contents.lines(ELIGIBILITY):
        report.counts["entries of eligibility"] += 1
        entries = decisions.entries.setdefault(line["participant"], [])
        if line["participant"] not in people.registered:
            report.differ(place, f"its participant {line['participant']} is missing among the registrations")
        if line["number"] != len(entries) + 1:
            report.differ(place, f"entry {len(entries) + 1} of the participant is missing")
        if line["eligibility"] not in _WORDS:
            report.differ(place, f"there is no eligibility {line['eligibility'][:40]!r}")
            continue
        starts = None if line["starts_ns"] is None else Moment(line["starts_ns"])
        decision = Decision(line["participant"], Eligibility(line["eligibility"]), f"decision {line['id']}", starts)
        entries.append((line["id"], decision))
    _read_results(contents, rules, decisions)
    return decisions


def _read_results(contents: Contents, rules: Rules, decisions: Decisions) -> None:
    report = contents.report
    states: Mapping[str, set[str]] = {SHARES: set(), **{task.slug: set() for task in rules.newest.tasks}}
    for place, line in contents.lines(RESULTS):
        report.counts["acts on results"] += 1
        if line["task"] not in states or line["state"] not in (PROVISIONAL, FINAL):
            report.differ(place, "there is no such task or state")
            continue
        states[line["task"]].add(line["state"])
        if line["state"] == FINAL:
            decisions.final[line["task"]] = line
    for task, found in states.items():
        if found == {FINAL}:
            report.differ(
                f"{RESULTS.name} ({task or 'pools and bonuses'})", "it became final without being published"
            )
