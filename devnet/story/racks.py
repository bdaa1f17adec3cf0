"""Who claims single GPUs in the made-up tasks of racks: `racks` of hosts.yaml as acts and what is expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devnet.acts import Act, SignAttributes
from devnet.story.folk import Folk
from devnet.story.parameters import Parameters
from devnet.story.people import MakeAppeal, PersonAct, SubmitClaim
from devnet.story.staff import Decide, RuleAppeal, StaffAct

AUDITOR = "auditor"
TENANT = "testing-tapir"
"""Whose leases prove GPUs in these tasks; without it in the cast nobody claims anything there."""

_MODEL = "capabilities/gpu/vendor/nvidia/model"
_SOON = 30
Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RackExpectation:
    """What must be said at the tip of the claim (participant, task, subject) of one GPU: `verdict`, and the checks
    that did not pass. `answers`: the name of the result that is entered for its spot check, "" none."""

    task: str
    participant: str
    provider: str
    model: str
    answers: str
    verdict: str
    not_passed: Mapping[str, str]
    why: str

    @property
    def subject(self) -> str:
        """The claim's subject."""
        return f"{self.provider}/{self.model}/1"


@dataclass
class Racks:
    """Their acts, what the staff decides about them, what is expected."""

    acts: list[PersonAct] = field(default_factory=list)
    staff: list[StaffAct] = field(default_factory=list)
    expected: list[RackExpectation] = field(default_factory=list)


def racks(parameters: Parameters, folk: Folk, keepers: Mapping[str, str], since: Mapping[str, int]) -> Racks:
    """The claims of keepers, and of people of the cast who claim an address of their own that is no provider.

    `keepers`: by provider. `since`: the height from which somebody may claim, by participant.
    """
    made = Racks()
    cast = {one["name"] for one in parameters.cast}
    if TENANT not in cast:
        return made
    for number, told in enumerate(parameters.racks):
        provider = folk.provider(told["provider"]) if "provider" in told else folk.address(told["who"])
        participant = keepers.get(provider, "") if "provider" in told else provider
        if not participant:
            continue
        height = max(parameters.calendar.height(told["at"]), since.get(participant, 0) + _SOON) + number
        one = _expected(told, participant, provider)
        fields = (("provider", provider), ("gpu_model", one.model), ("count", "1"))
        made.acts.append(SubmitClaim(height=height, participant=participant, task=one.task, fields=fields))
        made.staff += _decisions(parameters, folk, told, one)
        if "appeals" in told:
            appeal, ruling = _appeal(parameters, folk, told["appeals"], one)
            made.acts.append(appeal)
            made.staff.append(ruling)
        made.expected.append(one)
    return made


def audits(parameters: Parameters, folk: Folk) -> Iterator[Act]:
    """What the auditor signs for these tasks: the models that it has seen."""
    names = {one.name for one in parameters.providers}
    signed: dict[str, Told] = {}
    for told in parameters.racks:
        if "signed" in told and told["provider"] in names:
            signed.setdefault(told["provider"], told)
    for name, told in signed.items():
        yield SignAttributes(
            height=parameters.calendar.height(told["signed"]),
            auditor=folk.address(AUDITOR),
            provider=folk.provider(name),
            attributes=((f"{_MODEL}/{told['model']}", "true"),),
        )


def _expected(told: Told, participant: str, provider: str) -> RackExpectation:
    return RackExpectation(
        task=told["task"],
        participant=participant,
        provider=provider,
        model=told["model"],
        answers=told.get("answers", ""),
        verdict=told["verdict"],
        not_passed=dict(told["not"]),
        why=told["why"],
    )


def _decisions(parameters: Parameters, folk: Folk, told: Told, one: RackExpectation) -> Sequence[Decide]:
    if "decided" not in told:
        return ()
    said = told["decided"]
    decision = Decide(
        height=parameters.calendar.height(said["at"]),
        by=folk.address("reviewer"),
        participant=one.participant,
        task=one.task,
        subject=one.subject,
        act=said["act"],
        reason=said["reason"],
        waits=True,
    )
    return (decision,)


def _appeal(parameters: Parameters, folk: Folk, said: Told, one: RackExpectation) -> tuple[MakeAppeal, RuleAppeal]:
    ruled = said["ruled"]
    appeal = MakeAppeal(
        height=parameters.calendar.height(said["at"]),
        participant=one.participant,
        task=one.task,
        subject=one.subject,
        about="result",
        text=said["text"],
    )
    ruling = RuleAppeal(
        height=parameters.calendar.height(ruled["at"]),
        by=folk.address("organizer"),
        participant=one.participant,
        task=one.task,
        subject=one.subject,
        about="result",
        outcome=ruled["outcome"],
        reason=ruled["reason"],
        waives=tuple(ruled["waives"]) if "waives" in ruled else None,
    )
    return appeal, ruling
