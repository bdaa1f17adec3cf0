"""Spot checks from their draw to their end: committed to, drawn from a block, opened at their moment, closed.

What is drawn and not yet open is nobody's business: no page, answer or archive has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.claims import CheckRow, ClaimRow
from ledger.probes import load_days
from ledger.rows import insert_once
from ledger.spot_checks import DRAWN, MISSED, OPEN, OVER, SpotCheckRow, SpotSeedRow, checks_of
from ledger.verdicts import look_again
from services import campaigns
from services.benchmark_records import keys_of
from services.campaigns import Loaded
from services.chain_time import fetched_block, height_at
from services.errors import Unavailable
from services.house import House
from services.probe_controls import WayOut
from services.probe_looks import LiveProber
from services.probing import onboarding_tasks
from services.verification import judge_params, judging_point
from tasks.moment import Moment
from tasks.parts import Task
from verifiers.chain.trouble import Pruned
from verifiers.evidence import ChainPoint, Outcome
from verifiers.onboarding.draws import (
    OPEN_FOR,
    Drawn,
    Group,
    check_id,
    commitment_to,
    fitting,
    moment_of,
    over_at,
    seed_from,
    wanted_of,
)
from verifiers.onboarding.entry import read_subject
from verifiers.onboarding.params import OnboardingParams, onboarding_params
from verifiers.onboarding.spot_checks import name_of
from verifiers.probes import day_of
from verifiers.trouble import Trouble

PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class LiveGpu:
    """A claimed GPU whose time runs: its number, since when, and its newest verdict."""

    claim: str
    number: int
    at: Moment
    verdict: int | None


@dataclass
class Progress:
    """What one run did."""

    drawn: int = 0
    opened: int = 0
    closed: int = 0
    waits: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """One line for the list of jobs; no moment is in it."""
        said = f"{self.opened} opened, {self.closed} closed"
        return f"{said}; waits: {self.waits[0]}" if self.waits else said


def hold(house: House) -> str:
    """A job: commit to seeds, close what is over, open what is due, draw what comes next.

    Each step is one guarded row, so that two at once and a killed one do no harm. Where the chain can't be relied on,
    our own way out is closed, or time is excused, nothing opens: it is moved, and costs nobody.
    """
    loaded = campaigns.current(house)
    tasks = [task for task in onboarding_tasks(loaded) if task.params.get("spot_checks")] if loaded else []
    if loaded is None or not tasks:
        return "no task asks for them"
    progress = Progress()
    for task in tasks:
        _Keeper(house, loaded, task, progress).run()
    return str(progress)


def seed_of_task(session: Session, campaign: str, task: str) -> SpotSeedRow | None:
    """What a task's moments are drawn with."""
    return session.get(SpotSeedRow, (campaign, task))


