"""Probing providers: who is due in this slot, asked side by side, one byte each, kept as soon as it is known."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.chain import ProviderRow
from ledger.chain_index import newest_cursor
from ledger.claims import ClaimRow
from ledger.observations import store_observations
from ledger.probes import ProbeChangeRow, keep_days, last_changes, open_days, stored_today, unsealed_before
from ledger.rows import insert_rows
from services import campaigns
from services.campaigns import Loaded
from services.errors import Unavailable
from services.house import House
from services.probe_controls import ADVICE, WayOut, are_near_by_name, control_targets
from services.probe_looks import LiveProber
from tasks.moment import SECOND, Moment
from tasks.parts import Task
from verifiers.evidence import Observation, Outcome
from verifiers.onboarding.state import SILENT, controlled, shows_way_out
from verifiers.probes import DAY, LEAST_EVERY_SECONDS, ProbeDay, Standing, State, day_of

KIND = "provider_onboarding"
VERIFIER = "probe/1"
DEFAULT_EVERY_SECONDS = 300
KEEP_AT_ONCE = 64
SEAL_AT_ONCE = 200
GRACE = 300 * SECOND
"""A round that began before midnight is over by then."""
SILENT_SLOTS = 3
FULL_EVERY = 6
"""A host silent for three slots gets a short look, and a full one in every sixth slot."""
MOST_STORED = 48
"""Full observations of one provider and day: a state that flaps all day is known by then."""
LONGEST_SPREAD_SECONDS = 15.0
ENOUGH_SILENT = 3
"""So many providers out there of which none answers: then it may as well be our own way out."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to probe. `host_uri` None: the index has no record of it. `is_brief`: it has been silent for a while."""

    provider: str
    host_uri: str | None
    is_brief: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What one probe found, before the round's control probes are asked."""

    state: State
    observations: Sequence[Observation] = ()
    is_through: bool = False
    """Asked through our way out, not within our own network."""


class Prober(Protocol):
    """Asks the network; nothing here raises for trouble."""

    def way_out(self) -> WayOut:
        """What our control targets say of our own way out, now."""
        ...

    def is_asked_through(self, host_uri: str) -> bool:
        """Whether this provider stands outside of our own network."""
        ...

    def probe(self, provider: str, host_uri: str, *, is_brief: bool) -> tuple[State, Sequence[Observation]]:
        """Look at one provider within the deadline."""
        ...


@dataclass(frozen=True, slots=True)
class Slot:
    """The slot that is due now. `chain_id`: whose records of providers are probed."""

    day: int
    every_seconds: int
    number: int
    ends: Moment
    chain_id: str = ""


def probe(house: House) -> str:
    """A job: seal the days that are over, then probe every provider that has no byte in this slot yet."""
    loaded = campaigns.current(house)
    tasks = onboarding_tasks(loaded)
    if loaded is None or not tasks:
        return "no task needs it"
    seal_days(house, loaded)
    with house.ledger.read() as session:
        chain_id = probed_chain(session, campaigns.chain_id(house, loaded)) or ""
    slot = replace(slot_at(tasks, house.clock.now()), chain_id=chain_id)
    targets = due_targets(house, loaded, slot)
    if not targets:
        return "nobody is due"
    spread = min(LONGEST_SPREAD_SECONDS, slot.every_seconds / 20, len(targets) / 10)
    return run_round(house, LiveProber.open(house, loaded), slot, targets, spread)


def onboarding_tasks(loaded: Loaded | None) -> list[Task]:
    """The campaign's tasks whose claims need probes."""
    return [task for task in loaded.newest.tasks if task.kind == KIND] if loaded else []


def advice(house: House) -> str | None:
    """What the operator should set for probes; None where nothing is amiss, by the names alone.

    Where private hosts are allowed, providers may stand in our own network: then the job says it, by what it asked.
    """
    settings = house.settings
    if settings.allow_private_hosts or not are_near_by_name(control_targets(settings)):
        return None
    try:
        return ADVICE if onboarding_tasks(campaigns.current(house)) else None
    except Unavailable:
        return None


