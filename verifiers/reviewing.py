"""What people decided about a claim, step by step, and where that leaves it (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tasks.moment import Duration, Moment, format_moment, parse_moment
from verifiers.evidence import Observation, Outcome, Source


class Act(StrEnum):
    """What can be done to a claim by people. `ANSWER` is the participant's, rulings the organizers'."""

    ACCEPT = "accept"
    NEEDS_WORK = "needs_work"
    REJECT = "reject"
    REOPEN = "reopen"
    ANSWER = "answer"
    APPEAL_WON = "appeal_won"


VOTES = (Act.ACCEPT, Act.NEEDS_WORK, Act.REJECT)


@dataclass(frozen=True, slots=True)
class Done:
    """When work that an appeal made count was done; `height` and `tx_index` None where only the time is known."""

    time: Moment
    height: int | None = None
    tx_index: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One act about one claim. `number` counts the acts of the claim from 1; `at` is our receipt of it.

    `by`: the random id of who decided, empty for the participant. `decided`: fields that the reviewer entered.
    `waives`: names of checks that an appeal won set aside. `fields`: a participant's answer, texts as digests.
    `observation`: the id of what it was read from, empty before it is kept.
    """

    claim: str
    number: int
    act: Act
    at: Moment
    by: str = ""
    reason: str = ""
    decided: Mapping[str, str] = field(default_factory=dict)
    waives: tuple[str, ...] = ()
    done: Done | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    observation: str = ""

    def observed(self) -> Observation:
        """The step as an observation, canonical JSON; a person is named by a random id only."""
        return Observation(
            source=Source.ENTERED if self.act == Act.ANSWER else Source.REVIEWER,
            request=f"REVIEW {self.claim}/{self.number}",
            body=_canonical(self._document()),
            host="entered" if self.act == Act.ANSWER else "review",
            seen_at=self.at,
        )

    def _document(self) -> dict[str, object]:
        document: dict[str, object] = {
            "act": str(self.act),
            "at": format_moment(self.at),
            "by": self.by,
            "claim": self.claim,
            "number": self.number,
            "reason": self.reason,
        }
        if self.decided:
            document["decided"] = dict(self.decided)
        if self.waives:
            document["waives"] = list(self.waives)
        if self.fields:
            document["fields"] = dict(self.fields)
        if self.done is not None:
            done = {"time": format_moment(self.done.time), "height": self.done.height, "tx_index": self.done.tx_index}
            document["done"] = done
        return document


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of one claim in order; `unreadable` names observations that can't be read or are missing before."""

    steps: tuple[Step, ...] = ()
    unreadable: tuple[str, ...] = ()
    has_gap: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return not self.unreadable and not self.has_gap


def read_steps(claim: str, observations: Iterable[Observation]) -> Steps:
    """The steps of this claim among observations, whatever their order."""
    found: dict[int, Step] = {}
    unreadable = []
    for seen in observations:
        if seen.source not in (Source.REVIEWER, Source.ENTERED) or not seen.request.startswith(f"REVIEW {claim}/"):
            continue
        step = _read(seen)
        if step is None or step.claim != claim:
            unreadable.append(seen.id)
        else:
            found[step.number] = step
    steps = tuple(found[number] for number in sorted(found))
    return Steps(steps, tuple(unreadable), [step.number for step in steps] != list(range(1, len(steps) + 1)))


