"""Benchmark runs: challenges, the interactive proof, results that runners post and owners confirm."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ledger.benchmarks import BenchmarkChallengeRow, BenchmarkRunRow, challenges_of
from ledger.observations import store_observations
from ledger.people import RegistrationRow
from ledger.rows import insert_once
from services import campaigns
from services.benchmark_price import denom_now
from services.benchmark_records import challenge_of, keys_of, record_of, result_in, run_row
from services.campaigns import Loaded
from services.errors import Conflict, NotAllowed, NotFound, Refused, TooMany
from services.house import House
from tasks.moment import Moment, format_moment
from tasks.parts import Task
from verifiers.benchmark import challenge as challenges
from verifiers.benchmark.challenge import Challenge
from verifiers.benchmark.matrices import SIZES
from verifiers.evidence import EnteredRun
from verifiers.sdl import check as check_sdl
from verifiers.wallet.addresses import AddressError, parse_address

KIND = "benchmark_run"
MOST_OPEN = 20
NO_GPU = "cpu"


@dataclass(frozen=True, slots=True)
class Issued:
    """A challenge with what its owner needs to run it."""

    challenge: Challenge
    task: str
    token: str
    sdl: str
    command: str


def benchmark_task(loaded: Loaded, now: Moment) -> Task:
    """The benchmark task that is open now. Raises NotFound without one, Conflict where none is open."""
    tasks = [task for task in loaded.newest.tasks if task.kind == KIND]
    if not tasks:
        raise NotFound("This campaign has no benchmark task.")
    is_open = [task for task in tasks if task.opens <= now < task.closes]
    if not is_open:
        times = f"{format_moment(tasks[0].opens)} to {format_moment(tasks[0].closes)}"
        raise Conflict(f"{tasks[0].title} is open from {times} only.")
    return is_open[0]


def issue(house: House, participant: str, provider: str, gpu_model: str | None = None) -> Issued:
    """A challenge for a run on `provider`, with the SDL that carries it.

    Raises Refused for what is no address or model, Conflict outside the task's time, NotAllowed for somebody who is
    not registered, TooMany with twenty unused challenges that still count.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    task = benchmark_task(loaded, now)
    where, model = _checked_provider(provider), _checked_model(gpu_model)
    expires = Moment(now + _whole(task.params["expires_ns"]))
    key = keys_of(house)[0]
    made = challenges.issue(key, loaded.slug, participant, where, now, expires)
    denom = denom_now(house, loaded)
    issued = _issued(house, made, task.slug, model, denom)
    hashes = list(check_sdl(issued.sdl).manifest_hashes)

    def store(session: Session) -> None:
        _may_ask(session, loaded.slug, participant, now)
        if session.get(BenchmarkChallengeRow, made.id) is None:
            session.add(
                BenchmarkChallengeRow(
                    id=made.id,
                    campaign=made.campaign,
                    participant=participant,
                    provider=where,
                    gpu_model=model,
                    issued_ns=now,
                    expires_ns=expires,
                    sdl_hashes=hashes,
                    price_denom=denom,
                )
            )

    house.ledger.transact(store)
    return issued


def _may_ask(session: Session, campaign: str, participant: str, now: Moment) -> None:
    if session.get(RegistrationRow, (campaign, participant)) is None:
        raise NotAllowed("Register for the campaign first: it takes one signature and accepts the terms.")
    mine = BenchmarkChallengeRow.campaign == campaign, BenchmarkChallengeRow.participant == participant
    statement = (
        select(func.count())
        .select_from(BenchmarkChallengeRow)
        .join(BenchmarkRunRow, BenchmarkRunRow.challenge == BenchmarkChallengeRow.id, isouter=True)
        .where(*mine, BenchmarkChallengeRow.expires_ns > now, BenchmarkRunRow.challenge.is_(None))
        .where(BenchmarkChallengeRow.spot_check.is_(None))
    )
    if (session.scalar(statement) or 0) >= MOST_OPEN:
        raise TooMany(f"{MOST_OPEN} of your challenges are unused and still count: use one of those.")


