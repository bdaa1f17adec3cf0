"""How a view of the API says what it takes and answers; reads carry an ETag."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from flask import Response, request
from pydantic import BaseModel

from services.paging import Page
from web.api.models import Listed

Item = TypeVar("Item")
ItemAnswer = TypeVar("ItemAnswer", bound=BaseModel)
View = TypeVar("View", bound=Callable[..., object])

_DESCRIPTION = "waymark_description"


@dataclass(frozen=True, slots=True)
class Description:
    """One operation of the API. `answers`: the model of each good status; `query`: names of its parameters."""

    summary: str
    answers: dict[int, type[BaseModel]]
    query: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    refusals: tuple[int, ...] = ()
    needs_session: bool = False


def described(description: Description) -> Callable[[View], View]:
    """Attach the description that the OpenAPI document is made from."""

    def attach(view: View) -> View:
        setattr(view, _DESCRIPTION, description)
        return view

    return attach


def description_of(view: Callable[..., object]) -> Description | None:
    """What a view says of itself."""
    found = getattr(view, _DESCRIPTION, None)
    return found if isinstance(found, Description) else None


def answered(model: BaseModel, status: int = 200) -> Response:
    """The answer as JSON; a read one carries an ETag and becomes 304 where the caller has it already."""
    response = Response(model.model_dump_json(), status=status, mimetype="application/json")
    if request.method in {"GET", "HEAD"} and status == 200:
        response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
        response.make_conditional(request)
    return response


def listed(page: Page[Item], items: Iterable[ItemAnswer], of: type[ItemAnswer]) -> Response:
    """One page of a list, `{items, page, per_page, total}`."""
    model = Listed[of]  # type: ignore[valid-type]  # the item's model is known at run time only
    return answered(model(items=list(items), page=page.page, per_page=page.per_page, total=page.total))
