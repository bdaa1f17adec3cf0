"""What people judge: `reviewing.yaml` turned into claims, decisions, appeals, and what is expected of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from devnet.acts import Act, Send
from devnet.story.folk import Folk
from devnet.story.parameters import Parameters
from devnet.story.people import AnswerReview, MakeAppeal, PersonAct, SubmitClaim
from devnet.story.plans import DeploymentPlan
from devnet.story.sdls import Library
from devnet.story.signups import Participant
from devnet.story.staff import (
    Decide,
    EndTask,
    GiveGrant,
    ReviseCampaign,
    RuleAppeal,
    SetEligibility,
    StaffAct,
)

Told = Mapping[str, Any]
_SOON = 30
_LEFT_TO_KEEPERS = 30
"""People of the crowd without a GPU, the earliest first, that are left to keep providers."""


@dataclass(frozen=True, slots=True)
class JudgedExpectation:
    """What must be said at the tip of the claim (participant, task, subject) of `name`.

    `verdict`: passed, failed or pending. `reason`: the award's, or why one was lowered; empty: there was none.
    """

    name: str
    participant: str
    task: str
    subject: str
    verdict: str
    reason: str


@dataclass
class Judged:
    """Who they are by address, what they and the staff do, what coins move between them, what is expected."""

    names: dict[str, str] = field(default_factory=dict)
    acts: list[PersonAct] = field(default_factory=list)
    staff: list[StaffAct] = field(default_factory=list)
    sends: list[Act] = field(default_factory=list)
    expected: list[JudgedExpectation] = field(default_factory=list)


def read_reviewing(parameters: Parameters) -> Told:
    """The file, as it stands."""
    told: Told = yaml.safe_load((parameters.folder / "reviewing.yaml").read_text(encoding="utf-8"))
    return told


def small_tasks(parameters: Parameters, folk: Folk) -> str:
    """The made-up tasks, as a part of a campaign file: `address of NAME` is replaced by that person's address."""
    text = (parameters.folder / "small_tasks.yaml").read_text(encoding="utf-8")
    return re.sub(r"\baddress of ([a-z-]+)", lambda named: folk.address(named[1]), text)


def pick(told: Told, crowd: Sequence[Participant], plans: Sequence[DeploymentPlan]) -> dict[str, Participant]:
    """Make people of the crowd who lease no GPU the people of the file, those who registered early."""
    busy = {plan.who for plan in plans if plan.asks_gpu}
    free = [one for one in sorted(crowd, key=lambda one: one.height) if one.name not in busy]
    first = min(_LEFT_TO_KEEPERS, max(0, len(free) - 2 * len(told["people"])))
    return {one["name"]: person for one, person in zip(told["people"], free[first:], strict=False)}


def reviewing(
    parameters: Parameters,
    folk: Folk,
    library: Library,
    told: Told,
    made: Mapping[str, Participant],
    others: Mapping[str, str],
) -> Judged:
    """Tell the file. `others`: addresses of people who are in the story anyway; those of a smaller scale are fewer,
    and what the missing ones would do is left out."""
    judges = _Judges(parameters, folk, library, made, others)
    for one in told["claims"]:
        judges.claim(one)
    for one in told["eligibility"]:
        judges.eligibility(one)
    for one in told["ends"]:
        judges.end(one)
    for one in told["revisions"]:
        judges.revise(one)
    for one in told["grants"]:
        judges.grant(one)
    judges.judged.sends += judges.sends(told["sends"])
    return judges.judged


