"""Signing in: a text made here, signed by the holder's key, used once (wallet-and-payouts.md 1.2 to 1.5)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ledger.chain import CursorRow
from ledger.people import ChallengeRow
from services import campaigns, proofs, sessions
from services.errors import NotAllowed, NotFound, Refused, SignInRefused, TooMany
from services.house import House
from services.proofs import Expected, Proof
from services.sessions import Person, hash_token
from tasks.moment import SECOND, Moment
from verifiers.wallet.addresses import Address, AddressError, parse_address
from verifiers.wallet.text import SignInText, sign_in_memo
from verifiers.wallet.transactions import SIGN_CHAIN_ID, unsigned_transaction

LIFETIME = 300 * SECOND
OPEN_CHALLENGES_OF_AN_ADDRESS = 30
OPEN_CHALLENGES_OF_A_BROWSER = 10

REFUSAL = (
    "The proof was not accepted. Ask for a new text and sign it with the key of that address within five minutes, "
    "in the same browser. A transaction that was just sent needs some seconds: send its hash again then."
)
"""The one answer to every failure (wallet-and-payouts.md 1.2, 5)."""


class Purpose(StrEnum):
    """What a proof is for; one made for one purpose serves no other."""

    SIGN_IN = "sign_in"
    LINK = "link"
    PAYOUT = "payout"


@dataclass(frozen=True, slots=True)
class About:
    """What a text is about that signs nobody in: one act on one thing.

    `subject` is its exact name, which a proof must name again; `statement` is what the wallet shows (ASCII);
    `memo` makes the memo out of the text's nonce.
    """

    subject: str
    statement: str
    memo: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is to be signed, in each of its forms; `expires_at` is when the chance is over."""

    challenge_id: str
    address: Address
    purpose: Purpose
    text: str
    unsigned_tx: dict[str, object]
    sign_chain_id: str
    memo: str
    memo_chain_ids: tuple[str, ...]
    expires_at: Moment


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh sign-in: `session_token` goes into the cookie and nowhere else, `csrf_token` to the page."""

    address: Address
    registered: bool
    roles: tuple[str, ...]
    session_token: str
    csrf_token: str


def make_challenge(
    house: House, address: str, purpose: Purpose | str, browser_token: str, person: Person | None = None
) -> Challenge:
    """Make the text that proves `address`, for the browser that holds `browser_token`.

    Raises Refused for a text that is no address, NotAllowed for a link without a registered person,
    TooMany while too many texts for this address wait to be signed.
    """
    purpose = Purpose(purpose)
    if purpose not in {Purpose.SIGN_IN, Purpose.LINK}:
        raise Refused("Such a text is made for the thing that it is about.", field="purpose")
    checked = _checked(address)
    linked_to = _account_linked_to(person, checked) if purpose is Purpose.LINK else None
    text = _text_for(house, checked, linked_to)
    row = _row_of(text, purpose, browser_token, sign_in_memo(text.nonce, linked_to))
    house.ledger.transact(lambda session: _keep(session, row, text.issued_at))
    return _challenge(house, row)


def make_act_challenge(house: House, address: str, purpose: Purpose, about: About, browser_token: str) -> Challenge:
    """Make the text by which `address` signs one act, for the browser that holds `browser_token`.

    Raises Refused for a text that is no address, TooMany while too many texts for this address wait to be signed.
    """
    text = _text_for(house, _checked(address), None, about.statement)
    row = _row_of(text, purpose, browser_token, about.memo(text.nonce))
    row.subject = about.subject
    house.ledger.transact(lambda session: _keep(session, row, text.issued_at))
    return _challenge(house, row)


def _checked(address: str) -> Address:
    try:
        return parse_address(address)
    except AddressError as error:
        raise Refused(f"We cannot take this address: {error}.", field="address") from error


def _row_of(text: SignInText, purpose: Purpose, browser_token: str, memo: str) -> ChallengeRow:
    return ChallengeRow(
        id=text.request_id,
        address=text.address,
        purpose=purpose.value,
        linked_to=text.linked_to,
        text=str(text),
        nonce=text.nonce,
        browser_hash=hash_token(browser_token),
        memo=memo,
        created_ns=text.issued_at,
        expires_ns=text.expires_at,
    )


def open_challenge(house: House, challenge_id: str, browser_token: str | None) -> Challenge:
    """A challenge that still waits in this browser. Raises NotFound where it is used, over or another browser's."""
    with house.ledger.read() as session:
        row = session.get(ChallengeRow, challenge_id)
    is_ours = row is not None and browser_token is not None and row.browser_hash == hash_token(browser_token)
    if row is None or not is_ours or row.expires_ns <= house.clock.now():
        raise NotFound("This text is used up, or its five minutes are over. Ask for a new one.")
    return _challenge(house, row)


def verify(house: House, challenge_id: str, proof: Proof, browser_token: str | None) -> SignedIn:
    """Sign in with a proof. Raises SignInRefused, the same for every failure; Unavailable where we could not look."""
    expected = prove(house, challenge_id, proof, browser_token, Purpose.SIGN_IN, linked_to=None)
    token, person = house.ledger.transact(lambda session: sessions.open_session(session, house, expected.address))
    return SignedIn(expected.address, person.registered, person.roles, token, person.csrf_token)


