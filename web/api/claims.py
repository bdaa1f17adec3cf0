"""Participants, their claims, what they may see to, and the observations behind it all."""

from __future__ import annotations

import json

from flask import Blueprint, Response, url_for
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services import evidence_lookup, profiles
from services.claims import candidates, submit
from web.api import answers, models
from web.api.described import Description, answered, described
from web.bodies import read_body
from web.context import house
from web.security import limiter, participant_only, public, required_person

blueprint = Blueprint("api_claims", __name__, url_prefix="/api/v1")

SUBMIT_LIMIT = "120 per minute"


class ClaimBody(BaseModel):
    """What `claims` takes: the task and the fields that it asks for (`GET tasks/{slug}` names them)."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    __pydantic_extra__: dict[str, str | int | dict[str, JsonValue] | None] = Field(init=False)

    task: str = Field(max_length=200)

    @property
    def entered(self) -> dict[str, str]:
        """The fields as texts; absent and empty ones are left out."""
        given = (self.__pydantic_extra__ or {}).items()
        return {name: _text(value) for name, value in given if value is not None}


def _text(value: object) -> str:
    """A field as a text; a JSON object, such as a benchmark's result, as it was sent."""
    return json.dumps(value) if isinstance(value, dict) else str(value)


@blueprint.get("/participants/<address>")
@public
@described(Description("A participant with every claim", {200: models.ParticipantAnswer}, refusals=(404,)))
def participant(address: str) -> Response:
    """By any of the participant's addresses."""
    return answered(answers.participant(profiles.profile(house(), address)))


@blueprint.post("/claims")
@limiter.limit(SUBMIT_LIMIT)
@participant_only
@described(
    Description(
        "Enter a claim; the same subject again gives the existing one",
        {201: models.ClaimAnswer, 200: models.ClaimAnswer},
        body=ClaimBody,
        refusals=(403, 404, 409, 422),
        needs_session=True,
    )
)
def enter() -> Response:
    """201 with the new claim, 200 with the existing one."""
    body = read_body(ClaimBody)
    made = submit(house(), required_person().participant or "", body.task, body.entered)
    response = answered(answers.claim(profiles.claim(house(), made.claim)[0]), 201 if made.is_new else 200)
    response.headers["Location"] = url_for("api_claims.claim", claim_id=made.claim)
    return response


@blueprint.get("/claims/<claim_id>")
@public
@described(Description("One claim with its checks and awards", {200: models.ClaimAnswer}, refusals=(404,)))
def claim(claim_id: str) -> Response:
    """The same object as in `participants`."""
    return answered(answers.claim(profiles.claim(house(), claim_id)[0]))


@blueprint.get("/me/todo")
@participant_only
@described(
    Description("What we found and what is missing", {200: models.TodoAnswer}, refusals=(403,), needs_session=True)
)
def todo() -> Response:
    """Of the signed-in participant."""
    address = required_person().participant or ""
    return answered(answers.todo(candidates(house(), address), profiles.profile(house(), address).claims))


@blueprint.get("/observations/<observation_id>")
@public
@described(Description("One thing seen, its raw body in base64", {200: models.ObservationAnswer}, refusals=(404,)))
def observation(observation_id: str) -> Response:
    """A restricted one comes without its body."""
    return answered(answers.observation(evidence_lookup.observation(house(), observation_id)))
