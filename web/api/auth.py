"""Signing in, registering and linking addresses over the API (DESIGN section 5)."""

from __future__ import annotations

from typing import Literal, Self

from flask import Blueprint, Response, jsonify, request
from pydantic import Field, JsonValue, model_validator

from services import registrations, sessions, signin
from services.proofs import CommandLineProof, MemoProof, Proof, WalletProof
from services.registrations import Registration
from services.signin import Challenge
from tasks.moment import format_moment
from web import security
from web.bodies import Body, read_body
from web.context import house
from web.security import handshake, limit_of, limiter, public, required_person, signed_in

blueprint = Blueprint("api_auth", __name__, url_prefix="/api/v1")


class ChallengeBody(Body):
    """What `auth/challenge` takes."""

    address: str = Field(max_length=200)
    purpose: Literal["sign_in", "link"] = "sign_in"


class ProofBody(Body):
    """What `auth/verify` and `addresses/link` take: one of the three proofs for one challenge."""

    challenge_id: str = Field(max_length=100)
    pub_key: str | None = Field(None, max_length=200)
    signature: str | None = Field(None, max_length=200)
    signed_tx: str | dict[str, JsonValue] | None = None
    tx_hash: str | None = Field(None, max_length=100)

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        given = [
            self.pub_key is not None or self.signature is not None,
            self.signed_tx is not None,
            self.tx_hash is not None,
        ]
        if given.count(True) != 1 or (self.pub_key is None) != (self.signature is None):
            raise ValueError("send pub_key and signature, or signed_tx, or tx_hash")
        return self

    def proof(self) -> Proof:
        """The proof that was sent."""
        if self.signed_tx is not None:
            return CommandLineProof(self.signed_tx)
        if self.tx_hash is not None:
            return MemoProof(self.tx_hash)
        return WalletProof(self.pub_key or "", self.signature or "")


class RegistrationBody(Body):
    """What `registrations` takes."""

    campaign: str = Field(max_length=200)
    rules_digest: str = Field(max_length=200)
    display_name: str | None = Field(None, max_length=1000)
    contact: str | None = Field(None, max_length=1000)


def asks_no_chain() -> bool:
    """Whether the proof that is sent needs no look at a chain."""
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        return True
    return not (isinstance(body, dict) and body.get("tx_hash"))


@blueprint.post("/auth/challenge")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@handshake
def challenge() -> Response:
    """A text to sign, for the browser that holds the pre-login cookie set here."""
    body = read_body(ChallengeBody)
    token = security.browser_token() or sessions.new_token()
    person = security.current_person() if body.purpose == "link" else None
    response = kept_by_nobody(
        jsonify(challenge_document(signin.make_challenge(house(), body.address, body.purpose, token, person)))
    )
    security.set_browser_cookie(response, token)
    return response


@blueprint.post("/auth/verify")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@limiter.limit(limit_of("LOOK_UP_LIMIT"), exempt_when=asks_no_chain)
@handshake
def verify() -> Response:
    """Sign in: a new session cookie; what was signed in before in this browser ends."""
    body = read_body(ProofBody)
    done = signin.verify(house(), body.challenge_id, body.proof(), security.browser_token())
    sessions.end_session(house(), security.session_token())
    response = kept_by_nobody(
        jsonify(
            address=done.address,
            registered=done.registered,
            roles=list(done.roles),
            csrf_token=done.csrf_token,
        )
    )
    security.set_session_cookie(response, done.session_token)
    return response


@blueprint.post("/auth/logout")
@public
def logout() -> Response:
    """Sign out; without a session nothing happens."""
    sessions.end_session(house(), security.session_token())
    response = kept_by_nobody(jsonify(signed_in=False))
    security.clear_session_cookie(response)
    return response


@blueprint.post("/registrations")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@signed_in
def register() -> tuple[Response, int]:
    """Register the signed-in address: 201, and 200 with the same row again."""
    body = read_body(RegistrationBody)
    done = registrations.register(
        house(), required_person().address, body.campaign, body.rules_digest, body.display_name, body.contact
    )
    return kept_by_nobody(jsonify(_registration(done))), 201 if done.is_new else 200


@blueprint.post("/addresses/link")
@limiter.limit(limit_of("SIGN_IN_LIMIT"))
@limiter.limit(limit_of("LOOK_UP_LIMIT"), exempt_when=asks_no_chain)
@signed_in
def link() -> tuple[Response, int]:
    """Link an address to the signed-in participant: 201, and 200 where it was linked already."""
    body = read_body(ProofBody)
    done = registrations.link(
        house(), required_person().address, body.challenge_id, body.proof(), security.browser_token()
    )
    return kept_by_nobody(jsonify(address=done.address, linked_to=done.linked_to)), 201 if done.is_new else 200


def challenge_document(made: Challenge) -> dict[str, object]:
    """A text to sign, in each of its forms."""
    return {
        "challenge_id": made.challenge_id,
        "text": made.text,
        "unsigned_tx": made.unsigned_tx,
        "sign_chain_id": made.sign_chain_id,
        "memo": made.memo,
        "memo_chain_ids": list(made.memo_chain_ids),
        "expires_at": format_moment(made.expires_at),
    }


def _registration(done: Registration) -> dict[str, object]:
    point = done.point
    return {
        "campaign": done.campaign,
        "address": done.participant,
        "rules_digest": done.rules_digest,
        "received_at": format_moment(done.received_at),
        "known_block": {
            "chain_id": point.chain_id,
            "height": str(point.height),
            "time": format_moment(point.time),
        }
        if point
        else None,
    }


def kept_by_nobody(response: Response) -> Response:
    """An answer that is for the asker alone."""
    response.headers["Cache-Control"] = "no-store"
    return response
