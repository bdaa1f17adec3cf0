"""Publishing results and making them final: what the act does, what stands in its way, and the act itself."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from ledger.results import FINAL, PROVISIONAL
from services import ending, results
from services.campaigns import required
from services.ending_checks import Before, before
from services.errors import Conflict, Refused
from services.roles import Role
from web.context import house
from web.security import required_person, role_required

blueprint = Blueprint("organizing_end", __name__)

MOST_CLAIMS = 200
"""More open claims than a page can ask about: then they are to be decided, or named by a program."""

REASON = "reason-"
FOR_THE_REST = "for_the_rest"
"""One reason for every open claim that has none of its own; each is kept with it by name."""


@blueprint.route("/organize/publish", methods=["GET", "POST"])
@role_required(Role.ORGANIZER)
def publish_page() -> str | Response | tuple[str, int]:
    """The provisional results of a task, or of all: every open claim is named with a reason, or decided first."""
    task = _task()
    if request.method == "GET":
        return _publish_page(task, {}, {})
    reasons = {
        name.removeprefix(REASON): value for name, value in request.form.items() if name.startswith(REASON) and value
    }
    found, rest = before(house(), PROVISIONAL, task), request.form.get(FOR_THE_REST, "").strip()
    if rest:
        own = {claim: reason for claim, reason in reasons.items() if reason.strip()}
        reasons = {each.claim: rest for each in found.claims} | own
    errors = {
        each.claim: "Write why it stays open, or decide it first."
        for each in found.claims
        if not reasons.get(each.claim, "").strip()
    }
    if found.tasks and errors:
        return _publish_page(task, reasons, errors), 422
    still_open = {each.claim for each in found.claims}
    try:
        excepted = {claim: reason for claim, reason in reasons.items() if claim in still_open}
        ended = ending.publish_results(house(), required_person().address, task, excepted)
    except (Refused, Conflict) as error:
        return _publish_page(task, reasons, {}, error.message), error.status
    flash(f"Published: {named(ended.tasks)}. Appeals run from now.", "passed")
    return redirect(url_for("organizing.results_page"))


@blueprint.route("/organize/finalize", methods=["GET", "POST"])
@role_required(Role.ORGANIZER)
def finalize_page() -> str | Response | tuple[str, int]:
    """The results of a task, or of all, become final: open appeals, the time that is left, and the act."""
    task = _task()
    if request.method == "GET":
        return _finalize_page(task)
    try:
        ended = ending.finalize(house(), required_person().address, task)
    except Conflict as error:
        return _finalize_page(task, error.message), error.status
    flash(f"Final: {named(ended.tasks)}. This can be paid now.", "passed")
    return redirect(url_for("organizing.results_page"))


def named(tasks: tuple[str, ...]) -> str:
    """The tasks in words; the empty slug stands for pools and bonuses."""
    return ", ".join(task or "pools and bonuses" for task in tasks)


def _task() -> str | None:
    return request.values.get("task") or None


def _publish_page(task: str | None, reasons: Mapping[str, str], errors: Mapping[str, str], trouble: str = "") -> str:
    found = before(house(), PROVISIONAL, task)
    return _page("organize/publish.html", task, found, trouble, reasons=reasons, errors=errors, most=MOST_CLAIMS)


def _finalize_page(task: str | None, trouble: str = "") -> str:
    return _page("organize/finalize.html", task, before(house(), FINAL, task), trouble)


def _page(template: str, task: str | None, found: Before, trouble: str, **values: object) -> str:
    loaded = required(house())
    stages = results.all_results(house())
    return render_template(
        template,
        task=task,
        found=found,
        trouble=trouble,
        form=FlaskForm(),
        titles={each.slug: each.title for each in loaded.newest.tasks},
        stages=stages.tasks if stages is not None else {},
        unit=loaded.newest.reward.unit,
        appeals=loaded.newest.appeals,
        **values,
    )