def slot_at(tasks: Sequence[Task], now: Moment) -> Slot:
    """The slot of now: as long as the shortest that a task asks for."""
    lengths = [length for task in tasks if isinstance(length := task.params.get("probe_every_ns"), int)]
    every = min(lengths, default=DEFAULT_EVERY_SECONDS * SECOND) // SECOND
    every = min(max(every, LEAST_EVERY_SECONDS), DAY // SECOND)
    day = ProbeDay.empty("", day_of(now), every)
    number = day.slot_of(now)
    return Slot(day.day, every, number, day.span(number)[1])


def due_targets(house: House, loaded: Loaded, slot: Slot) -> list[Target]:
    """Providers with a live claim (from its `at` to the task's close) that have no byte in this slot."""
    now = house.clock.now()
    open_tasks = [task.slug for task in onboarding_tasks(loaded) if task.opens <= now < task.closes]
    live = (
        ClaimRow.campaign == loaded.slug,
        ClaimRow.task.in_(open_tasks),
        ClaimRow.at_ns <= now,
        ClaimRow.settled.is_(False),
        ClaimRow.outcome != Outcome.FAILED,
    )
    with house.ledger.read() as session:
        subjects = session.scalars(select(ClaimRow.subject).where(*live).distinct()).all()
        providers = sorted({subject.partition("/")[0] for subject in subjects})
        chain = probed_chain(session, campaigns.chain_id(house, loaded))
        hosts = _hosts(session, chain, providers)

    def choose(session: Session) -> list[Target]:
        days = open_days(session, providers, slot.day, slot.every_seconds, slot.chain_id)
        return [
            Target(name, hosts.get(name), _is_silent(day, slot.number))
            for name, day in days.items()
            if slot.number < len(day.slots) and not day.slots[_place(day, slot)]
        ]

    return house.ledger.transact(choose) if providers else []


def _place(day: ProbeDay, slot: Slot) -> int:
    """The slot in a day that may have begun with another length."""
    return day.slot_of(Moment(slot.ends - 1))


def probed_chain(session: Session, chain_id: str | None) -> str | None:
    """The chain whose records of providers are probed: this one, else the one that is followed."""
    followed = newest_cursor(session)
    return chain_id or (followed.chain_id if followed else None)


def _hosts(session: Session, chain: str | None, providers: Sequence[str]) -> Mapping[str, str]:
    query = select(ProviderRow.owner, ProviderRow.host_uri).where(ProviderRow.chain_id == chain)
    wanted = set(providers)
    return {owner: host for owner, host in session.execute(query) if owner in wanted}


def _is_silent(day: ProbeDay, number: int) -> bool:
    if number < SILENT_SLOTS or number % FULL_EVERY == 0:
        return False
    states = [day.state(place) for place in range(number - SILENT_SLOTS, number) if place < len(day.slots)]
    return len(states) == SILENT_SLOTS and all(
        state.standing is Standing.DOWN and state.cause in SILENT for state in states
    )


def run_round(
    house: House, prober: Prober, slot: Slot, targets: Sequence[Target], spread_seconds: float = 0.0
) -> str:
    """Probe these targets side by side. What is found is kept in parts, so that a killed round loses little; the next
    one goes on with whoever has no byte."""
    under_way = _Round(house, prober, slot, prober.way_out())
    began, left = time.monotonic(), (slot.ends - house.clock.now()) / SECOND
    pool = ThreadPoolExecutor(house.settings.probe_parallel, thread_name_prefix="probe")
    try:
        waiting: dict[str, Found] = {}
        for provider, found in _probed(pool, prober, _in_turn(targets, slot, spread_seconds), began, left):
            waiting[provider] = found
            if len(waiting) >= KEEP_AT_ONCE:
                under_way.keep(waiting)
                waiting = {}
        under_way.keep(waiting)
        under_way.keep_held()
    finally:
        pool.shutdown(cancel_futures=True)
    seconds = time.monotonic() - began
    said = f"{under_way.count} of {len(targets)} providers probed in {seconds:.1f} s"
    return f"{said}. {ADVICE}" if under_way.lacks_control else said


def _in_turn(targets: Sequence[Target], slot: Slot, spread: float) -> list[tuple[float, Target]]:
    """When each is asked, in seconds from the round's beginning: another order in every slot."""

    def share(target: Target) -> float:
        text = f"{target.provider}/{slot.day}/{slot.number}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") / 2**32

    return sorted(
        ((share(target) * spread, target) for target in targets), key=lambda turn: (turn[0], turn[1].provider)
    )


def _probed(
    pool: ThreadPoolExecutor, prober: Prober, turns: Sequence[tuple[float, Target]], began: float, left: float
) -> Iterator[tuple[str, Found]]:
    """What each probe found, as it comes; nothing of those that no time of the slot was left for."""

    def look(due: float, target: Target) -> Found | None:
        time.sleep(max(0.0, began + due - time.monotonic()))
        if time.monotonic() - began >= left:
            return None
        if target.host_uri is None:
            return Found(State.unknown("no_record"))
        state, observations = prober.probe(target.provider, target.host_uri, is_brief=target.is_brief)
        return Found(state, observations, prober.is_asked_through(target.host_uri))

    names = {pool.submit(look, due, target): target.provider for due, target in turns}
    for done in as_completed(names):
        found = done.result()
        if found is not None:
            yield names[done], found


