"""From a challenge and its result to what is kept of them: rows, and the observation that judges read."""

from __future__ import annotations

from ledger.benchmarks import BenchmarkChallengeRow, BenchmarkRunRow
from services.errors import Refused
from services.house import House
from services.provider_check import model_names
from tasks.campaign import Campaign
from tasks.moment import Moment, format_moment
from verifiers.benchmark import challenge as challenges
from verifiers.benchmark.answers import Result, ResultRefused, canonical, decode_result
from verifiers.benchmark.challenge import Challenge
from verifiers.benchmark.gpus import named_gpu
from verifiers.benchmark.record import body_of, record_request
from verifiers.evidence import Observation, Source
from verifiers.provider.gpu_models import plain_name

NO_GPU = "cpu"


def keys_of(house: House) -> tuple[bytes, ...]:
    """The platform's keys for challenges, the newest first."""
    return challenges.server_keys([key.get_secret_value() for key in house.settings.secret_keys])


def challenge_of(row: BenchmarkChallengeRow) -> Challenge:
    """The challenge that a row keeps."""
    issued_at, expires_at = Moment(row.issued_ns), Moment(row.expires_ns)
    return Challenge(row.id, row.campaign, row.participant, row.provider, issued_at, expires_at)


def result_in(text: str, challenge_id: str, gpus: int = 1) -> Result:
    """The result that a text is, of a container with so many GPUs. Raises Refused that names the field."""
    try:
        result = decode_result(text, gpus)
    except ResultRefused as refusal:
        raise Refused(str(refusal), "result") from refusal
    if result.challenge != challenge_id:
        raise Refused(f"This result is for challenge {result.challenge}, not for {challenge_id}.", "result")
    return result


def record_of(house: House, row: BenchmarkChallengeRow, run: BenchmarkRunRow) -> Observation:
    """The observation of a run as judges read it."""
    made = challenge_of(row)
    body = {
        "challenge": {
            "id": made.id,
            "campaign": made.campaign,
            "participant": made.participant,
            "provider": made.provider,
            "issued_at": format_moment(made.issued_at),
            "expires_at": format_moment(made.expires_at),
            "genuine": _is_genuine(house, row),
            "shipped": row.is_shipped and house.settings.on_loopback,
            "sdl_hashes": row.sdl_hashes,
            **({"spot_check": row.spot_check} if row.spot_check is not None else {}),
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


def run_row(
    campaign: Campaign, row: BenchmarkChallengeRow, result: Result, delivered_by: str, now: Moment
) -> BenchmarkRunRow:
    """The row of a result; nobody has confirmed it yet."""
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


def _is_genuine(house: House, row: BenchmarkChallengeRow) -> bool:
    keys = keys_of(house)
    if row.spot_check is None:
        return challenges.is_genuine(keys, challenge_of(row))
    return challenges.is_spot_challenge(keys, row.id, row.spot_check, row.attempt or 0, row.part or 0)