def _read(seen: Observation) -> Step | None:
    if seen.trouble is not None:
        return None
    try:
        document = json.loads(seen.body)
        return Step(
            claim=str(document["claim"]),
            number=int(document["number"]),
            act=Act(document["act"]),
            at=parse_moment(document["at"]),
            by=str(document["by"]),
            reason=str(document["reason"]),
            decided={str(name): str(value) for name, value in document.get("decided", {}).items()},
            waives=tuple(str(name) for name in document.get("waives", ())),
            done=_done(document.get("done")),
            fields={str(name): str(value) for name, value in document.get("fields", {}).items()},
            observation=seen.id,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _done(document: Mapping[str, object] | None) -> Done | None:
    if document is None:
        return None
    height, tx_index = document["height"], document["tx_index"]
    return Done(
        parse_moment(str(document["time"])),
        height if isinstance(height, int) else None,
        tx_index if isinstance(tx_index, int) else None,
    )


def _canonical(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the steps leave a claim.

    `outcome`: passed (accepted), failed (rejected) or pending. `accepted`, `rejected`: by how many reviewers since
    the last answer or reopening. `waiting`: the request for changes that has no answer yet, answered in time until
    `keeps_until`. `moved_to`: receipt of the newest answer that came too late. `opened`: the last reopening.
    `last`: the step that led here. `rulings`: appeals won.
    """

    outcome: Outcome = Outcome.PENDING
    accepted: int = 0
    rejected: int = 0
    decided: Mapping[str, str] = field(default_factory=dict)
    waiting: Step | None = None
    keeps_until: Moment | None = None
    moved_to: Moment | None = None
    opened: Step | None = None
    last: Step | None = None
    rulings: tuple[Step, ...] = ()

    def has_lapsed(self, now: Moment) -> bool:
        """Whether the time to answer and keep the place is over at `now`."""
        return self.waiting is not None and self.keeps_until is not None and now > self.keeps_until


def standing_of(steps: Sequence[Step], reviewers: int, keeps: Duration) -> Standing:
    """Fold the steps (CAMPAIGN_FORMAT, row `reviewed`).

    `reviewers` of them must agree, on the fields decided too; one alone may ask for changes, which keeps the
    claim's place for `keeps`. An answer, a reopening and an appeal won let everybody decide anew.
    """
    fold = _Fold(reviewers, keeps)
    for step in steps:
        fold.take(step)
    return fold.standing()


class _Fold:
    """The state between two steps."""

    def __init__(self, reviewers: int, keeps: Duration) -> None:
        self._reviewers, self._keeps = reviewers, keeps
        self._votes: dict[str, Step] = {}
        self._outcome = Outcome.PENDING
        self._decided: Mapping[str, str] = {}
        self._waiting: Step | None = None
        self._keeps_until: Moment | None = None
        self._has_lapsed = False
        self._moved_to: Moment | None = None
        self._opened: Step | None = None
        self._last: Step | None = None
        self._rulings: list[Step] = []

    def take(self, step: Step) -> None:
        """One step further; one that can do nothing here changes nothing."""
        if step.act in (Act.REOPEN, Act.APPEAL_WON):
            self._open(step)
        elif step.act == Act.ANSWER:
            self._answer(step)
        elif step.act in VOTES and self._outcome == Outcome.PENDING:
            self._vote(step)

    def _open(self, step: Step) -> None:
        if step.act == Act.APPEAL_WON:
            self._rulings.append(step)
            if self._outcome == Outcome.PASSED:
                return  # it was about something else: what reviewers accepted stays accepted
        self._anew()
        self._outcome, self._decided, self._opened, self._last = Outcome.PENDING, {}, step, step

    def _answer(self, step: Step) -> None:
        if self._waiting is None or self._keeps_until is None:
            return
        if self._has_lapsed or step.at > self._keeps_until:
            self._moved_to = step.at
        self._anew()
        self._last = step

    def _anew(self) -> None:
        self._votes.clear()
        self._waiting, self._keeps_until, self._has_lapsed = None, None, False

    def _vote(self, step: Step) -> None:
        self._votes[step.by], self._last = step, step
        if step.act == Act.NEEDS_WORK:
            if self._keeps_until is not None and step.at > self._keeps_until:
                self._has_lapsed = True
            self._waiting, self._keeps_until = step, Moment(step.at + self._keeps)
            return
        agreeing = [vote for vote in self._votes.values() if _same(vote, step)]
        if len(agreeing) >= self._reviewers:
            self._outcome = Outcome.PASSED if step.act == Act.ACCEPT else Outcome.FAILED
            self._decided = step.decided if step.act == Act.ACCEPT else {}
        if self._outcome != Outcome.PENDING or not self._count(Act.NEEDS_WORK):
            self._waiting, self._keeps_until, self._has_lapsed = None, None, False

    def _count(self, act: Act) -> int:
        return sum(vote.act == act for vote in self._votes.values())

    def standing(self) -> Standing:
        """Where it stands now."""
        until = self._keeps_until
        if self._has_lapsed and self._waiting is not None and until is not None:
            until = Moment(min(until, self._waiting.at))
        return Standing(
            outcome=self._outcome,
            accepted=self._count(Act.ACCEPT),
            rejected=self._count(Act.REJECT),
            decided=dict(self._decided),
            waiting=self._waiting,
            keeps_until=until,
            moved_to=self._moved_to,
            opened=self._opened,
            last=self._last,
            rulings=tuple(self._rulings),
        )


def _same(one: Step, other: Step) -> bool:
    return one.act == other.act and (one.act != Act.ACCEPT or dict(one.decided) == dict(other.decided))
