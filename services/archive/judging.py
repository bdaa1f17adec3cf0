"""Every archived verdict, judged again by the judge of its kind from the archived facts and observations."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.archive.campaigns import People
from services.archive.evidence import Evidence, NotThere
from services.archive.format import CLAIMS, VERDICTS, canonical
from services.archive.reading import Contents, Line
from services.archive.records import Records
from tasks.campaign import Campaign
from tasks.judge_params import Asked, asked_in_turn
from tasks.moment import Moment
from tasks.parts import Task
from tasks.revisions import Rules
from verifiers import deciding
from verifiers.evidence import ChainPoint, Check, ClaimFacts, Outcome, Verdict, Verifier
from verifiers.kinds import verifier_of

_PLAIN = ("outcome", "at_ns", "height", "tx_index", "attributes", "holds_place", "next_look_ns", "missing")
_CHECK_KEYS = {"name", "expected", "seen", "outcome", "height", "time_ns", "observations"}
_OUTCOMES = frozenset(map(str, Outcome))


class _Skipped(Exception):
    """A verdict can't be judged again here; the message says why."""


class _Differs(Exception):
    """A verdict is not what an archive may hold; the message says what is wrong."""


@dataclass(slots=True)
class Verdicts:
    """Claims by id, and their verdicts by number without checks and observations: what awards follow from."""

    claims: dict[str, Line] = field(default_factory=dict)
    by_claim: dict[str, list[Line]] = field(default_factory=dict)

    def newest(self, claim: str, up_to: int | None = None) -> Line | None:
        """The newest verdict of a claim, or of those up to a number."""
        verdicts = self.by_claim.get(claim, ())
        return next((each for each in reversed(verdicts) if up_to is None or each["id"] <= up_to), None)


def read_claims(contents: Contents, rules: Rules, people: People) -> Verdicts:
    """All claims, each id worked again and each task looked up."""
    verdicts, report = Verdicts(), contents.report
    for place, line in contents.lines(CLAIMS):
        verdicts.claims[line["id"]] = line
        report.counts["claims"] += 1
        named = "\n".join((rules.newest.slug, line["participant"], line["task"], line["subject"]))
        if hashlib.sha256(named.encode("utf-8", "replace")).hexdigest()[:32] != line["id"]:
            report.differ(place, "its id is not the digest of campaign, participant, task and subject")
        if line["participant"] not in people.registered:
            report.differ(place, f"its participant {line['participant']} is missing among the registrations")
        task = rules.newest.task(line["task"])
        if task is None:
            report.differ(place, f"the campaign has no task {line['task']}")
        elif task.kind != line["kind"]:
            report.differ(place, f"its task is of kind {task.kind}, not {line['kind']}")
        if not all(isinstance(value, str) for value in line["fields"].values()):
            report.differ(place, "a field of it is no text")
    return verdicts


