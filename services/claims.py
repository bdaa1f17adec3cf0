"""Claims: found on the chain by us, or entered by a participant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.claims import ClaimRow, EnteredSdlRow
from ledger.observations import store_observations
from ledger.people import AddressRow, RegistrationRow
from ledger.rows import insert_once, replace_rows
from ledger.verdicts import claim_id, look_again
from services import benchmarks, campaigns, submissions
from services.benchmark_fetch import fetched
from services.campaigns import Loaded
from services.chain_time import height_at
from services.errors import Conflict, NotAllowed, Refused
from services.finding import Finder
from services.house import House
from tasks.judge_params import judge_params
from tasks.kinds import ClaimField, by_kind
from tasks.moment import Moment, format_moment
from tasks.parts import Task
from verifiers.evidence import Candidate, EnteredSdl, Entry, EntryRefused, Observation, Outcome, Source
from verifiers.kinds import verifier_of
from verifiers.trouble import Trouble

LONGEST_FIELD = 4096

MOST_OPEN = 20
"""Claims without a subject of their own that one participant may have open in one task."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A claim that was entered; `is_new` is False where it was there already."""

    claim: str
    is_new: bool


def submit(house: House, participant: str, task_slug: str, entered: Mapping[str, str]) -> Submitted:
    """Enter a claim for a task. The same subject again gives the existing claim, looked at anew.

    Raises Refused with the field that is to be mended, NotFound for an unknown task, NotAllowed for somebody who is
    not registered, Conflict outside the task's time.
    """
    loaded = campaigns.required(house)
    task = loaded.task(task_slug)
    now = house.clock.now()
    checked, _ = checked_entry(house, loaded, participant, task, entered)
    entry = fetched(house, submissions.located(house, loaded.slug, participant, task.slug, checked))

    def store(session: Session) -> Submitted:
        for sdl in entry.sdls:
            _keep_sdl(session, loaded, participant, sdl, now)
        if entry.is_numbered:
            return _insert_numbered(session, loaded, task, participant, entry, now)
        named = submissions.same_claim(session, loaded.slug, participant, task.slug, entry)
        made = _insert(session, loaded, task, participant, named, now, found=False)
        for other in entry.others:
            also = _insert(session, loaded, task, participant, other, now, found=False)
            # the one to show is the first that was not there yet
            made = also if also.is_new and not made.is_new else made
        if entry.submission is not None:
            submissions.keep(session, house, loaded, made.claim, participant, entry.submission, now)
        if entry.run is not None:
            benchmarks.take_in(house, session, loaded, participant, entry.run, made.claim, now)
        return made

    return house.ledger.transact(store)


def checked_entry(
    house: House, loaded: Loaded, participant: str, task: Task, entered: Mapping[str, str]
) -> tuple[Entry, list[str]]:
    """What was entered as the kind understands it, and the participant's addresses. Raises as `submit`."""
    now = house.clock.now()
    _is_open(task, now)
    addresses = _addresses(house, loaded, participant)
    return _checked(loaded, task, entered, addresses, now), addresses


def _is_open(task: Task, now: Moment) -> None:
    if not campaigns.is_built(task):
        raise Refused(f"{task.title} is not open yet: this platform can't verify its kind so far.", "task")
    if now < task.opens:
        raise Conflict(f"{task.title} opens at {format_moment(task.opens)}.")
    # what the chain shows may be told later; what counts from its receipt would come too late
    if now >= task.closes and getattr(verifier_of(task.kind), "COUNTS_FROM_RECEIPT", False):
        raise Conflict(f"{task.title} closed at {format_moment(task.closes)}.")


def _addresses(house: House, loaded: Loaded, participant: str) -> list[str]:
    with house.ledger.read() as session:
        if session.get(RegistrationRow, (loaded.slug, participant)) is None:
            raise NotAllowed("Register for the campaign first: it takes one signature and accepts the terms.")
        statement = select(AddressRow.address).where(AddressRow.participant == participant)
        linked = session.scalars(statement.order_by(AddressRow.linked_ns, AddressRow.address)).all()
    return [participant, *(address for address in linked if address != participant)]


def _checked(loaded: Loaded, task: Task, entered: Mapping[str, str], addresses: Sequence[str], now: Moment) -> Entry:
    """By what the task asks now: a revision that counts from a later time asks nothing yet."""
    campaign, task = loaded.rules.version_at(task.slug, now)
    kind, verifier = by_kind(task.kind), verifier_of(task.kind)
    if kind is None or verifier is None:
        raise Refused(f"{task.title} is not open yet.", "task")
    known = {field.name: field for field in kind.claim_fields(task.params)}
    values = {name: _value(name, value, known) for name, value in entered.items() if value not in (None, "")}
    try:
        return verifier.enter(values, judge_params(campaign, task, loaded.newest.excused), addresses)
    except EntryRefused as refusal:
        raise Refused(refusal.message, refusal.field) from refusal