def prove(
    house: House,
    challenge_id: str,
    proof: Proof,
    browser_token: str | None,
    purpose: Purpose,
    *,
    linked_to: Address | None,
    subject: str | None = None,
) -> Expected:
    """Use a challenge up and check its proof; what is returned was proved.

    The challenge is gone before the proof is looked at, so each allows one try. A transaction is looked up on the
    network first: while nobody could look, or no block holds it yet, the challenge stays.
    Raises SignInRefused, the same for every failure; Unavailable where we could not look.
    """
    if not browser_token:
        raise SignInRefused(REFUSAL)
    wanted = (
        ChallengeRow.id == challenge_id,
        ChallengeRow.browser_hash == hash_token(browser_token),
        ChallengeRow.purpose == purpose.value,
        ChallengeRow.linked_to == linked_to if linked_to is not None else ChallengeRow.linked_to.is_(None),
        ChallengeRow.subject == subject if subject is not None else ChallengeRow.subject.is_(None),
        ChallengeRow.expires_ns > house.clock.now(),
    )
    answers: tuple[bytes, ...] = ()
    if isinstance(proof, proofs.MemoProof):
        with house.ledger.read() as session:
            is_open = session.scalar(select(ChallengeRow.id).where(*wanted)) is not None
        answers = proofs.memo_answers(house, proof) if is_open else ()
        if not answers:
            raise SignInRefused(REFUSAL)
    used = house.ledger.transact(
        lambda session: session.scalars(delete(ChallengeRow).where(*wanted).returning(ChallengeRow)).one_or_none()
    )
    if used is None:
        raise SignInRefused(REFUSAL)
    expected = Expected(Address(used.address), used.text, used.memo, Moment(used.created_ns), Moment(used.expires_ns))
    if not proofs.holds(expected, proof, answers):
        raise SignInRefused(REFUSAL)
    return expected


def _challenge(house: House, row: ChallengeRow) -> Challenge:
    address = Address(row.address)
    return Challenge(
        challenge_id=row.id,
        address=address,
        purpose=Purpose(row.purpose),
        text=row.text,
        unsigned_tx=unsigned_transaction(address, row.memo),
        sign_chain_id=SIGN_CHAIN_ID,
        memo=row.memo,
        memo_chain_ids=_memo_chain_ids(house),
        expires_at=Moment(row.expires_ns),
    )


def _account_linked_to(person: Person | None, address: Address) -> Address:
    if person is None:
        raise SignInRefused("Sign in first: an address is linked to the account that you are signed in with.")
    if person.participant is None:
        raise NotAllowed("Register for the campaign first; then you can link further addresses.")
    if person.participant == address:
        raise Refused("This is the address that you registered with; link another one.", field="address")
    return person.participant


def _text_for(house: House, address: Address, linked_to: Address | None, statement: str | None = None) -> SignInText:
    now = house.clock.now()
    issued_at = Moment(now - now % SECOND)
    public_url = house.settings.public_url.rstrip("/")
    return SignInText(
        domain=urlsplit(public_url).netloc,
        uri=f"{public_url}/sign-in",
        address=address,
        chain_id=payout_chain_id(house),
        nonce=secrets.token_hex(16),
        issued_at=issued_at,
        expires_at=Moment(issued_at + LIFETIME),
        request_id=secrets.token_hex(16),
        linked_to=linked_to,
        statement=statement,
    )


def _keep(session: Session, row: ChallengeRow, now: Moment) -> None:
    # Those of other addresses are housekeeping's: the demo's acts live at moments that are long past.
    session.execute(delete(ChallengeRow).where(ChallengeRow.address == row.address, ChallengeRow.expires_ns <= now))
    waiting = select(func.count()).where(ChallengeRow.address == row.address)
    of_this_browser = waiting.where(ChallengeRow.browser_hash == row.browser_hash)
    if (session.scalar(of_this_browser) or 0) >= OPEN_CHALLENGES_OF_A_BROWSER or (
        session.scalar(waiting) or 0
    ) >= OPEN_CHALLENGES_OF_AN_ADDRESS:
        raise TooMany(
            "Too many texts for this address wait to be signed. Sign one of them, or come back in five minutes.",
            retry_after_seconds=LIFETIME // SECOND,
        )
    session.add(row)


def payout_chain_id(house: House) -> str | None:
    """The chain id that the text names: where rewards are paid; None while nothing says it (DESIGN section 5)."""
    campaign = campaigns.current(house)
    if house.payout_chain is not None and house.payout_chain.chain_id is not None:
        return house.payout_chain.chain_id
    return campaigns.payout_chain_id(house, campaign) or _followed_chain_id(house)


def _memo_chain_ids(house: House) -> tuple[str, ...]:
    """The ids of the chains where a memo is looked up; a chain that is not connected is not among them."""
    payout, own = house.payout_chain, house.chain
    ids = (
        (payout.chain_id or payout_chain_id(house)) if payout is not None else None,
        (own.chain_id or campaigns.chain_id(house, campaigns.current(house)) or _followed_chain_id(house))
        if own is not None
        else None,
    )
    return tuple(dict.fromkeys(chain_id for chain_id in ids if chain_id is not None))


def _followed_chain_id(house: House) -> str | None:
    with house.ledger.read() as session:
        return session.scalar(select(CursorRow.chain_id).order_by(CursorRow.checked_ns.desc()).limit(1))
