"""Spot checks of claimed GPUs, for their participant: what is open, what to run, the results."""

from __future__ import annotations

import json
from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field, JsonValue

from services import spot_checks
from services.paging import paged
from services.spot_checks import SpotCheck
from tasks.moment import format_moment
from web.api.described import Description, answered, described, listed
from web.api.models import Address, Answer, Listed, Time
from web.asked import asked_page
from web.bodies import Body, read_body
from web.context import house
from web.security import limiter, participant_only, required_person

blueprint = Blueprint("api_spot_checks", __name__, url_prefix="/api/v1")


class ContainersBody(Body):
    """How many GPUs each container has; all in one where it is left out."""

    per_container: int | None = None


class ResultsBody(Body):
    """Results, or https addresses at which the lease serves them; none: those posted are confirmed."""

    results: Annotated[list[str | dict[str, JsonValue]], Field(max_length=64)]


class ContainerAnswer(Answer):
    """One container: `posted`: its runner's result waits for its owner, `entered`: it is taken."""

    challenge: str
    gpus: int
    posted: bool
    entered: bool


class SpotCheckAnswer(Answer):
    """A spot check. `until`: its end by the clock; time in which we could not see is added.

    `containers` of the newest attempt; `claims` are the ids of the claims that it is about.
    """

    id: str
    task: str
    provider: Address
    gpu_model: str
    number: int
    gpus: int
    opens_at: Time
    until: Time
    is_open: bool
    containers: list[ContainerAnswer]
    claims: list[str]


class PreparedAnswer(Answer):
    """What to run: lease it on the provider, all of it at once."""

    check: SpotCheckAnswer
    sdl: str


@blueprint.get("/spot-checks")
@participant_only
@described(
    Description(
        "Your spot checks that were opened, newest first",
        {200: Listed[SpotCheckAnswer]},
        query=("page", "per_page"),
        refusals=(403,),
        needs_session=True,
    )
)
def own() -> Response:
    """One that is still to come is told to nobody."""
    asked = asked_page()
    page = paged(spot_checks.own(house(), _participant()), asked.page, asked.per_page)
    return listed(page, [_answer(each) for each in page.items], SpotCheckAnswer)


@blueprint.post("/spot-checks/<check_id>/challenges")
@limiter.limit("30 per minute")
@participant_only
@described(
    Description(
        "Get the SDL that leases all claimed GPUs at once",
        {200: PreparedAnswer},
        body=ContainersBody,
        refusals=(403, 404, 409, 422, 429),
        needs_session=True,
    )
)
def prepare(check_id: str) -> Response:
    """The same until a result is in."""
    made = spot_checks.prepare(house(), _participant(), check_id, read_body(ContainersBody).per_container)
    return answered(PreparedAnswer(check=_answer(made.check), sdl=made.sdl))


@blueprint.post("/spot-checks/<check_id>/results")
@limiter.limit("30 per minute")
@participant_only
@described(
    Description(
        "Enter results of a spot check",
        {202: SpotCheckAnswer},
        body=ResultsBody,
        refusals=(403, 404, 409, 422),
        needs_session=True,
    )
)
def enter(check_id: str) -> Response:
    """The claims are looked at again."""
    entered = [each if isinstance(each, str) else json.dumps(each) for each in read_body(ResultsBody).results]
    return answered(_answer(spot_checks.enter(house(), _participant(), check_id, entered)), 202)


def _participant() -> str:
    return required_person().participant or ""


def _answer(check: SpotCheck) -> SpotCheckAnswer:
    return SpotCheckAnswer(
        id=check.id,
        task=check.task,
        provider=check.provider,
        gpu_model=check.gpu_model,
        number=check.number,
        gpus=check.gpus,
        opens_at=format_moment(check.opens),
        until=format_moment(check.until),
        is_open=check.is_open,
        containers=[
            ContainerAnswer(challenge=each.challenge, gpus=each.gpus, posted=each.posted, entered=each.entered)
            for each in check.newest
        ],
        claims=list(check.claims),
    )
