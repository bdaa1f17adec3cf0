"""Review signals: clusters, the evidence of each edge, an organizer's decision, the notice to those concerned."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import IntegerField, RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its types
from wtforms.validators import Optional
from wtforms.widgets import HiddenInput

from services import signal_appeals, signal_decisions, signals
from services.errors import Conflict, NotAllowed, Refused
from services.roles import Role
from services.signal_appeals import LOST, WON
from services.signal_decisions import Decided
from services.signals import Status
from web.context import house
from web.review_views import STAFF
from web.security import participant_only, required_person, role_required
from web.signal_views import QUESTIONS, SIGNALS, STATUSES, cluster_view, edge_view, traces_of

blueprint = Blueprint("signals", __name__)

MOST_SHOWN = 200


class DecideForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What an organizer decides about the chosen signs; these come as boxes named `edges`."""

    outcome = RadioField(
        "Decision",
        choices=[
            SelectChoice(str(Status.DISMISSED), "Dismiss: nothing is held against anybody"),
            SelectChoice(str(Status.WATCHED), "Keep watching: no effect, looked at again"),
            SelectChoice(
                str(Status.CONFIRMED), "Confirm: go on to a decision on eligibility, which is an act of its own"
            ),
        ],
        validate_choice=False,
    )
    reason = TextAreaField(
        "Reason",
        description="The participants concerned and the staff read it. Keep personal documents out of it.",
        render_kw={"rows": 4},
    )
    after = IntegerField(validators=[Optional()], widget=HiddenInput())


class SignalAppealForm(FlaskForm):  # type: ignore[misc]
    """Why a decision is wrong."""

    text = TextAreaField(
        "Why",
        description="What explains what was seen? An organizer reads this and answers with a reason.",
        render_kw={"rows": 6},
    )


class SignalRulingForm(FlaskForm):  # type: ignore[misc]
    """An organizer's answer to an appeal."""

    outcome = RadioField(
        "The appeal is",
        choices=[SelectChoice(WON, "won: the signs are dismissed"), SelectChoice(LOST, "not granted")],
        validate_choice=False,
    )
    reason = TextAreaField("Reason", description="The participant and the staff read it.", render_kw={"rows": 4})


# ---------------------------------------------------------------- staff


@blueprint.get("/organize/signals")
@role_required(*STAFF)
def overview_page() -> str:
    """Clusters, the most serious first; `?signal=` and `?status=` narrow them."""
    signal, status = _chosen("signal", SIGNALS), _chosen("status", STATUSES)
    found = signals.overview(house(), signal, status)
    return render_template(
        "organize/signals.html",
        clusters=[cluster_view(cluster) for cluster in found.clusters],
        weak=[edge_view(edge) for edge in found.weak[:MOST_SHOWN]],
        weak_count=len(found.weak),
        dismissed=[edge_view(edge) for edge in found.dismissed[:MOST_SHOWN]],
        asked=found.asked,
        appeals=sum(appeal.ruling is None for appeal in signal_appeals.listed(house())),
        signal=signal,
        status=status,
        titles=SIGNALS,
        statuses=STATUSES,
        questions=QUESTIONS,
    )


def _chosen(name: str, known: object) -> str:
    given = request.args.get(name, "")
    return given if isinstance(known, dict) and given in known else ""


@blueprint.get("/organize/signals/<address>")
@role_required(*STAFF)
def cluster_page(address: str) -> str | Response:
    """The cluster of a participant with all evidence, and the form to decide; a linked address leads to its own."""
    participant, _, _ = signals.cluster_of(house(), address)
    if participant != address:
        return redirect(url_for("signals.cluster_page", address=participant))
    return _cluster_page(address, DecideForm(), [])


@blueprint.post("/organize/signals/<address>")
@role_required(Role.ORGANIZER)
def decide(address: str) -> str | Response | tuple[str, int]:
    """Decide about the chosen signs of a participant's cluster; `confirmed` goes on to eligibility."""
    form, chosen = DecideForm(), request.form.getlist("edges")
    try:
        decided = Decided(chosen, form.outcome.data or "", form.reason.data or "", form.after.data)
        row, _ = signal_decisions.decide(house(), required_person().address, decided)
    except (Refused, Conflict, NotAllowed) as error:
        if error.field in form:
            form[error.field].errors = [error.message]
            return _cluster_page(address, form, chosen), error.status
        return _cluster_page(address, form, chosen, error.message), error.status
    if row.outcome == Status.CONFIRMED:
        flash("Confirmed. It has no effect yet: decide on eligibility for whom it concerns.", "passed")
        return redirect(url_for("organizing.eligibility_page", participant=_first(address, chosen), decision=row.id))
    flash("Decided. Those concerned read it on their page.", "passed")
    return redirect(url_for("signals.cluster_page", address=address))


