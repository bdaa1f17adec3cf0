"""Spot checks as their participants see them: what is open, the SDL to run, the results to enter."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.benchmarks import BenchmarkChallengeRow, BenchmarkRunRow, challenges_of_checks
from ledger.claims import ClaimRow
from ledger.observations import store_observations
from ledger.rows import insert_once
from ledger.spot_checks import OPEN, SpotCardRow, SpotCheckRow, SpotSeedRow
from ledger.verdicts import look_again
from services import campaigns
from services.benchmark_fetch import fetched_text
from services.benchmark_price import denom_now
from services.benchmark_records import keys_of, record_of, result_in, run_row
from services.campaigns import Loaded
from services.errors import Conflict, NotAllowed, NotFound, Refused, TooMany
from services.house import House
from tasks.moment import Moment
from verifiers.benchmark import challenge as challenges
from verifiers.benchmark.answers import Result
from verifiers.benchmark.spot_sdl import MOST_CONTAINERS, Container, split, spot_sdl
from verifiers.onboarding.draws import OPEN_FOR
from verifiers.onboarding.entry import read_subject
from verifiers.sdl import check as check_sdl

KIND = "provider_onboarding"
VERIFIER = "spot_check/1"
MOST_ATTEMPTS = 20
MOST_ADDRESSES = 8


@dataclass(frozen=True, slots=True)
class Given:
    """One container of an attempt: its challenge and GPUs; `posted`: its runner's result waits to be confirmed.

    `denom`: the coin of its price.
    """

    challenge: str
    attempt: int
    part: int
    gpus: int
    posted: bool
    entered: bool
    denom: str


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """A spot check that was opened. `until`: its end by the clock; time that we could not see is added."""

    id: str
    task: str
    provider: str
    gpu_model: str
    number: int
    gpus: int
    opens: Moment
    until: Moment
    is_open: bool
    given: tuple[Given, ...]
    claims: tuple[str, ...]

    @property
    def newest(self) -> tuple[Given, ...]:
        """The containers of the newest attempt."""
        last = max((each.attempt for each in self.given), default=0)
        return tuple(each for each in self.given if each.attempt == last)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What to run for a spot check."""

    check: SpotCheck
    sdl: str


def own(house: House, participant: str) -> list[SpotCheck]:
    """A participant's spot checks that were opened, the newest first."""
    loaded = campaigns.required(house)
    mine = SpotCheckRow.campaign == loaded.slug, SpotCheckRow.participant == participant
    with house.ledger.read() as session:
        statement = select(SpotCheckRow).where(*mine, SpotCheckRow.opens_ns.is_not(None))
        rows = session.scalars(statement.order_by(SpotCheckRow.opens_ns.desc(), SpotCheckRow.id)).all()
        return _shown(session, rows)


def shown(house: House, participant: str, check_id: str) -> SpotCheck:
    """One of a participant's spot checks. Raises NotFound, also for one that is not open yet."""
    with house.ledger.read() as session:
        return _shown(session, [_row(house, session, participant, check_id)])[0]


def _row(house: House, session: Session, participant: str, check_id: str) -> SpotCheckRow:
    row = session.get(SpotCheckRow, check_id)
    slug = campaigns.required(house).slug
    if row is None or row.opens_ns is None or (row.campaign, row.participant) != (slug, participant):
        raise NotFound("There is no such spot check of yours.")
    return row


def _shown(session: Session, rows: Sequence[SpotCheckRow]) -> list[SpotCheck]:
    given = challenges_of_checks(session, [row.id for row in rows])
    return [_seen(session, row, [_given(*pair) for pair in given[row.id]]) for row in rows]


def _seen(session: Session, row: SpotCheckRow, given: Sequence[Given]) -> SpotCheck:
    opens = Moment(row.opens_ns or 0)
    return SpotCheck(
        id=row.id,
        task=row.task,
        provider=row.provider,
        gpu_model=row.gpu_model,
        number=row.number,
        gpus=row.gpus,
        opens=opens,
        until=Moment(opens + OPEN_FOR),
        is_open=row.state == OPEN,
        given=tuple(given),
        claims=tuple(_claims_of(session, row)),
    )


def _given(challenge: BenchmarkChallengeRow, run: BenchmarkRunRow | None) -> Given:
    is_entered = run is not None and run.observation is not None
    posted = run is not None and not is_entered
    attempt, part, gpus = challenge.attempt or 0, challenge.part or 0, challenge.gpus or 1
    return Given(challenge.id, attempt, part, gpus, posted, is_entered, challenge.price_denom)


