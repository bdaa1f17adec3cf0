"""Benchmarks: the public data set, and how a participant runs one."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import StringField, SubmitField

from services import benchmark_beside, benchmark_data, benchmarks
from services.benchmark_data import PublicRun, VariantMedian
from services.campaigns import required
from services.errors import Conflict, NotFound, Refused, TooMany
from verifiers.benchmark.challenge import runner_source
from verifiers.benchmark.plausible import short
from web.asked import asked_page
from web.benchmark_views import NumbersView, numbers_view
from web.context import house
from web.security import participant_only, required_person

blueprint = Blueprint("benchmarks", __name__)

SHOWN_TESTS = ("hf_Bert", "hf_Bert_large", "resnet50")


class RunForm(FlaskForm):  # type: ignore[misc]  # untyped library
    """For which provider."""

    provider = StringField(
        "Provider's address",
        description="Where you lease the GPU: it begins with akash1.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    gpu_model = StringField(
        "GPU model (optional)",
        description="As providers write it, such as h100 or rtx4090; it goes into the SDL. Empty: any model.",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    submit = SubmitField("Get a challenge")


@blueprint.get("/benchmarks")
def benchmarks_page() -> str:
    """Medians of each variant with their spread, then the runs, then what each column means."""
    asked = asked_page()
    variant = request.args.get("variant", "")[:120]
    medians = benchmark_data.medians(house())
    variants = list(dict.fromkeys(each.variant for each in medians))
    shown = [each for each in medians if not variant or each.variant == variant]
    page = benchmark_data.page(house(), asked.page, asked.per_page)
    return render_template(
        "benchmark/data.html",
        variants=variants,
        variant=variant,
        medians=[(each, rates(each)) for each in shown],
        runs=page,
        tests=SHOWN_TESTS,
        rows=[(each, main_rates(each)) for each in page.items],
        dictionary=benchmark_data.DICTIONARY,
    )


def rates(each: VariantMedian) -> tuple[str, str, str]:
    """Median, least and most for a reader, in units a second."""
    median, least, most = (
        short(value // 1000) if value >= 1000 else "<1" for value in (each.median, each.least, each.most)
    )
    return median, least, most


def main_rates(run: PublicRun) -> dict[str, str]:
    """Samples a second of the three models that the 2023 data names; of several precisions the fastest."""
    found: dict[str, int] = {}
    for each in run.result.measurements:
        if each.name in SHOWN_TESTS:
            found[each.name] = max(found.get(each.name, 0), each.milli_per_second)
    return {name: f"{value / 1000:,.1f}" for name, value in found.items()}


@blueprint.app_template_global()
def benchmark_numbers(claim_id: str) -> NumbersView | None:
    """The numbers of a claim's run beside others, for whoever reviews it; None where the claim has no run."""
    beside = benchmark_beside.numbers_beside(house(), claim_id)
    return numbers_view(beside) if beside is not None else None


@blueprint.get("/benchmarks/runner.py")
def runner() -> Response:
    """The runner's text, the same that the SDL carries packed."""
    response = Response(runner_source(), mimetype="text/plain")
    response.headers["Content-Disposition"] = 'inline; filename="runner.py"'
    return response


@blueprint.route("/benchmarks/run", methods=["GET", "POST"])
@participant_only
def run_page() -> str | AnyResponse | tuple[str, int]:
    """Ask for a challenge; those asked for before, with what came of each."""
    form, participant = RunForm(), required_person().participant or ""
    if request.method == "GET":
        form.provider.data = request.args.get("provider", "")[:200]
        return _run_html(form, participant)
    try:
        made = benchmarks.issue(house(), participant, form.provider.data or "", form.gpu_model.data)
    except (Refused, Conflict, TooMany) as error:
        at_field = error.field in form
        if at_field:
            form[error.field].errors = [error.message]
        return _run_html(form, participant, "" if at_field else error.message), error.status
    return redirect(url_for("benchmarks.challenge_page", challenge_id=made.challenge.id))


def _run_html(form: RunForm, participant: str, trouble: str = "") -> str:
    campaign = required(house()).newest
    task = next((each for each in campaign.tasks if each.kind == benchmarks.KIND), None)
    if task is None:
        raise NotFound("This campaign has no benchmark task.")
    mine = benchmarks.own(house(), participant)
    return render_template("benchmark/run.html", form=form, task=task, mine=mine, trouble=trouble)


@blueprint.get("/benchmarks/run/<challenge_id>")
@participant_only
def challenge_page(challenge_id: str) -> str:
    """One challenge: the SDL and the command to copy, and where to enter the result."""
    participant = required_person().participant or ""
    issued = benchmarks.issued(house(), participant, challenge_id)
    own = next((each for each in benchmarks.own(house(), participant, 200) if each.id == challenge_id), None)
    return render_template("benchmark/challenge.html", issued=issued, state=own)


@blueprint.get("/benchmarks/run/<challenge_id>.yaml")
@participant_only
def challenge_sdl(challenge_id: str) -> Response:
    """The SDL as a file."""
    issued = benchmarks.issued(house(), required_person().participant or "", challenge_id)
    response = Response(issued.sdl, mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="benchmark-{challenge_id[:8]}.yaml"'
    return response