@dataclass
class _Round:
    """One round under way: parts are stored as they come.

    Where only our own network has answered, a provider outside of it that does not answer is held back, until one of
    them answers, which is control enough, or the round ends.
    """

    house: House
    prober: Prober
    slot: Slot
    way: WayOut
    count: int = 0
    lacks_control: bool = False
    _through: int = 0
    _is_shown: bool = False
    _held: dict[str, Found] = field(default_factory=dict)

    def keep(self, found: Mapping[str, Found]) -> None:
        """One part; down only where the control probes before and after it succeeded."""
        if not found:
            return
        before, self.way = self.way, self.prober.way_out()
        way = min(before, self.way)
        self.count += len(found)
        through = {name: one for name, one in found.items() if one.is_through}
        self._through += len(through)
        self._is_shown |= way is WayOut.OPEN or any(shows_way_out(one.state) for one in through.values())
        if way is WayOut.NEAR:
            self.lacks_control |= bool(through)
            self._held |= {name: one for name, one in through.items() if one.state.standing is Standing.DOWN}
        self._store({name: one for name, one in found.items() if name not in self._held}, is_reachable=way > 0)
        if self._is_shown:
            self.keep_held()

    def keep_held(self) -> None:
        """What was held back; at the round's end where nobody has answered."""
        few = self._through < ENOUGH_SILENT and self.way is not WayOut.CLOSED
        self._store(self._held, is_reachable=self._is_shown or few)
        self._held = {}

    def _store(self, found: Mapping[str, Found], *, is_reachable: bool) -> None:
        if not found:
            return
        states = {name: controlled(one.state, is_reachable=is_reachable) for name, one in found.items()}
        now, slot = self.house.clock.now(), self.slot

        def store(session: Session) -> None:
            days = open_days(session, sorted(states), slot.day, slot.every_seconds, slot.chain_id)
            fresh = {name: day for name, day in days.items() if not day.slots[_place(day, slot)]}
            keep_days(session, [day.with_state(_place(day, slot), states[name]) for name, day in fresh.items()])
            _note_changes(session, {name: (states[name], found[name].observations) for name in fresh}, slot, now)

        self.house.ledger.transact(store)


def _note_changes(
    session: Session, found: Mapping[str, tuple[State, Sequence[Observation]]], slot: Slot, now: Moment
) -> None:
    """The first probe and each change of state, with all that was seen, up to a number a day."""
    before = last_changes(session, sorted(found), slot.chain_id)
    changed = {name: seen for name, seen in found.items() if before.get(name) != seen[0]}
    stored = stored_today(session, sorted(changed), Moment(slot.day * DAY))
    rows = []
    for name, (state, observations) in sorted(changed.items()):
        kept = observations if stored.get(name, 0) < MOST_STORED else ()
        store_observations(session, kept, VERIFIER)
        rows.append(
            {
                "provider": name,
                "at_ns": now,
                "standing": str(state.standing),
                "cause": state.cause,
                "capacity": dict(state.capacity),
                "observations": [observation.id for observation in kept],
                "chain_id": slot.chain_id,
            }
        )
    insert_rows(session, ProbeChangeRow, rows)


def fill_days(house: House, told: Sequence[ProbeDay]) -> None:
    """Fill the gaps of days that are not sealed with what is told of them: for a demo, whose days lie before it."""

    def fill(session: Session) -> None:
        for day in told:
            kept = open_days(session, [day.provider], day.day, day.every_seconds).get(day.provider)
            if kept is None or kept.every_seconds != day.every_seconds:
                continue
            for slot, byte in enumerate(day.slots):
                if byte and not kept.slots[slot]:
                    kept = kept.with_state(slot, day.state(slot))
            keep_days(session, [kept])

    house.ledger.transact(fill)


def seal_days(house: House, loaded: Loaded) -> int:
    """Seal the days that are over, and all of them once no task is open any more. Returns how many."""
    now, count = house.clock.now(), 0
    last_close = max((task.closes for task in onboarding_tasks(loaded)), default=now)
    before = day_of(now) + 1 if now >= last_close else day_of(Moment(now - GRACE))
    while True:

        def seal(session: Session) -> int:
            days = unsealed_before(session, before, SEAL_AT_ONCE)
            keep_days(session, days, sealed=True)
            return len(days)

        done = house.ledger.transact(seal)
        count += done
        if done < SEAL_AT_ONCE:
            return count
