"""Benchmarks: challenges for participants, the proof's two steps for runners, the data set for everybody."""

from __future__ import annotations

import hashlib
import json

from flask import Blueprint, Response, request

from services import benchmark_data, benchmarks
from services.benchmark_data import PublicRun, VariantMedian
from services.paging import paged
from tasks.moment import format_moment
from web.api import benchmark_models as models
from web.api.described import Description, answered, described, listed
from web.api.models import Listed
from web.asked import asked_page
from web.bodies import read_body
from web.context import house
from web.security import limiter, participant_only, public, required_person

blueprint = Blueprint("api_benchmarks", __name__, url_prefix="/api/v1")

PAGING = ("page", "per_page")
RUNNER_LIMIT = "60 per minute"


@blueprint.post("/benchmarks/challenge")
@limiter.limit("30 per minute")
@participant_only
@described(
    Description(
        "Ask for a challenge for a run on a provider",
        {201: models.ChallengeAnswer},
        body=models.ChallengeBody,
        refusals=(403, 404, 409, 422, 429),
        needs_session=True,
    )
)
def challenge() -> Response:
    """201 with the challenge and the SDL that carries it."""
    body = read_body(models.ChallengeBody)
    made = benchmarks.issue(house(), required_person().participant or "", body.provider, body.gpu_model)
    return answered(
        models.ChallengeAnswer(
            challenge=made.challenge.id,
            task=made.task,
            provider=made.challenge.provider,
            expires_at=format_moment(made.challenge.expires_at),
            token=made.token,
            sdl=made.sdl,
            command=made.command,
        ),
        201,
    )


@blueprint.post("/benchmarks/<challenge_id>/start")
@limiter.limit(RUNNER_LIMIT)
@public
@described(
    Description(
        "For the runner: the seed, and the clock begins",
        {200: models.SeedAnswer},
        body=models.StartBody,
        refusals=(403, 404, 409, 422),
    )
)
def start(challenge_id: str) -> Response:
    """Again before the commitment: a new seed."""
    body = read_body(models.StartBody)
    return answered(models.SeedAnswer(seed=benchmarks.start(house(), challenge_id, body.token, body.n)))


@blueprint.post("/benchmarks/<challenge_id>/commit")
@limiter.limit(RUNNER_LIMIT)
@public
@described(
    Description(
        "For the runner: the commitment, and the draw",
        {200: models.DrawAnswer},
        body=models.CommitBody,
        refusals=(403, 404, 409, 422),
    )
)
def commit(challenge_id: str) -> Response:
    """Once."""
    body = read_body(models.CommitBody)
    return answered(models.DrawAnswer(draw=benchmarks.commit(house(), challenge_id, body.token, body.root)))


@blueprint.post("/benchmarks/<challenge_id>/result")
@limiter.limit(RUNNER_LIMIT)
@public
@described(
    Description(
        "For the runner: the result, which its owner then confirms",
        {202: models.DeliveredAnswer},
        body=models.ResultBody,
        refusals=(403, 404, 409, 422),
    )
)
def result(challenge_id: str) -> Response:
    """Once."""
    body = read_body(models.ResultBody)
    benchmarks.deliver(house(), challenge_id, body.token, json.dumps(body.result))
    return answered(models.DeliveredAnswer(challenge=challenge_id), 202)


@blueprint.get("/benchmarks")
@public
@described(
    Description(
        "Accepted runs with their provenance, oldest first", {200: Listed[models.BenchmarkAnswer]}, query=PAGING
    )
)
def runs() -> Response:
    """The public data set."""
    asked = asked_page()
    page = benchmark_data.page(house(), asked.page, asked.per_page)
    return listed(page, [_run(each) for each in page.items], models.BenchmarkAnswer)


def _run(run: PublicRun) -> models.BenchmarkAnswer:
    return models.BenchmarkAnswer.model_validate({**run.provenance(), "measurements": run.measurements()})


@blueprint.get("/benchmarks/medians")
@public
@described(Description("Medians of each variant and test", {200: Listed[models.MedianAnswer]}, query=PAGING))
def medians() -> Response:
    """Variants of a model are never put together."""
    asked = asked_page()
    page = paged(benchmark_data.medians(house()), asked.page, asked.per_page)
    return listed(page, [_median(each) for each in page.items], models.MedianAnswer)


def _median(each: VariantMedian) -> models.MedianAnswer:
    return models.MedianAnswer(
        gpu_model=each.gpu_model,
        variant=each.variant,
        test=each.test,
        precision=each.precision,
        size=each.size,
        unit=each.unit,
        runs=each.runs,
        median=benchmark_data.decimal(each.median),
        least=benchmark_data.decimal(each.least),
        most=benchmark_data.decimal(each.most),
        spread_permille=each.spread_permille,
    )


@blueprint.get("/benchmarks.csv")
@public
def runs_csv() -> Response:
    """The whole data set as CSV, one line for each test of each run."""
    response = Response(benchmark_data.csv_text(house()), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="benchmarks.csv"'
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.make_conditional(request)
    return response
