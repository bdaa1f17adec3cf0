"""Signatures over a plan: its planner's, then those of others, each fresh and by the person's own key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.payouts import PayoutApprovalRow
from ledger.people import AddressRow
from services import campaigns, proofs, signin
from services.errors import Conflict, NotAllowed, Refused
from services.house import House
from services.payout_moves import move, subject_of
from services.payout_planning import refuse_outdated
from services.payout_records import payout, payout_in
from services.payout_storing import written
from services.payout_views import PayoutView
from services.proofs import CommandLineProof, Expected, Proof
from services.roles import Role
from services.sessions import roles_of
from services.signin import About, Challenge, Purpose
from tasks.payout.lifecycle import Act, BatchState
from tasks.payout.sealing import Part, act_memo, act_sentence, act_subject
from verifiers.wallet.addresses import Address, AddressError, parse_address
from verifiers.wallet.transactions import LONGEST_TEXT, SIGN_CHAIN_ID, unsigned_transaction

ROLES = {Part.PLANNER: Role.TREASURER, Part.APPROVER: Role.APPROVER}
"""Which role each part takes."""

_AUDITED = {Part.PLANNER: "payout.sign_plan", Part.APPROVER: "payout.approve"}


@dataclass(frozen=True, slots=True)
class ToSign:
    """What a command line signs to take a part in a plan: it can't be sent, and serves this plan alone.

    `unsigned_tx` is None without an address: it pays 1uakt to the signer itself.
    """

    part: Part
    memo: str
    sign_chain_id: str
    unsigned_tx: dict[str, object] | None

    def document(self) -> dict[str, object]:
        """It as JSON."""
        return {
            "part": str(self.part),
            "memo": self.memo,
            "sign_chain_id": self.sign_chain_id,
            "unsigned_tx": self.unsigned_tx,
        }


def to_sign(view: PayoutView, part: Part, address: str | None = None) -> ToSign:
    """What the command line of `address` signs. Raises Refused for a text that is no address."""
    memo = _memo(view, part)
    transaction = unsigned_transaction(_checked(address), memo) if address is not None else None
    return ToSign(part, memo, SIGN_CHAIN_ID, transaction)


def sign_by_file(house: House, number: int, signed_tx: str | Mapping[str, object]) -> PayoutView:
    """Take a part in a plan by a file that the command line signed (one key, or k of n).

    Who signs, and as what, is read from the file. Raises Refused (field `proof`) where it is no signature over this
    plan as it is now, NotAllowed without the role or for a second signature of one person, Conflict where the plan
    waits for no signature.
    """
    view = payout(house, number)
    address, memo = _signer(signed_tx)
    part = next((part for part in Part if _memo(view, part) == memo), None)
    if part is None:
        raise Refused(
            f"The file's memo is not one of payout {number} as it is now. Sign the transaction that "
            f"`payout show {number} --as ADDRESS --json` gives under to_sign.",
            "proof",
        )
    expected = Expected(address, "", memo, view.drafted_at, house.clock.now())
    if not proofs.holds(expected, CommandLineProof(signed_tx), ()):
        raise Refused(
            f"The signature is not one of {address} over this transaction: sign it as it is, with --offline, "
            f"--account-number 0, --sequence 0 and --chain-id {SIGN_CHAIN_ID}.",
            "proof",
        )
    return _store(house, view, address, part, proofs.NAMES[CommandLineProof])


def make_challenge(house: House, address: str, number: int, part: Part, browser_token: str) -> Challenge:
    """The text by which `address` takes a part in a plan, for one browser, once and within five minutes.

    Raises NotAllowed where this address can't take it now, so that nobody signs for nothing; Conflict, NotFound.
    """
    slug = campaigns.required(house).slug
    with house.ledger.read() as session:
        view = payout_in(session, slug, number)
        _refuse(session, view, _checked(address), part)
    return signin.make_act_challenge(house, address, Purpose.PAYOUT, _about(view, part), browser_token)


def sign(
    house: House,
    address: str,
    number: int,
    part: Part,
    challenge_id: str,
    proof: Proof,
    browser_token: str | None,
) -> PayoutView:
    """Take a part in a plan by the proof that answers a challenge; `address` is who is signed in.

    Raises SignInRefused for every failure of the proof (a plan that changed since is one), Unavailable, and as
    `make_challenge`.
    """
    view = payout(house, number)
    expected = signin.prove(
        house,
        challenge_id,
        proof,
        browser_token,
        Purpose.PAYOUT,
        linked_to=None,
        subject=_about(view, part).subject,
    )
    if expected.address != address:
        raise NotAllowed("This was signed by another account than the one you are signed in with.")
    return _store(house, view, expected.address, part, proofs.NAMES[type(proof)])


def _store(house: House, seen: PayoutView, address: Address, part: Part, proof: str) -> PayoutView:
    """Keep a signature over the digest of `seen`; with enough of them the plan is approved."""

    def store(session: Session) -> PayoutView:
        view, at = payout_in(session, seen.campaign, seen.number), house.clock.now()
        if view.digest != seen.digest:
            raise Conflict(f"Payout {view.number} changed after this was signed: look at it again.")
        person = _refuse(session, view, address, part)
        refuse_outdated(session, view)
        session.add(
            PayoutApprovalRow(
                payout=view.id, attempt=view.paying.attempt, address=address, person=person, part=str(part),
                proof=proof, digest=view.digest, at_ns=at,
            )
        )  # fmt: skip
        detail = {"digest": view.digest, "proof": proof, "attempt": view.paying.attempt}
        append_act(session, at, address, _AUDITED[part], subject_of(view.campaign, view.number), detail)
        signed = payout_in(session, view.campaign, view.number)
        if not signed.is_enough:
            return signed
        for batch in signed.current:
            if batch.state is BatchState.PLANNED:
                move(session, at, batch.id, Act.APPROVE, address, is_news=False)
        return payout_in(session, view.campaign, view.number)

    return written(house, store)


def _refuse(session: Session, view: PayoutView, address: Address, part: Part) -> str:
    """Who signs with this address. Raises NotAllowed or Conflict where it may not, or not now."""
    if ROLES[part] not in roles_of(session, address):
        raise NotAllowed(
            f"{address} has no role {ROLES[part]}. The operator gives it: "
            f"python app.py organizer add {address} --role {ROLES[part]}"
        )
    if not view.waits_for_signatures:
        raise Conflict(f"Payout {view.number} waits for no signature: it is {view.state}.")
    person, addresses = _person(session, address)
    if part is Part.PLANNER:
        if view.planner is not None:
            raise Conflict(f"Payout {view.number} was signed by its planner already: {view.planner.address}.")
        return person
    if view.planner is None:
        raise Conflict(f"The planner of payout {view.number} signs it first.")
    refusal = view.eyes.refusal(person, addresses)
    if refusal is not None:
        raise NotAllowed(f"{refusal[0].upper()}{refusal[1:]}.")
    return person


def _person(session: Session, address: str) -> tuple[str, tuple[str, ...]]:
    """The participant to whom an address belongs with all addresses, else the address alone."""
    person = session.scalar(select(AddressRow.participant).where(AddressRow.address == address))
    if person is None:
        return address, (address,)
    return person, tuple(session.scalars(select(AddressRow.address).where(AddressRow.participant == person)))


def _about(view: PayoutView, part: Part) -> About:
    number, digest = view.number, view.digest
    return About(
        act_subject(part, view.campaign, number, digest),
        act_sentence(part, view.campaign, number, digest, view.total_uakt, view.paying.payer),
        lambda nonce: act_memo(part, view.campaign, number, digest, nonce),
    )


def _memo(view: PayoutView, part: Part) -> str:
    return act_memo(part, view.campaign, view.number, view.digest, view.paying.nonce)


def _checked(address: str) -> Address:
    try:
        return parse_address(address)
    except AddressError as error:
        raise Refused(f"We cannot take this address: {error}.", "address") from error


def _signer(signed_tx: str | Mapping[str, object]) -> tuple[Address, str]:
    """(from_address, memo) of a signed file. Raises Refused."""
    try:
        read: Any = json.loads(signed_tx[: LONGEST_TEXT + 1]) if isinstance(signed_tx, str) else signed_tx
        body = read["body"]
        return parse_address(body["messages"][0]["from_address"]), str(body["memo"])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise Refused("The file is no signed transaction, as `tx sign` prints it.", "proof") from error
