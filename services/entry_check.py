"""The pre-flight of a claim: what the official look would say of an entry now, before anything of it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ledger.verdicts import claim_id
from services import campaigns, submissions
from services.campaigns import Loaded
from services.claims import checked_entry
from services.errors import Refused, Unavailable
from services.house import House
from services.submissions import KeptSubmissions
from services.verification import judge_claim, judging_point, sources_at
from tasks.moment import Moment
from tasks.parts import Task
from verifiers.evidence import ChainPoint, ClaimFacts, EnteredSource, Entry, Observation, Source, Verdict

KINDS = ("ai_deployment", "sdl_submission")
"""Kinds whose entry can be looked at without being kept."""


@dataclass(frozen=True, slots=True)
class EntryReport:
    """What a look at an entry showed; nothing of it is kept."""

    subject: str
    verdict: Verdict


@dataclass(frozen=True)
class _WithUnsent:
    """What was entered, with the SDLs of one entry that nobody has sent yet."""

    kept: EnteredSource
    unsent: Sequence[Observation]

    def sdls(self, owner: str) -> Sequence[Observation]:
        """Those given for deployments of `owner`; an unsent one takes the place of the one before."""
        mine = {each.request: each for each in self.unsent if each.request.startswith(f"SDL {owner}/")}
        return [*(each for each in self.kept.sdls(owner) if each.request not in mine), *mine.values()]


def can_check(task: Task) -> bool:
    """Whether entries of this task can be looked at before they are sent."""
    return task.kind in KINDS and campaigns.is_built(task)


def check_entry(house: House, participant: str, task_slug: str, entered: Mapping[str, str]) -> EntryReport:
    """Look at an entry as the official look would, now, and keep nothing. Network: up to half a minute.

    Raises what sending it would raise, Refused where the task has no pre-flight, Unavailable where the chain can't
    be looked at.
    """
    loaded = campaigns.required(house)
    task = loaded.task(task_slug)
    if not can_check(task):
        raise Refused(f"{task.title} has no check beforehand: send it, and its page shows every check.", "task")
    entry, addresses = checked_entry(house, loaded, participant, task, entered)
    point = judging_point(house, loaded)
    if point is None or house.chain is None:
        raise Unavailable("The chain has not been looked at yet. Try again in a minute.")
    entry = submissions.located(house, loaded.slug, participant, task.slug, entry)
    claim = _claim(house, loaded, task, participant, entry, addresses, point)
    kept = sources_at(house, loaded, point, [claim.id])
    sources = replace(kept, entered=_WithUnsent(kept.entered, _sdls(entry, claim.received_at)))
    if entry.submission is not None:
        unsent = submissions.unsent(house, loaded, claim.id, participant, entry.submission, claim.received_at)
        sources = replace(sources, submissions=KeptSubmissions(house, loaded, unsent=unsent))
    judged = judge_claim(loaded, claim, sources, point)
    if judged is None:
        raise Refused(f"{task.title} is not open yet.", "task")
    return EntryReport(entry.subject, judged.verdict)


def _sdls(entry: Entry, now: Moment) -> list[Observation]:
    return [
        Observation(Source.ENTERED, f"SDL {sdl.owner}/{sdl.dseq}", sdl.reduced, "entered", now) for sdl in entry.sdls
    ]


def _claim(
    house: House,
    loaded: Loaded,
    task: Task,
    participant: str,
    entry: Entry,
    addresses: Sequence[str],
    point: ChainPoint,
) -> ClaimFacts:
    return ClaimFacts(
        id=claim_id(loaded.slug, participant, task.slug, entry.subject),
        campaign=loaded.slug,
        chain_id=point.chain_id,
        task=task.slug,
        kind=task.kind,
        participant=participant,
        addresses=tuple(addresses),
        subject=entry.subject,
        fields=entry.fields,
        received_at=house.clock.now(),
        opens=task.opens,
        closes=task.closes,
    )