def _claims_of(session: Session, row: SpotCheckRow) -> list[str]:
    """The claims that a spot check is about, by the number of the GPU."""
    mine = (
        ClaimRow.campaign == row.campaign,
        ClaimRow.task == row.task,
        ClaimRow.participant == row.participant,
        ClaimRow.at_ns <= row.opens_ns,
    )
    numbered = []
    for claim, subject in session.execute(select(ClaimRow.id, ClaimRow.subject).where(*mine)):
        gpu = read_subject(subject)
        if gpu and (gpu.provider, gpu.model) == (row.provider, row.gpu_model) and gpu.number <= row.gpus:
            numbered.append((gpu.number, claim))
    return [claim for _, claim in sorted(numbered)]


def prepare(house: House, participant: str, check_id: str, per_container: int | None = None) -> Prepared:
    """The SDL that leases all claimed GPUs, with `per_container` of them in each container (None: all in one).

    Asked for again the same is given; once a result is in, or for other containers, an attempt with new challenges.
    Raises NotFound, Conflict when it is over, Refused for a number that makes no sense, TooMany after many attempts.
    """
    now, denom = house.clock.now(), denom_now(house, campaigns.required(house))

    def store(session: Session) -> SpotCheck:
        row = _row(house, session, participant, check_id)
        _is_open(row)
        wanted = split(row.gpus, _checked(per_container, row.gpus))
        before = _shown(session, [row])[0].newest
        is_same = [each.gpus for each in before] == wanted and not any(each.posted or each.entered for each in before)
        if not is_same:
            attempt = max((each.attempt for each in before), default=0) + 1
            _give(house, session, row, attempt, wanted, now, denom)
        return _shown(session, [row])[0]

    check = house.ledger.transact(store)
    return Prepared(check, sdl_of(house, check))


def _is_open(row: SpotCheckRow) -> None:
    if row.state != OPEN:
        raise Conflict("This spot check is over: nothing more is taken for it.")


