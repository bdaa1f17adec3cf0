"""Reading the JSON that a program sends: into a pydantic model, with the field's name when it does not fit."""

from __future__ import annotations

import json
from typing import TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from services.errors import Refused, UseCaseError


class Body(BaseModel):
    """The base of all request bodies: exactly the named fields, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Read = TypeVar("Read", bound=BaseModel)


def read_body(model: type[Read]) -> Read:
    """The request's JSON object as `model`.

    Raises UnsupportedMediaType for another content type, UseCaseError (400) for text that is no JSON object, and
    Refused (422) that names the first field that does not fit.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        value = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise UseCaseError("The body is not JSON.") from error
    if not isinstance(value, dict):
        raise UseCaseError("The body must be one JSON object.")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _refused(error) from error


def _refused(error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_input=False)[0]
    field = str(first["loc"][0]) if first["loc"] else None
    text = first["msg"].removeprefix("Value error, ")
    return Refused(f"{field[:80]}: {text}." if field else f"{text}.", field=field[:80] if field else None)
