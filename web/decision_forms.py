"""The forms by which people decide: a review, a reopening, an answer, an appeal, its ruling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import IntegerField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms.validators import Optional
from wtforms.widgets import CheckboxInput, ListWidget

from services.appeals import AWARD, LOST, RESULT, WON
from tasks.kinds import ClaimField
from tasks.parts import Task
from verifiers.entries import AskedField
from verifiers.reviewing import Act
from web.pages.claim_form import form_for

REASON_HELP = "The participant and everybody reads it with the result. Say what decided it."


class ReopenForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """Why a decided claim is opened again."""

    reason = TextAreaField("Why is it opened again", description=REASON_HELP, render_kw={"rows": 3})


class AppealForm(FlaskForm):  # type: ignore[misc]
    """What is contested and why."""

    about = RadioField(
        "What do you appeal against",
        validate_choice=False,
    )
    text = TextAreaField(
        "Why",
        description="What did we get wrong, and where can we see it? An organizer reads this and decides in public.",
        render_kw={"rows": 6},
    )

    def offer(self, contested: Sequence[str]) -> None:
        """Offer only what there is to contest; the first of it is chosen beforehand."""
        words = {RESULT: "The result: it does count", AWARD: "The award"}
        offered = list(contested) or [RESULT]
        self.about.choices = [SelectChoice(each, words[each]) for each in offered]
        if self.about.data is None:
            self.about.data = offered[0]


class RulingForm(FlaskForm):  # type: ignore[misc]
    """An organizer's decision on an appeal."""

    outcome = RadioField(
        "The appeal is",
        choices=[
            SelectChoice(WON, "won"),
            SelectChoice(LOST, "not granted: it stays as it is"),
        ],
        validate_choice=False,
    )
    reason = TextAreaField("Reason", description=REASON_HELP, render_kw={"rows": 4})
    waives = SelectMultipleField(
        "Failed checks that are set aside",
        description="Only where the appeal is won.",
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        validate_choice=False,
    )
    done_at = StringField(
        "When the work was done (UTC)",
        description="It counts with this time. Written like 2026-11-24T12:00:00Z.",
        render_kw={"autocomplete": "off"},
    )
    done_height = IntegerField(
        "At which block (optional)",
        validators=[Optional()],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )


def decision_form(to_decide: Sequence[AskedField]) -> type[FlaskForm]:
    """Accept, needs work or reject, a reason, and the fields that the reviewer decides."""
    made: dict[str, Any] = {
        "act": RadioField(
            "Decision",
            choices=[
                SelectChoice(str(Act.ACCEPT), "Accept"),
                SelectChoice(str(Act.NEEDS_WORK), "Ask for changes: the claim keeps its place meanwhile"),
                SelectChoice(str(Act.REJECT), "Reject"),
            ],
            validate_choice=False,
        )
    }
    for field in to_decide:
        made[f"decided_{field.name}"] = _decided(field)
    made["reason"] = TextAreaField("Reason", description=REASON_HELP, render_kw={"rows": 5})
    return type("DecisionForm", (FlaskForm,), made)


def _decided(field: AskedField) -> Any:
    note = "Needed to accept." if field.required else "Only where you accept."
    if field.type == "choice":
        choices = [SelectChoice("", "choose"), *(SelectChoice(choice, choice) for choice in field.choices)]
        return SelectField(field.label, choices=choices, validate_choice=False, description=note)
    looks = {"inputmode": "decimal"} if field.type == "number" else {}
    return StringField(field.label, description=note, render_kw={"autocomplete": "off", **looks})


def answer_form(fields: Sequence[ClaimField], task: Task) -> type[FlaskForm]:
    """The fields of the claim once more, and a note to the reviewer."""
    base = form_for(fields, (), task.params)  # made first: forms show fields in the order they were made in
    note = TextAreaField(
        "What did you change (optional)", description="Only the reviewers read this.", render_kw={"rows": 3}
    )
    return type("AnswerForm", (base,), {"note": note})