def _first(address: str, chosen: list[str]) -> str:
    """Whom the organizer decides on first: the participant of this page where it concerns them."""
    _, cluster, others = signals.cluster_of(house(), address)
    edges = [edge for edge in (*(cluster.edges if cluster else ()), *others) if edge.id in chosen]
    people = sorted({name for edge in edges for name in (edge.one, edge.other)})
    return address if address in people or not people else people[0]


def _cluster_page(address: str, form: DecideForm, chosen: list[str], trouble: str = "") -> str:
    participant, cluster, others = signals.cluster_of(house(), address)
    view = cluster_view(cluster) if cluster else None
    person = required_person()
    apart = [edge_view(edge) for edge in others[:MOST_SHOWN]]
    edges = list(view.edges) if view else []
    if request.method == "GET":
        form.after.data = max((edge.decision for edge in (*edges, *apart)), default=0)
        chosen = [edge.id for edge in edges if edge.status == Status.OPEN] or [edge.id for edge in edges]
    return render_template(
        "organize/cluster.html",
        anchor=participant,
        cluster=view,
        leases=signals.leases_between(house(), view.participants) if view else [],
        others=apart,
        form=form,
        chosen=chosen,
        trouble=trouble,
        is_concerned=person.participant is not None
        and person.participant in {participant, *(view.participants if view else ())},
    )


@blueprint.get("/organize/signals/appeals")
@role_required(Role.ORGANIZER)
def appeals_page() -> str:
    """Appeals against decisions about signals, those that wait first."""
    return render_template("organize/signal_appeals.html", appeals=signal_appeals.listed(house()))


@blueprint.route("/organize/signals/appeals/<appeal_id>", methods=["GET", "POST"])
@role_required(Role.ORGANIZER)
def ruling_page(appeal_id: str) -> str | Response | tuple[str, int]:
    """One appeal beside the decision, and the organizer's answer."""
    appeal, form = signal_appeals.one(house(), appeal_id), SignalRulingForm()
    if request.method == "GET":
        return _ruling_page(appeal, form)
    try:
        signal_appeals.rule(
            house(), required_person().address, appeal_id, form.outcome.data or "", form.reason.data or ""
        )
    except (Refused, Conflict, NotAllowed) as error:
        if error.field in form:
            form[error.field].errors = [error.message]
            return _ruling_page(appeal, form), error.status
        return _ruling_page(appeal, form, error.message), error.status
    flash("Decided. The participant reads it on their page.", "passed")
    return redirect(url_for("signals.appeals_page"))


def _ruling_page(appeal: signal_appeals.SignalAppeal, form: SignalRulingForm, trouble: str = "") -> str:
    person = required_person()
    people = signal_decisions.people_of(appeal.edges)
    return render_template(
        "organize/signal_ruling.html",
        appeal=appeal,
        edges=[(SIGNALS[row.signal], row, traces_of(row)) for row in appeal.edges],
        statuses=STATUSES,
        form=form,
        trouble=trouble,
        is_concerned=person.participant in people,
    )


# ---------------------------------------------------------------- those concerned


@blueprint.get("/me/signals")
@participant_only
def notices_page() -> str:
    """Every decision about review signals that concerns the reader."""
    return _notices_page(SignalAppealForm(formdata=None))


@blueprint.post("/me/signals/<int:number>/appeal")
@participant_only
def appeal(number: int) -> str | Response | tuple[str, int]:
    """Appeal against one of these decisions."""
    form = SignalAppealForm()
    try:
        signal_appeals.make(house(), required_person().participant or "", number, form.text.data or "")
    except (Refused, Conflict) as error:
        if error.field in form:
            form[error.field].errors = [error.message]
            return _notices_page(form, number), error.status
        return _notices_page(form, number, error.message), error.status
    flash("We have your appeal. An organizer answers it with a reason.", "passed")
    return redirect(url_for("signals.notices_page"))


def _notices_page(form: SignalAppealForm, about: int = 0, trouble: str = "") -> str:
    participant = required_person().participant or ""
    found = signal_decisions.notices(house(), participant)
    untils = {each.decision.id: signal_appeals.until(house(), each.decision.id) for each in found}
    return render_template(
        "signals.html",
        notices=found,
        participant=participant,
        titles=SIGNALS,
        statuses=STATUSES,
        traces_of=traces_of,
        untils=untils,
        form=form,
        about=about,
        trouble=trouble,
    )
