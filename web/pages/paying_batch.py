"""One batch for the staff: its signed files, sending one, and a person's word on what a transaction paid."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from services import payout_broadcast, payout_facts, payout_questions, payout_reconcile, payout_records
from services.errors import Refused, Unavailable, UseCaseError
from services.payout_checking import Judged, check_signed
from tasks.payout.lifecycle import ON_THE_WAY, BatchState
from web.context import house
from web.payout_forms import LookForm, SendForm, SignedForm, WordForm
from web.payout_rights import READERS, is_treasurer
from web.payout_words import batch_said, finding_said, is_ours
from web.security import current_person, limit_of, limiter, required_person, role_required

blueprint = Blueprint("paying_batch", __name__)

PATH = "/organize/batches/<name>"


@blueprint.get(PATH)
@role_required(*READERS)
def batch_page(name: str) -> str:
    """What the batch pays, the files that were signed, and what became of them."""
    return _page(name)


@blueprint.post(f"{PATH}/signed")
@limiter.limit(limit_of("LOOK_UP_LIMIT"))
@role_required("treasurer")
def hand_in(name: str) -> AnyResponse:
    """Check a signed file; a good one is stored with its hash, before anybody sends it."""
    form = SignedForm()
    batch = payout_records.batch(house(), name)
    payer = payout_records.payout(house(), batch.payout).paying.payer
    try:
        content = form.content()
        judged = check_signed(
            house(), required_person().address, name, content, payout_facts.payer_facts(house(), payer)
        )
    except UseCaseError as error:
        if error.field in form:
            form[error.field].errors = [error.message]
            return make_response(_page(name, signed=form), error.status)
        return make_response(_page(name, trouble=error, signed=form), error.status)
    if not judged.is_stored:
        return make_response(_page(name, judged=judged, signed=form), 422)
    flash("The file is good and stored. Send it from this page, or by the command line.", "passed")
    return make_response(_page(name, judged=judged), 200) if judged.checked.findings else _back(name)


@blueprint.post(f"{PATH}/broadcast")
@limiter.limit(limit_of("LOOK_UP_LIMIT"))
@role_required("treasurer")
def broadcast(name: str) -> AnyResponse:
    """Send a stored file through the configured node, once a person said that it was looked at."""
    form, batch = SendForm(), payout_records.batch(house(), name)
    try:
        if form.hash.data not in {file.hash for file in batch.signed}:
            raise Refused("This file is not stored for this batch. Hand it in first.")
        if not form.sure.data:
            raise Refused("Say that you have looked at it: tick the box, then send.", "sure")
        sent = payout_broadcast.broadcast(house(), required_person().address, form.hash.data or "")
    except UseCaseError as error:
        return make_response(_page(name, trouble=error), error.status)
    flash(sent.text, "passed" if sent.is_taken else "failed")
    return _back(name)


@blueprint.post(f"{PATH}/reconcile")
@limiter.limit(limit_of("LOOK_UP_LIMIT"))
@role_required("treasurer")
def reconcile(name: str) -> AnyResponse:
    """Look for this batch on the payout chain now, or for a transaction that somebody names."""
    form, batch, actor = LookForm(), payout_records.batch(house(), name), required_person().address
    try:
        if form.hash.data:
            payout_reconcile.look_for(house(), [batch.id], form.transaction(), actor=actor)
        else:
            payout_reconcile.look_at(house(), [batch.id], actor=actor)
    except UseCaseError as error:
        if error.field in form:
            form[error.field].errors = [error.message]
            return make_response(_page(name, look=form), error.status)
        return make_response(_page(name, trouble=error, look=form), error.status)
    flash("Looked at the payout chain just now.", "passed")
    return _back(name)


@blueprint.post(f"{PATH}/word")
@role_required("treasurer")
def say(name: str) -> AnyResponse:
    """A person's word on a transaction that could not be told by itself."""
    form = WordForm()
    try:
        payout_questions.say(house(), required_person().address, name, form.act(), form.reason.data or "")
    except UseCaseError as error:
        if error.field in form:
            form[error.field].errors = [error.message]
            return make_response(_page(name, word=form), error.status)
        return make_response(_page(name, trouble=error, word=form), error.status)
    flash("Noted.", "passed")
    return _back(name)


def _page(
    name: str,
    *,
    trouble: UseCaseError | None = None,
    judged: Judged | None = None,
    signed: SignedForm | None = None,
    word: WordForm | None = None,
    look: LookForm | None = None,
) -> str:
    batch = payout_records.batch(house(), name)
    view = payout_records.payout(house(), batch.payout)
    return render_template(
        "paying/batch.html",
        batch=batch,
        view=view,
        said=batch_said(batch),
        looked_in_vain=batch.found is not None and is_ours(batch.found),
        findings=[finding_said(each) for each in judged.checked.findings] if judged else [],
        judged=judged,
        signed=signed or SignedForm(None),
        send=SendForm(None),
        word=word or WordForm(None),
        look=look or LookForm(None),
        trouble=trouble.message if trouble else "",
        is_ours=isinstance(trouble, Unavailable),
        may_act=is_treasurer(current_person()),
        takes_files=batch.state in ON_THE_WAY,
        may_send=batch.state in {BatchState.SIGNED, BatchState.BROADCAST},
        evidence=payout_questions.evidence(house(), name) if batch.state is BatchState.QUESTION else None,
        rows=payout_records.rows_of_batch(house(), name),
    )


def _back(name: str) -> AnyResponse:
    return redirect(url_for("paying_batch.batch_page", name=name))
