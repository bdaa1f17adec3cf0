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
from services.campaigns import Loaded
from services.errors import Conflict, NotAllowed, NotFound, Refused, TooMany
from services.house import House
from services.provider_check import model_names
from tasks.campaign import Campaign
from tasks.moment import Moment, format_moment
from tasks.parts import Task
from verifiers.benchmark import challenge as challenges
from verifiers.benchmark.answers import Result, ResultRefused, canonical, decode_result
from verifiers.benchmark.challenge import Challenge
from verifiers.benchmark.gpus import named_gpu
from verifiers.benchmark.matrices import SIZES
from verifiers.benchmark.record import body_of, record_request
from verifiers.evidence import EnteredRun, Observation, Source
from verifiers.provider.gpu_models import plain_name
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
    key = _keys(house)[0]
    made = challenges.issue(key, loaded.slug, participant, where, now, expires)
    issued = _issued(house, made, task.slug, model)
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
    )
    if (session.scalar(statement) or 0) >= MOST_OPEN:
        raise TooMany(f"{MOST_OPEN} of your challenges are unused and still count: use one of those.")


def issued(house: House, participant: str, challenge_id: str) -> Issued:
    """A challenge of this participant once more, with its SDL. Raises NotFound."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        row = session.get(BenchmarkChallengeRow, challenge_id)
    if row is None or row.participant != participant or row.campaign != loaded.slug:
        raise NotFound("There is no such challenge of yours.")
    task = next((task.slug for task in loaded.newest.tasks if task.kind == KIND), "")
    return _issued(house, challenge_of(row), task, row.gpu_model)


def _issued(house: House, challenge: Challenge, task: str, gpu_model: str | None) -> Issued:
    token = challenges.runner_token(_keys(house)[0], challenge.id)
    # a container can't reach a platform on this machine: it works alone then
    url = "" if house.settings.on_loopback else house.settings.public_url
    sdl = challenges.sdl_text(challenge, token, url, gpu_model)
    here = house.settings.public_url.rstrip("/")
    run = f"python3 runner.py --challenge {challenge.id} --url {here} --token {token}"
    command = f"curl -fsSLO {here}/benchmarks/runner.py && {run}"
    return Issued(challenge, task, token, sdl, command)


def challenge_of(row: BenchmarkChallengeRow) -> Challenge:
    """The challenge that a row keeps."""
    issued_at, expires_at = Moment(row.issued_ns), Moment(row.expires_ns)
    return Challenge(row.id, row.campaign, row.participant, row.provider, issued_at, expires_at)


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
        seed = challenges.fresh_seed(_keys(house)[0], challenge_id, now)
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
        draw = challenges.fresh_draw(_keys(house)[0], challenge_id, root)
        mine = BenchmarkChallengeRow.id == challenge_id, BenchmarkChallengeRow.root.is_(None)
        values = {"root": root, "committed_ns": now, "draw": draw}
        session.execute(update(BenchmarkChallengeRow).where(*mine).values(**values))
        return draw

    return house.ledger.transact(store)


def deliver(house: House, challenge_id: str, token: str, text: str) -> None:
    """Take the result that a runner posts, once; its owner confirms it by entering the claim. Raises as `start`."""
    loaded, now = campaigns.required(house), house.clock.now()
    result = _result(text, challenge_id)

    def store(session: Session) -> None:
        row = _of_runner(house, session, challenge_id, token, now)
        if session.get(BenchmarkRunRow, challenge_id) is not None:
            raise Conflict("This challenge has a result already.")
        session.add(_run(loaded.newest, row, result, "runner", now))

    house.ledger.transact(store)


def _of_runner(house: House, session: Session, challenge_id: str, token: str, now: Moment) -> BenchmarkChallengeRow:
    row = session.get(BenchmarkChallengeRow, challenge_id)
    if row is None:
        raise NotFound("There is no such challenge.")
    if not challenges.is_runner(_keys(house), challenge_id, token):
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
    if row is None or row.campaign != loaded.slug or row.participant != participant:
        raise Refused("This is no challenge of yours: ask for one on the task's page.", "challenge")
    before = session.get(BenchmarkRunRow, entered.challenge)
    if before is not None and before.claim is not None:
        if before.claim != claim:
            raise Refused("This challenge was used for another task: ask for a new one.", "challenge")
        return
    if entered.result is not None:
        by = "lease" if entered.host else "owner"
        run = _run(loaded.newest, row, _result(entered.result, row.id), by, now)
        run = session.merge(run)
    elif before is not None:
        run = before
    else:
        raise Refused("The runner has not posted a result: enter the text of its result.json.", "result")
    record = _record(house, row, run)
    store_observations(session, [record], f"{KIND}/1")
    session.flush()
    run.claim, run.observation = claim, record.id


def _record(house: House, row: BenchmarkChallengeRow, run: BenchmarkRunRow) -> Observation:
    made = challenge_of(row)
    body = {
        "challenge": {
            "id": made.id,
            "campaign": made.campaign,
            "participant": made.participant,
            "provider": made.provider,
            "issued_at": format_moment(made.issued_at),
            "expires_at": format_moment(made.expires_at),
            "genuine": challenges.is_genuine(_keys(house), made),
            "shipped": row.is_shipped and house.settings.on_loopback,
            "sdl_hashes": row.sdl_hashes,
        },
        "measured": _measured(row),
        "received_at": format_moment(Moment(run.received_ns)),
        "delivered_by": run.delivered_by,
        "result": run.result,
    }
    return Observation(Source.ENTERED, record_request(row.id), body_of(body), "entered", Moment(run.received_ns))


def _measured(row: BenchmarkChallengeRow) -> dict[str, object] | None:
    if row.started_ns is None or row.committed_ns is None:
        return None
    return {
        "n": row.size,
        "seed": row.seed,
        "started_at": format_moment(Moment(row.started_ns)),
        "root": row.root,
        "committed_at": format_moment(Moment(row.committed_ns)),
        "draw": row.draw,
    }


def _run(
    campaign: Campaign, row: BenchmarkChallengeRow, result: Result, delivered_by: str, now: Moment
) -> BenchmarkRunRow:
    model, variant = NO_GPU, NO_GPU
    if result.gpu is not None:
        gpu = named_gpu(result.gpu.name, result.gpu.memory_bytes, model_names(campaign))
        model, variant = gpu.model or plain_name(gpu.name), gpu.variant
    return BenchmarkRunRow(
        challenge=row.id,
        campaign=row.campaign,
        participant=row.participant,
        claim=None,
        observation=None,
        delivered_by=delivered_by,
        received_ns=now,
        gpu_model=model,
        variant=variant,
        output_digest=result.output_digest,
        result=canonical(result),
    )


def _result(text: str, challenge_id: str) -> Result:
    try:
        result = decode_result(text)
    except ResultRefused as refusal:
        raise Refused(str(refusal), "result") from refusal
    if result.challenge != challenge_id:
        raise Refused(f"This result is for challenge {result.challenge}, not for {challenge_id}.", "result")
    return result


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


def _keys(house: House) -> tuple[bytes, ...]:
    return challenges.server_keys([key.get_secret_value() for key in house.settings.secret_keys])


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
