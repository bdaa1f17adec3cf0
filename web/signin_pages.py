"""The pages of signing in, registering and linking addresses: with a wallet, or without any script."""

from __future__ import annotations

import json

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, session, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, HiddenField, StringField, SubmitField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from services import registrations, sessions, signin
from services.errors import NotFound, Refused, SignInRefused, TooMany, Unavailable, UseCaseError
from services.proofs import CommandLineProof, MemoProof, Proof
from services.registrations import LONGEST_CONTACT, LONGEST_NAME, Registration
from services.signin import Challenge, Purpose
from web import security
from web.context import house
from web.security import current_person, limit_of, limiter, participant_only, public, required_person, signed_in
from web.site import surroundings

blueprint = Blueprint("signin", __name__)

WALLET_CHAIN_ID = "akashnet-2"
"""The chain that wallets know; it only picks the key and the prefix (wallet-and-payouts.md 1.4)."""


class AddressForm(FlaskForm):  # type: ignore[misc]
    """The address to prove."""

    address = StringField("Akash address", [DataRequired("Enter the address."), Length(max=200)])
    start = SubmitField("Continue")


class TransactionForm(FlaskForm):  # type: ignore[misc]
    """What the command line printed."""

    signed_tx = TextAreaField(
        "Content of signed.json", [DataRequired("Paste what the command wrote."), Length(max=65_536)]
    )
    send_tx = SubmitField("Check the signature")


class MemoForm(FlaskForm):  # type: ignore[misc]
    """The transaction that carries the memo."""

    tx_hash = StringField(
        "Transaction hash",
        [DataRequired("Paste the hash of the transaction."), Length(max=64, message="64 hex digits.")],
    )
    send_hash = SubmitField("Look it up")


class RegistrationForm(FlaskForm):  # type: ignore[misc]
    """Taking part."""

    rules_digest = HiddenField(validators=[Length(max=200)])
    display_name = StringField(
        "Display name (optional)",
        [Optional(), Length(max=LONGEST_NAME)],
        description="Shown on the leaderboard instead of your address.",
    )
    contact = StringField(
        "Contact (optional)",
        [Optional(), Length(max=LONGEST_CONTACT)],
        description="Seen by the organizers only, to reach you about rewards.",
    )
    accepted = BooleanField("I have read the rules and accept them", [DataRequired("Accept the rules to take part.")])
    register = SubmitField("Register")


class PersonalForm(FlaskForm):  # type: ignore[misc]
    """Changing what one told of oneself."""

    display_name = StringField("Display name", [Optional(), Length(max=LONGEST_NAME)])
    contact = StringField("Contact", [Optional(), Length(max=LONGEST_CONTACT)])
    save = SubmitField("Save")


@blueprint.get("/sign-in")
@public
def signin_page() -> AnyResponse:
    """How to sign in; whoever is signed in already goes on."""
    if current_person() is not None:
        return redirect(_next())
    return _signin_page(AddressForm(), 200)


@blueprint.post("/sign-in")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@public
def start() -> AnyResponse:
    """Make a text for the address entered, to be signed without a wallet in the browser."""
    form = AddressForm()
    if not form.validate_on_submit():
        return _signin_page(form, 422)
    return _start(form, Purpose.SIGN_IN) or _signin_page(form, 422)


@blueprint.get("/sign-in/<challenge_id>")
@public
def prove_page(challenge_id: str) -> AnyResponse:
    """What to sign with the command line, and where to paste the answer."""
    return _prove_page(_open(challenge_id), TransactionForm(), MemoForm(), 200)


@blueprint.get("/sign-in/<challenge_id>/proof.json")
@public
def proof_file(challenge_id: str) -> Response:
    """The transaction to sign, as a file."""
    response = make_response(_pretty(_open(challenge_id)) + "\n")
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = 'attachment; filename="proof.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/sign-in/<challenge_id>")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@limiter.limit(limit_of("LOOK_UP_LIMIT"), exempt_when=lambda: "tx_hash" not in request.form)
@public
def prove(challenge_id: str) -> AnyResponse:
    """Take the pasted proof: sign in with it, or link the address."""
    challenge = _open(challenge_id)
    by_hash = "tx_hash" in request.form
    transaction_form = TransactionForm(None if by_hash else request.form)
    memo_form = MemoForm(request.form if by_hash else None)
    form = memo_form if by_hash else transaction_form
    if not form.validate():
        return _prove_page(challenge, transaction_form, memo_form, 422)
    proof: Proof
    if by_hash:
        proof = MemoProof((memo_form.tx_hash.data or "").strip())
    else:
        proof = CommandLineProof(transaction_form.signed_tx.data or "")
    try:
        return _done(challenge, proof)
    except (SignInRefused, Unavailable, TooMany) as error:
        field = memo_form.tx_hash if by_hash else transaction_form.signed_tx
        field.errors = [*field.errors, error.message]
        if _still_open(challenge_id):
            return _prove_page(challenge, transaction_form, memo_form, error.status)
        flash(error.message, "failed")
        return redirect(url_for(".signin_page" if challenge.purpose is Purpose.SIGN_IN else ".account", next=_next()))


@blueprint.post("/sign-out")
@public
def signout() -> AnyResponse:
    """Sign out of this browser."""
    sessions.end_session(house(), security.session_token())
    session.clear()
    response = make_response(redirect(url_for("home.home_page")))
    security.clear_session_cookie(response)
    return response


@blueprint.post("/account/sign-out-everywhere")
@signed_in
def signout_everywhere() -> AnyResponse:
    """Sign the address out of every browser."""
    sessions.end_all_sessions(house(), required_person().address)
    session.clear()
    response = make_response(redirect(url_for(".signin_page")))
    security.clear_session_cookie(response)
    return response