class Judging:
    """Judges all verdicts again, one after the other, and compares every word."""

    def __init__(self, contents: Contents, rules: Rules, people: People, evidence: Evidence) -> None:
        self._contents, self._rules, self._people, self._evidence = contents, rules, people, evidence
        self._records = Records(contents, evidence, people)
        self._in_turn: dict[tuple[int, str], tuple[Asked, ...]] = {}
        self._revisions: Mapping[int, Campaign] = {campaign.revision: campaign for campaign in rules.revisions}

    def judge_all(self, verdicts: Verdicts) -> None:
        """Read every verdict into `verdicts` and judge it again; differences and what can't be go to the report."""
        report = self._contents.report
        for place, line in self._contents.lines(VERDICTS):
            report.counts["verdicts"] += 1
            self._evidence.use(line["observations"], place)
            claim = verdicts.claims.get(line["claim"])
            if claim is None:
                report.differ(place, f"its claim {line['claim'][:80]} is missing")
                continue
            kept = {name: value for name, value in line.items() if name not in ("checks", "observations", "missing")}
            verdicts.by_claim.setdefault(line["claim"], []).append(kept)
            of_claim = f"{place} of claim {claim['id']} ({claim['task']}, {claim['participant']})"
            self._judge(of_claim, claim, line)
            self._records.follow(of_claim, line)
        for name, claim in verdicts.claims.items():
            newest = verdicts.newest(name)
            if claim["verdict"] != (newest["id"] if newest else None):
                there = f"verdict {newest['id']}" if newest else "none"
                report.differ(
                    f"claim {name}", f"its newest verdict is {claim['verdict']}, in the archive it is {there}"
                )

    def _judge(self, place: str, claim: Line, line: Line) -> None:
        report = self._contents.report
        try:
            again = self._judged(claim, line)
        except _Skipped as skipped:
            report.skip(place, str(skipped))
        except NotThere as missing:
            if missing.is_restricted:
                report.skip(place, str(missing))
            else:
                report.differ(place, f"it can't be judged again: {missing}")
        except _Differs as wrong:
            report.differ(place, str(wrong))
        else:
            report.counts["verdicts judged again"] += 1
            for message in _differences(line, again):
                report.differ(place, message)

    def _judged(self, claim: Line, line: Line) -> Verdict:
        task, asked = self._asked(claim, line)
        verifier = _verifier(line)
        facts = self._facts(claim, line, task)
        point = ChainPoint(facts.chain_id, line["as_of"]["height"], Moment(line["as_of"]["time_ns"]))
        observations = [self._evidence.observation(name) for name in line["observations"]]
        try:
            return deciding.judge_in_turn(verifier, facts, observations, asked, point)
        except Exception as error:  # a judge given what no platform gathered may fail anyhow
            raise _Differs(
                f"the judge can't work on what the archive holds: {type(error).__name__}: {error}"
            ) from error

    def _asked(self, claim: Line, line: Line) -> tuple[Task, Sequence[Asked]]:
        if line["revision"] is None or line["addresses"] is None:
            raise _Skipped("it was judged before the platform noted the revision and addresses it was judged by")
        campaign = self._revisions.get(line["revision"])
        if campaign is None:
            raise _Differs(f"it was judged by revision {line['revision']}, which is not in the archive")
        task = campaign.task(claim["task"])
        if task is None:
            raise _Differs(f"revision {line['revision']} has no task {claim['task']}")
        return task, self._asked_up_to(campaign.revision, claim["task"])

    def _asked_up_to(self, revision: int, slug: str) -> tuple[Asked, ...]:
        """What the task asked over time, by the revisions that were known when the verdict was made."""
        if (revision, slug) not in self._in_turn:
            known = Rules(each for each in self._rules.revisions if each.revision <= revision)
            self._in_turn[revision, slug] = asked_in_turn(known, slug)
        return self._in_turn[revision, slug]

    def _facts(self, claim: Line, line: Line, task: Task) -> ClaimFacts:
        addresses = line["addresses"]
        if addresses[:1] != [claim["participant"]]:
            raise _Differs("the first of its addresses is not the registered one")
        strange = sorted(set(addresses) - self._people.addresses.get(claim["participant"], set()))
        if strange:
            raise _Differs(f"{strange[0]} is no address of the participant")
        point = line["as_of"]
        if point.keys() != {"chain_id", "height", "time_ns"} or type(point["chain_id"]) is not str:
            raise _Differs("as_of is no block")
        if type(point["height"]) is not int or type(point["time_ns"]) is not int:
            raise _Differs("as_of is no block")
        return ClaimFacts(
            id=claim["id"],
            campaign=self._rules.newest.slug,
            chain_id=point["chain_id"],
            task=claim["task"],
            kind=claim["kind"],
            participant=claim["participant"],
            addresses=tuple(addresses),
            subject=claim["subject"],
            fields=claim["fields"],
            received_at=Moment(claim["received_ns"]),
            opens=task.opens,
            closes=task.closes,
        )


def _verifier(line: Line) -> Verifier:
    verifier = verifier_of(line["judge"])
    if verifier is None:
        raise _Skipped(f"it was judged by {line['judge']}, which this program does not have")
    if line["version"] != verifier.VERSION:
        raise _Skipped(
            f"it was judged by {line['judge']} version {line['version']}, this program has {verifier.VERSION}"
        )
    return verifier


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    """What a judge says as the archive writes it."""
    return {
        "outcome": str(verdict.outcome),
        "at_ns": verdict.at,
        "height": verdict.height,
        "tx_index": verdict.tx_index,
        "attributes": dict(verdict.attributes),
        "holds_place": verdict.holds_place,
        "next_look_ns": verdict.next_look,
        "missing": list(verdict.missing),
        "checks": [_check_line(check) for check in verdict.checks],
    }


def _check_line(check: Check) -> dict[str, Any]:
    return {
        "name": check.name,
        "expected": check.expected,
        "seen": check.seen,
        "outcome": str(check.outcome),
        "height": check.height,
        "time_ns": check.time,
        "observations": list(check.observations),
    }


def _differences(line: Line, verdict: Verdict) -> list[str]:
    """Every word in which the archived verdict is not what the judge says now."""
    again = verdict_line(verdict)
    found = [
        f"{name}: the archive says {_short(line[name])}, the judge {_short(again[name])}"
        for name in _PLAIN
        if line[name] != again[name]
    ]
    archived, judged = line["checks"], again["checks"]
    if len(archived) != len(judged):
        found.append(f"it has {len(archived)} checks, the judge makes {len(judged)}")
    for before, now in zip(archived, judged, strict=False):
        if before == now:
            continue
        keys = [key for key in sorted(_CHECK_KEYS | before.keys()) if before.get(key) != now.get(key)]
        said = "; ".join(f"{key}: {_short(before.get(key))}, the judge says {_short(now.get(key))}" for key in keys)
        found.append(f"check {now['name']}: {said}")
    return found


def _short(value: object) -> str:
    text = canonical(value)
    return text if len(text) <= 160 else f"{text[:159]}…"
