"""My tasks: what we found, what each claim still needs, and the form that gives an SDL to a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.wrappers import Response
from wtforms import HiddenField, SelectField, TextAreaField
from wtforms.validators import Optional

from services.claims import candidates, submit
from services.errors import Conflict, Refused
from services.profiles import profile
from services.task_board import Phase, board
from verifiers.evidence import Candidate
from verifiers.sdl.parse import MAX_BYTES
from web.claim_views import claim_view
from web.context import house
from web.pages.tasks_pages import task_view
from web.security import participant_only, required_person, signed_in

blueprint = Blueprint("mine", __name__)

_ORDER = {"failed": 0, "pending": 1, "unknown": 2, "passed": 3}


class SdlForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """The SDL of one deployment, pasted or as a file."""

    task = HiddenField()
    owner = HiddenField()
    dseq = HiddenField()
    app = SelectField("App", validators=[Optional()], validate_choice=False)
    sdl = TextAreaField("SDL")
    file = FileField("or choose the file")

    def text(self) -> str:
        """What was given: the pasted text, else the file's. Raises Refused where there is neither, or not as text."""
        pasted = (self.sdl.data or "").strip()
        if pasted:
            return str(self.sdl.data)
        raw = self.file.data.read(MAX_BYTES + 1) if self.file.data else b""
        if not raw:
            raise Refused("Paste the SDL that you deployed, or choose its file.", "sdl")
        if len(raw) > MAX_BYTES:
            raise Refused(f"The file is larger than {MAX_BYTES // 1024} KiB: choose the SDL itself.", "sdl")
        try:
            return bytes(raw).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Refused("The file is no text: choose the SDL, a YAML file.", "sdl") from error


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A deployment that we found, with its form."""

    found: Candidate
    task_title: str
    form: SdlForm
    is_open: bool
    error: str = ""
    error_field: str = ""


@blueprint.get("/me")
@signed_in
def mine_page() -> str | Response:
    """The to-do list; somebody who is not registered is told how."""
    return _page()


@blueprint.post("/me/sdl")
@participant_only
def add_sdl() -> str | Response | tuple[str, int]:
    """Take the SDL of one deployment; a mistake is shown at its field and what was entered is kept."""
    form = SdlForm()
    participant = required_person().participant or ""
    entered = {"owner": form.owner.data or "", "dseq": form.dseq.data or "", "app": form.app.data or ""}
    try:
        entered["sdl"] = form.text()
        made = submit(
            house(), participant, form.task.data or "", {key: value for key, value in entered.items() if value}
        )
    except (Refused, Conflict) as error:
        page = _page(form, error.message, error.field or "sdl")
        return (page, error.status) if isinstance(page, str) else page
    flash("Thank you. Your SDL is taken; the next round compares it with the chain.", "passed")
    return redirect(url_for("evidence.claim_page", claim_id=made.claim))


def _page(sent: SdlForm | None = None, error: str = "", field: str = "") -> str | Response:
    person = required_person()
    tasks = board(house())
    if person.participant is None or not person.registered:
        return render_template("mine.html", registered=False, tasks=[task_view(each) for each in tasks])
    seen = profile(house(), person.participant)
    titles = {each.task.slug: each.task.title for each in tasks}
    found = [
        _candidate(each, titles, _apps(tasks, each.task), sent, error, field)
        for each in candidates(house(), person.participant)
    ]
    claims = sorted(
        (claim_view(each, seen.unit) for each in seen.claims), key=lambda each: _ORDER.get(each.outcome, 9)
    )
    return render_template(
        "mine.html",
        registered=True,
        profile=seen,
        candidates=found,
        claims=claims,
        stray_error=error if sent is not None and not any(each.error for each in found) else "",
        tasks=[task_view(each) for each in tasks if each.phase is Phase.OPEN],
    )


def _apps(tasks: Sequence[object], slug: str) -> list[tuple[str, str]]:
    for each in tasks:
        task = getattr(each, "task", None)
        if task is not None and task.slug == slug:
            apps = task.params.get("apps", ())
            return [(str(app["slug"]), str(app.get("title") or app["slug"])) for app in apps]
    return []


def _candidate(
    found: Candidate,
    titles: dict[str, str],
    apps: list[tuple[str, str]],
    sent: SdlForm | None,
    error: str,
    field: str,
) -> CandidateView:
    is_this = sent is not None and (sent.task.data, sent.owner.data, sent.dseq.data) == (
        found.task,
        found.owner,
        str(found.dseq),
    )
    form = sent if is_this and sent is not None else SdlForm(formdata=None)
    form.app.choices = [("", "the one its images name"), *apps]
    if not is_this:
        form.task.data, form.owner.data, form.dseq.data = found.task, found.owner, str(found.dseq)
    return CandidateView(
        found=found,
        task_title=titles.get(found.task, found.task),
        form=form,
        is_open=is_this or request.args.get("dseq") == str(found.dseq),
        error=error if is_this else "",
        error_field=field if is_this else "",
    )