@blueprint.get("/account")
@signed_in
def account() -> AnyResponse:
    """The signed-in person's registration and addresses."""
    return _account_page(200)


@blueprint.post("/account/register")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@signed_in
def register() -> AnyResponse:
    """Register for the campaign."""
    form = RegistrationForm()
    campaign = surroundings().campaign
    if campaign is None:
        raise NotFound("No campaign is loaded yet; there is nothing to register for.")
    if not form.validate_on_submit():
        return _account_page(422, registration_form=form)
    try:
        registrations.register(
            house(),
            required_person().address,
            campaign.slug,
            form.rules_digest.data or "",
            form.display_name.data,
            form.contact.data,
        )
    except UseCaseError as error:
        _show(form, error)
        return _account_page(error.status, registration_form=form)
    flash("You take part now.", "passed")
    return redirect(_next())


@blueprint.post("/account/personal")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@participant_only
def personal() -> AnyResponse:
    """Change name and contact; empty fields are erased."""
    form = PersonalForm()
    if not form.validate_on_submit():
        return _account_page(422, personal_form=form)
    try:
        registrations.change_personal(house(), required_person().address, form.display_name.data, form.contact.data)
    except Refused as error:
        _show(form, error)
        return _account_page(error.status, personal_form=form)
    flash("Saved.", "passed")
    return redirect(url_for(".account"))


@blueprint.post("/account/link")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@participant_only
def start_link() -> AnyResponse:
    """Make a text that links the address entered to the signed-in account."""
    form = AddressForm()
    if not form.validate_on_submit():
        return _account_page(422, link_form=form)
    return _start(form, Purpose.LINK) or _account_page(422, link_form=form)


def _start(form: AddressForm, purpose: Purpose) -> AnyResponse | None:
    """Go on to the page of a new challenge; None, with the reason in the form, where there is none."""
    token = security.browser_token() or sessions.new_token()
    try:
        made = signin.make_challenge(house(), form.address.data or "", purpose, token, current_person())
    except (Refused, TooMany) as error:
        form.address.errors = [*form.address.errors, error.message]
        return None
    response = make_response(redirect(url_for(".prove_page", challenge_id=made.challenge_id, next=_next())))
    security.set_browser_cookie(response, token)
    return response


def _done(challenge: Challenge, proof: Proof) -> AnyResponse:
    if challenge.purpose is Purpose.LINK:
        person = required_person()
        try:
            registrations.link(house(), person.address, challenge.challenge_id, proof, security.browser_token())
        except UseCaseError as error:
            if isinstance(error, (SignInRefused, Unavailable)):
                raise
            flash(error.message, "failed")
        else:
            flash(f"Linked {challenge.address} to your account.", "passed")
        return redirect(url_for(".account"))
    done = signin.verify(house(), challenge.challenge_id, proof, security.browser_token())
    sessions.end_session(house(), security.session_token())
    session.clear()
    response = make_response(redirect(_next() if done.registered else url_for(".account", next=_next())))
    security.set_session_cookie(response, done.session_token)
    return response


def _open(challenge_id: str) -> Challenge:
    return signin.open_challenge(house(), challenge_id, security.browser_token())


def _still_open(challenge_id: str) -> bool:
    try:
        _open(challenge_id)
    except NotFound:
        return False
    return True


def _next() -> str:
    return security.own_path(request.values.get("next"), url_for(".account"))


def _signin_page(form: AddressForm, status: int) -> AnyResponse:
    page = render_template("signin/sign_in.html", form=form, next_path=_next(), wallet_chain_id=WALLET_CHAIN_ID)
    return make_response(page, status)


def _prove_page(
    challenge: Challenge, transaction_form: TransactionForm, memo_form: MemoForm, status: int
) -> AnyResponse:
    page = render_template(
        "signin/prove.html",
        challenge=challenge,
        proof_json=_pretty(challenge),
        transaction_form=transaction_form,
        memo_form=memo_form,
        next_path=_next(),
        is_link=challenge.purpose is Purpose.LINK,
    )
    return make_response(page, status)


def _account_page(
    status: int,
    registration_form: RegistrationForm | None = None,
    personal_form: PersonalForm | None = None,
    link_form: AddressForm | None = None,
) -> AnyResponse:
    person, campaign = required_person(), surroundings().campaign
    registration: Registration | None = None
    if campaign is not None:
        registration = registrations.registration_of(house(), campaign.slug, person.address)
        if registration_form is None:
            digest = registrations.rules_digest_in_force(house(), campaign)
            registration_form = RegistrationForm(None, rules_digest=digest)
    told = registrations.personal_of(house(), person.address)
    page = render_template(
        "signin/account.html",
        campaign=campaign.newest if campaign else None,
        registration=registration,
        addresses=registrations.addresses_of(house(), person.address),
        registration_form=registration_form,
        personal_form=personal_form
        or PersonalForm(None, display_name=told.display_name or "", contact=told.contact or ""),
        link_form=link_form or AddressForm(None),
        next_path=_next(),
        wallet_chain_id=WALLET_CHAIN_ID,
    )
    return make_response(page, status)


def _show(form: FlaskForm, error: UseCaseError) -> None:
    """Put the reason beside the field that it concerns, else above the form."""
    field = form._fields.get(error.field or "")
    if field is None or isinstance(field, HiddenField):
        flash(error.message, "failed")
    else:
        field.errors = [*field.errors, error.message]


def _pretty(challenge: Challenge) -> str:
    return json.dumps(challenge.unsigned_tx, indent=2)