def _value(name: str, value: object, known: Mapping[str, ClaimField]) -> str:
    field = known.get(name)
    if field is None:
        raise Refused(f"There is no field {name!r} here; the fields are {', '.join(known)}.", name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refused(f"{field.label} must be a text.", name)
    text = str(value)
    if field.type not in {"sdl", "json"} and len(text) > LONGEST_FIELD:
        raise Refused(f"{field.label} is longer than {LONGEST_FIELD:,} characters.", name)
    return text


def _keep_sdl(session: Session, loaded: Loaded, participant: str, sdl: EnteredSdl, now: Moment) -> None:
    """Keep the reduction of an SDL as an observation, and let every claim of its owner be looked at anew."""
    seen = Observation(
        source=Source.ENTERED,
        request=f"SDL {sdl.owner}/{sdl.dseq}",
        body=sdl.reduced,
        host="entered",
        seen_at=now,
    )
    store_observations(session, [seen], "entered/1")
    row = {
        "campaign": loaded.slug,
        "participant": participant,
        "owner": sdl.owner,
        "dseq": sdl.dseq,
        "observation": seen.id,
        "app": sdl.app,
        "received_ns": now,
    }
    replace_rows(session, EnteredSdlRow, [row])
    look_again(session, now, ClaimRow.campaign == loaded.slug, ClaimRow.participant == participant)


def _insert(
    session: Session, loaded: Loaded, task: Task, participant: str, entry: Entry, now: Moment, *, found: bool
) -> Submitted:
    name = claim_id(loaded.slug, participant, task.slug, entry.subject)
    row = {
        "id": name,
        "campaign": loaded.slug,
        "participant": participant,
        "task": task.slug,
        "kind": task.kind,
        "subject": entry.subject,
        "fields": dict(entry.fields),
        "received_ns": now,
        "found": found,
        "due_ns": now,
        "outcome": str(Outcome.PENDING),
        "attributes": {},
        "holds_place": False,
        "settled": False,
    }
    is_new = insert_once(session, ClaimRow, row)
    if not is_new and not found:
        look_again(session, now, ClaimRow.id == name)
    return Submitted(name, is_new)


def _insert_numbered(
    session: Session, loaded: Loaded, task: Task, participant: str, entry: Entry, now: Moment
) -> Submitted:
    """A claim about nothing that has a name: the participant's next one, unless it says what an earlier one says."""
    mine = ClaimRow.campaign == loaded.slug, ClaimRow.participant == participant, ClaimRow.task == task.slug
    before = session.scalars(select(ClaimRow).where(*mine).order_by(ClaimRow.received_ns, ClaimRow.id)).all()
    for row in before:
        if row.fields == dict(entry.fields):
            return Submitted(row.id, is_new=False)
    if sum(not row.settled for row in before) >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} of your claims of this task are not decided yet: wait for those first.")
    numbered = replace(entry, subject=f"{entry.subject}/{len(before) + 1}")
    return _insert(session, loaded, task, participant, numbered, now, found=False)


def find_claims(house: House) -> str:
    """A job: make a claim of everything found on the chain whose app is known, for every registered participant."""
    loaded = campaigns.current(house)
    if loaded is None:
        return "no campaign is loaded"
    now, made = house.clock.now(), 0
    chain_id = campaigns.chain_id(house, loaded)
    _learn_windows(house, loaded, chain_id)
    with house.ledger.read() as session:
        finder = Finder.open(session, loaded, chain_id)
        found = list(finder.everything()) if finder else []
    for start in range(0, len(found), 200):
        part = found[start : start + 200]
        made += house.ledger.transact(lambda session, part=part: _insert_found(session, loaded, part, now))  # type: ignore[misc]
    return f"{made} new claims"


def _learn_windows(house: House, loaded: Loaded, chain_id: str | None) -> None:
    """Look up where the tasks' windows begin and end on the chain; what can't be seen yet bounds nothing."""
    now = house.clock.now()
    if chain_id is None:
        return
    for moment in {moment for task in loaded.newest.tasks for moment in (task.opens, task.closes) if moment <= now}:
        try:
            height_at(house, chain_id, moment)
        except Trouble:
            return


def _insert_found(session: Session, loaded: Loaded, found: Iterable[tuple[str, Task, Candidate]], now: Moment) -> int:
    made = 0
    for participant, task, candidate in found:
        if candidate.subject is None or candidate.needs:
            continue
        entry = Entry(candidate.subject, candidate.fields)
        made += _insert(session, loaded, task, participant, entry, now, found=True).is_new
    return made


def candidates(house: House, participant: str) -> list[Candidate]:
    """What was found on the chain for this participant and is no claim yet, with what each still needs."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        finder = Finder.open(session, loaded, campaigns.chain_id(house, loaded))
        return [candidate for _, _, candidate in finder.of(participant)] if finder else []