def issued(house: House, participant: str, challenge_id: str) -> Issued:
    """A challenge of this participant once more, with its SDL. Raises NotFound."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        row = session.get(BenchmarkChallengeRow, challenge_id)
    if row is None or row.participant != participant or row.campaign != loaded.slug or row.spot_check is not None:
        raise NotFound("There is no such challenge of yours.")
    task = next((task.slug for task in loaded.newest.tasks if task.kind == KIND), "")
    return _issued(house, challenge_of(row), task, row.gpu_model, row.price_denom)


def _issued(house: House, challenge: Challenge, task: str, gpu_model: str | None, denom: str) -> Issued:
    token = challenges.runner_token(keys_of(house)[0], challenge.id)
    # a container can't reach a platform on this machine: it works alone then
    url = "" if house.settings.on_loopback else house.settings.public_url
    sdl = challenges.sdl_text(challenge, token, url, gpu_model, denom)
    here = house.settings.public_url.rstrip("/")
    run = f"python3 runner.py --challenge {challenge.id} --url {here} --token {token}"
    command = f"curl -fsSLO {here}/benchmarks/runner.py && {run}"
    return Issued(challenge, task, token, sdl, command)


def keep_shipped(house: House, shipped: Challenge) -> None:
    """Keep a challenge that a demo brings with its result; again: nothing changes.

    Raises NotAllowed on a platform that others reach: there every challenge is our own.
    """
    if not house.settings.on_loopback:
        raise NotAllowed("Shipped challenges are for a demo on loopback.")

    def store(session: Session) -> None:
        _may_ask(session, shipped.campaign, shipped.participant, house.clock.now())
        row = {
            "id": shipped.id,
            "campaign": shipped.campaign,
            "participant": shipped.participant,
            "provider": shipped.provider,
            "issued_ns": shipped.issued_at,
            "expires_ns": shipped.expires_at,
            "sdl_hashes": [],
            "is_shipped": True,
        }
        insert_once(session, BenchmarkChallengeRow, row)

    house.ledger.transact(store)


def start(house: House, challenge_id: str, token: str, n: int) -> str:
    """Begin the interactive proof: gives the seed and starts the clock. Again before the commitment: a new seed.

    Raises NotFound, NotAllowed for a wrong token, Conflict when it is too late, Refused for an order n not asked.
    """
    if n not in SIZES:
        raise Refused(f"n must be one of {', '.join(map(str, SIZES))}.", "n")
    now = house.clock.now()

    def store(session: Session) -> str:
        row = _of_runner(house, session, challenge_id, token, now)
        if row.root is not None:
            raise Conflict("This challenge has a commitment already.")
        seed = challenges.fresh_seed(keys_of(house)[0], challenge_id, now)
        values = {"size": n, "seed": seed, "started_ns": now}
        session.execute(
            update(BenchmarkChallengeRow).where(BenchmarkChallengeRow.id == challenge_id).values(**values)
        )
        return seed

    return house.ledger.transact(store)


def commit(house: House, challenge_id: str, token: str, root: str) -> str:
    """Take the commitment, once, and give the draw. The time since `start` is kept. Raises as `start` does."""
    if len(root) != 64 or set(root) - set("0123456789abcdef"):
        raise Refused("root must be 64 lower-case hex digits.", "root")
    now = house.clock.now()

    def store(session: Session) -> str:
        row = _of_runner(house, session, challenge_id, token, now)
        if row.started_ns is None:
            raise Conflict("Start first: the seed comes from there.")
        if row.root is not None:
            raise Conflict("This challenge has a commitment already.")
        draw = challenges.fresh_draw(keys_of(house)[0], challenge_id, root)
        mine = BenchmarkChallengeRow.id == challenge_id, BenchmarkChallengeRow.root.is_(None)
        values = {"root": root, "committed_ns": now, "draw": draw}
        session.execute(update(BenchmarkChallengeRow).where(*mine).values(**values))
        return draw

    return house.ledger.transact(store)


def deliver(house: House, challenge_id: str, token: str, text: str) -> None:
    """Take the result that a runner posts, once; its owner confirms it by entering the claim. Raises as `start`."""
    loaded, now = campaigns.required(house), house.clock.now()
    with house.ledger.read() as session:
        known = session.get(BenchmarkChallengeRow, challenge_id)
        result = result_in(text, challenge_id, known.gpus or 1 if known else 1)

    def store(session: Session) -> None:
        row = _of_runner(house, session, challenge_id, token, now)
        if session.get(BenchmarkRunRow, challenge_id) is not None:
            raise Conflict("This challenge has a result already.")
        session.add(run_row(loaded.newest, row, result, "runner", now))

    house.ledger.transact(store)


def _of_runner(house: House, session: Session, challenge_id: str, token: str, now: Moment) -> BenchmarkChallengeRow:
    row = session.get(BenchmarkChallengeRow, challenge_id)
    if row is None:
        raise NotFound("There is no such challenge.")
    if not challenges.is_runner(keys_of(house), challenge_id, token):
        raise NotAllowed("The token is not that of this challenge.")
    if now >= row.expires_ns:
        raise Conflict(f"This challenge ended at {format_moment(Moment(row.expires_ns))}: ask for a new one.")
    return row


def take_in(
    house: House, session: Session, loaded: Loaded, participant: str, entered: EnteredRun, claim: str, now: Moment
) -> None:
    """Keep what the owner entered for a claim, which stands in the ledger already; a claim's result never changes.

    The owner's own text takes the place of what a runner posted. Raises Refused that names the field.
    """
    row = session.get(BenchmarkChallengeRow, entered.challenge)
    if row is None or row.campaign != loaded.slug or row.participant != participant or row.spot_check is not None:
        raise Refused("This is no challenge of yours: ask for one on the task's page.", "challenge")
    before = session.get(BenchmarkRunRow, entered.challenge)
    if before is not None and before.claim is not None:
        if before.claim != claim:
            raise Refused("This challenge was used for another task: ask for a new one.", "challenge")
        return
    if entered.result is not None:
        by = "lease" if entered.host else "owner"
        run = run_row(loaded.newest, row, result_in(entered.result, row.id), by, now)
        run = session.merge(run)
    elif before is not None:
        run = before
    else:
        raise Refused("The runner has not posted a result: enter the text of its result.json.", "result")
    record = record_of(house, row, run)
    store_observations(session, [record], f"{KIND}/1")
    session.flush()
    run.claim, run.observation = claim, record.id


def _checked_provider(text: str) -> str:
    try:
        return parse_address(text)
    except AddressError as error:
        raise Refused(f"The provider: {error}.", "provider") from error


def _checked_model(text: str | None) -> str | None:
    model = (text or "").strip().lower()
    if not model:
        return None
    if len(model) > 40 or not all(character.isalnum() or character in "-_." for character in model):
        raise Refused("Write the GPU model as providers do, such as h100 or rtx4090.", "gpu_model")
    return model


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("a whole number was expected")
    return value


@dataclass(frozen=True, slots=True)
class Own:
    """A challenge of a participant and what came of it. `claim` None: not entered; `posted`: the runner's result is
    here and waits for its owner."""

    id: str
    provider: str
    issued_ns: int
    expires_ns: int
    is_over: bool
    posted: bool
    claim: str | None


def own(house: House, participant: str, most: int = 20) -> list[Own]:
    """The newest challenges of a participant, the newest first."""
    loaded, now = campaigns.required(house), house.clock.now()
    with house.ledger.read() as session:
        rows = challenges_of(session, loaded.slug, participant, most)
    return [
        Own(
            id=row.id,
            provider=row.provider,
            issued_ns=row.issued_ns,
            expires_ns=row.expires_ns,
            is_over=now >= row.expires_ns,
            posted=run is not None and run.claim is None,
            claim=run.claim if run else None,
        )
        for row, run in rows
    ]
