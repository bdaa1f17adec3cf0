"""Participants, their addresses, registrations, roles, sign-in challenges and sessions."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base


class ParticipantRow(Base):
    """Whoever registered an address; named by it everywhere."""

    __tablename__ = "participants"

    address: Mapped[str] = mapped_column(primary_key=True)
    created_ns: Mapped[int]


class AddressRow(Base):
    """An address that was proved: the registered one or a linked one; it belongs to one participant."""

    __tablename__ = "addresses"

    address: Mapped[str] = mapped_column(primary_key=True)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.address"), index=True)
    proved_ns: Mapped[int]
    proof: Mapped[str]
    linked_ns: Mapped[int]


class RegistrationRow(Base):
    """A participant's registration for a campaign, with the chain's newest block known then."""

    __tablename__ = "registrations"
    __table_args__ = (Index(None, "campaign", "received_ns"),)

    campaign: Mapped[str] = mapped_column(primary_key=True)
    participant: Mapped[str] = mapped_column(ForeignKey("participants.address"), primary_key=True, index=True)
    rules_digest: Mapped[str]
    received_ns: Mapped[int]
    chain_id: Mapped[str | None]
    height: Mapped[int | None]
    time_ns: Mapped[int | None]


class PersonalRow(Base):
    """The only place of personal fields: erasing a row breaks nothing."""

    __tablename__ = "personal"

    participant: Mapped[str] = mapped_column(ForeignKey("participants.address"), primary_key=True)
    display_name: Mapped[str | None]
    contact: Mapped[str | None]


class RoleRow(Base):
    """What an address may do besides taking part."""

    __tablename__ = "roles"

    address: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class ChallengeRow(Base):
    """A text to sign: used once, short-lived, bound to the browser that asked for it.

    `subject`: what it is about where that is no sign-in, e.g. the digest of a payout's plan.
    """

    __tablename__ = "challenges"

    id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str]
    purpose: Mapped[str]
    linked_to: Mapped[str | None]
    subject: Mapped[str | None]
    text: Mapped[str]
    nonce: Mapped[str] = mapped_column(unique=True)
    browser_hash: Mapped[str]
    memo: Mapped[str]
    created_ns: Mapped[int]
    expires_ns: Mapped[int] = mapped_column(index=True)


class SessionRow(Base):
    """A signed-in browser, known by the hash of its token."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(index=True)
    created_ns: Mapped[int]
    seen_ns: Mapped[int]
    expires_ns: Mapped[int] = mapped_column(index=True)
    csrf_token: Mapped[str]