@dataclass(frozen=True)
class _Keeper:
    """Holds the spot checks of one task."""

    house: House
    loaded: Loaded
    task: Task
    progress: Progress

    @property
    def _now(self) -> Moment:
        return self.house.clock.now()

    @property
    def _params(self) -> OnboardingParams:
        return onboarding_params(judge_params(self.loaded, self.task))

    def run(self) -> None:
        """Everything that is due now."""
        seed = self._committed()
        groups, rows = self._read()
        for group in sorted({*groups, *rows}, key=lambda each: each.name):
            live, held = groups.get(group, []), rows.get(group, [])
            newest = held[-1] if held else None
            if newest is not None and newest.state == OPEN:
                self._close(newest, live)
            elif newest is not None and newest.state == DRAWN:
                self._open(newest, live)
            elif live:
                self._draw(seed, group, live, held)

    def _committed(self) -> SpotSeedRow:
        """The seed, made at the first look and published by its digest before anything is drawn with it."""
        made = seed_from(keys_of(self.house)[0], self.loaded.slug, self.task.slug)
        key = {"campaign": self.loaded.slug, "task": self.task.slug}
        row = {**key, "seed": made, "commitment": commitment_to(made), "made_ns": self._now}

        def store(session: Session) -> SpotSeedRow:
            if seed_of_task(session, self.loaded.slug, self.task.slug) is None and insert_once(
                session, SpotSeedRow, row
            ):
                detail = {"commitment": row["commitment"]}
                append_act(session, self._now, PLATFORM, "spot_checks.committed", self.task.slug, detail)
            found = session.get_one(SpotSeedRow, (self.loaded.slug, self.task.slug))
            session.expunge(found)
            return found

        return self.house.ledger.transact(store)

    def _read(self) -> tuple[Mapping[Group, list[LiveGpu]], Mapping[Group, list[SpotCheckRow]]]:
        here = ClaimRow.campaign == self.loaded.slug, ClaimRow.task == self.task.slug
        live = (*here, ClaimRow.at_ns <= self._now, ClaimRow.settled.is_(False), ClaimRow.outcome != Outcome.FAILED)
        groups: dict[Group, list[LiveGpu]] = {}
        rows: dict[Group, list[SpotCheckRow]] = {}
        with self.house.ledger.read() as session:
            for row in session.scalars(select(ClaimRow).where(*live).order_by(ClaimRow.id)):
                gpu = read_subject(row.subject)
                if gpu is not None and self._now < self.task.closes:
                    group = Group.of(row.campaign, row.task, row.participant, gpu)
                    one = LiveGpu(row.id, gpu.number, Moment(row.at_ns or 0), row.verdict_id)
                    groups.setdefault(group, []).append(one)
            for check in checks_of(session, self.loaded.slug):
                if check.task == self.task.slug:
                    rows.setdefault(check.group, []).append(check)
            session.expunge_all()
        return groups, rows

    def _close(self, row: SpotCheckRow, live: Sequence[LiveGpu]) -> None:
        """Once 24 hours are over of which we know how the provider stood; at its plain end where all have passed."""
        opens, now, closes = Moment(row.opens_ns or 0), self._now, self.task.closes
        planned = Moment(opens + OPEN_FOR)
        if now < min(planned, closes):
            return
        with self.house.ledger.read() as session:
            covered = [one for one in live if one.at <= opens and one.number <= row.gpus]
            has_passed = _all_passed(session, covered, row.number)
            kept = load_days(session, row.provider, day_of(opens), day_of(now), row.chain_id)
            days = [day for day, _ in kept]
        over = over_at(days, opens, min(now, closes), self._params.excused)
        if over is None and has_passed and now >= planned:
            over = planned
        if over is None and now >= closes:
            over = closes
        if over is not None:
            self.progress.closed += self._move(row, OPEN, {"state": OVER, "over_ns": over})

    def _open(self, row: SpotCheckRow, live: Sequence[LiveGpu]) -> None:
        """At its moment, or as soon after it as we can see."""
        now = self._now
        if now < row.moment_ns and now < self.task.closes:
            return
        if not live or self.task.closes - now < OPEN_FOR:
            self._move(row, DRAWN, {"state": MISSED, "over_ns": now})
            return
        trouble = self._in_the_way()
        if trouble:
            self.progress.waits.append(trouble)
            return
        gpus = max(one.number for one in live)
        covered = [one.claim for one in live]
        values = {"state": OPEN, "opens_ns": now, "gpus": gpus}
        self.progress.opened += self._move(row, DRAWN, values, look_at=covered)

    def _in_the_way(self) -> str:
        """What keeps a spot check from being fair now; empty for nothing."""
        now = self._now
        if any(start <= now < end for start, end in self._params.excused):
            return "this time is excused"
        try:
            point = judging_point(self.house, self.loaded)
        except Unavailable as unavailable:
            return str(unavailable)
        if point is None:
            return "the chain is not read up to its tip yet"
        if LiveProber.open(self.house, self.loaded).way_out() is WayOut.CLOSED:
            return "our own control probes fail"
        return ""

    def _draw(self, seed: SpotSeedRow, group: Group, live: Sequence[LiveGpu], held: Sequence[SpotCheckRow]) -> None:
        """The next one, where a claim is still to have more and more fit."""
        closes = self.task.closes
        needs = {one: wanted_of(one.at, closes, self._params.spot_checks) - _had(one, held) for one in live}
        lacking = [one for one, count in needs.items() if count > 0]
        if not lacking:
            return
        last = max((row.over_ns or 0 for row in held), default=0)
        begins = Moment(max(last, seed.made_ns, min(one.at for one in lacking)))
        if not fitting(closes - begins, 1):
            return
        try:
            drawn = self._drawn(begins, max(needs.values()))
        except (Trouble, Unavailable) as trouble:
            self.progress.waits.append(str(trouble))
            return
        if drawn is not None:
            self._keep(seed, group, len(held) + 1, drawn, max(one.number for one in live))

    def _drawn(self, begins: Moment, wanted: int) -> Drawn | None:
        """The first block from `begins` on, and how many are to come from then; None before there is such a block.

        Where that block is gone from every node, the block that we stand at, and the time left from it.
        """
        point = judging_point(self.house, self.loaded)
        if point is None or self.house.chain is None or begins > point.time:
            return None
        try:
            height = height_at(self.house, point.chain_id, begins)
        except Pruned:
            begins, height = point.time, point.height
        parts = fitting(self.task.closes - begins, wanted)
        if height is None or parts == 0:
            return None
        return self._from_block(point, begins, parts, height)

    def _from_block(self, point: ChainPoint, begins: Moment, parts: int, height: int) -> Drawn | None:
        if self.house.chain is None:
            return None
        block = fetched_block(self.house, self.house.chain, point.chain_id, height)
        return Drawn(begins, self.task.closes, parts, point.chain_id, height, block.hash)

    def _keep(self, seed: SpotSeedRow, group: Group, number: int, drawn: Drawn, gpus: int) -> None:
        row = {
            "id": check_id(group, number),
            "campaign": group.campaign,
            "task": group.task,
            "participant": group.participant,
            "provider": group.provider,
            "gpu_model": group.model,
            "number": number,
            "begins_ns": drawn.begins,
            "ends_ns": drawn.ends,
            "parts": drawn.parts,
            "chain_id": drawn.chain_id,
            "height": drawn.height,
            "block_hash": drawn.block_hash,
            "moment_ns": moment_of(seed.seed, group, number, drawn),
            "state": DRAWN,
            "gpus": gpus,
        }
        self.progress.drawn += self.house.ledger.transact(lambda session: insert_once(session, SpotCheckRow, row))

    def _move(self, row: SpotCheckRow, before: str, values: Mapping[str, object], look_at: Iterable[str] = ()) -> int:
        """To the next state, once; then the claims that it is about are looked at again."""
        claims, now = list(look_at), self._now

        def move(session: Session) -> int:
            here = SpotCheckRow.id == row.id, SpotCheckRow.state == before
            changed = session.scalars(update(SpotCheckRow).where(*here).values(**values).returning(SpotCheckRow.id))
            if changed.first() is None:
                return 0
            look_again(session, now, ClaimRow.id.in_(claims))
            return 1

        return self.house.ledger.transact(move)


def _had(gpu: LiveGpu, held: Sequence[SpotCheckRow]) -> int:
    """How many of a group's spot checks were opened for this GPU while its time ran."""
    return sum(row.opens_ns is not None and row.opens_ns >= gpu.at and row.gpus >= gpu.number for row in held)


def _all_passed(session: Session, covered: Sequence[LiveGpu], number: int) -> bool:
    """Whether the newest verdicts of these claims say that this spot check was passed."""
    verdicts = [one.verdict for one in covered if one.verdict is not None]
    here = CheckRow.verdict.in_(verdicts), CheckRow.name == name_of(number), CheckRow.outcome == Outcome.PASSED
    return len(session.scalars(select(CheckRow.verdict).where(*here)).all()) == len(covered)