class _Judges:
    """Makes the acts, one entry of the file after the other."""

    def __init__(
        self,
        parameters: Parameters,
        folk: Folk,
        library: Library,
        made: Mapping[str, Participant],
        others: Mapping[str, str],
    ) -> None:
        self._calendar = parameters.calendar
        self._folk = folk
        self._library = library
        self._since = {name: person.height + _SOON for name, person in made.items()}
        self._who = dict(others) | {name: folk.address(person.name) for name, person in made.items()}
        self._numbers: dict[tuple[str, str], int] = {}
        self.judged = Judged({self._who[name]: name.replace("-", " ").capitalize() for name in made})

    def claim(self, one: Told) -> None:
        """A claim, what follows on it, what is expected of it."""
        name, task = one["who"], one["task"]
        if name not in self._who:
            return
        participant = self._who[name]
        subject = self._subject(one, participant)
        height = 0
        if "at" in one:
            height = max(self._calendar.height(one["at"]), self._since.get(name, 0))
            fields = tuple(self._fields(one, participant).items())
            self.judged.acts.append(SubmitClaim(height=height, participant=participant, task=task, fields=fields))
        for step in one.get("then", ()):
            height = max(self._calendar.height(step["at"]), height + 1)
            if "by" in step:
                self.judged.staff.append(self._staff(step, height, participant, task, subject))
            else:
                self.judged.acts.append(_own(step, height, participant, task, subject))
        expect = one["expect"]
        self.judged.expected.append(
            JudgedExpectation(name, participant, task, subject, expect["verdict"], expect.get("reason", ""))
        )

    def _fields(self, one: Told, participant: str) -> dict[str, str]:
        if "sdl" not in one:
            return dict(one["fields"])
        text = self._library.text(self._library.parse(one["sdl"]))
        return {"owner": participant, "dseq": one["dseq"], "sdl": text}

    def _subject(self, one: Told, participant: str) -> str:
        if "app" in one:
            return f"{participant}/{one['app']}"
        given = one.get("subject") or one.get("link") or one.get("fields", {}).get("url")
        if given:
            return str(given)
        key = participant, one["task"]
        self._numbers[key] = self._numbers.get(key, 0) + 1
        return f"{participant}/{self._numbers[key]}"

    def _staff(self, step: Told, height: int, participant: str, task: str, subject: str) -> StaffAct:
        by = self._folk.address(step["by"])
        if step["act"] in {"won", "lost"}:
            return RuleAppeal(
                height=height,
                by=by,
                participant=participant,
                task=task,
                subject=subject,
                about=step["about"],
                outcome=step["act"],
                reason=step["reason"],
                waives=tuple(step["waives"]) if "waives" in step else None,
                done=self._calendar.height(step["done"]) if "done" in step else None,
            )
        return Decide(
            height=height,
            by=by,
            participant=participant,
            task=task,
            subject=subject,
            act=step["act"],
            reason=step["reason"],
            decided=tuple(step.get("decided", {}).items()),
            waits=bool(step.get("waits")),
        )

    def eligibility(self, one: Told) -> None:
        """An entry about somebody."""
        if one["who"] in self._who:
            self.judged.staff.append(
                SetEligibility(
                    height=self._calendar.height(one["at"]),
                    by=self._folk.address("organizer"),
                    participant=self._who[one["who"]],
                    eligibility=one["is"],
                    reason=one["reason"],
                    starts=self._calendar.height(one["starts"]) if "starts" in one else None,
                )
            )

    def end(self, one: Told) -> None:
        """Results of a task, published or made final."""
        height, by = self._calendar.height(one["at"]), self._folk.address("organizer")
        self.judged.staff.append(EndTask(height=height, by=by, task=one["task"], state=one["state"]))

    def revise(self, one: Told) -> None:
        """A revision of the campaign."""
        height, by = self._calendar.height(one["at"]), self._folk.address("organizer")
        replaced = tuple(one["replace"].items())
        self.judged.staff.append(ReviseCampaign(height=height, by=by, reason=one["reason"], replaced=replaced))

    def grant(self, one: Told) -> None:
        """A grant by hand."""
        if one["who"] in self._who:
            self.judged.staff.append(
                GiveGrant(
                    height=self._calendar.height(one["at"]),
                    by=self._folk.address("organizer"),
                    participant=self._who[one["who"]],
                    amount=one["amount"],
                    reason=one["reason"],
                    names=tuple(one["names"]),
                    task=one["task"],
                    subject=one["url"],
                )
            )

    def sends(self, told: Sequence[Told]) -> Iterator[Act]:
        """Coins from one to another."""
        known = {**self._who, "faucet": self._folk.address("faucet")}
        for one in told:
            if {one["by"], one["to"]} <= set(known):
                height = self._calendar.height(one["at"])
                sender, recipient = known[one["by"]], known[one["to"]]
                yield Send(height=height, sender=sender, recipient=recipient, amount=one["amount"])


def _own(step: Told, height: int, participant: str, task: str, subject: str) -> PersonAct:
    if step["act"] == "answer":
        fields = tuple(step["fields"].items())
        return AnswerReview(height=height, participant=participant, task=task, subject=subject, fields=fields)
    return MakeAppeal(
        height=height,
        participant=participant,
        task=task,
        subject=subject,
        about=step["about"],
        text=step["text"],
    )


def without(crowd: Sequence[Participant], taken: Collection[Participant]) -> list[Participant]:
    """The crowd without those who have a part already."""
    names = {one.name for one in taken}
    return [one for one in crowd if one.name not in names]
