"""One payout for the staff: its rows, its signatures, its batches, and the acts that bring it further."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from services import (
    payout_export,
    payout_facts,
    payout_handing,
    payout_planning,
    payout_reconcile,
    payout_records,
    payout_signing,
)
from services.errors import NotFound, Unavailable, UseCaseError
from services.payout_export import Signers
from services.payout_views import PayoutView
from tasks.payout.lifecycle import ON_THE_WAY
from tasks.payout.sealing import Part
from web.asked import asked_page
from web.context import house
from web.payout_forms import ActForm, SignatureForm, SignedFilesForm
from web.payout_rights import READERS, SIGNERS, is_treasurer, part_to_sign
from web.payout_words import HandedSaid, batch_said, handed_said, payout_said
from web.security import current_person, limit_of, limiter, required_person, role_required
from web.signin_pages import WALLET_CHAIN_ID
from web.site import task_titles

blueprint = Blueprint("paying_payout", __name__)

PATH = "/organize/payouts/<int:number>"
MOST_UNPAID = 500
LONGEST_NAME = 64
_TYPES = {"json": "application/json", "csv": "text/csv", "txt": "text/plain"}


@blueprint.get(PATH)
@role_required(*READERS)
def payout_page(number: int) -> str:
    """The plan, who signed it, its batches, and what may be done next."""
    return _page(number)


@blueprint.get(f"{PATH}/proof.json")
@role_required(*SIGNERS)
def proof_file(number: int) -> Response:
    """What the command line signs to plan or approve: a transaction that no chain takes."""
    view, person = payout_records.payout(house(), number), required_person()
    part = part_to_sign(person, view)
    if part is None:
        raise NotFound("There is nothing for you to sign here now.")
    return _download(_pretty(view, part, person.address).encode(), "proof.json")


@blueprint.post(f"{PATH}/sign")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@role_required(*SIGNERS)
def sign(number: int) -> AnyResponse:
    """Take a signature that the command line made."""
    form = SignatureForm()
    try:
        payout_signing.sign_by_file(house(), number, form.proof.data or "")
    except UseCaseError as error:
        if error.field != "proof":
            return _with_trouble(number, error)
        form.proof.errors = [error.message]
        return make_response(_page(number, signature=form), error.status)
    flash("Signed.", "passed")
    return _back(number)


@blueprint.post(f"{PATH}/discard")
@role_required("treasurer")
def discard(number: int) -> AnyResponse:
    """Give up what was never exported."""
    return _act(number, "Discarded. What it held is owed again.", _discard)


@blueprint.post(f"{PATH}/again")
@role_required("treasurer")
def plan_again(number: int) -> AnyResponse:
    """Plan the rows of dead batches once more."""
    return _act(number, "Planned again. It needs all signatures anew.", _plan_again)


@blueprint.post(f"{PATH}/export")
@limiter.limit(limit_of("LOOK_UP_LIMIT"))
@role_required("treasurer")
def export(number: int) -> AnyResponse:
    """Freeze the approved batches as unsigned transactions."""
    return _act(number, "Exported. Download the files below and have them signed.", _export)


@blueprint.post(f"{PATH}/reconcile")
@limiter.limit(limit_of("LOOK_UP_LIMIT"))
@role_required("treasurer")
def reconcile(number: int) -> AnyResponse:
    """Look at the payout chain now."""
    return _act(number, "Looked at the payout chain just now.", _reconcile)


@blueprint.post(f"{PATH}/signed")
@limiter.limit(limit_of("LOOK_UP_LIMIT"))
@role_required("treasurer")
def hand_in(number: int) -> AnyResponse:
    """Check signed files of several batches; the good ones are stored with their hashes, nothing is sent."""
    form, view = SignedFilesForm(), payout_records.payout(house(), number)
    try:
        facts = payout_facts.payer_facts(house(), view.paying.payer)
        handed = payout_handing.hand_in(house(), required_person().address, number, form.contents(), facts)
    except UseCaseError as error:
        if error.field != "files":
            return _with_trouble(number, error)
        form.files.errors = [error.message]
        return make_response(_page(number, signed=form), error.status)
    is_whole = all(each.judged is not None and each.judged.is_stored for each in handed)
    return make_response(_page(number, handed=[handed_said(each) for each in handed]), 200 if is_whole else 422)


@blueprint.get(f"{PATH}/files/<name>")
@role_required(*READERS)
def download(number: int, name: str) -> Response:
    """An exported file: the same bytes at every download."""
    found = _transaction(number, name) or payout_export.files(house(), number, _signers()).get(name)
    if found is None:
        raise NotFound("There is no such file. The payout's page lists all of them.")
    return _download(found, name)


@blueprint.get(f"{PATH}/commands")
@role_required(*READERS)
def commands_page(number: int) -> str:
    """The exact commands by which the files are signed, joined, checked and sent."""
    view, signers = payout_records.payout(house(), number), _signers()
    text = payout_export.files(house(), number, signers)[f"payout-{number}-commands.txt"].decode()
    return render_template("paying/commands.html", view=view, signers=signers, text=text, longest=LONGEST_NAME)


def _page(
    number: int,
    trouble: UseCaseError | None = None,
    *,
    signature: SignatureForm | None = None,
    signed: SignedFilesForm | None = None,
    handed: Sequence[HandedSaid] = (),
) -> str:
    view, asked, person = payout_records.payout(house(), number), asked_page(), current_person()
    part = part_to_sign(person, view)
    return render_template(
        "paying/payout.html",
        view=view,
        said=payout_said(view),
        batch_said=batch_said,
        rows=payout_records.rows(house(), number, asked.page, asked.per_page),
        part=part,
        proof_json=_pretty(view, part, person.address) if part and person else "",
        to_sign=payout_signing.to_sign(view, part, person.address) if part and person else None,
        signature=signature or SignatureForm(None),
        signed=signed or SignedFilesForm(None),
        handed=handed,
        takes_files=any(batch.state in ON_THE_WAY for batch in view.current),
        act=ActForm(None),
        trouble=trouble.message if trouble else "",
        is_ours=isinstance(trouble, Unavailable),
        may_act=is_treasurer(person),
        titles=task_titles(),
        most=MOST_UNPAID,
        wallet_chain_id=WALLET_CHAIN_ID,
    )


def _act(number: int, words: str, do: Callable[[str, PayoutView], object]) -> AnyResponse:
    """Do one act as the signed-in person; what is in the way is said on the payout's page."""
    view = payout_records.payout(house(), number)
    try:
        do(required_person().address, view)
    except UseCaseError as error:
        return _with_trouble(number, error)
    flash(words, "passed")
    return _back(number)