def _checked(per_container: int | None, gpus: int) -> int:
    wanted = gpus if per_container is None else per_container
    if not 1 <= wanted <= gpus:
        raise Refused(f"How many GPUs each container has is a number from 1 to {gpus}.", "per_container")
    if -(-gpus // wanted) > MOST_CONTAINERS:
        raise Refused(f"At most {MOST_CONTAINERS} containers fit into one lease.", "per_container")
    return wanted


def _give(
    house: House, session: Session, row: SpotCheckRow, attempt: int, wanted: Sequence[int], now: Moment, denom: str
) -> None:
    """A challenge for each container."""
    if attempt > MOST_ATTEMPTS:
        raise TooMany(f"{MOST_ATTEMPTS} attempts were made: use the challenges of the last one.")
    key = keys_of(house)[0]
    names = [challenges.spot_challenge(key, row.id, attempt, part) for part in range(len(wanted))]
    _store(house, session, row, attempt, dict(zip(names, wanted, strict=True)), now, denom)


def _store(
    house: House,
    session: Session,
    row: SpotCheckRow,
    attempt: int,
    given: Mapping[str, int],
    now: Moment,
    denom: str,
    *,
    is_shipped: bool = False,
) -> None:
    """Challenges with the GPUs of their containers; their hashes are those of the SDL that carries them all."""
    names, wanted, closes = list(given), list(given.values()), campaigns.required(house).task(row.task).closes
    hashes = list(check_sdl(_text(house, row.gpu_model, row.number, names, wanted, denom)).manifest_hashes)
    for part, (name, gpus) in enumerate(zip(names, wanted, strict=True)):
        values = {
            "id": name,
            "campaign": row.campaign,
            "participant": row.participant,
            "provider": row.provider,
            "gpu_model": row.gpu_model,
            "issued_ns": now,
            "expires_ns": max(closes, now + OPEN_FOR),
            "sdl_hashes": hashes,
            "spot_check": row.id,
            "attempt": attempt,
            "part": part,
            "gpus": gpus,
            "price_denom": denom,
            "is_shipped": is_shipped,
        }
        insert_once(session, BenchmarkChallengeRow, values)


def keep_shipped(house: House, participant: str, check_id: str, challenge: str) -> None:
    """Give a spot check the challenge that a demo brings with its result; again: nothing changes.

    Raises NotAllowed on a platform that others reach: there every challenge is our own. NotFound, Conflict when it
    is over.
    """
    if not house.settings.on_loopback:
        raise NotAllowed("Shipped challenges are for a demo on loopback.")
    denom = denom_now(house, campaigns.required(house))

    def store(session: Session) -> None:
        row = _row(house, session, participant, check_id)
        _is_open(row)
        _store(house, session, row, 1, {challenge: row.gpus}, house.clock.now(), denom, is_shipped=True)

    house.ledger.transact(store)


def sdl_of(house: House, check: SpotCheck) -> str:
    """The SDL of the newest attempt; empty before there is one."""
    newest = check.newest
    names, gpus = [each.challenge for each in newest], [each.gpus for each in newest]
    return _text(house, check.gpu_model, check.number, names, gpus, newest[0].denom) if newest else ""


def _text(house: House, model: str, number: int, names: Sequence[str], gpus: Sequence[int], denom: str) -> str:
    key = keys_of(house)[0]
    # a container can't reach a platform on this machine: it works alone then
    url = "" if house.settings.on_loopback else house.settings.public_url
    made = [
        Container(name, challenges.runner_token(key, name), count) for name, count in zip(names, gpus, strict=True)
    ]
    title = f"Spot check {number}: {sum(gpus)} GPUs of model {model} in one lease."
    return spot_sdl(made, url, model, title, denom)


def enter(house: House, participant: str, check_id: str, entered: Sequence[str]) -> SpotCheck:
    """Take results: texts of `result.json`, or https addresses at which the lease serves them; none at all confirms
    what the runners have posted. The claims that the check is about are looked at again.

    A challenge's result never changes. Raises NotFound, Conflict when it is over, Refused for what is no result.
    """
    check = shown(house, participant, check_id)
    _is_bounded(entered)
    texts = [_fetched(house, check, each) for each in entered if each.strip()]
    now, newest = house.clock.now(), campaigns.required(house).newest

    def store(session: Session) -> SpotCheck:
        row = _row(house, session, participant, check_id)
        _is_open(row)
        given = {challenge.id: (challenge, run) for challenge, run in challenges_of_checks(session, [row.id])[row.id]}
        taken = 0
        for text, by in texts:
            challenge, before = given[_challenge_in(text, given)]
            if before is None or before.observation is None:
                run = run_row(newest, challenge, result_in(text, challenge.id, challenge.gpus or 1), by, now)
                _confirm(house, session, challenge, session.merge(run))
            taken += 1
        for challenge, before in given.values():
            if not texts and before is not None and before.observation is None:
                _confirm(house, session, challenge, before)
                taken += 1
        if not taken:
            raise Refused("No runner has posted a result yet: enter the text of result.json.", "results")
        look_again(session, now, ClaimRow.id.in_(_claims_of(session, row)))
        session.flush()
        return _shown(session, [row])[0]

    return house.ledger.transact(store)


def _is_bounded(entered: Sequence[str]) -> None:
    """Each address may take its time to answer, and somebody waits for all of them."""
    addresses = sum(each.strip().lower().startswith("https://") for each in entered)
    if len(entered) > MOST_CONTAINERS or addresses > MOST_ADDRESSES:
        raise Refused(f"Enter at most {MOST_ADDRESSES} addresses and {MOST_CONTAINERS} results at once.", "results")


def _fetched(house: House, check: SpotCheck, entered: str) -> tuple[str, str]:
    """The text, and where it comes from."""
    text = entered.strip()
    if not text.lower().startswith("https://"):
        return text, "owner"
    if not check.given:
        raise Refused("Get the SDL first: its challenges are what a result answers.", "results")
    return fetched_text(house, check.given[0].challenge, text, check.gpus)[0], "lease"


def _challenge_in(text: str, given: Collection[str]) -> str:
    """Which of the check's challenges a text answers. Raises Refused."""
    try:
        name = json.loads(text)["challenge"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("This is no result: enter the whole text of result.json.", "results") from error
    if not isinstance(name, str) or name not in given:
        raise Refused("This result is for no challenge of this spot check: run the SDL of its page.", "results")
    return name


def _confirm(house: House, session: Session, challenge: BenchmarkChallengeRow, run: BenchmarkRunRow) -> None:
    record = record_of(house, challenge, run)
    store_observations(session, [record], VERIFIER)
    session.flush()
    run.observation = record.id
    for card in cards_in(Result.model_validate(run.result)):
        row = {"campaign": challenge.campaign, "card": card, "spot_check": challenge.spot_check or ""}
        insert_once(session, SpotCardRow, {**row, "received_ns": run.received_ns})


def cards_in(result: Result) -> list[str]:
    """The ids of the cards that answered, as their driver tells them; one without an id is like no other."""
    return sorted({facts.uuid for facts in result.gpus if facts is not None and facts.uuid})


@dataclass(frozen=True, slots=True)
class Commitment:
    """What was published before anything was drawn; `seed` once nothing of the task is to come any more."""

    commitment: str
    made: Moment
    seed: str | None


def commitment_of(house: House, task: str) -> Commitment | None:
    """The commitment of a task; None before there is one."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        row = session.get(SpotSeedRow, (loaded.slug, task))
        if row is None:
            return None
        is_told = is_told_in(session, loaded, task, house.clock.now())
        return Commitment(row.commitment, Moment(row.made_ns), row.seed if is_told else None)


def is_told_in(session: Session, loaded: Loaded, task: str, now: Moment) -> bool:
    """Whether a task's seed is told: it is closed, and none of its spot checks is drawn or open."""
    if now < loaded.task(task).closes:
        return False
    here = SpotCheckRow.campaign == loaded.slug, SpotCheckRow.task == task, SpotCheckRow.over_ns.is_(None)
    return session.scalars(select(SpotCheckRow.id).where(*here).limit(1)).first() is None
