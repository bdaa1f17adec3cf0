"""The form of a claim, made from the fields that the task's kind asks for: a new kind needs no page of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.wrappers import Response
from wtforms import Field, SelectField, StringField, SubmitField, TextAreaField, URLField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its types

from services import registrations, task_board
from services.claims import submit
from services.entry_check import EntryReport, can_check, check_entry
from services.errors import Conflict, Refused, Unavailable
from services.task_board import TaskNow
from tasks.kinds import ClaimField
from verifiers.sdl.parse import MAX_BYTES
from verifiers.wallet.addresses import Address
from web.claim_views import check_title
from web.context import house
from web.security import limit_of, limiter, participant_only, required_person

blueprint = Blueprint("claim_form", __name__)

FILE_SUFFIX = "_file"


@blueprint.route("/tasks/<slug>/claim", methods=["GET", "POST"])
@participant_only
def claim_form_page(slug: str) -> str | Response | tuple[str, int]:
    """Enter a claim; a mistake is shown at its field and what was entered is kept. `?owner=…&dseq=…` fills in."""
    entry = task_board.one(house(), slug)
    participant = required_person().participant or Address("")
    form = form_for(entry.fields, registrations.addresses_of(house(), participant), entry.task.params)()
    if request.method == "GET":
        _fill_in(form, entry.fields)
        return _page(entry, form)
    try:
        made = submit(house(), participant, slug, entered(form, entry.fields))
    except (Refused, Conflict) as error:
        at_field = error.field in form
        if at_field:
            form[error.field].errors = [error.message]
        return _page(entry, form, "" if at_field else error.message), error.status
    words = (
        "We have it. The next round checks it; this page shows how." if made.is_new else "We had this one already."
    )
    flash(words, "passed")
    return redirect(url_for("evidence.claim_page", claim_id=made.claim))


@blueprint.post("/tasks/<slug>/claim/check")
@limiter.limit(limit_of("CHECK_LIMIT"))
@participant_only
def check_first(slug: str) -> str | tuple[str, int]:
    """Look at an entry as the official look would, and keep nothing; what was entered stays in the form."""
    entry = task_board.one(house(), slug)
    participant = required_person().participant or Address("")
    form = form_for(entry.fields, registrations.addresses_of(house(), participant), entry.task.params)()
    try:
        report = check_entry(house(), participant, slug, entered(form, entry.fields))
    except (Refused, Conflict, Unavailable) as error:
        at_field = error.field in form
        if at_field:
            form[error.field].errors = [error.message]
        return _page(entry, form, "" if at_field else error.message), error.status
    return _page(entry, form, report=report)


def form_for(fields: Sequence[ClaimField], addresses: Sequence[str], params: Mapping[str, object]) -> type[FlaskForm]:
    """A form class with these fields; addresses are chosen among the participant's own."""
    made: dict[str, Any] = {}
    for field in fields:
        made[field.name] = _field(field, addresses, params)
        if field.type == "sdl":
            made[field.name + FILE_SUFFIX] = FileField("Or choose its file", render_kw={"accept": ".yaml,.yml,.txt"})
    made["submit"] = SubmitField("Send")
    return type("ClaimForm", (FlaskForm,), made)


def entered(form: FlaskForm, fields: Sequence[ClaimField]) -> dict[str, str]:
    """What was filled in, by field; an SDL pasted, else from its file. Raises Refused for a file that is no SDL."""
    values = {}
    for field in fields:
        text = str(form[field.name].data or "")
        if field.type == "sdl" and not text.strip():
            text = _file_text(form, field.name)
        values[field.name] = text if field.type in {"sdl", "json"} else text.strip()
    return {name: text for name, text in values.items() if text}


def _field(field: ClaimField, addresses: Sequence[str], params: Mapping[str, object]) -> Any:
    label = field.label if field.required else f"{field.label} (optional)"
    if field.type == "address":
        return SelectField(
            label,
            choices=[SelectChoice(each, each) for each in addresses],
            validate_choice=False,
            description=field.help,
        )
    if field.type == "choice":
        blank = [] if field.required else [SelectChoice("", "not named")]
        named = [SelectChoice(choice, _title(choice, params)) for choice in field.choices]
        return SelectField(label, choices=[*blank, *named], validate_choice=False, description=field.help)
    if field.type in {"sdl", "json"}:
        looks = {"class": "mono", "rows": 14, "spellcheck": "false"}
        return TextAreaField(label, description=field.help, render_kw=looks)
    if field.type == "url":
        hosts = f"At {' or '.join(field.hosts)}." if field.hosts else ""
        return URLField(label, description=field.help or hosts)
    if field.type == "text" and "fields" in params:  # a text that the campaign asks for may be long
        return TextAreaField(label, description=field.help, render_kw={"rows": 6})
    looks = {"inputmode": "numeric"} if field.type == "number" else {}
    return StringField(label, description=field.help, render_kw={"autocomplete": "off", **looks})


def _title(choice: str, params: Mapping[str, object]) -> str:
    """The title of an app of the catalogue; other choices are shown as they are."""
    apps = params.get("apps")
    for app in apps if isinstance(apps, tuple) else ():
        if app.get("slug") == choice:
            return str(app.get("title") or choice)
    return choice


def _fill_in(form: FlaskForm, fields: Sequence[ClaimField]) -> None:
    for field in fields:
        given = request.args.get(field.name)
        if given is not None and field.type != "sdl":
            target: Field = form[field.name]
            target.data = given[:200]


def _file_text(form: FlaskForm, name: str) -> str:
    file = form[name + FILE_SUFFIX].data
    raw: bytes = file.read(MAX_BYTES + 1) if file else b""
    if len(raw) > MAX_BYTES:
        raise Refused(f"The file is larger than {MAX_BYTES // 1024} KiB: choose the SDL itself.", name)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("The file is no text: choose the SDL, a YAML file.", name) from error


def _page(entry: TaskNow, form: FlaskForm, trouble: str = "", report: EntryReport | None = None) -> str:
    return render_template(
        "claim_form.html",
        entry=entry,
        form=form,
        trouble=trouble,
        report=report,
        can_check=can_check(entry.task),
        check_title=check_title,
    )
