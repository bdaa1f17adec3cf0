"""A spot check for its participant: what to lease, the SDL, where the results go."""

from __future__ import annotations

import json

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import IntegerField, SubmitField, TextAreaField

from services import spot_checks
from services.errors import Conflict, Refused, TooMany
from web.context import house
from web.security import limiter, participant_only, required_person

blueprint = Blueprint("spot_checks", __name__, url_prefix="/spot-checks")


class ContainersForm(FlaskForm):  # type: ignore[misc]  # untyped library
    """How the GPUs lie in the provider's machines."""

    per_container = IntegerField(
        "GPUs in each container",
        description="As many as your machines have: a container runs in one machine.",
        render_kw={"min": "1", "inputmode": "numeric"},
    )
    get_sdl = SubmitField("Get the SDL")


class ResultsForm(FlaskForm):  # type: ignore[misc]  # untyped library
    """What the containers answer."""

    results = TextAreaField(
        "Results",
        description="The text of each container's result.json, one behind the other, or their https addresses, one a "
        "line. Empty: we take what the runners have posted.",
        render_kw={"rows": "6", "spellcheck": "false"},
    )
    enter = SubmitField("Enter the results")


@blueprint.get("/<check_id>")
@participant_only
def spot_check_page(check_id: str) -> str:
    """What is asked, until when, and how it stands."""
    return _html(check_id, ContainersForm(formdata=None), ResultsForm(formdata=None))


@blueprint.post("/<check_id>/sdl")
@limiter.limit("30 per minute")
@participant_only
def prepare(check_id: str) -> AnyResponse | tuple[str, int]:
    """Give the SDL for containers of this size."""
    form = ContainersForm()
    try:
        spot_checks.prepare(house(), _participant(), check_id, form.per_container.data)
    except (Refused, Conflict, TooMany) as error:
        form.per_container.errors = [error.message]
        return _html(check_id, form, ResultsForm(formdata=None)), error.status
    return redirect(url_for("spot_checks.spot_check_page", check_id=check_id))


@blueprint.post("/<check_id>/results")
@limiter.limit("30 per minute")
@participant_only
def enter(check_id: str) -> AnyResponse | tuple[str, int]:
    """Take the results."""
    form = ResultsForm()
    try:
        spot_checks.enter(house(), _participant(), check_id, results_in(form.results.data or ""))
    except (Refused, Conflict) as error:
        form.results.errors = [error.message]
        return _html(check_id, ContainersForm(formdata=None), form), error.status
    return redirect(url_for("spot_checks.spot_check_page", check_id=check_id))


@blueprint.get("/<check_id>.yaml")
@participant_only
def spot_check_sdl(check_id: str) -> Response:
    """The SDL as a file."""
    check = spot_checks.shown(house(), _participant(), check_id)
    response = Response(spot_checks.sdl_of(house(), check), mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="spot-check-{check.number}.yaml"'
    return response


def results_in(text: str) -> list[str]:
    """Results that stand one behind the other, and addresses of which each has a line of its own."""
    found, rest, decoder = [], text.strip(), json.JSONDecoder()
    while rest:
        if rest.startswith(("{", "[")):
            try:
                end = decoder.raw_decode(rest)[1]
            except (ValueError, RecursionError):
                end = len(rest)
        else:
            end = len(rest.split("\n", 1)[0])
        found.append(rest[:end].strip())
        rest = rest[end:].strip().removeprefix(",").strip()
    return found


def _html(check_id: str, containers: ContainersForm, results: ResultsForm) -> str:
    check = spot_checks.shown(house(), _participant(), check_id)
    if request.method == "GET":
        containers.per_container.data = max((each.gpus for each in check.newest), default=check.gpus)
    return render_template(
        "benchmark/spot_check.html",
        check=check,
        sdl=spot_checks.sdl_of(house(), check),
        containers=containers,
        results=results,
    )


def _participant() -> str:
    return required_person().participant or ""
