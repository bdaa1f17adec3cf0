"""The uptime of claimed GPUs as people see it: so far while the task is open, whole once it is closed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ledger.claims import ClaimRow
from ledger.probes import load_days
from services import campaigns
from services.campaigns import Loaded
from services.house import House
from services.probing import KIND, onboarding_tasks, probed_chain
from services.verification import judge_params
from tasks.moment import Moment
from tasks.parts import Task
from verifiers.onboarding.draws import OPEN_FOR
from verifiers.onboarding.entry import Gpu, read_subject
from verifiers.onboarding.params import OnboardingParams, onboarding_params
from verifiers.probes import DAY, ProbeDay, day_of
from verifiers.provider.trouble import TEXTS
from verifiers.uptime import TOO_FEW, Incident, Uptime, measure

_CAUSES = {TOO_FEW: "showed fewer GPUs of this model", "other": "did not answer as it should"}


@dataclass(frozen=True, slots=True)
class DaySeen:
    """One UTC day of the strip: its part of the window."""

    begins: Moment
    uptime: Uptime


@dataclass(frozen=True, slots=True)
class UptimeSeen:
    """The uptime of one claimed GPU from `begins` to `ends`, which is now while the task is open."""

    claim: str
    gpu: Gpu
    outcome: str
    begins: Moment
    ends: Moment
    closes: Moment
    wanted_permille: int
    whole: Uptime
    days: tuple[DaySeen, ...]


def uptimes_of(house: House, providers: Collection[str]) -> dict[str, list[UptimeSeen]]:
    """Every claimed GPU of these providers whose time has begun, by provider, then model and number."""
    found: dict[str, list[UptimeSeen]] = {provider: [] for provider in providers}
    loaded = campaigns.current(house)
    if loaded is None or not onboarding_tasks(loaded):
        return found
    begun = ClaimRow.campaign == loaded.slug, ClaimRow.kind == KIND, ClaimRow.at_ns.is_not(None)
    with house.ledger.read() as session:
        rows = session.scalars(select(ClaimRow).where(*begun)).all()
    for row in rows:
        if row.subject.partition("/")[0] in found and (seen := uptime_of(house, loaded, row)) is not None:
            found[seen.gpu.provider].append(seen)
    for each in found.values():
        each.sort(key=lambda seen: (seen.gpu.model, seen.gpu.number, seen.begins))
    return found


def uptime_of(house: House, loaded: Loaded, row: ClaimRow) -> UptimeSeen | None:
    """The uptime of one claim; None for another kind, or before its time has begun."""
    gpu = read_subject(row.subject) if row.kind == KIND else None
    task = next((task for task in loaded.newest.tasks if task.slug == row.task), None)
    if gpu is None or task is None or row.at_ns is None:
        return None
    ends = Moment(min(house.clock.now(), task.closes))
    if ends <= row.at_ns:
        return None
    with house.ledger.read() as session:
        chain_id = probed_chain(session, campaigns.chain_id(house, loaded)) or ""
        kept = load_days(session, gpu.provider, day_of(Moment(row.at_ns)), day_of(ends), chain_id)
        days = [day for day, _ in kept]
    return _seen(loaded, task, row, gpu, ends, days)


def _seen(loaded: Loaded, task: Task, row: ClaimRow, gpu: Gpu, ends: Moment, days: Sequence[ProbeDay]) -> UptimeSeen:
    params, begins = onboarding_params(judge_params(loaded, task)), Moment(row.at_ns or 0)
    strip = [
        DaySeen(low, _measured(params, gpu, [day for day in days if day.day == number], low, high))
        for number in range(day_of(begins), day_of(Moment(ends - 1)) + 1)
        for low, high in ((Moment(max(begins, number * DAY)), Moment(min(ends, (number + 1) * DAY))),)
    ]
    return UptimeSeen(
        claim=row.id,
        gpu=gpu,
        outcome=row.outcome,
        begins=begins,
        ends=ends,
        closes=task.closes,
        wanted_permille=params.uptime_permille,
        whole=_measured(params, gpu, days, begins, ends),
        days=tuple(strip),
    )


def _measured(params: OnboardingParams, gpu: Gpu, days: Sequence[ProbeDay], begins: Moment, ends: Moment) -> Uptime:
    return measure(
        days, lambda capacity: params.counted(capacity, gpu.model), gpu.number, begins, ends, params.excused
    )


def causes_in_words(incident: Incident) -> str:
    """Why it was down: `did not answer in time, then refused the connection`."""
    return ", then ".join(_CAUSES.get(cause) or TEXTS.get(cause, cause) for cause in incident.causes)


def latest_start(task: Task) -> Moment | None:
    """Until when the time of a claim has to begin for its uptime to be long enough, and for one spot check where the
    task has any; None for another kind."""
    least = task.params.get("min_observed_ns")
    if task.kind != KIND or not isinstance(least, int):
        return None
    return Moment(task.closes - max(least, OPEN_FOR if task.params.get("spot_checks") else 0))