def _discard(actor: str, view: PayoutView) -> None:
    payout_planning.discard(house(), actor, view.number)


def _plan_again(actor: str, view: PayoutView) -> None:
    payout_planning.plan_again(house(), actor, view.number)


def _export(actor: str, view: PayoutView) -> None:
    facts = payout_facts.payer_facts(house(), view.paying.payer)
    payout_export.export(house(), actor, view.number, facts)


def _reconcile(actor: str, view: PayoutView) -> None:
    payout_reconcile.look_at(house(), [batch.id for batch in view.current if batch.exported], actor=actor)


def _transaction(number: int, name: str) -> bytes | None:
    """The bytes of one exported batch; None for another file's name."""
    batch = name.removesuffix(".unsigned.json")
    for each in payout_records.payout(house(), number).batches:
        if each.name == batch and each.exported is not None and batch != name:
            with house().ledger.read() as session:
                return payout_records.exported_file(session, each.id)
    return None


def _with_trouble(number: int, error: UseCaseError) -> AnyResponse:
    return make_response(_page(number, error), error.status)


def _back(number: int) -> AnyResponse:
    return redirect(url_for("paying_payout.payout_page", number=number))


def _signers() -> Signers:
    """Names of keys for the commands, as the query gives them."""
    key = _name(request.args.get("key", ""))
    members = tuple(filter(None, map(_name, request.args.get("members", "").split(","))))
    devices = tuple(filter(None, map(_name, request.args.get("ledger", "").split(","))))
    usual = Signers()
    return Signers(key or usual.key, members or usual.members, devices)


def _name(text: str) -> str:
    """A key's name; one that would be read as an option or is no name is left out. Commands quote the rest."""
    name = text.strip()[:LONGEST_NAME]
    return name if name.isprintable() and not name.startswith("-") else ""


def _pretty(view: PayoutView, part: Part, address: str) -> str:
    return json.dumps(payout_signing.to_sign(view, part, address).unsigned_tx, indent=2)


def _download(content: bytes, name: str) -> Response:
    response = Response(content, mimetype=_TYPES.get(name.rpartition(".")[2], "application/octet-stream"))
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
