"""An identity provider's list: what it would change, line by line, and then the act."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import FileField, TextAreaField

from services.eligibility_import import ImportPreview, ImportRefused, import_eligibility, preview_import
from services.errors import Refused
from services.roles import Role
from web.context import house
from web.security import required_person, role_required

blueprint = Blueprint("organizing_import", __name__)

MOST_ROWS = 500


class ImportForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """A list as a file or as text."""

    file = FileField("A CSV file", description="Taken whole or not at all; the same file again changes nothing.")
    text = TextAreaField(
        "Or its text",
        description="First line: address,eligibility,reason, and starts if you like. Then withheld, ineligible or "
        "eligible for each address. Keep personal documents out of the reasons.",
        render_kw={"rows": 8, "spellcheck": "false"},
    )


@blueprint.route("/organize/eligibility/import", methods=["GET", "POST"])
@role_required(Role.ORGANIZER)
def import_page() -> str | Response | tuple[str, int]:
    """First what the list would change; sent again with what was seen, it is taken."""
    form = ImportForm()
    if request.method == "GET":
        return _page(form, None)
    actor = required_person().address
    try:
        text = _text(form)
    except Refused as error:
        form.file.errors = [error.message]
        return _page(form, None), error.status
    form.text.data = text
    found = preview_import(house(), actor, text)
    seen = request.form.get("seen")
    if found.mistakes or not seen:
        return _page(form, found), 422 if found.mistakes else 200
    if seen != found.digest:
        trouble = "Somebody decided in between, or the text is another: look at what it would change now."
        return _page(form, found, trouble), 409
    try:
        done = import_eligibility(house(), actor, text)
    except ImportRefused as error:
        return _page(form, found, error.message), error.status
    flash(f"{done.added} entries were added, {done.unchanged} said what holds already.", "passed")
    return redirect(url_for("organizing.eligibility_page"))


def _text(form: ImportForm) -> str:
    """What was sent: the file, else the text. Raises Refused for a file that is no text."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return form.text.data or ""
    try:
        return str(sent.read(), "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("This file is no UTF-8 text: save it as CSV in UTF-8.", "file") from error


def _page(form: ImportForm, found: ImportPreview | None, trouble: str = "") -> str:
    return render_template(
        "organize/eligibility_import.html", form=form, found=found, trouble=trouble, most=MOST_ROWS
    )
