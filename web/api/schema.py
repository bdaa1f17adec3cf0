"""The OpenAPI document, made from the routes and the same models that read and answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Response, current_app, request
from pydantic import BaseModel, JsonValue
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from web.api import auth, models
from web.api.described import Description, description_of
from web.security import public

blueprint = Blueprint("api_schema", __name__, url_prefix="/api/v1")

PREFIX = "/api/v1"
REFERENCE = "#/components/schemas/{model}"
_QUERY = {
    "page": {"type": "integer", "minimum": 1, "default": 1},
    "per_page": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    "search": {"type": "string", "maxLength": 80},
    "state": {"type": "string", "enum": ["provisional", "final"], "default": "provisional"},
    "task": {"type": "string", "maxLength": 100},
}


class ChallengeAnswer(models.Answer):
    """A text to sign, and the same as a transaction for the command line."""

    challenge_id: str
    text: str
    unsigned_tx: dict[str, JsonValue]
    sign_chain_id: str
    memo: str
    memo_chain_ids: list[str]
    expires_at: models.Time


class SignedInAnswer(models.Answer):
    """Who is signed in; send `csrf_token` as X-CSRF-Token with unsafe calls."""

    address: models.Address
    registered: bool
    roles: list[str]
    csrf_token: str


class SignedOutAnswer(models.Answer):
    """Nobody is signed in."""

    signed_in: bool


class RegistrationAnswer(models.Answer):
    """A registration with the chain's newest block known then."""

    campaign: str
    address: models.Address
    rules_digest: str
    received_at: models.Time
    known_block: models.PointAnswer | None


class LinkedAnswer(models.Answer):
    """An address and the participant it belongs to."""

    address: models.Address
    linked_to: models.Address


_AUTH = {
    "api_auth.challenge": Description(
        "Ask for a text to sign", {200: ChallengeAnswer}, body=auth.ChallengeBody, refusals=(401, 422, 429)
    ),
    "api_auth.verify": Description(
        "Sign in with one of the three proofs", {200: SignedInAnswer}, body=auth.ProofBody, refusals=(401, 422, 429)
    ),
    "api_auth.logout": Description("Sign out", {200: SignedOutAnswer}),
    "api_auth.register": Description(
        "Register the signed-in address for the campaign",
        {201: RegistrationAnswer, 200: RegistrationAnswer},
        body=auth.RegistrationBody,
        refusals=(401, 404, 409, 422),
        needs_session=True,
    ),
    "api_auth.link": Description(
        "Link another address by its own proof",
        {201: LinkedAnswer, 200: LinkedAnswer},
        body=auth.ProofBody,
        refusals=(401, 403, 409, 422),
        needs_session=True,
    ),
}


@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    """This API, described for programs."""
    response = Response(json.dumps(document()), mimetype="application/json")
    response.add_etag()
    response.make_conditional(request)
    return response


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of the running application."""
    operations = list(_operations())
    used = {model for _, _, found in operations for model in _models_of(found)} | {models.Problem}
    ordered = sorted(used, key=lambda model: model.__name__)
    references, definitions = models_json_schema(
        [(model, "serialization") for model in ordered], ref_template=REFERENCE
    )
    paths: dict[str, Any] = {}
    for rule, method, found in operations:
        path = re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule.removeprefix(PREFIX))
        paths.setdefault(path, {})[method] = _operation(rule, found, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Waymark",
            "version": "1",
            "description": "Heights and chain amounts are decimal strings, micro amounts integers, times RFC 3339.",
        },
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": _session_cookie()}},
        },
    }


def _session_cookie() -> str:
    return str(current_app.extensions["waymark_cookies"].session)


def _operations() -> Iterable[tuple[Rule, str, Description]]:
    for rule in sorted(current_app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if not rule.rule.startswith(f"{PREFIX}/"):
            continue
        view: Callable[..., object] = current_app.view_functions[rule.endpoint]
        found = _AUTH.get(rule.endpoint) or description_of(view)
        if found is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method.lower(), found


def _models_of(found: Description) -> Iterable[type[BaseModel]]:
    yield from found.answers.values()
    if found.body is not None:
        yield found.body


def _operation(rule: Rule, found: Description, references: Any) -> dict[str, Any]:
    def content(model: type[BaseModel], kind: str = "application/json") -> dict[str, Any]:
        return {kind: {"schema": references[model, "serialization"]}}

    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in sorted(rule.arguments)
    ] + [{"name": name, "in": "query", "required": False, "schema": _QUERY[name]} for name in found.query]
    refusals = {*found.refusals, *((422,) if found.query else ()), *((401,) if found.needs_session else ())}
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": found.summary,
        "responses": {
            str(status): {"description": "done" if status < 300 else "refused", "content": content(model)}
            for status, model in found.answers.items()
        }
        | {
            str(status): {
                "description": "see `detail`",
                "content": content(models.Problem, "application/problem+json"),
            }
            for status in sorted(refusals)
        },
    }
    if parameters:
        operation["parameters"] = parameters
    if found.body is not None:
        operation["requestBody"] = {"required": True, "content": content(found.body)}
    if found.needs_session:
        operation["security"] = [{"session": []}]
    return operation
