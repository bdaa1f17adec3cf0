"""Signed-in browsers: a random token in the cookie, its hash in the ledger."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ledger.people import AddressRow, RegistrationRow, RoleRow, SessionRow
from services.house import House
from tasks.moment import SECOND, Moment
from verifiers.wallet.addresses import Address

IDLE = 30 * 60 * SECOND
LONGEST = 12 * 3600 * SECOND
LONGEST_FOR_STAFF = 2 * 3600 * SECOND
"""reference/security.md T2, T8."""

SEEN_AGAIN = 60 * SECOND
"""A request within this time of the last one writes nothing."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in. `participant` is the address itself once it is registered for the campaign, else None.

    `linked_to`: the participant whom the address was linked to; such an address acts for nobody by itself.
    `roles` in alphabetical order.
    """

    address: Address
    participant: Address | None
    linked_to: Address | None
    roles: tuple[str, ...]
    csrf_token: str
    signed_in_at: Moment

    @property
    def registered(self) -> bool:
        """Whether the address takes part in the campaign."""
        return self.participant is not None

    @property
    def is_staff(self) -> bool:
        """Whether the person has any role besides taking part."""
        return bool(self.roles)


def hash_token(token: str) -> str:
    """What the ledger keeps of a token: SHA-256, hex. Tokens hold 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def new_token() -> str:
    """256 random bits for a cookie."""
    return secrets.token_urlsafe(32)


def open_session(session: Session, house: House, address: Address) -> tuple[str, Person]:
    """Sign `address` in under a new token, inside a writing transaction. Its ended sessions are swept out."""
    now = house.clock.now()
    token, csrf_token = new_token(), new_token()
    roles = roles_of(session, address)
    longest = LONGEST_FOR_STAFF if roles else LONGEST
    session.execute(delete(SessionRow).where(SessionRow.address == address, SessionRow.expires_ns <= now))
    session.add(
        SessionRow(
            token_hash=hash_token(token),
            address=address,
            created_ns=now,
            seen_ns=now,
            expires_ns=now + longest,
            csrf_token=csrf_token,
        )
    )
    return token, _person(session, house, address, csrf_token, now)


def session_of(house: House, token: str | None) -> Person | None:
    """Who holds this token; None where nobody does, or not any more."""
    if not token:
        return None
    now = house.clock.now()
    token_hash = hash_token(token)
    with house.ledger.read() as session:
        row = session.get(SessionRow, token_hash)
        if row is None or now >= row.expires_ns or now - row.seen_ns >= IDLE:
            return None
        person = _person(session, house, Address(row.address), row.csrf_token, Moment(row.created_ns))
    # A role given after the sign-in shortens the session at once.
    if person.is_staff and now - row.created_ns >= LONGEST_FOR_STAFF:
        return None
    if now - row.seen_ns >= SEEN_AGAIN:
        seen = update(SessionRow).where(SessionRow.token_hash == token_hash, SessionRow.seen_ns < now)
        house.ledger.transact(lambda session: session.execute(seen.values(seen_ns=now)).close())
    return person


def end_session(house: House, token: str | None) -> None:
    """Sign out: the token is worthless from now on, wherever it was copied to."""
    if token:
        ended = delete(SessionRow).where(SessionRow.token_hash == hash_token(token))
        house.ledger.transact(lambda session: session.execute(ended).close())


def end_all_sessions(house: House, address: Address) -> None:
    """Sign an address out everywhere: by its own wish, or because its roles changed."""
    ended = delete(SessionRow).where(SessionRow.address == address)
    house.ledger.transact(lambda session: session.execute(ended).close())


def roles_of(session: Session, address: Address) -> tuple[str, ...]:
    """The roles of an address, in alphabetical order."""
    return tuple(session.scalars(select(RoleRow.role).where(RoleRow.address == address).order_by(RoleRow.role)))


def _person(session: Session, house: House, address: Address, csrf_token: str, signed_in_at: Moment) -> Person:
    owner = session.scalar(select(AddressRow.participant).where(AddressRow.address == address))
    taking_part = select(RegistrationRow.campaign).where(RegistrationRow.participant == address).limit(1)
    if house.settings.campaign is not None:
        taking_part = taking_part.where(RegistrationRow.campaign == house.settings.campaign)
    is_registered = session.scalar(taking_part) is not None
    return Person(
        address=address,
        participant=address if is_registered else None,
        linked_to=Address(owner) if owner is not None and owner != address else None,
        roles=roles_of(session, address),
        csrf_token=csrf_token,
        signed_in_at=signed_in_at,
    )
